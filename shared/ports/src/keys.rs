//! Custody of signing keys.

use async_trait::async_trait;
use countersign_domain::{Platform, ProfileVersionArn, UnixMillis};

/// Holds a short-lived leaf key for each profile version. The private keys never leave it.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// The leaf that signs for `profile` at `at`, made or renewed where needed. Its certificate is valid at `at`, names
    /// `profile` in its SAN URI, and `Ok` means that it is durable.
    async fn leaf(
        &self,
        profile: &ProfileVersionArn,
        platform: Platform,
        at: UnixMillis,
    ) -> Result<Leaf, KeyError>;

    /// Signs `digest` with the leaf `id`: a DER `ECDSA-Sig-Value`, or RSASSA-PSS with MGF1-SHA-256 and a salt of 32
    /// bytes.
    async fn sign_digest(&self, id: &LeafId, digest: &SigningDigest) -> Result<Vec<u8>, KeyError>;
}

/// A leaf certificate with its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What names its private key.
    pub id: LeafId,
    /// The certificates in DER, leaf first, root last.
    pub certificates: Vec<Vec<u8>>,
}

/// Names a leaf key inside its custody; says nothing about the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeafId(pub String);

/// A digest to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningDigest {
    /// SHA-256, for RSASSA-PSS.
    Sha256([u8; 32]),
    /// SHA-384, for ECDSA P-384.
    Sha384([u8; 48]),
}

/// What a caller of key custody has to tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key of that name; it was rotated away. Ask for the leaf again.
    #[error("the custody holds no leaf key {0}")]
    UnknownLeaf(String),
    /// The key is of another kind than the digest needs.
    #[error("leaf key {leaf} does not sign {digest}")]
    WrongDigest {
        /// The key.
        leaf: String,
        /// The digest's name.
        digest: &'static str,
    },
    /// The custody cannot be opened: a wrong passphrase, a damaged file.
    #[error("the key custody cannot be used: {0}")]
    Unusable(String),
    /// The custody did not answer. Try again later.
    #[error("the key custody is unavailable: {0}")]
    Unavailable(String),
}
