//! How a job comes to be and gets its first holder.

use countersign_domain::{Event, JobStatus};
use countersign_ports::jobs::{Job, JobClaim, NewJob};
use countersign_ports::{Lease, StoreError};

use super::JobRow;
use crate::attempt::Failure;
use crate::columns::corrupt;
use crate::database::Session;
use crate::outbox::tell;
use crate::statement::sql;

/// Who or what asked for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A drop; its job is held from the first moment on.
    Drop,
    /// A request; a worker claims its job later.
    Request,
}

/// Creates the job, unless there is one with its ARN: of two that try at once, the second waits and finds the first's.
pub(super) async fn create(
    change: &mut impl Session,
    job: &NewJob,
    origin: Origin,
    lease: Option<&Lease>,
) -> Result<bool, Failure> {
    let created = sql(
        "INSERT INTO jobs (arn, source_bucket, source_key, source_version, profile, platform, destination,
             requested_by, invoker, origin, created_at, status, lease_worker, lease_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (arn) DO NOTHING",
    )
    .bind(job.arn.to_string())
    .bind(job.source.bucket.as_str())
    .bind(job.source.key.as_str())
    .bind(job.source.version.as_str())
    .bind(job.profile.to_string())
    .bind(job.platform.id())
    .bind(job.destination.to_string())
    .bind(job.requested_by.as_str())
    .bind(job.invoker.as_str())
    .bind(match origin {
        Origin::Drop => "drop",
        Origin::Request => "request",
    })
    .bind(job.created_at.as_millis())
    .bind(JobStatus::InProgress.to_string())
    .bind(lease.map(|lease| lease.worker.as_str()))
    .bind(lease.map(|lease| lease.until.as_millis()));
    Ok(change.execute(created).await? == 1)
}

/// The job that stands; its row is held until the change ends.
pub(super) async fn standing(change: &mut impl Session, job: &NewJob) -> Result<JobRow, Failure> {
    let row = JobRow::select("WHERE arn = $1").bind(job.arn.to_string()).for_update("jobs");
    let row: Option<JobRow> = change.row(row).await?;
    Ok(row.ok_or_else(|| corrupt("jobs.arn", format!("{} is there and is not found", job.arn)))?)
}

/// Gives a job that stands to the holder of `lease`, if nobody else has it.
pub(super) async fn take_over(
    change: &mut impl Session,
    job: &NewJob,
    lease: &Lease,
    started: &Event,
) -> Result<JobClaim, Failure> {
    let row = standing(change, job).await?;
    let holder = row.holder()?;
    let standing = Job::try_from(row)?;
    if (&standing.source, &standing.profile) != (&job.source, &job.profile) {
        let conflict = format!("signing job {} signs {} already", job.arn, standing.source);
        return Err(StoreError::Conflict(conflict).into());
    }
    if standing.status != JobStatus::InProgress {
        return Ok(JobClaim::Ended(standing));
    }
    if let Some((worker, until)) = &holder
        && *worker != lease.worker
        && *until > lease.now
    {
        return Ok(JobClaim::Busy(*until));
    }
    let taken = sql("UPDATE jobs SET lease_worker = $1, lease_until = $2 WHERE arn = $3")
        .bind(lease.worker.as_str())
        .bind(lease.until.as_millis())
        .bind(job.arn.to_string());
    change.execute(taken).await?;
    // Only a requested job has had no holder, and from now on it has one until it ends.
    if holder.is_none() {
        tell(change, std::slice::from_ref(started)).await?;
    }
    Ok(JobClaim::Claimed(standing))
}
