//! Private keys: made, encrypted at rest, opened, used.

use aws_lc_rs::encoding::AsDer as _;
use countersign_domain::Platform;
use countersign_ports::keys::SigningDigest;
use der::pem::{LineEnding, PemLabel as _};
use p384::elliptic_curve::Generate as _;
use p384::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use rand::rngs::SysRng;
use rsa::RsaPrivateKey;
use rsa::traits::PublicKeyParts as _;
use sha2::Sha256;
use signature::hazmat::{PrehashSigner as _, RandomizedPrehashSigner as _};
use signature::{Keypair as _, SignatureEncoding as _};
use x509_cert::Certificate;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::passphrase::Passphrase;

/// A private key. Both kinds wipe themselves when dropped; neither can be printed.
pub(crate) enum PrivateKey {
    /// RSA-3072 for RSASSA-PSS with MGF1-SHA-256 and a salt of 32 bytes (FORMAT.md section 4.5).
    Rsa(Box<rsa::pss::SigningKey<Sha256>>),
    /// ECDSA P-384.
    Ecdsa(Box<p384::ecdsa::SigningKey>),
}

/// The two kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa3072,
    P384,
}

/// Why there is no key. Never says anything about the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateKeyError {
    #[error("its private key is not a PEM of PKCS#8 EncryptedPrivateKeyInfo: {0}")]
    Encoding(der::Error),
    #[error(
        "its private key is encrypted otherwise than with scrypt N={SCRYPT_COST}, r={SCRYPT_BLOCK}, p={SCRYPT_LANES}"
    )]
    ForeignEncryption,
    #[error(
        "its private key does not open: the passphrase is not the one it was encrypted with, or the file is damaged; \
         give that passphrase, or restore the file from a backup"
    )]
    Locked,
    #[error("its private key is neither RSA-3072 with exponent 65537 nor ECDSA P-384")]
    ForeignKind,
    #[error("a key could not be generated")]
    Generation,
    #[error("a key could not be encoded: {0}")]
    Export(pkcs8::Error),
}

/// Why a key did not sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error("the key is of another kind than {0}")]
    WrongDigest(&'static str),
    #[error("the signature could not be made: {0}")]
    Failed(signature::Error),
}

impl PrivateKey {
    /// A fresh key from the system's randomness.
    pub(crate) fn generate(kind: KeyKind) -> Result<Self, PrivateKeyError> {
        match kind {
            KeyKind::P384 => Ok(Self::Ecdsa(Box::new(p384::ecdsa::SigningKey::generate()))),
            KeyKind::Rsa3072 => {
                let made = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa3072);
                let der = made.and_then(|key| key.as_der()).map_err(|_| PrivateKeyError::Generation)?;
                Self::from_pkcs8(der.as_ref())
            }
        }
    }

    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa(_) => KeyKind::Rsa3072,
            Self::Ecdsa(_) => KeyKind::P384,
        }
    }

    /// The public half.
    pub(crate) fn public_key(&self) -> Result<SubjectPublicKeyInfoOwned, PrivateKeyError> {
        let document = match self {
            Self::Rsa(key) => key.verifying_key().to_public_key_der(),
            Self::Ecdsa(key) => key.verifying_key().to_public_key_der(),
        };
        let decoded = document.and_then(|document| Ok(document.decode_msg()?));
        decoded.map_err(|error| PrivateKeyError::Export(error.into()))
    }

    /// Signs `digest`: 384 bytes of RSASSA-PSS, or a DER `ECDSA-Sig-Value` with s ≤ n/2 (FORMAT.md section 4.6).
    pub(crate) fn sign(&self, digest: &SigningDigest) -> Result<Vec<u8>, SignError> {
        match (self, digest) {
            (Self::Rsa(key), SigningDigest::Sha256(digest)) => {
                // The randomness makes the salt and blinds the private operation (RUSTSEC-2023-0071).
                let signature = key.sign_prehash_with_rng(&mut SysRng, digest);
                signature.map(|signature| signature.to_vec()).map_err(SignError::Failed)
            }
            (Self::Ecdsa(key), SigningDigest::Sha384(digest)) => {
                let signature: p384::ecdsa::Signature =
                    key.sign_prehash(digest).map_err(SignError::Failed)?;
                Ok(signature.normalize_s().to_der().as_bytes().to_vec())
            }
            (Self::Rsa(_), SigningDigest::Sha384(_)) => Err(SignError::WrongDigest("SHA-384")),
            (Self::Ecdsa(_), SigningDigest::Sha256(_)) => Err(SignError::WrongDigest("SHA-256")),
        }
    }

    /// The key as PEM of EncryptedPrivateKeyInfo, under a fresh salt and IV.
    pub(crate) fn to_encrypted_pem(&self, passphrase: &Passphrase) -> Result<String, PrivateKeyError> {
        let document = match self {
            Self::Rsa(key) => key.to_pkcs8_der(),
            Self::Ecdsa(key) => key.to_pkcs8_der(),
        };
        let encrypt = |document: SecretDocument| {
            let key = PrivateKeyInfoRef::try_from(document.as_bytes())?;
            let encrypted = key.encrypt_with_rng(&mut SysRng, passphrase.expose())?;
            Ok(encrypted.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)?.to_string())
        };
        document.and_then(encrypt).map_err(PrivateKeyError::Export)
    }

    /// Opens what [`Self::to_encrypted_pem`] made.
    pub(crate) fn from_encrypted_pem(pem: &str, passphrase: &Passphrase) -> Result<Self, PrivateKeyError> {
        let (label, document) = SecretDocument::from_pem(pem).map_err(PrivateKeyError::Encoding)?;
        EncryptedPrivateKeyInfoRef::validate_pem_label(label)
            .map_err(|error| PrivateKeyError::Encoding(error.into()))?;
        let info: EncryptedPrivateKeyInfoRef<'_> =
            document.decode_msg().map_err(PrivateKeyError::Encoding)?;
        refuse_foreign_encryption(&info)?;
        let key = info.decrypt(passphrase.expose()).map_err(|_| PrivateKeyError::Locked)?;
        Self::from_pkcs8(key.as_bytes())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| PrivateKeyError::Locked)?;
        if info.algorithm.oid == rsa::pkcs1::ALGORITHM_OID {
            let key = RsaPrivateKey::from_pkcs8_der(der).map_err(|_| PrivateKeyError::ForeignKind)?;
            let ours = key.n().bits_vartime() == 3072 && *key.e_bytes() == [1, 0, 1];
            return if ours {
                Ok(Self::Rsa(Box::new(key.into())))
            } else {
                Err(PrivateKeyError::ForeignKind)
            };
        }
        let key = p384::ecdsa::SigningKey::try_from(info).map_err(|_| PrivateKeyError::ForeignKind)?;
        Ok(Self::Ecdsa(Box::new(key)))
    }
}

impl KeyKind {
    /// What `platform` signs with.
    pub(crate) fn of(platform: Platform) -> Self {
        match platform {
            Platform::CountersignSha256Rsa => Self::Rsa3072,
            Platform::CountersignSha384Ecdsa | Platform::AwsLambdaSha384Ecdsa => Self::P384,
        }
    }

    /// The kind of the public key in `certificate`, as far as its algorithm tells.
    pub(crate) fn in_certificate(certificate: &Certificate) -> Option<Self> {
        let algorithm = &certificate.tbs_certificate().subject_public_key_info().algorithm;
        match algorithm.oid {
            rsa::pkcs1::ALGORITHM_OID => Some(Self::Rsa3072),
            p384::elliptic_curve::ALGORITHM_OID => Some(Self::P384),
            _ => None,
        }
    }
}

/// Only our own cost is accepted: a planted file could otherwise ask for hours of work or all of the memory.
fn refuse_foreign_encryption(info: &EncryptedPrivateKeyInfoRef<'_>) -> Result<(), PrivateKeyError> {
    match info.encryption_algorithm.pbes2().map(|scheme| &scheme.kdf) {
        Some(Kdf::Scrypt(params))
            if params.cost_parameter == SCRYPT_COST
                && params.block_size == SCRYPT_BLOCK
                && params.parallelization == SCRYPT_LANES =>
        {
            Ok(())
        }
        _ => Err(PrivateKeyError::ForeignEncryption),
    }
}

/// scrypt's N, r and p: the most that OpenSSL opens without a raised memory limit (16 MiB), 35 ms.
const SCRYPT_COST: u64 = 1 << 14;
const SCRYPT_BLOCK: u16 = 8;
const SCRYPT_LANES: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ecdsa_signature_has_the_lower_s() {
        let key = PrivateKey::generate(KeyKind::P384).unwrap();
        for byte in 0..32 {
            let signature = key.sign(&SigningDigest::Sha384([byte; 48])).unwrap();
            let signature = p384::ecdsa::Signature::from_der(&signature).unwrap();
            assert_eq!(
                signature,
                signature.normalize_s(),
                "of any 32 signatures about half have the higher one"
            );
        }
    }

    #[test]
    fn a_key_under_a_foreign_cost_is_not_even_tried() {
        let passphrase = Passphrase::from_text("secret").unwrap();
        let pem = PrivateKey::generate(KeyKind::P384).unwrap().to_encrypted_pem(&passphrase).unwrap();
        let (_, document) = SecretDocument::from_pem(&pem).unwrap();
        let mut der = document.as_bytes().to_vec();
        // N = 8192 instead of 16384.
        let cost = der.windows(4).position(|window| window == [2, 2, 0x40, 0]).unwrap();
        der[cost + 2] = 0x20;
        let document = SecretDocument::try_from(der).unwrap();
        let pem = document.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF).unwrap();
        let opened = PrivateKey::from_encrypted_pem(&pem, &passphrase);
        assert!(matches!(opened.err(), Some(PrivateKeyError::ForeignEncryption)));
    }
}
