use std::collections::btree_map::Entry;

use async_trait::async_trait;
use countersign_domain::{JobArn, PrincipalArn, ProfileVersionArn, UnixMillis};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::jobs::JobRevocation;
use crate::profiles::{ProfileRevocation, ProfileStatus};
use crate::revocations::{Revocation, RevocationRegistry, RevocationSource, RevocationStatus};

#[async_trait]
impl RevocationSource for MemoryStore {
    async fn revocation_status(
        &self,
        job: &JobArn,
        profile: &ProfileVersionArn,
    ) -> Result<RevocationStatus, StoreError> {
        self.call("revocation_status", |state| {
            let signed_by = state.signed_by(job).unwrap_or_else(|| job.clone());
            Ok(RevocationStatus {
                job: state.job_revocations.get(&signed_by).map(|revocation| Revocation {
                    effective_from: UnixMillis::EPOCH,
                    revoked_at: revocation.revoked_at,
                    reason: revocation.reason.clone(),
                }),
                profile: state.revocation_of(profile).map(|revocation| Revocation {
                    effective_from: revocation.effective_from,
                    revoked_at: revocation.revoked_at,
                    reason: revocation.reason.clone(),
                }),
            })
        })
    }
}

#[async_trait]
impl RevocationRegistry for MemoryStore {
    async fn revoke_job(
        &self,
        job: &JobArn,
        by: &PrincipalArn,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.call("revoke_job", |state| {
            let missing = || StoreError::NotFound(format!("signing job {job} with a signature"));
            let signed_by = state.signed_by(job).ok_or_else(missing)?;
            if let Entry::Vacant(unrevoked) = state.job_revocations.entry(signed_by) {
                let (revoked_by, reason) = (by.clone(), reason.to_owned());
                unrevoked.insert(JobRevocation { revoked_at: at, revoked_by, reason });
                state.revision += 1;
            }
            Ok(())
        })
    }

    async fn revoke_profile(
        &self,
        profile: &ProfileVersionArn,
        effective_from: UnixMillis,
        by: &PrincipalArn,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.call("revoke_profile", |state| {
            let known = state.profiles.get_mut(profile.profile().name());
            let known = known.filter(|known| known.arn == *profile);
            let known = known.ok_or_else(|| StoreError::NotFound(format!("signing profile {profile}")))?;
            check_effective_time(known.revocation.as_ref(), effective_from, at)?;
            let (revoked_by, reason) = (by.clone(), reason.to_owned());
            let new = ProfileRevocation { effective_from, revoked_at: at, revoked_by, reason };
            let moved =
                known.revocation.as_ref().is_none_or(|earlier| earlier.effective_from != effective_from);
            known.revocation.get_or_insert(new).effective_from = effective_from;
            known.status = ProfileStatus::Revoked;
            state.revision += u64::from(moved);
            Ok(())
        })
    }
}

fn check_effective_time(
    earlier: Option<&ProfileRevocation>,
    effective_from: UnixMillis,
    at: UnixMillis,
) -> Result<(), StoreError> {
    if effective_from > at {
        return Err(StoreError::Conflict(format!(
            "the effective time {effective_from} lies after the revocation at {at}"
        )));
    }
    match earlier {
        Some(earlier) if effective_from > earlier.effective_from => Err(StoreError::Conflict(format!(
            "the effective time {effective_from} lies after the one on record, {}",
            earlier.effective_from
        ))),
        Some(_) | None => Ok(()),
    }
}

impl State {
    /// The job that made the signature which `job` delivered; `None` if it delivered none.
    fn signed_by(&self, job: &JobArn) -> Option<JobArn> {
        Some(self.jobs.get(job)?.job.signature.as_ref()?.signed_by.clone())
    }

    pub(super) fn revocation_of(&self, profile: &ProfileVersionArn) -> Option<&ProfileRevocation> {
        let known = self.profiles.get(profile.profile().name()).filter(|known| known.arn == *profile)?;
        known.revocation.as_ref()
    }
}
