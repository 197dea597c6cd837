//! The administrator's access key of the embedded S3 endpoint.

use anyhow::Context;
use countersign_objects::StaticKeys;
use countersign_runtime::{DataDir, files, random};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// An access key. It has no `Debug`: the secret is in it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccessKey {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl AccessKey {
    /// The data directory's key, which is made at random, for its owner alone to read, if there is none.
    pub(crate) fn load_or_create(data: &DataDir) -> anyhow::Result<Self> {
        if let Some(key) = Self::load(data)? {
            return Ok(key);
        }
        let key = Self {
            access_key_id: format!("AKIA{}", random::text(16, random::BASE32)?),
            secret_access_key: random::text(40, random::LETTERS_AND_DIGITS)?,
        };
        files::write(&data.access_key(), 0o600, &serde_json::to_vec_pretty(&key)?)?;
        Ok(key)
    }

    /// The data directory's key, if it has one.
    pub(crate) fn load(data: &DataDir) -> anyhow::Result<Option<Self>> {
        let path = data.access_key();
        let Some(text) = files::read_if_there(&path)? else { return Ok(None) };
        // The parser's message could quote the secret.
        let parsed = serde_json::from_str(&text).ok();
        parsed.map(Some).with_context(|| {
            format!("{} holds no access key: remove it, and a new one is made", path.display())
        })
    }

    /// What the client signs with.
    pub(crate) fn for_client(&self) -> StaticKeys {
        StaticKeys {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: SecretString::from(self.secret_access_key.as_str()),
        }
    }
}
