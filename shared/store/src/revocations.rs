//! Revocations. A job's is kept under the job that made the signature, which is the one that packages name.

use async_trait::async_trait;
use countersign_domain::{JobArn, PrincipalArn, ProfileVersionArn, UnixMillis};
use countersign_ports::StoreError;
use countersign_ports::profiles::ProfileStatus;
use countersign_ports::revocations::{Revocation, RevocationRegistry, RevocationSource, RevocationStatus};

use crate::attempt::{Failure, attempt};
use crate::columns::{for_people, instant, parse};
use crate::database::{Database, Lock, Session};
use crate::profiles::set_status;
use crate::revision;
use crate::statement::sql;
use crate::store::Store;

#[async_trait]
impl<D: Database> RevocationSource for Store<D> {
    async fn revocation_status(
        &self,
        job: &JobArn,
        profile: &ProfileVersionArn,
    ) -> Result<RevocationStatus, StoreError> {
        attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            let signed_by = signed_by(&mut snapshot, job).await?.unwrap_or_else(|| job.clone());
            Ok(RevocationStatus {
                job: revocation(&mut snapshot, &signed_by.to_string()).await?,
                profile: revocation(&mut snapshot, &profile.to_string()).await?,
            })
        })
        .await
    }
}

#[async_trait]
impl<D: Database> RevocationRegistry for Store<D> {
    async fn revoke_job(
        &self,
        job: &JobArn,
        by: &PrincipalArn,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            let missing = || StoreError::NotFound(format!("signing job {job} with a signature"));
            let signed_by = signed_by(&mut change, job).await?.ok_or_else(missing)?;
            let revoked =
                sql("INSERT INTO revocations (revoked, effective_from, revoked_at, revoked_by, reason)
                 VALUES ($1, 0, $2, $3, $4) ON CONFLICT (revoked) DO NOTHING")
                .bind(signed_by.to_string())
                .bind(at.as_millis())
                .bind(by.as_str())
                .bind(for_people(reason));
            if change.execute(revoked).await? == 1 {
                revision::advance(&mut change).await?;
            }
            change.commit().await
        })
        .await
    }

    async fn revoke_profile(
        &self,
        profile: &ProfileVersionArn,
        effective_from: UnixMillis,
        by: &PrincipalArn,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            if !set_status(&mut change, profile, ProfileStatus::Revoked).await? {
                return Err(StoreError::NotFound(format!("signing profile {profile}")).into());
            }
            change.lock(Lock::PolicyChanges).await?;
            let earlier = revocation(&mut change, &profile.to_string()).await?;
            check_effective_time(earlier.as_ref(), effective_from, at)?;
            let revoked =
                sql("INSERT INTO revocations (revoked, effective_from, revoked_at, revoked_by, reason)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (revoked) DO UPDATE SET effective_from = excluded.effective_from")
                .bind(profile.to_string())
                .bind(effective_from.as_millis())
                .bind(at.as_millis())
                .bind(by.as_str())
                .bind(for_people(reason));
            change.execute(revoked).await?;
            if earlier.is_none_or(|earlier| earlier.effective_from != effective_from) {
                revision::advance(&mut change).await?;
            }
            change.commit().await
        })
        .await
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
async fn signed_by(session: &mut impl Session, job: &JobArn) -> Result<Option<JobArn>, Failure> {
    let row = sql("SELECT signed_by FROM jobs WHERE arn = $1").bind(job.to_string());
    let signed_by = session.row::<(Option<String>,)>(row).await?.and_then(|(signed_by,)| signed_by);
    Ok(signed_by.map(|arn| parse("jobs.signed_by", &arn)).transpose()?)
}

async fn revocation(session: &mut impl Session, revoked: &str) -> Result<Option<Revocation>, Failure> {
    let row =
        sql("SELECT effective_from, revoked_at, reason FROM revocations WHERE revoked = $1").bind(revoked);
    let row: Option<RevocationRow> = session.row(row).await?;
    Ok(row.map(Revocation::try_from).transpose()?)
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
