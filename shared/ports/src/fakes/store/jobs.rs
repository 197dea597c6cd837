use async_trait::async_trait;
use countersign_domain::{
    Event, JobArn, JobStatus, ObjectVersion, ProfileVersionArn, Sha256Digest, UnixMillis,
};

use super::{HeldJob, Holder, MemoryStore, State};
use crate::job_registry::JobCursor;
use crate::jobs::{Job, JobClaim, Jobs, NewJob, Signature};
use crate::{Lease, StoreError};

#[async_trait]
impl Jobs for MemoryStore {
    async fn claim_job(&self, job: &NewJob, lease: &Lease, started: &Event) -> Result<JobClaim, StoreError> {
        self.call("claim_job", |state| {
            let Some(held) = state.jobs.get_mut(&job.arn) else {
                let created = job.clone().created();
                let held = HeldJob { job: created.clone(), holder: Holder::new(lease), requested: false };
                state.jobs.insert(job.arn.clone(), held);
                state.tell(std::slice::from_ref(started));
                return Ok(JobClaim::Claimed(created));
            };
            let first = held.holder.is_none();
            match take_over(held, job, lease)? {
                JobClaim::Ended(ended) => Ok(JobClaim::Ended(state.shown(&ended))),
                JobClaim::Busy(until) => Ok(JobClaim::Busy(until)),
                claimed @ JobClaim::Claimed(_) => {
                    if first {
                        state.tell(std::slice::from_ref(started));
                    }
                    Ok(claimed)
                }
            }
        })
    }

    async fn renew_job(&self, job: &JobArn, lease: &Lease) -> Result<(), StoreError> {
        self.call("renew_job", |state| {
            state.held_job(job, lease)?.holder = Holder::new(lease);
            Ok(())
        })
    }

    async fn succeed_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        signature: &Signature,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.call("succeed_job", |state| {
            let held = state.held_job(job, lease)?;
            held.holder = None;
            held.job.status = JobStatus::Succeeded;
            held.job.completed_at = Some(signature.completed_at);
            held.job.signature = Some(signature.clone());
            state.tell(events);
            Ok(())
        })
    }

    async fn fail_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        reason: &str,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.call("fail_job", |state| {
            let held = state.held_job(job, lease)?;
            held.holder = None;
            held.job.status = JobStatus::Failed;
            held.job.completed_at = Some(lease.now);
            held.job.status_reason = Some(reason.to_owned());
            state.tell(events);
            Ok(())
        })
    }

    async fn job(&self, job: &JobArn) -> Result<Option<Job>, StoreError> {
        self.call("job", |state| Ok(state.jobs.get(job).map(|held| state.shown(&held.job))))
    }

    async fn reusable_signature(
        &self,
        profile: &ProfileVersionArn,
        unsigned_sha256: &Sha256Digest,
        valid_until: UnixMillis,
    ) -> Result<Option<Signature>, StoreError> {
        self.call("reusable_signature", |state| {
            if state.revocation_of(profile).is_some() {
                return Ok(None);
            }
            let jobs = state.jobs.values().filter(|held| held.job.profile == *profile);
            let signatures = jobs.filter_map(|held| held.job.signature.as_ref()).filter(|signature| {
                signature.unsigned_sha256 == *unsigned_sha256
                    && signature.expires_at > valid_until
                    && !state.job_revocations.contains_key(&signature.signed_by)
            });
            Ok(signatures.max_by_key(|signature| signature.completed_at).cloned())
        })
    }

    async fn unseen(&self, sources: &[ObjectVersion]) -> Result<Vec<ObjectVersion>, StoreError> {
        self.call("unseen", |state| {
            let ended = |source: &ObjectVersion| {
                let mut jobs = state.jobs.values();
                jobs.any(|held| {
                    !held.requested && held.job.source == *source && held.job.status != JobStatus::InProgress
                })
            };
            Ok(sources.iter().filter(|source| !ended(source)).cloned().collect())
        })
    }

    async fn left_behind(
        &self,
        now: UnixMillis,
        after: Option<&JobCursor>,
        max: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.call("left_behind", |state| {
            let jobs = state.jobs.values().filter(|held| {
                held.requested
                    && held.job.status == JobStatus::InProgress
                    && held.holder.as_ref().is_none_or(|holder| holder.until <= now)
                    && after.is_none_or(|after| JobCursor::of(&held.job) > *after)
            });
            let mut jobs: Vec<Job> = jobs.map(|held| held.job.clone()).collect();
            jobs.sort_by_key(JobCursor::of);
            jobs.truncate(max);
            Ok(jobs)
        })
    }
}

fn take_over(held: &mut HeldJob, job: &NewJob, lease: &Lease) -> Result<JobClaim, StoreError> {
    if (&held.job.source, &held.job.profile) != (&job.source, &job.profile) {
        return Err(StoreError::Conflict(format!("{} signs {} already", job.arn, held.job.source)));
    }
    if held.job.status != JobStatus::InProgress {
        return Ok(JobClaim::Ended(held.job.clone()));
    }
    if let Some(until) = Holder::bars(held.holder.as_ref(), lease) {
        return Ok(JobClaim::Busy(until));
    }
    held.holder = Holder::new(lease);
    Ok(JobClaim::Claimed(held.job.clone()))
}

impl State {
    fn held_job(&mut self, job: &JobArn, lease: &Lease) -> Result<&mut HeldJob, StoreError> {
        let held = self.jobs.get_mut(job);
        let held = held.filter(|held| held.holder.as_ref().is_some_and(|held| held.worker == lease.worker));
        held.ok_or_else(|| StoreError::LeaseLost(format!("signing job {job}")))
    }
}
