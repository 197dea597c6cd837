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

use crate::attempt::{Failure, attempt};
use crate::columns::{bigint, instant, to_json};
use crate::database::{Database, Lock, Session};
use crate::outbox::tell;
use crate::statement::{Statement, sql};
use crate::store::Store;
pub(crate) use functions::FunctionRow;
pub(crate) use rows::DeploymentRow;
use rows::{StoredDecision, StoredFinish};

#[async_trait]
impl<D: Database> Deployments for Store<D> {
    async fn begin(&self, deployment: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let claim = begin(&mut change, deployment, lease).await?;
            if matches!(claim, DeploymentClaim::Begun { .. }) {
                change.commit().await?;
            }
            Ok(claim)
        })
        .await
    }

    async fn renew(&self, deployment: DeploymentId, lease: &Lease) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let renewed = sql("UPDATE deployments SET lease_until = $1 WHERE id = $2 AND lease_worker = $3")
                .bind(lease.until.as_millis())
                .bind(deployment.to_string())
                .bind(lease.worker.as_str());
            if change.execute(renewed).await? != 1 {
                return Err(lease_lost(deployment).into());
            }
            change.commit().await
        })
        .await
    }

    async fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError> {
        attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            functions::basis(&mut snapshot, request).await
        })
        .await
    }

    async fn record(&self, decision: &Decision, lease: &Lease) -> Result<Recording, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let row = held(&mut change, decision.deployment, lease).await?;
            if row.request()? != decision.request {
                return Err(decided_otherwise(decision).into());
            }
            match row.recorded()? {
                Some(recorded) if recorded.decision() == decision => {
                    return Ok(Recording::Recorded(recorded));
                }
                Some(_) => return Err(decided_otherwise(decision).into()),
                None => {}
            }
            // Whoever changes policies or revocations meanwhile waits for this commit, or this waited for theirs.
            change.lock(Lock::PolicyStands).await?;
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
            change.commit().await?;
            Ok(Recording::Recorded(RecordedVerdict::assertion(decision.clone(), version)))
        })
        .await
    }

    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        events: &[Event],
    ) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let recorded = held(&mut change, deployment, lease).await?.recorded()?;
            if !finish.follows(recorded.as_ref()) {
                let conflict =
                    format!("deployment {deployment} cannot end as {finish:?} after what was recorded");
                return Err(StoreError::Conflict(conflict).into());
            }
            if let (Some(recorded), Finish::Succeeded { version, alias }) = (&recorded, finish) {
                functions::stand(&mut change, recorded.decision(), *version, alias.as_ref()).await?;
            }
            write_finish(&mut change, deployment, finish).await?;
            tell(&mut change, events).await?;
            change.commit().await
        })
        .await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        attempt(move || async move {
            let rows: Vec<DeploymentRow> = self.database.rows(with_id(id)).await?;
            Ok(rows.into_iter().next().map(Deployment::try_from).transpose()?)
        })
        .await
    }
}

async fn begin(
    change: &mut impl Session,
    new: &NewDeployment,
    lease: &Lease,
) -> Result<DeploymentClaim, Failure> {
    change.lock(Lock::Function(&new.request.function_name)).await?;
    let standing = change.row::<DeploymentRow>(with_id(new.id).for_update("deployments")).await?;
    if let Some(row) = &standing {
        if !row.asks_for(new)? {
            let conflict = format!("event {} asked for another deployment before", new.event);
            return Err(StoreError::Conflict(conflict).into());
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
    let Some(row) = standing else {
        create(change, new, lease).await?;
        return Ok(DeploymentClaim::Begun { recorded: None });
    };
    take_over(change, new.id, lease).await?;
    Ok(DeploymentClaim::Begun { recorded: row.recorded()? })
}

fn with_id(id: DeploymentId) -> Statement {
    DeploymentRow::select("WHERE id = $1").bind(id.to_string())
}

/// The deployment, which the holder of `lease` has.
async fn held(change: &mut impl Session, id: DeploymentId, lease: &Lease) -> Result<DeploymentRow, Failure> {
    let row = change.row::<DeploymentRow>(with_id(id).for_update("deployments")).await?;
    Ok(row.filter(|row| row.is_held_by(lease)).ok_or_else(|| lease_lost(id))?)
}

/// Until when another deployment of the function is under way. Its row is held, so that a renewal waits and is refused if
/// the function is taken here.
async fn others_until(
    change: &mut impl Session,
    new: &NewDeployment,
    lease: &Lease,
) -> Result<Option<UnixMillis>, Failure> {
    let others = sql("SELECT lease_until FROM deployments
         WHERE function_name = $1 AND lease_worker IS NOT NULL AND id <> $2")
    .bind(new.request.function_name.as_str())
    .bind(new.id.to_string())
    .for_update("deployments");
    let others = change.rows::<(i64,)>(others).await?.into_iter();
    let others = others.map(|(until,)| instant("deployments.lease_until", until));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    Ok(others.into_iter().filter(|until| *until > lease.now).max())
}

/// Takes the leases, run out already, of what was left behind: whoever still works there finds its next write refused,
/// so that no two deployments of the function are carried out at once.
async fn leave_behind_others(change: &mut impl Session, new: &NewDeployment) -> Result<(), Failure> {
    let left = sql("UPDATE deployments SET lease_worker = NULL, lease_until = NULL
         WHERE function_name = $1 AND lease_worker IS NOT NULL AND id <> $2")
    .bind(new.request.function_name.as_str())
    .bind(new.id.to_string());
    change.execute(left).await?;
    Ok(())
}

async fn create(change: &mut impl Session, new: &NewDeployment, lease: &Lease) -> Result<(), Failure> {
    let created = sql(
        "INSERT INTO deployments (id, event_id, publisher, principal, function_name, code_bucket, code_key,
             code_version, request, created_at, lease_worker, lease_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
    )
    .bind(new.id.to_string())
    .bind(new.event.as_str())
    .bind(new.publisher.as_str())
    .bind(new.principal.as_str())
    .bind(new.request.function_name.as_str())
    .bind(new.request.code.bucket.as_str())
    .bind(new.request.code.key.as_str())
    .bind(new.request.code.version.as_str())
    .bind(to_json("deployments.request", &new.request)?)
    .bind(new.created_at.as_millis())
    .bind(lease.worker.as_str())
    .bind(lease.until.as_millis());
    match change.execute(created).await? {
        // The same event, for another function and therefore under another lock: looked at again, it is a conflict.
        0 => {
            Err(Failure::TakenBack(StoreError::Unavailable(format!("deployment {} is being begun", new.id))))
        }
        _ => Ok(()),
    }
}

async fn take_over(change: &mut impl Session, id: DeploymentId, lease: &Lease) -> Result<(), Failure> {
    let taken = sql("UPDATE deployments SET lease_worker = $1, lease_until = $2 WHERE id = $3")
        .bind(lease.worker.as_str())
        .bind(lease.until.as_millis())
        .bind(id.to_string());
    change.execute(taken).await?;
    Ok(())
}

async fn write_decision(
    change: &mut impl Session,
    decision: &Decision,
    version: Option<u64>,
) -> Result<(), Failure> {
    let written = sql("UPDATE deployments SET decision = $1, version = $2 WHERE id = $3")
        .bind(to_json("deployments.decision", &StoredDecision::from(decision))?)
        .bind(version.map(|version| bigint("deployments.version", version)).transpose()?)
        .bind(decision.deployment.to_string());
    change.execute(written).await?;
    Ok(())
}

async fn write_finish(
    change: &mut impl Session,
    deployment: DeploymentId,
    finish: &Finish,
) -> Result<(), Failure> {
    let written =
        sql("UPDATE deployments SET finish = $1, lease_worker = NULL, lease_until = NULL WHERE id = $2")
            .bind(to_json("deployments.finish", &StoredFinish::from(finish))?)
            .bind(deployment.to_string());
    change.execute(written).await?;
    Ok(())
}

fn lease_lost(deployment: DeploymentId) -> StoreError {
    StoreError::LeaseLost(format!("deployment {deployment}"))
}

fn decided_otherwise(decision: &Decision) -> StoreError {
    StoreError::Conflict(format!("deployment {} was asked for or decided otherwise", decision.deployment))
}
