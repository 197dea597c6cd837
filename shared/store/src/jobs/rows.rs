//! The row of a job.

use countersign_domain::{JobStatus, ObjectVersion, UnixMillis};
use countersign_ports::jobs::{Job, JobRevocation, Signature};
use countersign_ports::{StoreError, WorkerId};

use crate::columns::{corrupt, instant, parse};
use crate::statement::{Statement, sql};

#[derive(sqlx::FromRow)]
pub(crate) struct JobRow {
    arn: String,
    source_bucket: String,
    source_key: String,
    source_version: String,
    profile: String,
    platform: String,
    destination: String,
    requested_by: String,
    invoker: String,
    created_at: i64,
    status: String,
    completed_at: Option<i64>,
    status_reason: Option<String>,
    lease_worker: Option<String>,
    lease_until: Option<i64>,
    signed_bucket: Option<String>,
    signed_key: Option<String>,
    signed_version: Option<String>,
    signed_by: Option<String>,
    unsigned_sha256: Option<String>,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    revocation_reason: Option<String>,
}

impl JobRow {
    /// Asks for jobs. It names the columns, because a `*` would mean others once a newer release has added some.
    pub(crate) fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT arn, source_bucket, source_key, source_version, profile, platform, destination, requested_by, invoker,
                 created_at, status, completed_at, status_reason, lease_worker, lease_until, signed_bucket, signed_key,
                 signed_version, signed_by, unsigned_sha256, expires_at, revoked_at, revoked_by,
                 revocations.reason AS revocation_reason
             FROM jobs LEFT JOIN revocations ON revocations.revoked = jobs.signed_by {which}"
        ))
    }

    /// Who has the job until when; nobody before the first claim of a requested one, and once it has ended.
    pub(super) fn holder(&self) -> Result<Option<(WorkerId, UnixMillis)>, StoreError> {
        match (&self.lease_worker, self.lease_until) {
            (Some(worker), Some(until)) => {
                Ok(Some((parse("jobs.lease_worker", worker)?, instant("jobs.lease_until", until)?)))
            }
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => Err(corrupt("jobs.lease_until", "half a lease")),
        }
    }

    fn revocation(&self) -> Result<Option<JobRevocation>, StoreError> {
        let Some(reason) = self.revocation_reason.clone() else { return Ok(None) };
        let missing = || corrupt("revocations.revoked", format!("the record of {} has gaps", self.arn));
        Ok(Some(JobRevocation {
            revoked_at: instant("revocations.revoked_at", self.revoked_at.ok_or_else(missing)?)?,
            revoked_by: parse("revocations.revoked_by", self.revoked_by.as_deref().ok_or_else(missing)?)?,
            reason,
        }))
    }

    fn signature(&self) -> Result<Option<Signature>, StoreError> {
        let Some(signed_by) = &self.signed_by else { return Ok(None) };
        let object = ObjectVersion {
            bucket: parse(
                "jobs.signed_bucket",
                present("jobs.signed_bucket", self.signed_bucket.as_deref())?,
            )?,
            key: parse("jobs.signed_key", present("jobs.signed_key", self.signed_key.as_deref())?)?,
            version: parse(
                "jobs.signed_version",
                present("jobs.signed_version", self.signed_version.as_deref())?,
            )?,
        };
        let unsigned_sha256 = present("jobs.unsigned_sha256", self.unsigned_sha256.as_deref())?;
        Ok(Some(Signature {
            object,
            signed_by: parse("jobs.signed_by", signed_by)?,
            unsigned_sha256: parse("jobs.unsigned_sha256", unsigned_sha256)?,
            expires_at: instant("jobs.expires_at", present("jobs.expires_at", self.expires_at)?)?,
            completed_at: instant("jobs.completed_at", present("jobs.completed_at", self.completed_at)?)?,
        }))
    }
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let (signature, revocation) = (row.signature()?, row.revocation()?);
        let status = parse_status(&row.status)?;
        if (status == JobStatus::Succeeded) != signature.is_some() {
            return Err(corrupt(
                "jobs.status",
                format!("{} is {status} and its signature says otherwise", row.arn),
            ));
        }
        let source = ObjectVersion {
            bucket: parse("jobs.source_bucket", &row.source_bucket)?,
            key: parse("jobs.source_key", &row.source_key)?,
            version: parse("jobs.source_version", &row.source_version)?,
        };
        Ok(Self {
            arn: parse("jobs.arn", &row.arn)?,
            source,
            profile: parse("jobs.profile", &row.profile)?,
            platform: parse("jobs.platform", &row.platform)?,
            destination: parse("jobs.destination", &row.destination)?,
            requested_by: parse("jobs.requested_by", &row.requested_by)?,
            invoker: parse("jobs.invoker", &row.invoker)?,
            created_at: instant("jobs.created_at", row.created_at)?,
            status,
            completed_at: row.completed_at.map(|at| instant("jobs.completed_at", at)).transpose()?,
            status_reason: row.status_reason,
            signature,
            revocation,
        })
    }
}

fn present<T>(what: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| corrupt(what, "it is missing although there is a signature"))
}

fn parse_status(text: &str) -> Result<JobStatus, StoreError> {
    match text {
        "InProgress" => Ok(JobStatus::InProgress),
        "Failed" => Ok(JobStatus::Failed),
        "Succeeded" => Ok(JobStatus::Succeeded),
        _ => Err(corrupt("jobs.status", format!("{text:?} is no status"))),
    }
}
