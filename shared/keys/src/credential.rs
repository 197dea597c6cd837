//! A certificate and its private key in one file.

use der::pem::LineEnding;
use der::{DecodePem as _, EncodePem as _};
use x509_cert::Certificate;

use crate::passphrase::Passphrase;
use crate::private_key::{PrivateKey, PrivateKeyError};

/// A certificate with the private key of the public key in it.
pub(crate) struct Credential {
    pub(crate) certificate: Certificate,
    pub(crate) key: PrivateKey,
}

/// Why a file is no credential.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("it is not a certificate followed by an encrypted private key; restore it from a backup")]
    Sections,
    #[error("its certificate does not parse: {0}")]
    Certificate(der::Error),
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
    #[error("its private key is not the key of its certificate; restore it from a backup")]
    KeyOfAnother,
}

impl Credential {
    /// The file's text: the certificate, then the key, encrypted.
    pub(crate) fn to_pem(&self, passphrase: &Passphrase) -> Result<String, CredentialError> {
        Ok(certificate_pem(&self.certificate)? + &self.key.to_encrypted_pem(passphrase)?)
    }

    /// Opens a file's text. The key is proven to belong to the certificate: neither was exchanged.
    pub(crate) fn from_pem(text: &str, passphrase: &Passphrase) -> Result<Self, CredentialError> {
        let certificate = certificate_in(text)?;
        let (_, key) = sections(text)?;
        let key = PrivateKey::from_encrypted_pem(key, passphrase)?;
        if key.public_key()? != *certificate.tbs_certificate().subject_public_key_info() {
            return Err(CredentialError::KeyOfAnother);
        }
        Ok(Self { certificate, key })
    }
}

/// The certificate in a file's text, for which no passphrase is needed.
pub(crate) fn certificate_in(text: &str) -> Result<Certificate, CredentialError> {
    let (certificate, _) = sections(text)?;
    Certificate::from_pem(certificate).map_err(CredentialError::Certificate)
}

pub(crate) fn certificate_pem(certificate: &Certificate) -> Result<String, CredentialError> {
    certificate.to_pem(LineEnding::LF).map_err(CredentialError::Certificate)
}

fn sections(text: &str) -> Result<(&str, &str), CredentialError> {
    let key = text.find(KEY_BEGINS).ok_or(CredentialError::Sections)?;
    Ok(text.split_at(key))
}

const KEY_BEGINS: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
