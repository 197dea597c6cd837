//! Signing jobs: requested, claimed under a lease, ended once and for all.

mod create;
mod registry;
mod rows;

use std::collections::HashSet;

use async_trait::async_trait;
use countersign_domain::{
    Event, JobArn, JobStatus, ObjectVersion, ProfileVersionArn, Sha256Digest, UnixMillis,
};
use countersign_ports::job_registry::JobCursor;
use countersign_ports::jobs::{Job, JobClaim, Jobs, NewJob, Signature};
use countersign_ports::{Lease, StoreError};

use crate::attempt::attempt;
use crate::columns::for_people;
use crate::database::{Database, Session};
use crate::outbox::tell;
use crate::statement::{Conditions, Statement, placeholders, sql};
use crate::store::Store;
use create::{Origin, create, take_over};
#[cfg(test)]
pub(crate) use registry::page;
pub(crate) use rows::JobRow;

#[async_trait]
impl<D: Database> Jobs for Store<D> {
    async fn claim_job(&self, job: &NewJob, lease: &Lease, started: &Event) -> Result<JobClaim, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let claim = if create(&mut change, job, Origin::Drop, Some(lease)).await? {
                tell(&mut change, std::slice::from_ref(started)).await?;
                JobClaim::Claimed(job.clone().created())
            } else {
                take_over(&mut change, job, lease, started).await?
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

    async fn left_behind(
        &self,
        now: UnixMillis,
        after: Option<&JobCursor>,
        max: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let rows = attempt(move || self.database.rows::<JobRow>(unheld(now, after, max))).await?;
        rows.into_iter().map(Job::try_from).collect()
    }
}

/// Asks for a page of the requested jobs that nobody holds.
pub(crate) fn unheld(now: UnixMillis, after: Option<&JobCursor>, max: usize) -> Statement {
    let mut wanted = Conditions::default();
    wanted.and("origin = 'request' AND status = 'InProgress'", []);
    wanted.and("(lease_until IS NULL OR lease_until <= ?)", [now.as_millis().into()]);
    if let Some(JobCursor { created_at, arn }) = after {
        wanted.and("(created_at, arn) > (?, ?)", [created_at.as_millis().into(), arn.to_string().into()]);
    }
    let page = wanted
        .statement(|which, next| JobRow::select(&format!("{which} ORDER BY created_at, arn LIMIT ${next}")));
    page.bind(limit(max))
}

/// Asks for those of `sources` that a job has ended for.
fn ended_among(sources: &[ObjectVersion]) -> Statement {
    let ended = sql(format!(
        "WITH asked (bucket, object_key, version) AS (VALUES {})
         SELECT bucket, object_key, version FROM asked WHERE EXISTS (
             SELECT 1 FROM jobs WHERE status <> 'InProgress' AND origin = 'drop'
                 AND source_bucket = bucket AND source_key = object_key AND source_version = version)",
        placeholders(sources.len(), 3),
    ));
    sources.iter().fold(ended, |ended, source| {
        ended.bind(source.bucket.as_str()).bind(source.key.as_str()).bind(source.version.as_str())
    })
}

/// Bucket, key and version.
type SourceRow = (String, String, String);

/// A job that has ended has no lease, so one condition tells "another worker has it", "nobody has it" and "it has ended".
fn held(job: &JobArn, rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(format!("signing job {job}"))) }
}

/// As `LIMIT` takes it.
fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// How many sources one query asks for: three parameters each, far below the parameters that either database allows.
const SOURCES_A_QUERY: usize = 500;
