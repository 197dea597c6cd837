//! What the signature of a package says, without asking whether any of it is true.

use countersign_domain::Sha256Digest;
use serde::Serialize;
use x509_cert::Certificate;

use super::read::{self, ReadSignature};
use super::{Coverage, VerifyError};
use crate::cms::SignatureAlgorithm;
use crate::gate::Archive;
use crate::limits::Limits;
use crate::source::ReadAt;
use crate::statement::Statement;

/// What was found. Nothing in it was verified: show it, never decide by it.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// Entries of the package, its signature included.
    pub entries: usize,
    /// SHA-256 of the package.
    pub package_digest: Sha256Digest,
    /// What its signature says; none if it is unsigned.
    pub unverified_signature: Option<UnverifiedSignature>,
}

/// A signature's own words.
#[derive(Debug, Clone, Serialize)]
pub struct UnverifiedSignature {
    /// The signature entry.
    pub entry: String,
    /// How it is signed.
    pub algorithm: SignatureAlgorithm,
    /// What the signature claims.
    pub claimed: Statement,
    /// What it would cover if it verified.
    pub claimed_coverage: Coverage,
    /// The digest that it claims was signed, in hexadecimal.
    pub message_digest: String,
    /// The certificates in the package, leaf to root.
    pub certificates: Vec<UnverifiedCertificate>,
}

/// A certificate's own words. Its names may hold anything: escape them.
#[derive(Debug, Clone, Serialize)]
pub struct UnverifiedCertificate {
    /// The subject, as RFC 4514 writes it.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// From when it is valid.
    pub not_before: String,
    /// Until when it is valid.
    pub not_after: String,
    /// Its SHA-256 fingerprint.
    pub sha256: Sha256Digest,
}

/// Reads what the signature of the package in `source` says. No trust root is asked, no signature checked.
///
/// # Errors
/// As [`verify`](super::verify), as far as they concern the form of package and signature.
pub fn inspect<S: ReadAt + ?Sized>(source: &S, limits: &Limits) -> Result<Inspection, VerifyError> {
    let archive = Archive::parse(source, limits)?;
    Ok(Inspection {
        entries: archive.entries().len(),
        package_digest: crate::digest::sha256(source)?,
        unverified_signature: read::signature(source, &archive)?.map(UnverifiedSignature::from),
    })
}

impl From<ReadSignature> for UnverifiedSignature {
    fn from(signature: ReadSignature) -> Self {
        let native = signature.is_native_aws();
        let certificates = signature.chain.certificates().iter().zip(signature.chain.fingerprints());
        Self {
            entry: signature.entry_name().to_owned(),
            algorithm: signature.chain.leaf().algorithm,
            claimed_coverage: if native { Coverage::NamesAndContents } else { Coverage::ExactBytes },
            message_digest: hex::encode(&signature.block.claims.message_digest),
            certificates: certificates.map(|(certificate, sha256)| described(certificate, sha256)).collect(),
            claimed: signature.statement,
        }
    }
}

fn described(certificate: &Certificate, sha256: Sha256Digest) -> UnverifiedCertificate {
    let tbs = certificate.tbs_certificate();
    UnverifiedCertificate {
        subject: tbs.subject().to_string(),
        issuer: tbs.issuer().to_string(),
        serial: hex::encode(tbs.serial_number().as_bytes()),
        not_before: tbs.validity().not_before.to_string(),
        not_after: tbs.validity().not_after.to_string(),
        sha256,
    }
}
