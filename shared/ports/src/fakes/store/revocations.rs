use std::collections::btree_map::Entry;

use async_trait::async_trait;
use countersign_domain::{JobArn, ProfileVersionArn, UnixMillis};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::profiles::ProfileStatus;
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
                job: state.job_revocations.get(&signed_by).cloned(),
                profile: state.profile_revocations.get(profile).cloned(),
            })
        })
    }
}

#[async_trait]
impl RevocationRegistry for MemoryStore {
    async fn revoke_job(&self, job: &JobArn, reason: &str, at: UnixMillis) -> Result<(), StoreError> {
        self.call("revoke_job", |state| {
            let missing = || StoreError::NotFound(format!("signing job {job} with a signature"));
            let signed_by = state.signed_by(job).ok_or_else(missing)?;
            if let Entry::Vacant(unrevoked) = state.job_revocations.entry(signed_by) {
                let effective_from = at.plus_millis(i64::MIN);
                unrevoked.insert(Revocation { effective_from, revoked_at: at, reason: reason.to_owned() });
                state.revision += 1;
            }
            Ok(())
        })
    }

    async fn revoke_profile(
        &self,
        profile: &ProfileVersionArn,
        effective_from: UnixMillis,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.call("revoke_profile", |state| {
            let known = state.profiles.get_mut(profile.profile().name());
            let known = known.filter(|known| known.arn == *profile);
            let known = known.ok_or_else(|| StoreError::NotFound(format!("signing profile {profile}")))?;
            let earlier = state.profile_revocations.get(profile);
            check_effective_time(earlier, effective_from, at)?;
            if earlier.is_none_or(|earlier| effective_from < earlier.effective_from) {
                let first = earlier.map(|earlier| (earlier.revoked_at, earlier.reason.clone()));
                let (revoked_at, reason) = first.unwrap_or_else(|| (at, reason.to_owned()));
                let revocation = Revocation { effective_from, revoked_at, reason };
                state.profile_revocations.insert(profile.clone(), revocation);
                known.status = ProfileStatus::Revoked;
                state.revision += 1;
            }
            Ok(())
        })
    }
}

fn check_effective_time(
    earlier: Option<&Revocation>,
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
}
