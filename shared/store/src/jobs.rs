//! Signing jobs: claimed under a lease, ended once and for all.

mod rows;

use std::collections::HashSet;

use async_trait::async_trait;
use countersign_domain::{
    Event, JobArn, JobStatus, ObjectVersion, ProfileVersionArn, Sha256Digest, UnixMillis,
};
use countersign_ports::jobs::{Job, JobClaim, Jobs, NewJob, Signature};
use countersign_ports::{Lease, StoreError};

use crate::attempt::{Failure, attempt};
use crate::columns::{corrupt, for_people};
use crate::database::{Database, Session};
use crate::outbox::tell;
use crate::statement::{Statement, placeholders, sql};
use crate::store::Store;
pub(crate) use rows::JobRow;

#[async_trait]
impl<D: Database> Jobs for Store<D> {
    async fn claim_job(&self, job: &NewJob, lease: &Lease, started: &Event) -> Result<JobClaim, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let claim = match create(&mut change, job, lease, started).await? {
                Some(created) => JobClaim::Claimed(created),
                None => take_over(&mut change, job, lease).await?,
            };
            if matches!(claim, JobClaim::Claimed(_)) {
                change.commit().await?;
            }
            Ok(claim)
        })
        .await
    }

    async fn renew_job(&self, job: &JobArn, lease: &Lease) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let renewed = sql("UPDATE jobs SET lease_until = $1 WHERE arn = $2 AND lease_worker = $3")
                .bind(lease.until.as_millis())
                .bind(job.to_string())
                .bind(lease.worker.as_str());
            held(job, change.execute(renewed).await?)?;
            change.commit().await
        })
        .await
    }

    async fn succeed_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        signature: &Signature,
        events: &[Event],
    ) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let ended = sql(
                "UPDATE jobs SET status = $1, completed_at = $2, lease_worker = NULL, lease_until = NULL,
                     signed_bucket = $3, signed_key = $4, signed_version = $5, signed_by = $6,
                     unsigned_sha256 = $7, expires_at = $8
                 WHERE arn = $9 AND lease_worker = $10",
            )
            .bind(JobStatus::Succeeded.to_string())
            .bind(signature.completed_at.as_millis())
            .bind(signature.object.bucket.as_str())
            .bind(signature.object.key.as_str())
            .bind(signature.object.version.as_str())
            .bind(signature.signed_by.to_string())
            .bind(signature.unsigned_sha256.to_string())
            .bind(signature.expires_at.as_millis())
            .bind(job.to_string())
            .bind(lease.worker.as_str());
            held(job, change.execute(ended).await?)?;
            tell(&mut change, events).await?;
            change.commit().await
        })
        .await
    }

    async fn fail_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        reason: &str,
        events: &[Event],
    ) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let ended = sql("UPDATE jobs
                 SET status = $1, completed_at = $2, status_reason = $3, lease_worker = NULL, lease_until = NULL
                 WHERE arn = $4 AND lease_worker = $5")
            .bind(JobStatus::Failed.to_string())
            .bind(lease.now.as_millis())
            .bind(for_people(reason))
            .bind(job.to_string())
            .bind(lease.worker.as_str());
            held(job, change.execute(ended).await?)?;
            tell(&mut change, events).await?;
            change.commit().await
        })
        .await
    }

    async fn job(&self, job: &JobArn) -> Result<Option<Job>, StoreError> {
        attempt(move || async move {
            let row = JobRow::select("WHERE arn = $1").bind(job.to_string());
            let rows: Vec<JobRow> = self.database.rows(row).await?;
            Ok(rows.into_iter().next().map(Job::try_from).transpose()?)
        })
        .await
    }

    async fn reusable_signature(
        &self,
        profile: &ProfileVersionArn,
        unsigned_sha256: &Sha256Digest,
        valid_until: UnixMillis,
    ) -> Result<Option<Signature>, StoreError> {
        attempt(move || async move {
            let row = JobRow::select(
                "WHERE unsigned_sha256 = $1 AND profile = $2 AND expires_at > $3
                     AND NOT EXISTS (SELECT 1 FROM revocations WHERE revoked = jobs.signed_by OR revoked = jobs.profile)
                 ORDER BY completed_at DESC LIMIT 1",
            )
            .bind(unsigned_sha256.to_string())
            .bind(profile.to_string())
            .bind(valid_until.as_millis());
            let rows: Vec<JobRow> = self.database.rows(row).await?;
            let job = rows.into_iter().next().map(Job::try_from).transpose()?;
            Ok(job.and_then(|job| job.signature))
        })
        .await
    }

    async fn unseen(&self, sources: &[ObjectVersion]) -> Result<Vec<ObjectVersion>, StoreError> {
        let mut seen = HashSet::new();
        for batch in sources.chunks(SOURCES_A_QUERY) {
            seen.extend(attempt(move || self.database.rows::<SourceRow>(ended_among(batch))).await?);
        }
        let name = |source: &ObjectVersion| {
            (source.bucket.to_string(), source.key.to_string(), source.version.to_string())
        };
        Ok(sources.iter().filter(|source| !seen.contains(&name(source))).cloned().collect())
    }
}

/// Creates the job, unless there is one with its ARN: of two that try at once, the second waits and finds the first's.
async fn create(
    change: &mut impl Session,
    job: &NewJob,
    lease: &Lease,
    started: &Event,
) -> Result<Option<Job>, Failure> {
    let created = sql(
        "INSERT INTO jobs (arn, source_bucket, source_key, source_version, profile, destination, created_at,
             status, lease_worker, lease_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (arn) DO NOTHING",
    )
    .bind(job.arn.to_string())
    .bind(job.source.bucket.as_str())
    .bind(job.source.key.as_str())
    .bind(job.source.version.as_str())
    .bind(job.profile.to_string())
    .bind(job.destination.to_string())
    .bind(job.created_at.as_millis())
    .bind(JobStatus::InProgress.to_string())
    .bind(lease.worker.as_str())
    .bind(lease.until.as_millis());
    if change.execute(created).await? == 0 {
        return Ok(None);
    }
    tell(change, std::slice::from_ref(started)).await?;
    let NewJob { arn, source, profile, destination, created_at } = job.clone();
    let (status, completed_at, status_reason, signature) = (JobStatus::InProgress, None, None, None);
    Ok(Some(Job {
        arn,
        source,
        profile,
        destination,
        created_at,
        status,
        completed_at,
        status_reason,
        signature,
    }))
}

async fn take_over(change: &mut impl Session, job: &NewJob, lease: &Lease) -> Result<JobClaim, Failure> {
    let row = JobRow::select("WHERE arn = $1").bind(job.arn.to_string()).for_update();
    let row: Option<JobRow> = change.row(row).await?;
    let row = row.ok_or_else(|| corrupt("jobs.arn", format!("{} is there and is not found", job.arn)))?;
    let holder = row.holder()?;
    let standing = Job::try_from(row)?;
    if (&standing.source, &standing.profile) != (&job.source, &job.profile) {
        let conflict = format!("signing job {} signs {} already", job.arn, standing.source);
        return Err(StoreError::Conflict(conflict).into());
    }
    let Some((worker, until)) = holder else {
        return Ok(JobClaim::Ended(standing));
    };
    if worker != lease.worker && until > lease.now {
        return Ok(JobClaim::Busy(until));
    }
    let taken = sql("UPDATE jobs SET lease_worker = $1, lease_until = $2 WHERE arn = $3")
        .bind(lease.worker.as_str())
        .bind(lease.until.as_millis())
        .bind(job.arn.to_string());
    change.execute(taken).await?;
    Ok(JobClaim::Claimed(standing))
}

/// Asks for those of `sources` that a job has ended for.
fn ended_among(sources: &[ObjectVersion]) -> Statement {
    let ended = sql(format!(
        "WITH asked (bucket, object_key, version) AS (VALUES {})
         SELECT bucket, object_key, version FROM asked WHERE EXISTS (
             SELECT 1 FROM jobs WHERE status <> 'InProgress'
                 AND source_bucket = bucket AND source_key = object_key AND source_version = version)",
        placeholders(sources.len(), 3),
    ));
    sources.iter().fold(ended, |ended, source| {
        ended.bind(source.bucket.as_str()).bind(source.key.as_str()).bind(source.version.as_str())
    })
}

/// Bucket, key and version.
type SourceRow = (String, String, String);

/// A job that has ended has no lease, so one condition tells "another worker has it" and "it has ended".
fn held(job: &JobArn, rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(format!("signing job {job}"))) }
}

/// How many sources one query asks for: three parameters each, far below the parameters that either database allows.
const SOURCES_A_QUERY: usize = 500;
