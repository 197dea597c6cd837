//! The access keys of an installation, with their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_domain::Sha256Digest;
use countersign_runtime::config::SecretError;
use countersign_runtime::{AccessKeyId, Authority, DataDir, Environment, Principal};
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

/// Every access key with whom it stands for and its secret, read once. It has no `Debug`.
#[derive(Clone, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, (Arc<Principal>, SecretString)>,
}

/// The secret of an access key cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("access key {id}: {source}")]
pub struct KeyUnreadable {
    id: AccessKeyId,
    source: SecretError,
}

impl KeyRing {
    /// The keys of the principals of `authority`.
    ///
    /// # Errors
    /// When the secret of one of them is nowhere, or its file does not hold one line of text.
    pub fn of(
        authority: &Authority,
        data: &DataDir,
        environment: &Environment,
    ) -> Result<Self, Box<KeyUnreadable>> {
        let mut ring = Self::default();
        for principal in authority.principals() {
            for key in principal.access_keys() {
                let unreadable = |source| Box::new(KeyUnreadable { id: key.id().clone(), source });
                let secret = key.secret(data, environment).map_err(unreadable)?;
                ring = ring.with(Arc::clone(principal), key.id().as_str(), secret);
            }
        }
        Ok(ring)
    }

    /// The same, with one more key. One that was there under this id is replaced.
    #[must_use]
    pub fn with(mut self, principal: Arc<Principal>, id: &str, secret: SecretString) -> Self {
        self.keys.insert(id.to_owned(), (principal, secret));
        self
    }

    /// A key for page tokens. All processes with the same access keys have the same, so that a listing may go on at any
    /// of them.
    pub fn page_key(&self) -> SecretSlice<u8> {
        let mut text = String::from("countersign page tokens");
        for (id, (_, secret)) in &self.keys {
            text.extend(["\n", id, " ", secret.expose_secret()]);
        }
        let digest = Sha256Digest::of(text.as_bytes());
        text.zeroize();
        SecretSlice::from(digest.as_bytes().to_vec())
    }

    pub(crate) fn find(&self, id: &str) -> Option<(&Arc<Principal>, &SecretString)> {
        self.keys.get(id).map(|(principal, secret)| (principal, secret))
    }
}
