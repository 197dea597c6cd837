//! The state of signing jobs, with the outbox that tells of it.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{
    AccountId, Event, EventId, JobArn, JobStatus, ObjectVersion, Platform, Prefix, PrincipalArn,
    ProfileVersionArn, Sha256Digest, SignedObject, UnixMillis,
};

use crate::job_registry::JobCursor;
use crate::{Lease, StoreError};

/// The signing jobs. Every change commits together with the events that tell of it: either both are there or neither.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Creates the job, or takes over one that nobody holds or whose lease ran out, for the holder of `lease`; claimed
    /// again by its own worker, it is `Claimed` again. `started` is put into the outbox only with the first claim: when the
    /// job is created here, or was requested before and held by nobody yet. A job that exists keeps the destination and the
    /// requester it was created with.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the ARN was used for another source or profile.
    async fn claim_job(&self, job: &NewJob, lease: &Lease, started: &Event) -> Result<JobClaim, StoreError>;

    /// Holds the job until `lease.until`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended.
    async fn renew_job(&self, job: &JobArn, lease: &Lease) -> Result<(), StoreError>;

    /// Ends the job with its signed object, at `signature.completed_at`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended.
    async fn succeed_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        signature: &Signature,
        events: &[Event],
    ) -> Result<(), StoreError>;

    /// Ends the job without one, at `lease.now`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended.
    async fn fail_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        reason: &str,
        events: &[Event],
    ) -> Result<(), StoreError>;

    /// The job, if there is one.
    async fn job(&self, job: &JobArn) -> Result<Option<Job>, StoreError>;

    /// The newest signature of the same unsigned package by the same profile version that is not revoked and expires
    /// after `valid_until`. None at all of a profile version that is revoked from whatever time.
    async fn reusable_signature(
        &self,
        profile: &ProfileVersionArn,
        unsigned_sha256: &Sha256Digest,
        valid_until: UnixMillis,
    ) -> Result<Option<Signature>, StoreError>;

    /// Of `sources`, those for which no job of any profile has ended that a drop asked for: never seen, or begun and left
    /// behind. What the sweep hands in; a job that is being worked on answers the claim with `Busy`.
    async fn unseen(&self, sources: &[ObjectVersion]) -> Result<Vec<ObjectVersion>, StoreError>;

    /// Up to `max` jobs in progress that were [requested](crate::job_registry::JobRegistry::request_job) and that nobody
    /// holds at `now`: never claimed, or claimed and left behind. Oldest first, from the one after `after` on.
    async fn left_behind(
        &self,
        now: UnixMillis,
        after: Option<&JobCursor>,
        max: usize,
    ) -> Result<Vec<Job>, StoreError>;
}

/// Events that were committed with a change of state and wait to be published.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Up to `max` events of `source` (the attribute of the event: the service that tells), in the order of their
    /// commits. An id that waits already is not put in a second time.
    ///
    /// Each service publishes what it told itself, as its own publisher. Where several processes share the store, one of
    /// them gets the events of a source and the others nothing, until it stays away for [`RELAY_LEASE`].
    async fn unpublished(&self, source: &str, max: usize) -> Result<Vec<Event>, StoreError>;

    /// These events are published, and the outbox forgets them; repeating it changes nothing.
    async fn mark_published(&self, events: &[EventId]) -> Result<(), StoreError>;

    /// Returns when something may have been committed since the last call, or after a pause of the adapter's choice: a
    /// hint, so that the relay need not poll fast.
    async fn wait(&self);
}

/// How long a process that was given events of a source keeps the others from them, counted from its last call.
pub const RELAY_LEASE: Duration = Duration::from_secs(5);

/// A job to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its ARN.
    pub arn: JobArn,
    /// What is signed.
    pub source: ObjectVersion,
    /// Who signs.
    pub profile: ProfileVersionArn,
    /// What the profile signs with.
    pub platform: Platform,
    /// Where the signed object goes.
    pub destination: Prefix,
    /// Who asks for it. Of a drop, about whose author nothing is known, the account itself.
    pub requested_by: PrincipalArn,
    /// The account of whoever asks.
    pub invoker: AccountId,
    /// When it is created.
    pub created_at: UnixMillis,
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobClaim {
    /// The job is this worker's.
    Claimed(Job),
    /// The job ended before; nothing to do.
    Ended(Job),
    /// Another worker has it until then.
    Busy(UnixMillis),
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its ARN.
    pub arn: JobArn,
    /// What is signed.
    pub source: ObjectVersion,
    /// Who signs.
    pub profile: ProfileVersionArn,
    /// What the profile signs with.
    pub platform: Platform,
    /// Where the signed object goes.
    pub destination: Prefix,
    /// Who asked for it. Of a drop, about whose author nothing is known, the account itself.
    pub requested_by: PrincipalArn,
    /// The account of whoever asked.
    pub invoker: AccountId,
    /// When it was created.
    pub created_at: UnixMillis,
    /// How far it is.
    pub status: JobStatus,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// Why it ended so, for people.
    pub status_reason: Option<String>,
    /// What came of it.
    pub signature: Option<Signature>,
    /// The revocation of that signature, whichever of the jobs that deliver it was named.
    pub revocation: Option<JobRevocation>,
}

/// How a job's signature was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRevocation {
    /// When.
    pub revoked_at: UnixMillis,
    /// Who did it.
    pub revoked_by: PrincipalArn,
    /// Why, for people.
    pub reason: String,
}

impl NewJob {
    /// The job as it is once it is created: in progress.
    pub fn created(self) -> Job {
        let Self { arn, source, profile, platform, destination, requested_by, invoker, created_at } = self;
        Job {
            arn,
            source,
            profile,
            platform,
            destination,
            requested_by,
            invoker,
            created_at,
            status: JobStatus::InProgress,
            completed_at: None,
            status_reason: None,
            signature: None,
            revocation: None,
        }
    }
}

impl Job {
    /// The account that the job and its profile belong to; Signer's `jobOwner`.
    pub fn owner(&self) -> &AccountId {
        self.arn.scope().account()
    }

    /// True if `asked` asks for this very job: the same source, profile and destination, by the same principal.
    pub fn was_requested_as(&self, asked: &NewJob) -> bool {
        self.arn == asked.arn
            && self.source == asked.source
            && self.profile == asked.profile
            && self.destination == asked.destination
            && self.requested_by == asked.requested_by
    }

    /// The job as it was to be created.
    pub fn asked(&self) -> NewJob {
        let Self { arn, source, profile, destination, requested_by, invoker, .. } = self.clone();
        let (platform, created_at) = (self.platform, self.created_at);
        NewJob { arn, source, profile, platform, destination, requested_by, invoker, created_at }
    }
}

/// A signature that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The signed object. Of the job itself, or of the earlier job whose signature is reused.
    pub object: SignedObject,
    /// The job that made it: the one its statement names.
    pub signed_by: JobArn,
    /// SHA-256 of the unsigned package.
    pub unsigned_sha256: Sha256Digest,
    /// When it expires.
    pub expires_at: UnixMillis,
    /// When the job that refers to it ended.
    pub completed_at: UnixMillis,
}
