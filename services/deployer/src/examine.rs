//! A package that is kept without being deployed, such as a layer's: its exact bytes pass the gate, and what its signature
//! states is kept with it where it verifies. Nothing is decided about trust.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use countersign_domain::{Code, CodeVersion, ObjectVersion, Sha256Digest};
use countersign_package::gate::Refusal;
use countersign_package::verify::{VerifyError, verify};
use countersign_policy::{SignatureEvidence, SignedStatement};
use countersign_ports::objects::{Fetched, ObjectError};

use crate::{Deployer, gather};

/// Why a package cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExamined {
    /// The gate refuses it, so that no function could ever have it.
    #[error("{0}")]
    Gate(Refusal),
    /// The object store did not give its bytes.
    #[error(transparent)]
    NotFetched(#[from] ObjectError),
    /// This machine could not read or write a file.
    #[error("{0}")]
    Local(String),
}

impl Deployer {
    /// The package at exactly this version, as it is kept.
    ///
    /// # Errors
    /// [`NotExamined`].
    pub async fn examine(&self, version: &CodeVersion) -> Result<Code, NotExamined> {
        let folder = self.scratch.folder().map_err(|error| NotExamined::local(&error))?;
        let path = folder.path().join("package.zip");
        let object = ObjectVersion::from(version.clone());
        let limit = self.settings.package_limit_bytes;
        let Fetched { sha256, size_bytes } = self.ports.objects.fetch(&object, limit, &path).await?;
        let signature = gather::stated(&self.signature(path, sha256).await?);
        Ok(Code { object: version.clone(), sha256, size_bytes, signature })
    }

    async fn signature(
        &self,
        path: PathBuf,
        fetched: Sha256Digest,
    ) -> Result<SignatureEvidence, NotExamined> {
        let (roots, limits) = (self.trust_roots.clone(), self.settings.gate_limits.clone());
        let now = self.ports.clock.now();
        let verified = tokio::task::spawn_blocking(move || verify(&File::open(path)?, &roots, now, &limits));
        match verified.await.map_err(|error| NotExamined::local(&error))? {
            Ok(package) if package.package_digest() != fetched => {
                Err(NotExamined::local(&"a fetched file changed on this machine before it was verified"))
            }
            Ok(package) => Ok(SignatureEvidence::Verified(SignedStatement::from(&package))),
            Err(VerifyError::Gate(refusal)) => Err(NotExamined::Gate(refusal)),
            Err(VerifyError::Io(error)) => Err(NotExamined::local(&error)),
            Err(error @ (VerifyError::Unsigned | VerifyError::Integrity(_))) => {
                Ok(SignatureEvidence::from(&error))
            }
        }
    }
}

impl NotExamined {
    fn local(error: &dyn fmt::Display) -> Self {
        Self::Local(error.to_string())
    }
}
