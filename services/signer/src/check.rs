//! Whether a file is the signed package that it has to be. Nothing is published, adopted or reused without it.

use std::fs::File;
use std::path::Path;

use countersign_domain::{JobArn, ProfileVersionArn, Sha256Digest, UnixMillis};
use countersign_package::verify::{VerifiedPackage, VerifyError, verify};

use crate::Signer;
use crate::halt::Halt;

/// What a signed package has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The job that made the signature.
    pub(crate) job: &'a JobArn,
    /// Who signed.
    pub(crate) profile: &'a ProfileVersionArn,
    /// SHA-256 of the package before it was signed.
    pub(crate) unsigned_sha256: &'a Sha256Digest,
}

/// A package that is not the expected one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    /// It does not verify under the trust roots.
    #[error("{0}")]
    Unverified(String),
    /// It verifies, as another one.
    #[error("its {what} is {found}, not {expected}")]
    Other { what: &'static str, found: String, expected: String },
}

/// Verifies the file at `path` and compares what it says. The outer error is this machine's.
pub(crate) async fn check(
    signer: &Signer,
    path: &Path,
    expected: &Expected<'_>,
) -> Result<Result<UnixMillis, Mismatch>, Halt> {
    let (path, roots) = (path.to_owned(), signer.trust_roots.clone());
    let (limits, now) = (signer.settings.gate_limits.clone(), signer.ports.clock.now());
    let verified = tokio::task::spawn_blocking(move || verify(&File::open(path)?, &roots, now, &limits));
    match verified.await.map_err(Halt::later)? {
        Ok(package) => Ok(compare(&package, expected)),
        Err(VerifyError::Io(error)) => Err(Halt::later(error)),
        Err(error @ (VerifyError::Gate(_) | VerifyError::Unsigned | VerifyError::Integrity(_))) => {
            Ok(Err(Mismatch::Unverified(error.to_string())))
        }
    }
}

/// When the signature of the expected package expires.
fn compare(package: &VerifiedPackage, expected: &Expected<'_>) -> Result<UnixMillis, Mismatch> {
    let statement = package.statement();
    let unsigned =
        package.unsigned_digest().map_or_else(|| "not covered".to_owned(), |found| found.to_string());
    same("signing job", statement.job_arn.to_string(), expected.job.to_string())?;
    same("profile version", statement.profile_version_arn.to_string(), expected.profile.to_string())?;
    same("unsigned SHA-256", unsigned, expected.unsigned_sha256.to_string())?;
    Ok(statement.expires_at)
}

fn same(what: &'static str, found: String, expected: String) -> Result<(), Mismatch> {
    if found == expected { Ok(()) } else { Err(Mismatch::Other { what, found, expected }) }
}
