//! The proof that a package's signature holds.

use std::fmt;

use countersign_domain::Sha256Digest;
use serde::Serialize;

use crate::chain::CertificateChain;
use crate::gate::Archive;
use crate::statement::Statement;

/// A package whose integrity holds: the gate passed it, and a signer under a trusted root signed what it contains.
/// Only [`verify`](super::verify) makes one.
///
/// It says nothing about expiry, allowed publishers and revocation.
#[derive(Debug, Clone)]
pub struct VerifiedPackage {
    pub(super) statement: Statement,
    pub(super) coverage: Coverage,
    pub(super) unsigned_digest: Option<Sha256Digest>,
    pub(super) package_digest: Sha256Digest,
    pub(super) chain: CertificateChain,
    pub(super) archive: Archive,
}

/// What of a package its signature covers (FORMAT.md section 8, 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Each byte.
    ExactBytes,
    /// The names and uncompressed bodies of the entries in their order, without their boundaries; no modes, no times.
    NamesAndContents,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExactBytes => "exact-bytes",
            Self::NamesAndContents => "names-and-contents",
        })
    }
}

impl VerifiedPackage {
    /// Who signed, in which job, when, and until when that counts.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What the signature covers.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// SHA-256 of the package before it was signed; none with coverage [`Coverage::NamesAndContents`].
    pub fn unsigned_digest(&self) -> Option<Sha256Digest> {
        self.unsigned_digest
    }

    /// SHA-256 of the package as it was verified.
    pub fn package_digest(&self) -> Sha256Digest {
        self.package_digest
    }

    /// The certificates, leaf to root.
    pub fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The gate's parse of the package: what extraction uses.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }
}
