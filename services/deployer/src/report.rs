//! The end of a deployment and the events that tell of it, in one commit.

use std::slice;

use countersign_domain::event::{DeploymentReport, DeploymentWarning};
use countersign_domain::{Event, EventData, EventId, RevisionId, TrailRecord, Verdict};
use countersign_ports::deployments::{Decision, Finish};
use countersign_ports::functions::Stamp;

use crate::enact::Enacted;
use crate::halt::{Failure, Halt};
use crate::intake::Asked;
use crate::{Deployer, Outcome, metrics, trail};

/// Ends the deployment as it was enacted.
pub(crate) async fn ended(deployer: &Deployer, asked: &Asked, enacted: Enacted) -> Result<Outcome, Halt> {
    let record = trail::ended(deployer, asked, &enacted);
    match enacted {
        Enacted::Deployed { decision, version } => {
            let mut events = vec![event(
                deployer,
                asked,
                "succeeded",
                EventData::DeploymentSucceeded(told(asked, Some(&decision), version, &decision.reason)),
            )];
            events.extend(warnings(deployer, asked, &decision));
            let finish = Finish::Succeeded { version, alias: asked.request.alias.clone() };
            let revision =
                finished(deployer, asked, &finish, &Told { events, record }, &decision.reason).await?;
            metrics::count(asked, &decision);
            Ok(Outcome::Deployed { version, decision: Box::new(decision), revision })
        }
        Enacted::Blocked { decision } => {
            let told = told(asked, Some(&decision), None, &decision.reason);
            let events = vec![event(deployer, asked, "blocked", EventData::DeploymentBlocked(told))];
            finished(deployer, asked, &Finish::Blocked, &Told { events, record }, &decision.reason).await?;
            metrics::count(asked, &decision);
            Ok(Outcome::Blocked { decision: Box::new(decision) })
        }
    }
}

/// Ends the deployment with the reason why it could not be carried out.
pub(crate) async fn failed(deployer: &Deployer, asked: &Asked, failure: Failure) -> Result<Outcome, Halt> {
    let reason = failure.to_string();
    let told = told(asked, failure.decision.as_deref(), None, &reason);
    let events = vec![event(deployer, asked, "failed", EventData::DeploymentFailed(told))];
    let told = Told { events, record: trail::failed(deployer, asked, &failure) };
    finished(deployer, asked, &Finish::Failed { reason: reason.clone() }, &told, &reason).await?;
    let Failure { code, detail, decision, refusal } = failure;
    Ok(match refusal {
        Some(refusal) => Outcome::Refused(*refusal),
        None => Outcome::Failed { code, detail, decision },
    })
}

/// What tells of an end, and commits with it.
struct Told {
    events: Vec<Event>,
    record: TrailRecord,
}

async fn finished(
    deployer: &Deployer,
    asked: &Asked,
    finish: &Finish,
    Told { events, record }: &Told,
    reason: &str,
) -> Result<RevisionId, Halt> {
    let revision = RevisionId::from_random(uuid::Uuid::new_v4().into_bytes());
    let stamp = Stamp { revision: revision.clone(), at: deployer.ports.clock.now() };
    let (lease, trail) = (deployer.lease(asked), slice::from_ref(record));
    deployer.ports.deployments.finish(asked.id, &lease, finish, &stamp, events, trail).await?;
    let (deployment, function) = (asked.id, &asked.request.function_name);
    let principal = asked.requester.principal.name();
    // No warnings: the package is at fault, and the events tell it.
    match finish {
        Finish::Succeeded { version, .. } if events.len() > 1 => {
            tracing::info!(%deployment, %function, %principal, ?version, reason, "deployed with a warning");
        }
        Finish::Succeeded { version, .. } => {
            tracing::info!(%deployment, %function, %principal, ?version, reason, "deployed");
        }
        Finish::Blocked => tracing::info!(%deployment, %function, %principal, reason, "blocked"),
        Finish::Failed { .. } => tracing::info!(%deployment, %function, %principal, reason, "not deployed"),
    }
    Ok(revision)
}

fn told(asked: &Asked, decision: Option<&Decision>, version: Option<u64>, reason: &str) -> DeploymentReport {
    DeploymentReport {
        deployment_id: asked.id,
        function_name: asked.request.function_name.clone(),
        code: asked.request.code.clone(),
        version,
        code_sha256: decision.map(|decision| decision.code.sha256),
        findings: decision.map(|decision| decision.findings.clone()).unwrap_or_default(),
        reason: reason.to_owned(),
    }
}

/// One event for each check that failed and was let pass. A version of what stands was checked when that was deployed.
fn warnings(deployer: &Deployer, asked: &Asked, decision: &Decision) -> Vec<Event> {
    let warned = match decision.verdict {
        Verdict::DeployWithWarning if asked.change.sets_latest() => decision.findings.as_slice(),
        Verdict::DeployWithWarning | Verdict::Deploy | Verdict::Block => &[],
    };
    let failed = warned.iter().enumerate().filter(|(_, finding)| !finding.passed());
    let warnings = failed.map(|(index, finding)| {
        let told = DeploymentWarning {
            deployment_id: asked.id,
            function_name: asked.request.function_name.clone(),
            finding: finding.clone(),
        };
        event(deployer, asked, &format!("warning/{index}"), EventData::DeploymentWarning(told))
    });
    warnings.collect()
}

/// The id is a function of the deployment and of what is told: the findings are those of the recorded decision, so
/// their places never change.
fn event(deployer: &Deployer, asked: &Asked, what: &str, data: EventData) -> Event {
    let id: EventId = format!("{}/{what}", asked.id).parse().expect("a UUID and a word are an event id");
    Event::new(id, EVENT_SOURCE, deployer.ports.clock.now(), data)
}

/// The CloudEvents source of what this service tells.
pub const EVENT_SOURCE: &str = "/countersign/deployer";
