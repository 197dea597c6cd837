//! Signing jobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::account::AccountId;
use crate::arn::ProfileVersionArn;
use crate::location::ObjectVersion;
use crate::text::serde_as_text;

/// The id of a signing job: a UUID in lower case, as Signer shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(Uuid);

/// A text that is not a UUID in lower case with hyphens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a job id: write a UUID in lower case")]
pub struct InvalidJobId(String);

impl JobId {
    /// The id of the job that signs `source` as `profile`: the same drop always names the same job, however often
    /// its notification arrives.
    pub fn for_drop(source: &ObjectVersion, profile: &ProfileVersionArn) -> Self {
        let profile = profile.to_string();
        let fields = [source.bucket.as_str(), source.key.as_str(), source.version.as_str(), &profile];
        Self(named_uuid("countersign.signing-job.drop", &fields))
    }

    /// The id of the job that somebody in `account` requests with `token`, the client request token of Signer's API:
    /// whoever requests it again gets the same job. No drop has such an id.
    pub fn for_token(account: &AccountId, token: &str) -> Self {
        Self(named_uuid("countersign.signing-job.token", &[account.as_str(), token]))
    }

    /// The id of a job that no drop asked for, such as an offline signing, from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, InvalidJobId> {
        canonical_uuid(text).map(Self).ok_or_else(|| InvalidJobId(text.chars().take(80).collect()))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

serde_as_text!(JobId);

/// Signer's `SigningStatus`. A job leaves `InProgress` once and for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobStatus {
    /// Claimed, not ended.
    InProgress,
    /// Refused, with a reason.
    Failed,
    /// The signed object was written, read back and verified.
    Succeeded,
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Succeeded => "Succeeded",
        })
    }
}

/// The signed package that a succeeded job points to.
pub type SignedObject = ObjectVersion;

/// A UUID (version 8) that is a function of `fields`; each is preceded by its length, so no two lists collide.
pub(crate) fn named_uuid(space: &str, fields: &[&str]) -> Uuid {
    let mut hasher = Sha256::new();
    for field in std::iter::once(&space).chain(fields) {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}

pub(crate) fn canonical_uuid(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().to_string() == text).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop_of(key: &str, version: &str) -> JobId {
        let source = ObjectVersion {
            bucket: "unsigned".parse().unwrap(),
            key: key.parse().unwrap(),
            version: version.parse().unwrap(),
        };
        let profile =
            "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default/AbCdEfGhIj".parse().unwrap();
        JobId::for_drop(&source, &profile)
    }

    #[test]
    fn one_drop_is_one_job() {
        assert_eq!(drop_of("a.zip", "v1"), drop_of("a.zip", "v1"));
        assert_ne!(drop_of("a.zip", "v1"), drop_of("a.zip", "v2"));
        assert_ne!(drop_of("a", "bv"), drop_of("ab", "v"), "fields are framed");
    }

    #[test]
    fn one_token_of_an_account_is_one_job() {
        let job = |account: &str, token| JobId::for_token(&account.parse().unwrap(), token);
        assert_eq!(job("000000000000", "t1"), job("000000000000", "t1"));
        assert_ne!(job("000000000000", "t1"), job("000000000001", "t1"), "tokens are an account's own");
        assert_ne!(job("000000000000", "t1"), job("000000000000", "t2"));
    }

    #[test]
    fn only_the_canonical_form_parses() {
        let id = drop_of("a.zip", "v1");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<JobId>().is_err());
        assert!(id.to_string().replace('-', "").parse::<JobId>().is_err());
    }
}
