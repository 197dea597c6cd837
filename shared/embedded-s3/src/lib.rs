//! The versioned, durable S3 endpoint that `countersign up` serves: the protocol by `s3s`, metadata in
//! SQLite, contents in files.
//!
//! What was acknowledged survives `kill -9`, and nothing half-done is ever shown: a content is synced under
//! its final name before the metadata names it, and the metadata commits with the notification of the
//! arrival. This crate never contains an AWS SDK, a key that signs packages, or a decision about one.
//!
//! What buckets and objects can be configured to:
//!
//! | sub-resource | read | written |
//! |---|---|---|
//! | `versioning`, `notification`, `tagging` (buckets and objects) | as kept | kept |
//! | `publicAccessBlock` | as kept | kept: there is no public access, whatever it says |
//! | `ownershipControls` | as kept | `BucketOwnerEnforced`, which always holds; else `NotImplemented` |
//! | `requestPayment`, `logging` | the bucket's owner pays, nothing is logged | the same; else `NotImplemented` |
//! | `acl` (buckets and objects) | the owner has full control | `AccessControlListNotSupported` |
//! | `accelerate` | never configured | `NotImplemented` |
//! | `policy`, `policyStatus`, `cors`, `website`, `lifecycle` | 404 with S3's code | `NotImplemented` |
//! | `replication`, `encryption`, `object-lock` | 404 with S3's code | `NotImplemented` |
//! | `analytics`, `inventory`, `metrics`, `intelligent-tiering` | an empty list; 404 for one of them | `NotImplemented` |
//!
//! A removal of what a bucket never has is a success. `encryption` is among what is never had, because
//! contents lie in the folder as they came. Every other operation, parameter and header of S3 that is not
//! honoured is `NotImplemented`.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::BucketName;
use tokio::sync::Notify;

mod access;
mod admission;
mod buckets;
mod checksums;
mod complete;
mod conditions;
mod configuration;
mod content;
mod documents;
mod endpoint;
mod errors;
mod expectation;
mod front;
mod integrity;
mod list_objects;
mod listing;
mod metadata;
mod multipart;
mod notifications;
mod objects;
mod operations;
mod query;
mod ranges;
mod store;
mod tagging;

pub use access::{Keys, OneKey};
pub use endpoint::{ResponseBody, S3Endpoint};
pub use notifications::Notification;
pub use store::Clock;

use content::ContentStore;
use metadata::{Metadata, Versioning};
use store::Store;

/// The endpoint and what it stores. Clones share both.
#[derive(Clone)]
pub struct EmbeddedS3 {
    store: Arc<Store>,
    endpoint: S3Endpoint,
}

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves the same folder.
    #[error("{} is in use by another process: stop it, or choose another data directory", .0.display())]
    InUse(PathBuf),
    /// The folder or a file in it cannot be made, read or emptied.
    #[error("cannot use {}: {source}", .path.display())]
    Folder {
        /// The folder of the store.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The metadata cannot be opened, or was written by a newer release.
    #[error("cannot open the metadata in {}: {source}", .path.display())]
    Metadata {
        /// The folder of the store.
        path: PathBuf,
        /// What the database says.
        source: sqlx::Error,
    },
}

/// The metadata could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the metadata of the embedded S3 endpoint cannot be used: {0}")]
pub struct MetadataError(#[from] sqlx::Error);

impl EmbeddedS3 {
    /// Opens the store in `dir`, which is its own, making what is missing and removing what a crash left
    /// behind. `clock` dates objects; `keys` say who may ask for what; signatures are checked against the system's time by the protocol layer.
    ///
    /// # Errors
    /// When another process has the folder, or it cannot be read and written.
    pub async fn open(
        dir: &Path,
        clock: Clock,
        keys: Arc<dyn Keys>,
        region: String,
    ) -> Result<Self, OpenError> {
        let folder = |source| OpenError::Folder { path: dir.to_owned(), source };
        let database = |source| OpenError::Metadata { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(folder)?;
        let lock = lock(dir)?;
        let content = ContentStore::open(dir).map_err(folder)?;
        let metadata = Metadata::open(&dir.join("metadata.sqlite")).await.map_err(database)?;
        content::sync_with_parent(dir).map_err(folder)?;
        let store = Store { metadata, content, clock, region, arrived: Arc::new(Notify::new()), _lock: lock };
        let then = store.now().saturating_sub(COMPLETED_REMEMBERED_MILLIS);
        metadata::uploads::forget_completed(store.metadata.writer(), then).await.map_err(database)?;
        sweep(&store, dir).await?;
        let store = Arc::new(store);
        let endpoint = S3Endpoint::new(&store, &keys);
        Ok(Self { store, endpoint })
    }

    /// Makes the bucket if it is missing, and turns its versioning on if `versioned`. Versioning that is on
    /// stays on.
    ///
    /// # Errors
    /// When the metadata cannot be written.
    pub async fn ensure_bucket(&self, name: &BucketName, versioned: bool) -> Result<(), MetadataError> {
        let mut tx = self.store.metadata.begin().await?;
        let now = self.store.now();
        metadata::buckets::insert(&mut *tx, name.as_str(), now).await?;
        if versioned {
            metadata::buckets::set_versioning(&mut *tx, name.as_str(), Versioning::Enabled).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The endpoint as a tower service, for a listener or dispatcher of one's own.
    pub fn service(&self) -> S3Endpoint {
        self.endpoint.clone()
    }

    /// Waits until the requests under way are answered, also those whose clients went away, for at most `grace`. To be
    /// called when nobody sends requests any more.
    pub async fn settle(&self, grace: Duration) {
        let requests = self.endpoint.requests();
        requests.close();
        if tokio::time::timeout(grace, requests.wait()).await.is_err() {
            tracing::warn!("s3 requests still running after {grace:?} were cut off");
        }
        requests.reopen();
    }

    /// The oldest notifications of objects that arrived and were not marked delivered, at most `limit`.
    ///
    /// # Errors
    /// When the metadata cannot be read.
    pub async fn pending_notifications(&self, limit: usize) -> Result<Vec<Notification>, MetadataError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(notifications::pending(self.store.metadata.readers(), limit).await?)
    }

    /// Forgets notifications that were delivered; ids that are unknown are passed over.
    ///
    /// # Errors
    /// When the metadata cannot be written; then none is forgotten.
    pub async fn mark_delivered(&self, ids: &[String]) -> Result<(), MetadataError> {
        let mut tx = self.store.metadata.begin().await?;
        for id in ids {
            notifications::forget(&mut *tx, id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Notified when a notification was written. One permit is kept, so whoever reads all pending
    /// notifications and then waits misses none; it still must read once at its start.
    pub fn notified(&self) -> Arc<Notify> {
        Arc::clone(&self.store.arrived)
    }

    /// Waits for reads and writes under way and closes the metadata.
    pub async fn close(&self) {
        self.store.metadata.close().await;
    }
}

/// Two processes would each sweep the contents that the other is about to name.
fn lock(dir: &Path) -> Result<std::fs::File, OpenError> {
    let folder = |source| OpenError::Folder { path: dir.to_owned(), source };
    let path = dir.join("lock");
    let file =
        std::fs::File::options().create(true).truncate(false).write(true).open(path).map_err(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(folder(source)),
    }
}

/// Removes the contents that no metadata names: what a crash, or a replaced version, left behind.
async fn sweep(store: &Store, dir: &Path) -> Result<(), OpenError> {
    for shelf in content::shelves() {
        let named = store.metadata.contents(&shelf).await;
        let named = named.map_err(|source| OpenError::Metadata { path: dir.to_owned(), source })?;
        let named: std::collections::HashSet<String> = named.into_iter().collect();
        let shelved = store.content.shelved(&shelf);
        let shelved = shelved.map_err(|source| OpenError::Folder { path: dir.to_owned(), source })?;
        let orphans: Vec<String> = shelved.into_iter().filter(|id| !named.contains(id)).collect();
        if !orphans.is_empty() {
            tracing::info!(shelf, count = orphans.len(), "contents without metadata removed");
            store.content.remove(orphans).await;
        }
    }
    Ok(())
}

/// How long a completed upload is remembered for a client that repeats the completion: a week.
const COMPLETED_REMEMBERED_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;
