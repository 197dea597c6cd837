//! Where packages are deployed.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, ObjectVersion, Sha256Digest};

/// Holds immutable versions of functions and aliases that point to them.
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

    /// Points `alias` to a version that [`DeployTarget::publish_version`] gave, at once for every reader. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// [`TargetError::NoSuchVersion`] if it does not stand; the alias then points where it did.
    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError>;
}

/// What a target calls a version: a number of its own, or ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetVersion(pub String);

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
