//! Gives the unsigned package back, bit for bit. It needs no trust: whoever strips gets a package that is not signed.

use std::io::{self, Read, Write};

use countersign_domain::Sha256Digest;
use sha2::{Digest, Sha256};

use crate::gate::{Archive, GateError, Refusal};
use crate::limits::Limits;
pub use crate::signature_entry::{AmbiguousSignature, NotRecovered};
use crate::signature_entry::{find, recover};
use crate::source::{BLOCK_SIZE, ReadAt, Section};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stripped {
    /// SHA-256 of the unsigned package.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Why nothing was given back.
#[derive(Debug, thiserror::Error)]
pub enum StripError {
    /// Reading or writing failed, which says nothing about the package.
    #[error("could not read or write the package: {0}")]
    Io(#[from] io::Error),
    /// The gate refuses the package.
    #[error(transparent)]
    Gate(Refusal),
    /// There is nothing to strip.
    #[error("the package is not signed")]
    Unsigned,
    /// There is not one signature.
    #[error(transparent)]
    Ambiguous(#[from] AmbiguousSignature),
    /// The package does not hold its unsigned form bit for bit; one signed by AWS Signer itself never does.
    #[error("the unsigned package cannot be given back bit for bit: {0}")]
    NotAnAppend(NotRecovered),
}

impl StripError {
    /// The stable code of the gate or of FORMAT.md section 10; none where reading or writing failed.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) => None,
            Self::Gate(refusal) => Some(refusal.code.as_str()),
            Self::Unsigned => Some("unsigned"),
            Self::Ambiguous(_) => Some("ambiguous_signature"),
            Self::NotAnAppend(_) => Some("not_an_append"),
        }
    }
}

/// Writes U to `out`, where `source` is what appending a signature to U made (FORMAT.md section 3.5).
///
/// # Errors
/// Everything but [`StripError::Io`] before the first byte is written.
pub fn strip<S: ReadAt + ?Sized, W: Write>(
    source: &S,
    limits: &Limits,
    out: &mut W,
) -> Result<Stripped, StripError> {
    let archive = Archive::parse(source, limits)?;
    let (kind, _) = find(&archive)?.ok_or(StripError::Unsigned)?;
    let recovered = recover(source, &archive, kind)?;
    let mut section = Section::whole(&recovered)?;
    let (size, mut sha256, mut block) = (section.remaining(), Sha256::new(), vec![0; BLOCK_SIZE]);
    loop {
        match section.read(&mut block)? {
            0 => break,
            read => {
                let bytes = block.get(..read).unwrap_or_default();
                sha256.update(bytes);
                out.write_all(bytes)?;
            }
        }
    }
    Ok(Stripped { digest: Sha256Digest::new(sha256.finalize().into()), size })
}

impl From<GateError> for StripError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Refused(refusal) => Self::Gate(refusal),
            GateError::Io(error) => Self::Io(error),
        }
    }
}

impl From<NotRecovered> for StripError {
    fn from(error: NotRecovered) -> Self {
        match error.into_io() {
            Ok(error) => Self::Io(error),
            Err(other) => Self::NotAnAppend(other),
        }
    }
}
