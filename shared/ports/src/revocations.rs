//! Revocations: irreversible, and read by whoever deploys.

use async_trait::async_trait;
use countersign_domain::{JobArn, PrincipalArn, ProfileVersionArn, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Tells whether a signature is revoked. The deployer's only view of revocation.
#[async_trait]
pub trait RevocationSource: Send + Sync {
    /// What is revoked of this job's signature and this profile version; a job that reuses an earlier job's signature
    /// shares its fate. `Ok` is an answer from the source of truth, never a guess:
    /// a source that cannot be asked is an error, which the caller treats as inconclusive.
    async fn revocation_status(
        &self,
        job: &JobArn,
        profile: &ProfileVersionArn,
    ) -> Result<RevocationStatus, StoreError>;
}

/// Revokes. Nothing takes it back.
#[async_trait]
pub trait RevocationRegistry: RevocationSource {
    /// Revokes the signature that the job delivered: its own, or the earlier job's that it reuses, since that one is what
    /// the package says. Repeating it keeps the first record.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if no such job succeeded here.
    async fn revoke_job(
        &self,
        job: &JobArn,
        by: &PrincipalArn,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Revokes a profile version for what it signed after `effective_from`, and ends its signing. Repeating it may move
    /// the effective time earlier, never later; what else the first record says stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such profile version; [`StoreError::Conflict`] if `effective_from` lies
    /// after `at`, or after the effective time on record.
    async fn revoke_profile(
        &self,
        profile: &ProfileVersionArn,
        effective_from: UnixMillis,
        by: &PrincipalArn,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError>;
}

/// What is revoked of one signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationStatus {
    /// The job's revocation.
    pub job: Option<Revocation>,
    /// The profile version's revocation.
    pub profile: Option<Revocation>,
}

impl RevocationStatus {
    /// What of this makes a signature untrusted that was made at `signed_at`: the job's revocation whenever that was, the
    /// profile version's if it was strictly after the effective time.
    #[must_use]
    pub fn of_signature_made_at(&self, signed_at: UnixMillis) -> Self {
        let profile = self.profile.clone().filter(|profile| profile.effective_from < signed_at);
        Self { job: self.job.clone(), profile }
    }
}

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Signatures made strictly after this instant are not trusted. For a job it is the epoch: all of it is revoked.
    pub effective_from: UnixMillis,
    /// When somebody revoked it.
    pub revoked_at: UnixMillis,
    /// Why, for people.
    pub reason: String,
}
