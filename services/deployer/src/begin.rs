//! The deployment becomes this worker's, and stays so while it is worked on.

use std::time::Duration;

use countersign_ports::deployments::{Deployment, DeploymentClaim, NewDeployment, RecordedVerdict};
use countersign_ports::{Lease, StoreError};
use countersign_runtime::Turn;
use tokio::time::Instant;

use crate::Deployer;
use crate::halt::Halt;
use crate::intake::Asked;

/// A deployment that was asked for.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
pub(crate) enum Begun {
    /// This worker holds it.
    Held {
        /// What an earlier attempt decided.
        recorded: Option<RecordedVerdict>,
    },
    /// It ended before.
    Ended(Deployment),
}

/// The turn of this deployment among those of its function in this process; a caller does not wait for it for ever.
pub(crate) async fn turn(deployer: &Deployer, asked: &Asked) -> Result<Turn, Halt> {
    let function = &asked.request.function_name;
    let turn = deployer.turns.take(function.clone());
    if !asked.is_call() {
        return Ok(turn.await);
    }
    let turn = tokio::time::timeout(CALL_WAIT_MAX, turn).await;
    turn.map_err(|_| Halt::Busy(format!("deployments of {function} are under way")))
}

/// Begins the one deployment of this event, or takes up what an earlier attempt left. While
/// another process works at the function the message stays in hand: given back, it would come too often and be given up.
pub(crate) async fn begin(deployer: &Deployer, asked: &Asked) -> Result<Begun, Halt> {
    let new = NewDeployment {
        id: asked.id,
        event: asked.event.clone(),
        publisher: asked.requester.publisher.clone(),
        principal: asked.requester.principal.name().clone(),
        request: asked.request.clone(),
        change: asked.change.clone(),
        created_at: deployer.ports.clock.now(),
    };
    let (waiting, mut pause) = (Instant::now(), BUSY_PAUSE_MIN);
    loop {
        match deployer.ports.deployments.begin(&new, &deployer.lease(asked)).await {
            Ok(DeploymentClaim::Begun { recorded }) => return Ok(Begun::Held { recorded }),
            Ok(DeploymentClaim::Ended(ended)) => {
                tracing::debug!(deployment = %asked.id, "the event was handled before");
                return Ok(Begun::Ended(ended));
            }
            Ok(DeploymentClaim::Busy(until)) if waiting.elapsed() >= wait_max(asked) => {
                let function = &asked.request.function_name;
                return Err(Halt::Busy(format!(
                    "a deployment of {function} is in other hands until {until}"
                )));
            }
            Ok(DeploymentClaim::Busy(_)) => tokio::time::sleep(pause).await,
            Err(StoreError::Conflict(reason)) => {
                return Err(Halt::Rejected(format!("event_id_reused: {reason}")));
            }
            Err(error) => return Err(error.into()),
        }
        pause = BUSY_PAUSE_MAX.min(pause * 2);
    }
}

/// Does `work` while the deployment's lease is renewed. Where the lease is lost the work is dropped, and whoever has
/// the deployment now carries out the same recorded decision.
pub(crate) async fn hold<T>(
    deployer: &Deployer,
    asked: &Asked,
    work: impl Future<Output = Result<T, Halt>>,
) -> Result<T, Halt> {
    tokio::select! {
        done = work => done,
        lost = renew_until_lost(deployer, asked) => Err(lost.into()),
    }
}

async fn renew_until_lost(deployer: &Deployer, asked: &Asked) -> StoreError {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        match deployer.ports.deployments.renew(asked.id, &deployer.lease(asked)).await {
            Ok(()) => {}
            Err(lost @ StoreError::LeaseLost(_)) => return lost,
            // The lease may run out meanwhile; then every further write is refused.
            Err(error) => tracing::warn!(deployment = %asked.id, %error, "could not renew the lease"),
        }
    }
}

impl Deployer {
    /// A lease of the message's holder from now on.
    pub(crate) fn lease(&self, asked: &Asked) -> Lease {
        let now = self.ports.clock.now();
        let until = now.plus_millis(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX));
        Lease { worker: asked.holder.clone(), now, until }
    }
}

fn wait_max(asked: &Asked) -> Duration {
    if asked.is_call() { CALL_WAIT_MAX } else { BUSY_WAIT_MAX }
}

/// How long a worker that died blocks its function. Renewed at a third of it, so that one lost renewal costs nothing.
const LEASE: Duration = Duration::from_secs(15);

/// How long a message waits in hand while its function is in other hands: longer than Lambda may take for a deployment.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(300);

/// The same of a call, whose client waits for it: shorter than the patience of AWS's clients, 60 seconds.
const CALL_WAIT_MAX: Duration = Duration::from_secs(20);

/// How long to wait before looking again, at first; then twice as long each time.
const BUSY_PAUSE_MIN: Duration = Duration::from_millis(50);
const BUSY_PAUSE_MAX: Duration = Duration::from_secs(1);
