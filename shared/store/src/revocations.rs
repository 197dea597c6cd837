//! Revocations. A job's is kept under the job that made the signature, which is the one that packages name.

use async_trait::async_trait;
use countersign_domain::{JobArn, ProfileVersionArn, UnixMillis};
use countersign_ports::StoreError;
use countersign_ports::profiles::ProfileStatus;
use countersign_ports::revocations::{Revocation, RevocationRegistry, RevocationSource, RevocationStatus};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::profiles::set_status;
use super::rows::{count_revision, instant, parse, unavailable};

#[async_trait]
impl RevocationSource for SqliteStore {
    async fn revocation_status(
        &self,
        job: &JobArn,
        profile: &ProfileVersionArn,
    ) -> Result<RevocationStatus, StoreError> {
        let mut snapshot = self.readers.begin().await.map_err(unavailable)?;
        let signed_by = signed_by(&mut snapshot, job).await?.unwrap_or_else(|| job.clone());
        Ok(RevocationStatus {
            job: revocation(&mut snapshot, &signed_by.to_string()).await?,
            profile: revocation(&mut snapshot, &profile.to_string()).await?,
        })
    }
}

#[async_trait]
impl RevocationRegistry for SqliteStore {
    async fn revoke_job(&self, job: &JobArn, reason: &str, at: UnixMillis) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let missing = || StoreError::NotFound(format!("signing job {job} with a signature"));
        let signed_by = signed_by(&mut change, job).await?.ok_or_else(missing)?;
        let revoked = sqlx::query(
            "INSERT INTO revocations (revoked, effective_from, revoked_at, reason) VALUES ($1, 0, $2, $3)
             ON CONFLICT (revoked) DO NOTHING",
        )
        .bind(signed_by.to_string())
        .bind(at.as_millis())
        .bind(reason)
        .execute(&mut *change)
        .await
        .map_err(unavailable)?;
        if revoked.rows_affected() == 1 {
            count_revision(&mut change).await?;
        }
        self.commit(change).await
    }

    async fn revoke_profile(
        &self,
        profile: &ProfileVersionArn,
        effective_from: UnixMillis,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        if !set_status(&mut change, profile, ProfileStatus::Revoked).await? {
            return Err(StoreError::NotFound(format!("signing profile {profile}")));
        }
        let earlier = revocation(&mut change, &profile.to_string()).await?;
        check_effective_time(earlier.as_ref(), effective_from, at)?;
        sqlx::query(
            "INSERT INTO revocations (revoked, effective_from, revoked_at, reason) VALUES ($1, $2, $3, $4)
             ON CONFLICT (revoked) DO UPDATE SET effective_from = excluded.effective_from",
        )
        .bind(profile.to_string())
        .bind(effective_from.as_millis())
        .bind(at.as_millis())
        .bind(reason)
        .execute(&mut *change)
        .await
        .map_err(unavailable)?;
        if earlier.is_none_or(|earlier| earlier.effective_from != effective_from) {
            count_revision(&mut change).await?;
        }
        self.commit(change).await
    }
}

fn check_effective_time(
    earlier: Option<&Revocation>,
    effective_from: UnixMillis,
    at: UnixMillis,
) -> Result<(), StoreError> {
    if effective_from > at {
        return Err(StoreError::Conflict(format!(
            "the effective time {effective_from} lies after the revocation itself, {at}; use an earlier one"
        )));
    }
    match earlier {
        Some(Revocation { effective_from: earlier, .. }) if effective_from > *earlier => {
            Err(StoreError::Conflict(format!(
                "the effective time {effective_from} lies after the one on record, {earlier}; a revocation only widens"
            )))
        }
        Some(_) | None => Ok(()),
    }
}

/// The job that made the signature which `job` delivered; `None` if it delivered none.
async fn signed_by(database: &mut SqliteConnection, job: &JobArn) -> Result<Option<JobArn>, StoreError> {
    let signed_by = sqlx::query_scalar::<_, Option<String>>("SELECT signed_by FROM jobs WHERE arn = $1");
    let signed_by = signed_by.bind(job.to_string()).fetch_optional(database).await.map_err(unavailable)?;
    signed_by.flatten().map(|arn| parse("jobs.signed_by", &arn)).transpose()
}

async fn revocation(
    database: &mut SqliteConnection,
    revoked: &str,
) -> Result<Option<Revocation>, StoreError> {
    let row = sqlx::query_as::<_, RevocationRow>(
        "SELECT effective_from, revoked_at, reason FROM revocations WHERE revoked = $1",
    );
    let row = row.bind(revoked).fetch_optional(database).await.map_err(unavailable)?;
    row.map(Revocation::try_from).transpose()
}

#[derive(sqlx::FromRow)]
struct RevocationRow {
    effective_from: i64,
    revoked_at: i64,
    reason: String,
}

impl TryFrom<RevocationRow> for Revocation {
    type Error = StoreError;

    fn try_from(row: RevocationRow) -> Result<Self, StoreError> {
        Ok(Self {
            effective_from: instant("revocations.effective_from", row.effective_from)?,
            revoked_at: instant("revocations.revoked_at", row.revoked_at)?,
            reason: row.reason,
        })
    }
}
