//! Signing jobs: claimed under a lease, ended once and for all.

mod rows;

use std::collections::HashSet;

use async_trait::async_trait;
use countersign_domain::{
    Event, JobArn, JobStatus, ObjectVersion, ProfileVersionArn, Sha256Digest, UnixMillis,
};
use countersign_ports::jobs::{Job, JobClaim, Jobs, NewJob, Signature};
use countersign_ports::{Lease, StoreError};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::rows::{tell, unavailable};
pub(super) use rows::JobRow;

#[async_trait]
impl Jobs for SqliteStore {
    async fn claim_job(&self, job: &NewJob, lease: &Lease, started: &Event) -> Result<JobClaim, StoreError> {
        let mut change = self.begin_write().await?;
        let claim = match find(&mut change, &job.arn).await? {
            None => create(&mut change, job, lease, started).await?,
            Some(row) => take_over(&mut change, row, job, lease).await?,
        };
        if matches!(claim, JobClaim::Claimed(_)) {
            self.commit(change).await?;
        }
        Ok(claim)
    }

    async fn renew_job(&self, job: &JobArn, lease: &Lease) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let renewed = sqlx::query("UPDATE jobs SET lease_until = $1 WHERE arn = $2 AND lease_worker = $3")
            .bind(lease.until.as_millis())
            .bind(job.to_string())
            .bind(lease.worker.as_str())
            .execute(&mut *change)
            .await
            .map_err(unavailable)?;
        held(job, renewed.rows_affected())?;
        self.commit(change).await
    }

    async fn succeed_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        signature: &Signature,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let ended = sqlx::query(
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
        .bind(lease.worker.as_str())
        .execute(&mut *change)
        .await
        .map_err(unavailable)?;
        held(job, ended.rows_affected())?;
        tell(&mut change, events).await?;
        self.commit(change).await
    }

    async fn fail_job(
        &self,
        job: &JobArn,
        lease: &Lease,
        reason: &str,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let ended = sqlx::query(
            "UPDATE jobs SET status = $1, completed_at = $2, status_reason = $3, lease_worker = NULL, lease_until = NULL
             WHERE arn = $4 AND lease_worker = $5",
        )
        .bind(JobStatus::Failed.to_string())
        .bind(lease.now.as_millis())
        .bind(reason)
        .bind(job.to_string())
        .bind(lease.worker.as_str())
        .execute(&mut *change)
        .await
        .map_err(unavailable)?;
        held(job, ended.rows_affected())?;
        tell(&mut change, events).await?;
        self.commit(change).await
    }

    async fn job(&self, job: &JobArn) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query_as::<_, JobRow>("SELECT * FROM jobs WHERE arn = $1").bind(job.to_string());
        row.fetch_optional(&self.readers).await.map_err(unavailable)?.map(Job::try_from).transpose()
    }

    async fn reusable_signature(
        &self,
        profile: &ProfileVersionArn,
        unsigned_sha256: &Sha256Digest,
        valid_until: UnixMillis,
    ) -> Result<Option<Signature>, StoreError> {
        let row = sqlx::query_as::<_, JobRow>(
            "SELECT * FROM jobs
             WHERE unsigned_sha256 = $1 AND profile = $2 AND expires_at > $3
                 AND NOT EXISTS (SELECT 1 FROM revocations WHERE revoked = jobs.signed_by OR revoked = jobs.profile)
             ORDER BY completed_at DESC LIMIT 1",
        )
        .bind(unsigned_sha256.to_string())
        .bind(profile.to_string())
        .bind(valid_until.as_millis());
        let row = row.fetch_optional(&self.readers).await.map_err(unavailable)?;
        Ok(row.map(Job::try_from).transpose()?.and_then(|job| job.signature))
    }

    async fn unseen(&self, sources: &[ObjectVersion]) -> Result<Vec<ObjectVersion>, StoreError> {
        let mut seen = HashSet::new();
        for batch in sources.chunks(SOURCES_A_QUERY) {
            let mut ended = QueryBuilder::<Sqlite>::new("WITH asked (bucket, object_key, version) AS (");
            ended.push_values(batch, |mut row, source| {
                row.push_bind(source.bucket.as_str());
                row.push_bind(source.key.as_str());
                row.push_bind(source.version.as_str());
            });
            ended.push(
                ") SELECT bucket, object_key, version FROM asked WHERE EXISTS (
                     SELECT 1 FROM jobs WHERE status <> 'InProgress'
                         AND source_bucket = bucket AND source_key = object_key AND source_version = version)",
            );
            let ended = ended.build_query_as::<(String, String, String)>();
            seen.extend(ended.fetch_all(&self.readers).await.map_err(unavailable)?);
        }
        let name = |source: &ObjectVersion| {
            (source.bucket.to_string(), source.key.to_string(), source.version.to_string())
        };
        Ok(sources.iter().filter(|source| !seen.contains(&name(source))).cloned().collect())
    }
}

async fn find(change: &mut SqliteConnection, job: &JobArn) -> Result<Option<JobRow>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM jobs WHERE arn = $1").bind(job.to_string());
    row.fetch_optional(change).await.map_err(unavailable)
}

async fn create(
    change: &mut SqliteConnection,
    job: &NewJob,
    lease: &Lease,
    started: &Event,
) -> Result<JobClaim, StoreError> {
    sqlx::query(
        "INSERT INTO jobs (arn, source_bucket, source_key, source_version, profile, destination, created_at, status,
             lease_worker, lease_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
    .bind(lease.until.as_millis())
    .execute(&mut *change)
    .await
    .map_err(unavailable)?;
    tell(change, std::slice::from_ref(started)).await?;
    let NewJob { arn, source, profile, destination, created_at } = job.clone();
    let (status, completed_at, status_reason, signature) = (JobStatus::InProgress, None, None, None);
    Ok(JobClaim::Claimed(Job {
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

async fn take_over(
    change: &mut SqliteConnection,
    row: JobRow,
    job: &NewJob,
    lease: &Lease,
) -> Result<JobClaim, StoreError> {
    let holder = row.holder()?;
    let standing = Job::try_from(row)?;
    if (&standing.source, &standing.profile) != (&job.source, &job.profile) {
        return Err(StoreError::Conflict(format!(
            "signing job {} signs {} already",
            job.arn, standing.source
        )));
    }
    let Some((worker, until)) = holder else {
        return Ok(JobClaim::Ended(standing));
    };
    if worker != lease.worker && until > lease.now {
        return Ok(JobClaim::Busy(until));
    }
    sqlx::query("UPDATE jobs SET lease_worker = $1, lease_until = $2 WHERE arn = $3")
        .bind(lease.worker.as_str())
        .bind(lease.until.as_millis())
        .bind(job.arn.to_string())
        .execute(change)
        .await
        .map_err(unavailable)?;
    Ok(JobClaim::Claimed(standing))
}

/// A job that has ended has no lease, so one condition tells "another worker has it" and "it has ended".
fn held(job: &JobArn, rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(format!("signing job {job}"))) }
}

/// How many sources one query asks for: three parameters each, far below SQLite's 32766.
const SOURCES_A_QUERY: usize = 500;
