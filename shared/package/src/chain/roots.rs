//! The trust roots (FORMAT.md section 6.2): from configuration, never from a package.

use countersign_domain::Sha256Digest;
use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::{ChainError, parse};

/// Roots that the operator trusts, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoots(Vec<CertificateDer<'static>>);

/// A bundle that is not trust roots.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustRootsError {
    /// No certificate in it.
    #[error("there is no certificate in the trust roots; give at least one, in PEM")]
    Empty,
    /// More certificates than the limit.
    #[error("there are more than {MAX_ROOTS} certificates in the trust roots")]
    TooMany,
    /// A line that is neither PEM, nor empty, nor a comment.
    #[error("line {line} of the trust roots is not PEM of a certificate: {detail}")]
    Pem {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// A certificate that does not parse.
    #[error("in the trust roots, {0}")]
    Certificate(#[from] ChainError),
    /// A certificate that is no root.
    #[error("certificate {index} of the trust roots ({subject:?}) is no root: {detail}")]
    NotARoot {
        /// Its place, from 0.
        index: usize,
        /// Its subject.
        subject: String,
        /// What is wrong with it.
        detail: &'static str,
    },
}

impl TrustRoots {
    /// The roots in a PEM bundle: CERTIFICATE blocks; between them empty lines and lines that begin with `#` alone.
    ///
    /// # Errors
    /// When anything else is in it, a certificate is no root, or there is none.
    pub fn from_pem(bundle: &str) -> Result<Self, TrustRootsError> {
        let blocks = blocks(bundle)?;
        if blocks.is_empty() {
            return Err(TrustRootsError::Empty);
        }
        if blocks.len() > MAX_ROOTS {
            return Err(TrustRootsError::TooMany);
        }
        let roots = blocks.iter().enumerate().map(|(index, block)| root(index, block));
        roots.collect::<Result<_, _>>().map(Self)
    }

    /// SHA-256 fingerprints of the roots.
    pub fn fingerprints(&self) -> Vec<Sha256Digest> {
        self.0.iter().map(|root| Sha256Digest::of(root)).collect()
    }

    pub(super) fn contains(&self, root: &CertificateDer<'_>) -> bool {
        self.0.iter().any(|trusted| trusted.as_ref() == root.as_ref())
    }
}

/// The DER of each block.
fn blocks(bundle: &str) -> Result<Vec<Vec<u8>>, TrustRootsError> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (line, text) in (1..).zip(bundle.lines()) {
        let text = text.trim_end();
        match &mut open {
            Some((_, block)) => {
                block.push_str(text);
                block.push('\n');
            }
            None if text == FIRST_LINE => open = Some((line, format!("{text}\n"))),
            None if text.is_empty() || text.starts_with('#') => {}
            None => return Err(TrustRootsError::Pem { line, detail: "text outside of a block".to_owned() }),
        }
        if let Some((line, block)) = open.take_if(|_| text == LAST_LINE) {
            blocks.push(decode(line, &block)?);
        }
    }
    match open {
        Some((line, _)) => Err(TrustRootsError::Pem { line, detail: "the block does not end".to_owned() }),
        None => Ok(blocks),
    }
}

fn decode(line: usize, block: &str) -> Result<Vec<u8>, TrustRootsError> {
    let decoded = der::pem::decode_vec(block.as_bytes());
    decoded.map(|(_, der)| der).map_err(|error| TrustRootsError::Pem { line, detail: error.to_string() })
}

fn root(index: usize, der: &[u8]) -> Result<CertificateDer<'static>, TrustRootsError> {
    let certificate = parse(index, der)?;
    let subject = certificate.tbs_certificate().subject().to_string();
    check_root(&certificate).map_err(|detail| TrustRootsError::NotARoot { index, subject, detail })?;
    Ok(CertificateDer::from(der.to_vec()))
}

fn check_root(certificate: &Certificate) -> Result<(), &'static str> {
    let tbs = certificate.tbs_certificate();
    if tbs.issuer() != tbs.subject() {
        return Err("it was issued by another; give that one's certificate");
    }
    match tbs.get_extension::<BasicConstraints>() {
        Ok(Some((_, basic))) if basic.ca => {}
        Ok(_) => return Err("it is not a CA certificate"),
        Err(_) => return Err("its basicConstraints are malformed"),
    }
    match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) if !usage.key_cert_sign() => Err("its keyUsage lacks keyCertSign"),
        Ok(_) => Ok(()),
        Err(_) => Err("its keyUsage is malformed"),
    }
}

/// Roots in a bundle. Stops a mistaken file, such as a system's whole store, from being trusted.
const MAX_ROOTS: usize = 32;
const FIRST_LINE: &str = "-----BEGIN CERTIFICATE-----";
const LAST_LINE: &str = "-----END CERTIFICATE-----";
