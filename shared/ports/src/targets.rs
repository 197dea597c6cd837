//! Where packages are deployed.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, FunctionVersion, ObjectVersion, Sha256Digest};

use crate::functions::Weight;

/// Holds immutable versions of functions, `$LATEST`, and aliases that point to them.
#[async_trait]
pub trait DeployTarget: Send + Sync {
    /// Publishes a version, all of it or nothing, and says what the target calls it. A version that stands with the same
    /// packages is `Ok`; it is never changed. A target with numbers of its own may call two of ours that are the same by
    /// one name. It may refuse layers, with the code `layers_unsupported`.
    ///
    /// # Errors
    /// After an error no version that an alias could point to is there. [`TargetError::Unavailable`] also where somebody
    /// else changes the function at the same time.
    async fn publish_version(
        &self,
        function: &FunctionName,
        version: u64,
        packages: &LocalPackages,
    ) -> Result<TargetVersion, TargetError>;

    /// Makes `$LATEST` these packages, at once for every reader, and publishes no version. Repeating it changes nothing.
    /// Layers as for [`DeployTarget::publish_version`].
    ///
    /// # Errors
    /// After an error `$LATEST` is what it was, or for a target that fetches by itself already these packages.
    async fn put_latest(&self, function: &FunctionName, packages: &LocalPackages) -> Result<(), TargetError>;

    /// What the target calls a version of ours whose code has this digest; `None` if it does not stand. `$LATEST` has one
    /// name everywhere.
    async fn find_version(
        &self,
        function: &FunctionName,
        version: FunctionVersion,
        code: &Sha256Digest,
    ) -> Result<Option<TargetVersion>, TargetError>;

    /// Points `alias` to a version that [`DeployTarget::publish_version`] gave, or to `$LATEST`, at once for every reader.
    /// Repeating it changes nothing.
    ///
    /// # Errors
    /// [`TargetError::NoSuchVersion`] if it does not stand; the alias then points where it did.
    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError>;

    /// Points `alias` to a version, with a part of its calls for a `further` one. Where no calls pass through the target it
    /// points to the first one alone.
    ///
    /// # Errors
    /// [`TargetError::NoSuchVersion`] if one of them does not stand; the alias then points where it did.
    async fn split_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
        further: (&TargetVersion, Weight),
    ) -> Result<(), TargetError>;

    /// Deletes an alias; one that is not there is `Ok`.
    async fn delete_alias(&self, function: &FunctionName, alias: &AliasName) -> Result<(), TargetError>;

    /// Deletes a version of ours, all of it or nothing; one that is not there is `Ok`. Where the target calls two of ours by
    /// one name, and the other one's code is among `in_use`, it stays.
    ///
    /// # Errors
    /// Where an alias points to it; then it stands as it was.
    async fn delete_version(
        &self,
        function: &FunctionName,
        version: u64,
        in_use: &BTreeSet<Sha256Digest>,
    ) -> Result<(), TargetError>;

    /// Deletes the function with its aliases, versions and `$LATEST`; one that is not there is `Ok`. After an error some of
    /// them may be gone, and it is to be repeated.
    async fn delete_function(&self, function: &FunctionName) -> Result<(), TargetError>;
}

/// What a target calls a version: a number of its own, or ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetVersion(pub String);

impl TargetVersion {
    /// `$LATEST`, as every target calls it.
    pub fn latest() -> Self {
        Self(FunctionVersion::Latest.to_string())
    }

    /// True for `$LATEST`.
    pub fn is_latest(&self) -> bool {
        *self == Self::latest()
    }
}

impl fmt::Display for TargetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The packages of a deployment in files of this machine that nobody else writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPackages {
    /// The function's code.
    pub code: LocalPackage,
    /// Its layers, in order.
    pub layers: Vec<LocalPackage>,
}

/// One package in a file of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPackage {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the whole file, as it was decided upon.
    pub sha256: Sha256Digest,
    /// The version of which the file is a copy, for a target that fetches by itself.
    pub object: ObjectVersion,
}

/// What a caller of a target has to tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The package cannot be deployed, now or ever.
    #[error("the package cannot be deployed ({code}): {reason}")]
    Refused {
        /// A stable code.
        code: String,
        /// What is wrong, for people.
        reason: String,
    },
    /// The version stands with other packages.
    #[error("version {version} of {function} stands with another package")]
    VersionTaken {
        /// The function.
        function: FunctionName,
        /// The version.
        version: u64,
    },
    /// There is no such version to point to.
    #[error("version {version} of {function} does not exist")]
    NoSuchVersion {
        /// The function.
        function: FunctionName,
        /// The version.
        version: TargetVersion,
    },
    /// The version cannot be deleted.
    #[error("alias {alias} of {function} points to version {version}")]
    AliasPoints {
        /// The function.
        function: FunctionName,
        /// The version.
        version: u64,
        /// The alias.
        alias: AliasName,
    },
    /// No room; make some and deploy again.
    #[error("the target is full: {0}")]
    Full(String),
    /// The target did not answer. Try again later.
    #[error("the target is unavailable: {0}")]
    Unavailable(String),
}

impl TargetError {
    /// The refusal of a package whose bytes are not those that were decided upon. Its code is `package_changed`.
    pub fn package_changed(decided: &Sha256Digest, read: &Sha256Digest) -> Self {
        let reason = format!("the file has SHA-256 {read}, and {decided} was decided upon");
        Self::Refused { code: "package_changed".to_owned(), reason }
    }
}
