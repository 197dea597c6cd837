//! Deployments: one of a function at a time, decided on a basis that still holds, ended once and for all.

mod functions;
mod rows;

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{DeploymentId, Event, FunctionName, TrailRecord, UnixMillis, Verdict};
use countersign_ports::change::Change;
use countersign_ports::deployments::{
    Basis, Decision, Deployment, DeploymentClaim, Deployments, Finish, NewDeployment, RecordedVerdict,
    Recording,
};
use countersign_ports::functions::{FUNCTION_DELETED, Stamp};
use countersign_ports::{Lease, StoreError};

use crate::attempt::{Failure, attempt};
use crate::columns::{bigint, instant, parse, to_json};
use crate::database::{Database, Lock, Session};
use crate::outbox::tell;
use crate::statement::{Statement, sql};
use crate::store::Store;
use crate::trail;
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

    async fn record(
        &self,
        decision: &Decision,
        lease: &Lease,
        trail: &[TrailRecord],
    ) -> Result<Recording, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let function = &decision.request.function_name;
            change.lock(Lock::Function(function)).await?;
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
            let asked = row.change()?;
            let standing = functions::existing(&mut change, function).await?;
            if let Some(refusal) = asked.refusal(standing.as_ref(), &decision.request) {
                return Ok(Recording::Refused(refusal));
            }
            // Whoever changes policies or revocations meanwhile waits for this commit, or this waited for theirs.
            change.lock(Lock::PolicyStands).await?;
            if functions::revision(&mut change, function).await? != decision.revision {
                return Ok(Recording::Stale);
            }
            let version = match decision.verdict {
                Verdict::Deploy | Verdict::DeployWithWarning => {
                    functions::make(&mut change, &asked, decision).await?;
                    allotted(&mut change, &asked, decision).await?
                }
                Verdict::Block => None,
            };
            write_decision(&mut change, decision, version).await?;
            trail::append(&mut change, trail).await?;
            change.commit().await?;
            Ok(Recording::Recorded(RecordedVerdict::assertion(decision.clone(), version)))
        })
        .await
    }

    async fn publish(&self, deployment: DeploymentId, lease: &Lease) -> Result<Recording, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let function = function_of(&mut change, deployment).await?;
            change.lock(Lock::Function(&function)).await?;
            let row = held(&mut change, deployment, lease).await?;
            if let Some(recorded) = row.recorded()? {
                return Ok(Recording::Recorded(recorded));
            }
            let (asked, request) = (row.change()?, row.request()?);
            if asked.sets_latest() {
                let conflict = format!("deployment {deployment} publishes nothing that stands");
                return Err(StoreError::Conflict(conflict).into());
            }
            let standing = functions::existing(&mut change, &function).await?;
            if let Some(refusal) = asked.refusal(standing.as_ref(), &request) {
                return Ok(Recording::Refused(refusal));
            }
            let brought = what_brought_latest(&mut change, &function).await?;
            let revision = functions::revision(&mut change, &function).await?;
            let decision = Decision { deployment, request, revision, ..brought };
            let version = allotted(&mut change, &asked, &decision).await?;
            write_decision(&mut change, &decision, version).await?;
            change.commit().await?;
            Ok(Recording::Recorded(RecordedVerdict::assertion(decision, version)))
        })
        .await
    }

    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        stamp: &Stamp,
        events: &[Event],
        trail: &[TrailRecord],
    ) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let function = function_of(&mut change, deployment).await?;
            change.lock(Lock::Function(&function)).await?;
            let row = held(&mut change, deployment, lease).await?;
            let (recorded, asked) = (row.recorded()?, row.change()?);
            if !finish.follows(recorded.as_ref()) {
                let conflict =
                    format!("deployment {deployment} cannot end as {finish:?} after what was recorded");
                return Err(StoreError::Conflict(conflict).into());
            }
            match (&recorded, finish) {
                (Some(recorded), Finish::Succeeded { version, alias }) => {
                    let published = version.map(|version| (version, alias.as_ref()));
                    functions::stand(&mut change, &asked, recorded.decision(), published, stamp).await?;
                }
                _ => functions::unmake(&mut change, &asked, &function).await?,
            }
            write_finish(&mut change, deployment, finish).await?;
            tell(&mut change, events).await?;
            trail::append(&mut change, trail).await?;
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

/// The leases under which deployments of the function are, for [`under_way_until`]. A change holds them.
pub(crate) fn leases_of(function: &FunctionName) -> Statement {
    sql("SELECT lease_until FROM deployments WHERE function_name = $1 AND lease_worker IS NOT NULL")
        .bind(function.as_str())
}

/// Until when a deployment is under way under one of `leases`.
pub(crate) async fn under_way_until(
    session: &mut impl Session,
    leases: Statement,
    now: UnixMillis,
) -> Result<Option<UnixMillis>, Failure> {
    let leases = session.rows::<(i64,)>(leases).await?.into_iter();
    let leases = leases.map(|(until,)| instant("deployments.lease_until", until));
    let leases = leases.collect::<Result<Vec<_>, _>>()?;
    Ok(leases.into_iter().filter(|until| *until > now).max())
}

/// Ends what was left behind of the deployments of a function that is deleted.
pub(crate) async fn end_left_behind(
    change: &mut impl Session,
    function: &FunctionName,
) -> Result<(), Failure> {
    let failed = Finish::Failed { reason: FUNCTION_DELETED.to_owned() };
    let ended = sql("UPDATE deployments SET finish = $1, lease_worker = NULL, lease_until = NULL
         WHERE function_name = $2 AND finish IS NULL")
    .bind(to_json("deployments.finish", &StoredFinish::from(&failed))?)
    .bind(function.as_str());
    change.execute(ended).await?;
    Ok(())
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

/// The number of the version that is published, if one is.
async fn allotted(
    change: &mut impl Session,
    asked: &Change,
    decision: &Decision,
) -> Result<Option<u64>, Failure> {
    if !asked.publishes() {
        return Ok(None);
    }
    functions::allot_version(change, asked, decision).await.map(Some)
}

/// The decision of the deployment that brought `$LATEST`.
async fn what_brought_latest(
    change: &mut impl Session,
    function: &FunctionName,
) -> Result<Decision, Failure> {
    let unknown = || StoreError::NotFound(format!("what brought $LATEST of {function}"));
    let row = functions::find(change, function).await?;
    let brought_by = row.and_then(|row| row.brought_by).ok_or_else(unknown)?;
    let brought_by = with_id(parse("functions.brought_by", &brought_by)?);
    let brought = change.row::<DeploymentRow>(brought_by).await?.ok_or_else(unknown)?;
    Ok(brought.recorded()?.ok_or_else(unknown)?.decision().clone())
}

/// The function of a deployment, which never changes.
async fn function_of(change: &mut impl Session, id: DeploymentId) -> Result<FunctionName, Failure> {
    let row = change.row::<DeploymentRow>(with_id(id)).await?;
    Ok(row.ok_or_else(|| lease_lost(id))?.request()?.function_name)
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
             code_version, request, created_at, lease_worker, lease_until, change)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING",
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
    .bind(lease.until.as_millis())
    .bind(to_json("deployments.change", &new.change)?);
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
