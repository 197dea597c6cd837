//! From a dropped object, or a requested job, to a job that is this worker's.

use std::time::Duration;

use countersign_domain::{Event, JobArn, JobId, ObjectVersion, PrincipalArn};
use countersign_ports::jobs::{Job, JobClaim, NewJob};
use countersign_ports::profiles::Profile;
use countersign_ports::{Lease, StoreError, WorkerId};
use countersign_runtime::Route;

use crate::Signer;
use crate::halt::Halt;
use crate::intake::{Asked, AskedBy};
use crate::report;

/// A job that this worker holds, with the profile that signs it.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) job: Job,
    pub(crate) profile: Profile,
    pub(crate) holder: WorkerId,
}

/// The profile of the drop's route, or of the requested job. Without it there is no profile version, so no job of a drop
/// could be named: the drop waits, and the sweep finds it again once the profile exists.
pub(crate) async fn profile_of(signer: &Signer, asked: &Asked<'_>) -> Result<Profile, Halt> {
    let name = match &asked.by {
        AskedBy::Drop { route, .. } => &route.profile,
        AskedBy::Request(job) => job.profile.profile().name(),
    };
    let profile = signer.ports.profiles.profile(name).await?;
    profile.ok_or_else(|| {
        let source = asked.source();
        Halt::later(format!(
            "unknown_profile: there is no signing profile {name} to sign {source} with; create it"
        ))
    })
}

/// Claims the one job of this drop under this profile version, or the requested one; `None` if it ended before.
pub(crate) async fn claim(
    signer: &Signer,
    asked: &Asked<'_>,
    profile: Profile,
) -> Result<Option<Claimed>, Halt> {
    let lease = signer.lease(&asked.holder);
    let new = match &asked.by {
        AskedBy::Drop { route, source } => job_of_drop(signer, route, source, &profile),
        AskedBy::Request(job) => job.asked(),
    };
    let started = started(signer, &new);
    match signer.ports.jobs.claim_job(&new, &lease, &started).await? {
        JobClaim::Claimed(job) => Ok(Some(Claimed { job, profile, holder: lease.worker })),
        JobClaim::Ended(job) => {
            tracing::debug!(job = %job.arn.job(), status = %job.status, "it was handled before");
            Ok(None)
        }
        JobClaim::Busy(until) => {
            let wait = until.as_millis().saturating_sub(lease.now.as_millis());
            let after = Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(BUSY_WAIT_MIN);
            let reason = format!("another worker has job {} until {until}", new.arn.job());
            Err(Halt::Later { after: Some(after), reason })
        }
    }
}

/// Does `work` while the job's lease is renewed. Where the lease is lost, the work is dropped: whatever it had put
/// into the destination is adopted by whoever has the job now.
pub(crate) async fn hold<T>(
    signer: &Signer,
    claimed: &Claimed,
    work: impl Future<Output = Result<T, Halt>>,
) -> Result<T, Halt> {
    tokio::select! {
        done = work => done,
        lost = renew_until_lost(signer, claimed) => Err(lost.into()),
    }
}

async fn renew_until_lost(signer: &Signer, claimed: &Claimed) -> StoreError {
    let job = &claimed.job.arn;
    loop {
        tokio::time::sleep(LEASE / 3).await;
        match signer.ports.jobs.renew_job(job, &signer.lease(&claimed.holder)).await {
            Ok(()) => {}
            Err(lost @ StoreError::LeaseLost(_)) => return lost,
            // The lease may run out meanwhile; then ending the job is refused, and nothing is lost but work.
            Err(error) => tracing::warn!(job = %job.job(), %error, "could not renew the lease"),
        }
    }
}

impl Signer {
    /// A lease of `holder` from now on.
    pub(crate) fn lease(&self, holder: &WorkerId) -> Lease {
        let now = self.ports.clock.now();
        let until = now.plus_millis(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX));
        Lease { worker: holder.clone(), now, until }
    }
}

/// Who dropped it is known to nobody here: whoever in this account may write to the bucket.
fn job_of_drop(signer: &Signer, route: &Route, source: &ObjectVersion, profile: &Profile) -> NewJob {
    let scope = signer.settings.scope.clone();
    let requested_by = PrincipalArn::root(&scope);
    NewJob {
        arn: JobArn::new(scope, JobId::for_drop(source, &profile.arn)),
        source: source.clone(),
        profile: profile.arn.clone(),
        platform: profile.platform,
        destination: route.destination.clone(),
        invoker: requested_by.account().clone(),
        requested_by,
        created_at: signer.ports.clock.now(),
    }
}

fn started(signer: &Signer, job: &NewJob) -> Event {
    report::started(&job.arn, &job.profile, &job.source, signer.ports.clock.now())
}

/// How long a worker that died blocks its job. Renewed at a third of it, so that one lost renewal costs nothing.
const LEASE: Duration = Duration::from_secs(15);

/// The shortest wait for another worker.
const BUSY_WAIT_MIN: Duration = Duration::from_millis(200);
