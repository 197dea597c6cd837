//! The signing jobs as Signer's API sees them: requested by somebody, and listed.

use async_trait::async_trait;
use countersign_domain::{AccountId, Event, JobArn, JobStatus, Platform, PrincipalArn, UnixMillis};

use crate::StoreError;
use crate::jobs::{Job, Jobs, NewJob};

/// Takes requests for signing jobs, and lists all jobs.
#[async_trait]
pub trait JobRegistry: Jobs {
    /// Creates the job in progress, held by nobody, with `requested` in the outbox; a worker that claims it tells that it
    /// started. A job that exists is left alone, and `requested` is not told again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the ARN was used for another source, profile or destination, or by another requester.
    async fn request_job(&self, job: &NewJob, requested: &Event) -> Result<Requested, StoreError>;

    /// Up to `max` of the jobs that `filter` wants, newest first, from the one after `after` on. A job that is created
    /// meanwhile moves none from one page to another.
    async fn list_jobs(
        &self,
        filter: &JobFilter,
        after: Option<&JobCursor>,
        max: usize,
    ) -> Result<Vec<Job>, StoreError>;
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// The job was created.
    Created(Job),
    /// The same job was requested before; this is how far it is.
    Exists(Job),
}

/// Which jobs are wanted: those for which everything holds that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// They are so far.
    pub status: Option<JobStatus>,
    /// They sign with this.
    pub platform: Option<Platform>,
    /// This principal requested them.
    pub requested_by: Option<PrincipalArn>,
    /// Somebody of this account requested them.
    pub invoker: Option<AccountId>,
    /// The signature that they delivered is revoked, or it is not: jobs without one are not revoked.
    pub is_revoked: Option<bool>,
    /// Their signature expires before this instant.
    pub expires_before: Option<UnixMillis>,
    /// Their signature expires after this instant.
    pub expires_after: Option<UnixMillis>,
}

/// A place in the order of the jobs: by creation, then by ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobCursor {
    /// When the job at this place was created.
    pub created_at: UnixMillis,
    /// Its ARN.
    pub arn: JobArn,
}

impl JobFilter {
    /// True if the job is wanted.
    pub fn wants(&self, job: &Job) -> bool {
        let expires_at = job.signature.as_ref().map(|signature| signature.expires_at);
        self.status.is_none_or(|status| job.status == status)
            && self.platform.is_none_or(|platform| job.platform == platform)
            && self.requested_by.as_ref().is_none_or(|principal| job.requested_by == *principal)
            && self.invoker.as_ref().is_none_or(|account| job.invoker == *account)
            && self.is_revoked.is_none_or(|revoked| job.revocation.is_some() == revoked)
            && self.expires_before.is_none_or(|limit| expires_at.is_some_and(|at| at < limit))
            && self.expires_after.is_none_or(|limit| expires_at.is_some_and(|at| at > limit))
    }
}

impl JobCursor {
    /// The place of a job.
    pub fn of(job: &Job) -> Self {
        Self { created_at: job.created_at, arn: job.arn.clone() }
    }
}
