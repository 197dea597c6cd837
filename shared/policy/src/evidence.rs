//! What was gathered about the packages of a deployment.

use countersign_domain::{JobArn, PackageRole, ProfileVersionArn, UnixMillis};
use countersign_package::verify::{VerifiedPackage, VerifyError};
use countersign_ports::revocations::RevocationStatus;

/// Everything a decision rests on beside the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The instant of the decision.
    pub now: UnixMillis,
    /// The function's package and each layer's. Without any there is nothing to deploy, and the verdict is to block.
    pub packages: Vec<PackageEvidence>,
}

/// What is known of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageEvidence {
    /// Which package it is.
    pub role: PackageRole,
    /// What verification said of its signature.
    pub signature: SignatureEvidence,
    /// What the revocation source said of that signature.
    pub revocation: RevocationEvidence,
}

/// What verification said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureEvidence {
    /// The signature holds, under a trusted root.
    Verified(SignedStatement),
    /// The package is a well-formed zip without a signature.
    Unsigned,
    /// The package or its signature is not what it has to be: tampered with, malformed, or under no trusted root.
    Broken {
        /// The stable code of FORMAT.md, sections 9 and 10.
        code: String,
        /// What disagrees, in words.
        reason: String,
    },
    /// The package could not be read to the end, so nothing is known.
    Unreadable {
        /// What went wrong.
        reason: String,
    },
}

/// What the revocation source said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationEvidence {
    /// It answered for this very job and profile version.
    Known(RevocationStatus),
    /// It could not be asked; the text says why.
    Unavailable(String),
    /// There was no signature to ask about. Beside a verified signature this counts as unavailable.
    NotAsked,
}

/// What a verified signature states. Outside of tests it exists only where a package was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    job: JobArn,
    signer: ProfileVersionArn,
    signing_time: UnixMillis,
    expires_at: UnixMillis,
}

impl From<&VerifiedPackage> for SignedStatement {
    fn from(package: &VerifiedPackage) -> Self {
        let statement = package.statement();
        Self {
            job: statement.job_arn.clone(),
            signer: statement.profile_version_arn.clone(),
            signing_time: statement.signing_time,
            expires_at: statement.expires_at,
        }
    }
}

impl From<&VerifiedPackage> for SignatureEvidence {
    fn from(package: &VerifiedPackage) -> Self {
        Self::Verified(package.into())
    }
}

impl From<&VerifyError> for SignatureEvidence {
    fn from(error: &VerifyError) -> Self {
        let broken = |code: &str, reason: String| Self::Broken { code: code.to_owned(), reason };
        match error {
            VerifyError::Io(io) => Self::Unreadable { reason: io.to_string() },
            VerifyError::Unsigned => Self::Unsigned,
            VerifyError::Gate(refusal) => broken(refusal.code.as_str(), error.to_string()),
            VerifyError::Integrity(integrity) => broken(integrity.code(), error.to_string()),
        }
    }
}

impl SignedStatement {
    /// The signing job.
    pub fn job(&self) -> &JobArn {
        &self.job
    }

    /// The profile version that signed.
    pub fn signer(&self) -> &ProfileVersionArn {
        &self.signer
    }

    /// When it was signed, by the signer's word.
    pub fn signing_time(&self) -> UnixMillis {
        self.signing_time
    }

    /// The last instant at which the signature is valid.
    pub fn expires_at(&self) -> UnixMillis {
        self.expires_at
    }

    /// A statement that nobody verified, to put the table of decisions to the test.
    #[cfg(test)]
    pub(crate) fn unverified(
        job: JobArn,
        signer: ProfileVersionArn,
        signing_time: UnixMillis,
        expires_at: UnixMillis,
    ) -> Self {
        Self { job, signer, signing_time, expires_at }
    }
}
