//! Deployments: one of a function at a time, decided on a basis that still holds, ended once and for all.

mod functions;
mod rows;

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{DeploymentId, Event, UnixMillis, Verdict};
use countersign_ports::deployments::{
    Basis, Decision, Deployment, DeploymentClaim, Deployments, Finish, NewDeployment, RecordedVerdict,
    Recording,
};
use countersign_ports::{Lease, StoreError};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::rows::{bigint, instant, tell, to_json, unavailable};
pub(super) use functions::FunctionRow;
pub(super) use rows::DeploymentRow;
use rows::{StoredDecision, StoredFinish};

#[async_trait]
impl Deployments for SqliteStore {
    async fn begin(&self, deployment: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError> {
        let mut change = self.begin_write().await?;
        let claim = begin(&mut change, deployment, lease).await?;
        if matches!(claim, DeploymentClaim::Begun { .. }) {
            self.commit(change).await?;
        }
        Ok(claim)
    }

    async fn renew(&self, deployment: DeploymentId, lease: &Lease) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let renewed =
            sqlx::query("UPDATE deployments SET lease_until = $1 WHERE id = $2 AND lease_worker = $3")
                .bind(lease.until.as_millis())
                .bind(deployment.to_string())
                .bind(lease.worker.as_str())
                .execute(&mut *change)
                .await
                .map_err(unavailable)?;
        if renewed.rows_affected() != 1 {
            return Err(lease_lost(deployment));
        }
        self.commit(change).await
    }

    async fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError> {
        let mut snapshot = self.readers.begin().await.map_err(unavailable)?;
        functions::basis(&mut snapshot, request).await
    }

    async fn record(&self, decision: &Decision, lease: &Lease) -> Result<Recording, StoreError> {
        let mut change = self.begin_write().await?;
        let row = held(&mut change, decision.deployment, lease).await?;
        let recorded = row.recorded()?;
        if row.request()? != decision.request {
            return Err(decided_otherwise(decision));
        }
        match recorded {
            Some(recorded) if recorded.decision() == decision => return Ok(Recording::Recorded(recorded)),
            Some(_) => return Err(decided_otherwise(decision)),
            None => {}
        }
        if functions::revision(&mut change, &decision.request.function_name).await? != decision.revision {
            return Ok(Recording::Stale);
        }
        let version = match decision.verdict {
            Verdict::Deploy | Verdict::DeployWithWarning => {
                Some(functions::allot_version(&mut change, decision).await?)
            }
            Verdict::Block => None,
        };
        write_decision(&mut change, decision, version).await?;
        self.commit(change).await?;
        Ok(Recording::Recorded(RecordedVerdict::assertion(decision.clone(), version)))
    }

    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let recorded = held(&mut change, deployment, lease).await?.recorded()?;
        if !finish.follows(recorded.as_ref()) {
            return Err(StoreError::Conflict(format!(
                "deployment {deployment} cannot end as {finish:?} after what was recorded"
            )));
        }
        if let (Some(recorded), Finish::Succeeded { version, alias }) = (&recorded, finish) {
            functions::stand(&mut change, recorded.decision(), *version, alias.as_ref()).await?;
        }
        write_finish(&mut change, deployment, finish).await?;
        tell(&mut change, events).await?;
        self.commit(change).await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(unavailable)?;
        find(&mut reader, id).await?.map(Deployment::try_from).transpose()
    }
}

async fn begin(
    change: &mut SqliteConnection,
    new: &NewDeployment,
    lease: &Lease,
) -> Result<DeploymentClaim, StoreError> {
    let standing = find(change, new.id).await?;
    if let Some(row) = &standing {
        if !row.asks_for(new)? {
            return Err(StoreError::Conflict(format!(
                "event {} asked for another deployment before",
                new.event
            )));
        }
        if row.has_ended() {
            return Ok(DeploymentClaim::Ended(row.deployment()?));
        }
    }
    let own = standing.as_ref().map(|row| row.barred_until(lease)).transpose()?.flatten();
    let beside = others_until(change, new, lease).await?;
    if let Some(until) = own.max(beside) {
        return Ok(DeploymentClaim::Busy(until));
    }
    leave_behind_others(change, new).await?;
    take(change, new, lease).await?;
    let recorded = standing.as_ref().map(DeploymentRow::recorded).transpose()?.flatten();
    Ok(DeploymentClaim::Begun { recorded })
}

async fn find(
    database: &mut SqliteConnection,
    id: DeploymentId,
) -> Result<Option<DeploymentRow>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM deployments WHERE id = $1").bind(id.to_string());
    row.fetch_optional(database).await.map_err(unavailable)
}

/// The deployment, which the holder of `lease` has.
async fn held(
    change: &mut SqliteConnection,
    id: DeploymentId,
    lease: &Lease,
) -> Result<DeploymentRow, StoreError> {
    let row = find(change, id).await?.filter(|row| row.is_held_by(lease));
    row.ok_or_else(|| lease_lost(id))
}

/// Until when another deployment of the function is under way.
async fn others_until(
    change: &mut SqliteConnection,
    new: &NewDeployment,
    lease: &Lease,
) -> Result<Option<UnixMillis>, StoreError> {
    let until = sqlx::query_scalar::<_, Option<i64>>(
        "SELECT MAX(lease_until) FROM deployments
         WHERE function_name = $1 AND finish IS NULL AND id <> $2 AND lease_until > $3",
    )
    .bind(new.request.function_name.as_str())
    .bind(new.id.to_string())
    .bind(lease.now.as_millis())
    .fetch_one(change)
    .await
    .map_err(unavailable)?;
    until.map(|until| instant("deployments.lease_until", until)).transpose()
}

/// Takes the leases, run out already, of what was left behind: whoever still works there finds its next write refused,
/// so that no two deployments of the function are carried out at once.
async fn leave_behind_others(change: &mut SqliteConnection, new: &NewDeployment) -> Result<(), StoreError> {
    let left = sqlx::query(
        "UPDATE deployments SET lease_worker = NULL, lease_until = NULL
         WHERE function_name = $1 AND finish IS NULL AND id <> $2",
    );
    let left = left.bind(new.request.function_name.as_str()).bind(new.id.to_string());
    left.execute(change).await.map(drop).map_err(unavailable)
}

async fn take(change: &mut SqliteConnection, new: &NewDeployment, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO deployments (id, event_id, publisher, principal, function_name, code_bucket, code_key, code_version,
             request, created_at, lease_worker, lease_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE SET
             lease_worker = excluded.lease_worker, lease_until = excluded.lease_until",
    )
    .bind(new.id.to_string())
    .bind(new.event.as_str())
    .bind(&new.publisher)
    .bind(new.principal.as_str())
    .bind(new.request.function_name.as_str())
    .bind(new.request.code.bucket.as_str())
    .bind(new.request.code.key.as_str())
    .bind(new.request.code.version.as_str())
    .bind(to_json("deployments.request", &new.request)?)
    .bind(new.created_at.as_millis())
    .bind(lease.worker.as_str())
    .bind(lease.until.as_millis())
    .execute(change)
    .await
    .map(drop)
    .map_err(unavailable)
}

async fn write_decision(
    change: &mut SqliteConnection,
    decision: &Decision,
    version: Option<u64>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE deployments SET decision = $1, version = $2 WHERE id = $3")
        .bind(to_json("deployments.decision", &StoredDecision::from(decision))?)
        .bind(version.map(|version| bigint("deployments.version", version)).transpose()?)
        .bind(decision.deployment.to_string())
        .execute(change)
        .await
        .map(drop)
        .map_err(unavailable)
}

async fn write_finish(
    change: &mut SqliteConnection,
    deployment: DeploymentId,
    finish: &Finish,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE deployments SET finish = $1, lease_worker = NULL, lease_until = NULL WHERE id = $2")
        .bind(to_json("deployments.finish", &StoredFinish::from(finish))?)
        .bind(deployment.to_string())
        .execute(change)
        .await
        .map(drop)
        .map_err(unavailable)
}

fn lease_lost(deployment: DeploymentId) -> StoreError {
    StoreError::LeaseLost(format!("deployment {deployment}"))
}

fn decided_otherwise(decision: &Decision) -> StoreError {
    StoreError::Conflict(format!("deployment {} was asked for or decided otherwise", decision.deployment))
}
