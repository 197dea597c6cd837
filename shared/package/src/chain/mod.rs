//! The certificates behind a signature (FORMAT.md section 6): their order, the leaf's profile, the chain's validity.

mod certificate;
mod issuer;
mod leaf;
mod roots;

use std::time::Duration;

use cms::cert::IssuerAndSerialNumber;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ID_KP_CODE_SIGNING;
use countersign_domain::{Sha256Digest, UnixMillis};
use der::{Decode, Encode};
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha384};
use x509_cert::Certificate;

use crate::cms::SignatureAlgorithm;

pub(crate) use leaf::Leaf;
pub use roots::{TrustRoots, TrustRootsError};

/// A leaf and its issuers up to a self-issued root, each certificate once. Its order and the leaf's profile are
/// checked; whether anyone trusts the root is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain {
    certificates: Vec<Certificate>,
    der: Vec<CertificateDer<'static>>,
    leaf: Leaf,
}

/// Why certificates are no chain, or not a chain to trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Bytes that are not a certificate in DER.
    #[error("certificate {index} is not a certificate in DER: {detail}")]
    Certificate {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// Certificates that do not line up from the leaf to a self-issued root.
    #[error("the certificates are not one chain from leaf to root: {detail}")]
    Order {
        /// What is wrong with them.
        detail: String,
    },
    /// A leaf that may not sign packages (section 6.1).
    #[error("the leaf certificate is not for signing packages: {detail}")]
    Leaf {
        /// What is wrong with it.
        detail: String,
    },
    /// A root that is not among the trust roots (section 6.3).
    #[error("the root {subject:?} (SHA-256 {fingerprint}) is not one of the trust roots")]
    Untrusted {
        /// The root's subject.
        subject: String,
        /// The root's SHA-256 fingerprint.
        fingerprint: Sha256Digest,
    },
    /// A path that RFC 5280 does not allow at that time (section 6.3).
    #[error("the certificate chain is not valid at the signing time {at}: {detail}")]
    Invalid {
        /// The signing time.
        at: UnixMillis,
        /// What is wrong with it.
        detail: String,
    },
}

impl ChainError {
    /// The stable code of FORMAT.md section 10.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Certificate { .. } | Self::Order { .. } => "malformed_chain",
            Self::Leaf { .. } => "unsuitable_leaf",
            Self::Untrusted { .. } => "untrusted_chain",
            Self::Invalid { .. } => "invalid_chain",
        }
    }
}

impl CertificateChain {
    /// The chain of these certificates in DER, leaf first, root last.
    ///
    /// # Errors
    /// When one is not strict DER, they are not a chain in that order, or the leaf may not sign packages.
    pub fn from_der<C: AsRef<[u8]>>(leaf_to_root: &[C]) -> Result<Self, ChainError> {
        let certificates: Vec<Certificate> = leaf_to_root
            .iter()
            .enumerate()
            .map(|(index, der)| parse(index, der.as_ref()))
            .collect::<Result<_, _>>()?;
        let leaf = certificates.first().ok_or_else(|| order("there is none"))?.tbs_certificate();
        let signer = IssuerAndSerialNumber {
            issuer: leaf.issuer().clone(),
            serial_number: leaf.serial_number().clone(),
        };
        let chain = Self::from_set(certificates.clone(), &signer)?;
        if chain.certificates == certificates { Ok(chain) } else { Err(order("they are in another order")) }
    }

    /// The chain that certificates in any order form for `signer` (FORMAT.md section 6.3, 1 to 3).
    pub(crate) fn from_set(
        mut certificates: Vec<Certificate>,
        signer: &IssuerAndSerialNumber,
    ) -> Result<Self, ChainError> {
        let is_leaf = |certificate: &Certificate| {
            let tbs = certificate.tbs_certificate();
            *tbs.issuer() == signer.issuer && *tbs.serial_number() == signer.serial_number
        };
        let leaf = take_one(&mut certificates, is_leaf, "the signer")?;
        if missing_issuer(&leaf).is_none() {
            return Err(order("the signer is its own issuer"));
        }
        let mut chain = vec![leaf];
        while let Some(issuer) = chain.last().and_then(missing_issuer).cloned() {
            let is_issuer = |certificate: &Certificate| *certificate.tbs_certificate().subject() == issuer;
            chain.push(take_one(&mut certificates, is_issuer, "an issuer")?);
        }
        if !certificates.is_empty() {
            return Err(order(format!("{} of them do not belong to it", certificates.len())));
        }
        Self::checked(chain)
    }

    fn checked(certificates: Vec<Certificate>) -> Result<Self, ChainError> {
        let [leaf, _issuer, ..] = certificates.as_slice() else {
            return Err(order("a leaf and its root are two certificates"));
        };
        let leaf = Leaf::check(leaf)?;
        let encode = |(index, certificate): (usize, &Certificate)| {
            let der = certificate.to_der().map_err(|error| malformed(index, error.to_string()))?;
            Ok(CertificateDer::from(der))
        };
        let der = certificates.iter().enumerate().map(encode).collect::<Result<_, ChainError>>()?;
        Ok(Self { certificates, der, leaf })
    }

    /// The certificates in DER, leaf first, root last.
    pub fn der(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.der.iter().map(AsRef::as_ref)
    }

    /// The SHA-256 fingerprints, leaf first, root last.
    pub fn fingerprints(&self) -> Vec<Sha256Digest> {
        self.der().map(Sha256Digest::of).collect()
    }

    /// The hashes by which AWS Signer's `GetRevocationStatus` names the certificates, leaf first, root last: of each,
    /// SHA-384 of its TBSCertificate and of its issuer's, in hexadecimal. The root counts as its own issuer.
    ///
    /// # Errors
    /// When a TBSCertificate cannot be encoded, which one that was read never is.
    pub fn certificate_hashes(&self) -> der::Result<Vec<String>> {
        let hash = |certificate: &Certificate| {
            Ok(hex::encode(Sha384::digest(certificate.tbs_certificate().to_der()?)))
        };
        let own: Vec<String> = self.certificates.iter().map(hash).collect::<der::Result<_>>()?;
        let issuers = own.iter().skip(1).chain(own.last());
        Ok(own.iter().zip(issuers).map(|(own, issuer)| format!("{own}{issuer}")).collect())
    }

    /// The URI in the leaf's subjectAltName: of our leaves, the profile version's ARN.
    pub fn leaf_uri(&self) -> Option<&str> {
        self.leaf.uri.as_deref()
    }

    /// The leaf's public key: DER of SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it cannot be encoded, which one that was read never is.
    pub fn leaf_public_key(&self) -> der::Result<Vec<u8>> {
        self.certificates
            .first()
            .map_or(Ok(Vec::new()), |leaf| leaf.tbs_certificate().subject_public_key_info().to_der())
    }

    /// Whether the leaf's key made `signature` over `message`.
    pub(crate) fn leaf_verifies(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let leaf = self.der.first().map(webpki::EndEntityCert::try_from);
        let verify = |leaf: webpki::EndEntityCert<'_>| {
            leaf.verify_signature(algorithm.verification(), message, signature).is_ok()
        };
        leaf.and_then(Result::ok).is_some_and(verify)
    }

    pub(crate) fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Judges the chain at `at` with the one of `roots` that it ends in (FORMAT.md section 6.3, 3 and 4).
    pub(crate) fn judge(&self, roots: &TrustRoots, at: UnixMillis) -> Result<(), ChainError> {
        let [leaf, intermediates @ .., root] = self.der.as_slice() else {
            return Err(order("there is none"));
        };
        if !roots.contains(root) {
            return Err(self.untrusted(root));
        }
        self.path_to(leaf, intermediates, root, at)
    }

    /// Judges the chain at `at` as those will who trust its root.
    pub(crate) fn judge_by_own_root(&self, at: UnixMillis) -> Result<(), ChainError> {
        let [leaf, intermediates @ .., root] = self.der.as_slice() else {
            return Err(order("there is none"));
        };
        self.path_to(leaf, intermediates, root, at)
    }

    fn path_to(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        root: &CertificateDer<'_>,
        at: UnixMillis,
    ) -> Result<(), ChainError> {
        let invalid = |error: webpki::Error| ChainError::Invalid { at, detail: error.to_string() };
        self.check_certificates(at).map_err(|detail| ChainError::Invalid { at, detail })?;
        let anchors = [webpki::anchor_from_trusted_cert(root).map_err(invalid)?];
        let leaf = webpki::EndEntityCert::try_from(leaf).map_err(invalid)?;
        let path = leaf.verify_for_usage(
            &[webpki::aws_lc_rs::ECDSA_P384_SHA384],
            &anchors,
            intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(at.as_secs())),
            // `Leaf::check` demands it of the leaf; a CA without extendedKeyUsage is not restricted (RFC 5280).
            webpki::KeyUsage::required_if_present(CODE_SIGNING.as_bytes()),
            None,
            None,
        );
        path.map(drop).map_err(invalid)
    }

    fn check_certificates(&self, at: UnixMillis) -> Result<(), String> {
        for certificate in &self.certificates {
            certificate::check(certificate, at)?;
        }
        for (below, issuer) in self.certificates.iter().skip(1).enumerate() {
            issuer::check(issuer, below)?;
        }
        Ok(())
    }

    fn untrusted(&self, root: &CertificateDer<'_>) -> ChainError {
        let subject = self.certificates.last().map(|root| root.tbs_certificate().subject().to_string());
        ChainError::Untrusted { subject: subject.unwrap_or_default(), fingerprint: Sha256Digest::of(root) }
    }
}

/// The one certificate that `is_it` picks, taken out of `certificates`.
fn take_one(
    certificates: &mut Vec<Certificate>,
    is_it: impl Fn(&Certificate) -> bool,
    what: &str,
) -> Result<Certificate, ChainError> {
    match certificates.iter().filter(|certificate| is_it(certificate)).count() {
        0 => Err(order(format!("{what} is missing"))),
        1 => {
            let position = certificates.iter().position(is_it);
            position.map(|at| certificates.swap_remove(at)).ok_or_else(|| order(format!("{what} is missing")))
        }
        count => Err(order(format!("{what} is there {count} times"))),
    }
}

/// The issuer of a certificate that is not its own.
fn missing_issuer(certificate: &Certificate) -> Option<&x509_cert::name::Name> {
    let tbs = certificate.tbs_certificate();
    (tbs.issuer() != tbs.subject()).then(|| tbs.issuer())
}

/// Strict DER: what is read, written again, is the same.
fn parse(index: usize, der: &[u8]) -> Result<Certificate, ChainError> {
    let certificate = Certificate::from_der(der).map_err(|error| malformed(index, error.to_string()))?;
    match certificate.to_der() {
        Ok(again) if again == der => Ok(certificate),
        Ok(_) => Err(malformed(index, "it is not in its one DER encoding")),
        Err(error) => Err(malformed(index, error.to_string())),
    }
}

fn malformed(index: usize, detail: impl Into<String>) -> ChainError {
    ChainError::Certificate { index, detail: detail.into() }
}

fn order(detail: impl Into<String>) -> ChainError {
    ChainError::Order { detail: detail.into() }
}

static CODE_SIGNING: ObjectIdentifier = ID_KP_CODE_SIGNING;
