//! Why a package did not verify.

use std::io;

use countersign_domain::{ProfileVersionArn, UnixMillis};

use crate::chain::ChainError;
use crate::cms::CmsError;
use crate::gate::{GateError, Refusal};
pub use crate::signature_entry::{AmbiguousSignature, NotRecovered};
use crate::statement::StatementError;

/// Why there is no [`VerifiedPackage`](super::VerifiedPackage).
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The package could not be read, which says nothing about it.
    #[error("could not read the package: {0}")]
    Io(#[from] io::Error),
    /// The gate refuses the package.
    #[error(transparent)]
    Gate(Refusal),
    /// The gate passes the package, and it has no signature.
    #[error("the package is not signed")]
    Unsigned,
    /// The package has a signature that does not hold.
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
}

/// Why a signature does not hold (FORMAT.md section 10).
#[derive(Debug, thiserror::Error)]
pub enum IntegrityError {
    /// Several signatures, or one under almost the right name.
    #[error(transparent)]
    Ambiguous(#[from] AmbiguousSignature),
    /// A signature entry larger than a signature may be.
    #[error("the signature has {size} bytes, the limit is {limit}")]
    SignatureTooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A signature in another form than the format's.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Certificates that are no chain, or none to trust.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A statement that contradicts itself.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A key that signed for another profile version than its own.
    #[error(
        "the signature names the profile version {signed}, and its key belongs to {}",
        leaf.as_ref().map_or("none: the leaf has no URI".to_owned(), |uri| format!("{uri:?}"))
    )]
    SanMismatch {
        /// The URI in the leaf's subjectAltName.
        leaf: Option<String>,
        /// The profile version that the signature names.
        signed: Box<ProfileVersionArn>,
    },
    /// A signature by one of our keys in AWS Signer's own, weaker form.
    #[error(
        "the signature's key belongs to {uri:?}, so the signature must have contentHints, and it has none"
    )]
    MissingContentHints {
        /// The URI in the leaf's subjectAltName.
        uri: String,
    },
    /// A signature from the future.
    #[error("the package was signed at {signing_time}, and now is {now}; check both clocks")]
    SigningTimeInFuture {
        /// When it claims to have been signed.
        signing_time: UnixMillis,
        /// The time now.
        now: UnixMillis,
    },
    /// A signature that the leaf's key did not make.
    #[error("the signature does not verify with the signer's key")]
    BadSignature,
    /// A package that is not its unsigned form with the signature appended.
    #[error("the package was changed after it was signed: {0}")]
    NotAnAppend(NotRecovered),
    /// Content of another size than the signed one.
    #[error("the package was changed after it was signed: {signed} bytes were signed, it has {found}")]
    SizeMismatch {
        /// Bytes that were signed.
        signed: u64,
        /// Bytes found.
        found: u64,
    },
    /// Other content than the signed one.
    #[error("the package was changed after it was signed: digest {signed} was signed, it has {found}")]
    DigestMismatch {
        /// The digest that was signed, in hexadecimal.
        signed: String,
        /// The digest found, in hexadecimal.
        found: String,
    },
}

impl VerifyError {
    /// The stable code of the gate or of FORMAT.md section 10; none where the package could not be read.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) => None,
            Self::Gate(refusal) => Some(refusal.code.as_str()),
            Self::Unsigned => Some("unsigned"),
            Self::Integrity(error) => Some(error.code()),
        }
    }
}

impl IntegrityError {
    /// The stable code of FORMAT.md section 10.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) => "ambiguous_signature",
            Self::SignatureTooLarge { .. } => "signature_too_large",
            Self::Cms(error) => error.code(),
            Self::Chain(error) => error.code(),
            Self::Statement(error) => error.code(),
            Self::SanMismatch { .. } => "san_mismatch",
            Self::MissingContentHints { .. } => "missing_content_hints",
            Self::SigningTimeInFuture { .. } => "signing_time_in_future",
            Self::BadSignature => "bad_signature",
            Self::NotAnAppend(_) => "not_an_append",
            Self::SizeMismatch { .. } => "size_mismatch",
            Self::DigestMismatch { .. } => "digest_mismatch",
        }
    }
}

impl From<GateError> for VerifyError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Refused(refusal) => Self::Gate(refusal),
            GateError::Io(error) => Self::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_certificate_says_cannot_break_the_line() {
        let signed =
            "arn:aws:signer:us-east-1:123456789012:/signing-profiles/alpha/AAAAAAAAAA".parse().unwrap();
        let error = IntegrityError::SanMismatch {
            leaf: Some("arn\n\0\u{1b}[2J".to_owned()),
            signed: Box::new(signed),
        };
        assert!(error.to_string().ends_with(r#"its key belongs to "arn\n\0\u{1b}[2J""#), "{error}");
    }
}
