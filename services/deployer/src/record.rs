//! The decision becomes durable before anything follows from it.

use countersign_package::limits::Limits;
use countersign_ports::StoreError;
use countersign_ports::deployments::{Decision, RecordedVerdict, Recording};

use crate::Deployer;
use crate::authorize::{self, Permitted};
use crate::decide::decide;
use crate::gather::{self, Gathered};
use crate::halt::{Failure, Halt, refused};
use crate::intake::Asked;
use crate::trail;

/// Decides and records, again where policy, binding or revocations changed in between: what is recorded was true in the
/// transaction that recorded it.
pub(crate) async fn settle(
    deployer: &Deployer,
    asked: &Asked,
    mut permitted: Permitted,
    gathered: &Gathered,
) -> Result<RecordedVerdict, Halt> {
    for _ in 0..STALE_MAX {
        let config = permitted.config();
        let decision = decided(deployer, asked, permitted, gathered).await?;
        let told = [trail::decided(deployer, asked, &decision, config.as_ref())];
        match deployer.ports.deployments.record(&decision, &deployer.lease(asked), &told).await {
            Ok(Recording::Recorded(recorded)) => return Ok(recorded),
            Ok(Recording::Stale) => {
                tracing::info!(deployment = %asked.id, "policy or revocations changed; deciding again");
            }
            Ok(Recording::Refused(refusal)) => return Err(refused(refusal)),
            Err(StoreError::NotFound(what)) => {
                return Err(Failure::new("unknown_function", format!("{what} does not exist")).into());
            }
            Err(error) => return Err(error.into()),
        }
        permitted = authorize::basis(deployer, asked).await?;
    }
    Err(Halt::later(format!("policy or revocations changed {STALE_MAX} times while this was decided")))
}

/// What the evidence says on that basis, now. Nothing is recorded.
pub(crate) async fn decided(
    deployer: &Deployer,
    asked: &Asked,
    permitted: Permitted,
    gathered: &Gathered,
) -> Result<Decision, Halt> {
    let evidence = gather::evidence(deployer, asked, gathered).await?;
    let now = deployer.ports.clock.now();
    let require = deployer.settings.require_code_signing;
    let decision = decide(asked, permitted.into_basis(), require, gathered, evidence, now);
    Ok(under(&deployer.settings.gate_limits, decision))
}

/// Makes a version of what stands durable, under the verdict of the deployment that brought it.
pub(crate) async fn published(deployer: &Deployer, asked: &Asked) -> Result<RecordedVerdict, Halt> {
    match deployer.ports.deployments.publish(asked.id, &deployer.lease(asked)).await {
        Ok(Recording::Recorded(recorded)) => Ok(recorded),
        Ok(Recording::Refused(refusal)) => Err(refused(refusal)),
        Ok(Recording::Stale) => Err(Halt::later("nothing is decided anew where a version is published")),
        Err(StoreError::NotFound(what)) => {
            Err(Failure::new("unknown_decision", format!("{what} is not on record")).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// A decision that was made under looser limits than the default says so.
fn under(limits: &Limits, mut decision: Decision) -> Decision {
    let loosened = limits.loosened();
    if !loosened.is_empty() {
        decision.reason = format!("{} (limits loosened: {})", decision.reason, loosened.join(", "));
    }
    decision
}

/// The decision of an earlier attempt, for the very bytes that it was made about.
pub(crate) fn still_about(
    recorded: RecordedVerdict,
    gathered: &Gathered,
) -> Result<RecordedVerdict, Failure> {
    let decision = recorded.decision();
    if decision.is_about(&gathered.code, &gathered.layers) {
        return Ok(recorded);
    }
    let detail = format!(
        "the store gives other bytes for the same version: the function's package has SHA-256 {}, and {} was decided \
         upon, or a layer differs",
        gathered.code.sha256, decision.code.sha256
    );
    let decision = Some(Box::new(decision.clone()));
    Err(Failure { decision, ..Failure::new("package_changed", detail) })
}

/// How often one attempt decides. Stops a stream of policy changes from holding a worker for ever.
const STALE_MAX: usize = 8;
