//! Objects in S3, by version.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{BucketName, ObjectLocation, ObjectVersion, Prefix, Sha256Digest};

/// Reads exact versions and writes new objects.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// True if `bucket` keeps every version of its objects (versioning `Enabled`).
    async fn keeps_versions(&self, bucket: &BucketName) -> Result<bool, ObjectError>;

    /// The newest version of the object, or `None` if there is none or it was deleted.
    ///
    /// # Errors
    /// [`ObjectError::Unversioned`] if the object has no version id.
    async fn newest(&self, object: &ObjectLocation) -> Result<Option<ObjectFacts>, ObjectError>;

    /// What the store says about exactly this version; `None` if there is no such version, or it is a delete marker.
    async fn facts(&self, object: &ObjectVersion) -> Result<Option<ObjectFacts>, ObjectError>;

    /// Writes the bytes of exactly this version into the file at `into`, which is created or emptied first. `Ok` means
    /// that all bytes were written and that their number and digest are those returned; nothing is said about fsync.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`] before more than `limit_bytes` were written.
    async fn fetch(
        &self,
        object: &ObjectVersion,
        limit_bytes: u64,
        into: &Path,
    ) -> Result<Fetched, ObjectError>;

    /// Writes the file at `from` as a new object, on the condition that no object has this key. `Ok` means durable.
    ///
    /// # Errors
    /// [`ObjectError::AlreadyExists`] if there is one: the caller reads it back and decides. After
    /// [`ObjectError::Unavailable`] the object may or may not have been written. After [`ObjectError::Unversioned`] it
    /// was written, and no version names it: ask [`ObjectStore::keeps_versions`] first.
    async fn put_new(
        &self,
        object: &ObjectLocation,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<ObjectVersion, ObjectError>;

    /// One page of the versions under `prefix`, delete markers and objects without a version id left out, and where
    /// the next page begins. Every version that existed before the first page was asked for, and still does, is on some page.
    async fn list_versions(
        &self,
        prefix: &Prefix,
        from: Option<&PageMarker>,
    ) -> Result<VersionPage, ObjectError>;
}

/// URLs by which whoever has one may read one version of an object, without keys and for a while.
#[async_trait]
pub trait PresignedReads: Send + Sync {
    /// A URL of exactly this version, good for `valid_for`, at most 7 days. Nothing is asked: whether there is such a
    /// version shows when the URL is used.
    ///
    /// # Errors
    /// [`ObjectError::Refused`] if `valid_for` is too long, [`ObjectError::Unavailable`] without credentials to sign with.
    async fn presigned_read(
        &self,
        object: &ObjectVersion,
        valid_for: Duration,
    ) -> Result<String, ObjectError>;
}

/// What a store says about one version without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// The version.
    pub object: ObjectVersion,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// What was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// The number of bytes.
    pub size_bytes: u64,
    /// The digest of all of them.
    pub sha256: Sha256Digest,
}

/// One page of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions, in the order of their keys, newest first within a key.
    pub versions: Vec<ObjectFacts>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<PageMarker>,
}

/// Where a page begins: S3's key marker and version id marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMarker {
    /// The key marker.
    pub key: String,
    /// The version id marker.
    pub version: Option<String>,
}

/// What a caller of an object store has to tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// There is no such bucket.
    #[error("bucket {0} does not exist")]
    NoSuchBucket(BucketName),
    /// There is no such object or version, or it was deleted.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The object has no version id, so nothing says which bytes are meant.
    #[error("bucket {0} keeps no versions: turn on bucket versioning and upload again")]
    Unversioned(BucketName),
    /// An object with this key exists; nothing was written.
    #[error("{0} exists already")]
    AlreadyExists(ObjectLocation),
    /// The credentials do not allow it.
    #[error("access to {0} was denied")]
    Denied(String),
    /// The object is larger than the caller accepts.
    #[error("{object} has {size_bytes} bytes, more than the {limit_bytes} allowed")]
    TooLarge {
        /// Which object.
        object: String,
        /// Its size, or how much of it had been seen.
        size_bytes: u64,
        /// The caller's limit.
        limit_bytes: u64,
    },
    /// The bytes that came are not the bytes that were announced.
    #[error("{object} arrived damaged: {reason}")]
    Damaged {
        /// Which object.
        object: String,
        /// Which number or digest disagrees.
        reason: String,
    },
    /// The store understood the request and will not do it: wrong region, a name or a size it does not accept.
    #[error("the object store refused: {0}")]
    Refused(String),
    /// The store could not be reached, throttled or failed. Try again later.
    #[error("the object store is unavailable: {0}")]
    Unavailable(String),
    /// A file on this machine could not be read or written.
    #[error("the local file {path} failed: {reason}")]
    LocalFile {
        /// The file.
        path: String,
        /// The operating system's reason.
        reason: String,
    },
}

impl ObjectError {
    /// True if the same call may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Damaged { .. } | Self::LocalFile { .. } => true,
            Self::NoSuchBucket(_)
            | Self::NotFound(_)
            | Self::Unversioned(_)
            | Self::AlreadyExists(_)
            | Self::Denied(_)
            | Self::Refused(_)
            | Self::TooLarge { .. } => false,
        }
    }
}
