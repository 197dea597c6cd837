//! Verification (FORMAT.md section 8), and inspection, which verifies nothing.

mod error;
mod inspect;
mod package;
mod read;
#[cfg(test)]
mod wycheproof;

use countersign_domain::UnixMillis;

pub use self::error::{AmbiguousSignature, IntegrityError, NotRecovered, VerifyError};
pub use self::inspect::{Inspection, UnverifiedCertificate, UnverifiedSignature, inspect};
pub use self::package::{Coverage, VerifiedPackage};
use self::read::ReadSignature;
use crate::chain::TrustRoots;
use crate::digest::{self, ExactBytes};
use crate::gate::Archive;
use crate::limits::Limits;
use crate::signature_entry::{SignatureKind, recover};
use crate::source::ReadAt;

/// Verifies the package in `source` at the time `now`, with `roots` as the only trust.
///
/// Expiry, allowed publishers and revocation are policy's business: a package whose signature has expired verifies, and
/// [`VerifiedPackage::statement`] says when it did.
///
/// # Errors
/// [`VerifyError::Unsigned`] if the gate passes and there is no signature; [`VerifyError::Gate`] and
/// [`VerifyError::Integrity`] if the package must not be trusted; [`VerifyError::Io`] if it could not be read.
pub fn verify<S: ReadAt + ?Sized>(
    source: &S,
    roots: &TrustRoots,
    now: UnixMillis,
    limits: &Limits,
) -> Result<VerifiedPackage, VerifyError> {
    let archive = Archive::parse(source, limits)?; // step 1
    let signature = read::signature(source, &archive)?.ok_or(VerifyError::Unsigned)?; // steps 2 to 5
    check_key_owner(&signature)?;
    check_signing_time(&signature, now)?;
    signature.chain.judge(roots, signature.statement.signing_time).map_err(IntegrityError::from)?; // step 7
    check_signature(&signature)?;
    let (coverage, exact) = check_content(source, &archive, &signature)?;
    Ok(VerifiedPackage {
        statement: signature.statement,
        coverage,
        unsigned_digest: exact.map(|exact| exact.sha256),
        package_digest: digest::sha256(source)?,
        chain: signature.chain,
        archive,
    })
}

/// Step 5: the leaf speaks for the profile version that the signature names, and for no other (FORMAT.md section 6.1).
fn check_key_owner(signature: &ReadSignature) -> Result<(), IntegrityError> {
    let signed = &signature.statement.profile_version_arn;
    match (signature.is_native_aws(), signature.chain.leaf_uri()) {
        (true, None) => Ok(()),
        (true, Some(uri)) => Err(IntegrityError::MissingContentHints { uri: uri.to_owned() }),
        (false, Some(uri)) if uri == signed.to_string() => Ok(()),
        (false, uri) => Err(IntegrityError::SanMismatch {
            leaf: uri.map(str::to_owned),
            signed: Box::new(signed.clone()),
        }),
    }
}

/// Step 6.
fn check_signing_time(signature: &ReadSignature, now: UnixMillis) -> Result<(), IntegrityError> {
    let signing_time = signature.statement.signing_time;
    if signing_time > now.plus_millis(CLOCK_SKEW_MILLIS) {
        return Err(IntegrityError::SigningTimeInFuture { signing_time, now });
    }
    Ok(())
}

/// Step 8.
fn check_signature(signature: &ReadSignature) -> Result<(), IntegrityError> {
    let block = &signature.block;
    let algorithm = signature.chain.leaf().algorithm;
    let verifies = signature.chain.leaf_verifies(algorithm, &block.signed_attributes, &block.signature);
    verifies.then_some(()).ok_or(IntegrityError::BadSignature)
}

/// Step 9.
fn check_content<S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
    signature: &ReadSignature,
) -> Result<(Coverage, Option<ExactBytes>), VerifyError> {
    if signature.kind == SignatureKind::Sf {
        check_names_and_contents(source, archive, signature)?;
    }
    if signature.is_native_aws() {
        return Ok((Coverage::NamesAndContents, None));
    }
    let exact = check_exact_bytes(source, archive, signature)?;
    Ok((Coverage::ExactBytes, Some(exact)))
}

/// FORMAT.md section 5.2.
fn check_names_and_contents<S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
    signature: &ReadSignature,
) -> Result<(), VerifyError> {
    let entries = archive.entries().iter().filter(|entry| entry.name() != signature.entry_name());
    let inner = digest::names_and_contents(source, archive, entries, &[])?;
    let found = signature.chain.leaf().algorithm.hash(&inner);
    Ok(check_digest(&signature.block.claims.message_digest, &found)?)
}

/// FORMAT.md sections 3.5, 5.1 and 5.3.
fn check_exact_bytes<S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
    signature: &ReadSignature,
) -> Result<ExactBytes, VerifyError> {
    let recovered = recover(source, archive, signature.kind)?;
    let exact = digest::exact_bytes(&recovered, signature.chain.leaf().algorithm)?;
    match &signature.block.claims.content_hints {
        None => check_digest(&signature.block.claims.message_digest, &exact.digest)?,
        Some(hints) if hints.size != exact.size => {
            return Err(IntegrityError::SizeMismatch { signed: hints.size, found: exact.size }.into());
        }
        Some(hints) => check_digest(&hints.sha384, &exact.digest)?,
    }
    Ok(exact)
}

fn check_digest(signed: &[u8], found: &[u8]) -> Result<(), IntegrityError> {
    if signed == found {
        return Ok(());
    }
    Err(IntegrityError::DigestMismatch { signed: hex::encode(signed), found: hex::encode(found) })
}

impl From<NotRecovered> for VerifyError {
    fn from(error: NotRecovered) -> Self {
        match error.into_io() {
            Ok(error) => Self::Io(error),
            Err(other) => Self::Integrity(IntegrityError::NotAnAppend(other)),
        }
    }
}

/// How far a signer's clock may run before ours: 5 minutes (FORMAT.md section 8, 6).
const CLOCK_SKEW_MILLIS: i64 = 5 * 60 * 1000;
