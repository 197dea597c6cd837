//! What follows from a recorded verdict. Without one this does not compile.

use std::sync::Arc;

use countersign_domain::Verdict;
use countersign_ports::deployments::{Decision, RecordedVerdict};
use countersign_ports::targets::{DeployTarget, LocalPackages, TargetError};

use crate::Deployer;
use crate::halt::{Failure, Halt};
use crate::intake::Asked;

/// What a recorded verdict led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Enacted {
    /// The version, if one was asked for, stands, and the alias, if one was asked for, points to it.
    Deployed { decision: Decision, version: Option<u64> },
    /// Nothing was done.
    Blocked { decision: Decision },
}

/// What a recorded verdict to block leads to: nothing, for which no package is needed.
pub(crate) fn blocked(recorded: &RecordedVerdict) -> Option<Enacted> {
    let decision = recorded.decision();
    (decision.verdict == Verdict::Block).then(|| Enacted::Blocked { decision: decision.clone() })
}

/// Publishes the version, makes `$LATEST` the packages and points the alias to the version, or does nothing at all. Repeating it changes nothing.
pub(crate) async fn enact(
    deployer: &Deployer,
    asked: &Asked,
    recorded: RecordedVerdict,
    packages: &LocalPackages,
) -> Result<Enacted, Halt> {
    if let Some(blocked) = blocked(&recorded) {
        return Ok(blocked);
    }
    let decision = recorded.decision().clone();
    let (target, function) = (target(deployer, &decision)?, &decision.request.function_name);
    let failed = |error| halt(&decision, error, asked.attempt);
    let published = match recorded.version() {
        Some(version) => Some(target.publish_version(function, version, packages).await.map_err(failed)?),
        None => None,
    };
    // CRASH: the version stands and $LATEST is the old one. Both steps may be repeated.
    if asked.change.sets_latest() {
        target.put_latest(function, packages).await.map_err(failed)?;
    }
    if let (Some(published), Some(alias)) = (&published, &decision.request.alias) {
        // The version stands already, so a full target is no reason to give up: only the last step is missing.
        let pointed = target.point_alias(function, alias, published).await;
        pointed.map_err(|error| halt(&decision, error, 0))?;
    }
    Ok(Enacted::Deployed { decision, version: recorded.version() })
}

/// The target that was asked for.
fn target<'a>(deployer: &'a Deployer, decision: &Decision) -> Result<&'a Arc<dyn DeployTarget>, Failure> {
    let name = decision.request.target.as_ref();
    deployer.ports.targets.find(name).ok_or_else(|| {
        let name = name.map_or_else(String::new, ToString::to_string);
        let detail =
            format!("there is no target {name}; declare a [[target]] of that name, or ask for another");
        let failure = Failure::new("unknown_target", detail);
        Failure { decision: Some(Box::new(decision.clone())), ..failure }
    })
}

fn halt(decision: &Decision, error: TargetError, attempt: u32) -> Halt {
    let failure = match error {
        TargetError::Refused { code, reason } => Failure::new(code, reason),
        error @ TargetError::VersionTaken { .. } => Failure::new("version_taken", error.to_string()),
        error @ TargetError::NoSuchVersion { .. } => Failure::new("no_such_version", error.to_string()),
        error @ TargetError::AliasPoints { .. } => Failure::new("alias_points", error.to_string()),
        error @ TargetError::Full(_) if attempt >= FULL_ATTEMPTS => {
            Failure::new("target_full", error.to_string())
        }
        error @ (TargetError::Full(_) | TargetError::Unavailable(_)) => return Halt::later(error),
    };
    Failure { decision: Some(Box::new(decision.clone())), ..failure }.into()
}

/// The delivery at which a target that stays full fails the deployment: by then somebody would have made room.
const FULL_ATTEMPTS: u32 = 3;
