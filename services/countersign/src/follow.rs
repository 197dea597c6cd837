//! What became of one dropped version, by the events that tell of it.

use countersign_domain::event::{DeploymentReport, DeploymentRequest};
use countersign_domain::{CodeVersion, DeploymentId, Event, EventData, Finding, FunctionName, ObjectVersion};
use countersign_runtime::Route;

use crate::events::Follower;
use crate::system::own_principal;

/// How a drop ended.
#[derive(Debug)]
pub(crate) enum Followed {
    /// The package was refused.
    NotSigned { reason: String },
    /// It was signed, and its route deploys nothing.
    Signed { object: ObjectVersion },
    /// It was signed and deployed.
    Deployed { report: DeploymentReport, warnings: Vec<Finding> },
    /// It was signed, and a check blocked its deployment.
    Blocked { report: DeploymentReport },
    /// It was signed, and could not be deployed.
    Failed { report: DeploymentReport },
}

/// Follows the drop of `source` under `route` to its end.
pub(crate) async fn follow(
    follower: &mut Follower,
    source: &ObjectVersion,
    route: &Route,
) -> anyhow::Result<Followed> {
    let signed = match follower.until(|event| job_end(event, source)).await? {
        Ok(object) => object,
        Err(reason) => return Ok(Followed::NotSigned { reason }),
    };
    let Some(deploy) = &route.deploy else { return Ok(Followed::Signed { object: signed }) };
    let function = deploy.function.resolve(&route.source, &source.location())?;
    let code = CodeVersion::from(signed);
    let id = follower.until(|event| requested(event, &function, &code)).await?;
    deployment(follower, id).await
}

/// Follows a deployment to its end.
pub(crate) async fn deployment(follower: &mut Follower, id: DeploymentId) -> anyhow::Result<Followed> {
    let ended = follower.until(|event| deployment_end(event, id)).await?;
    let Followed::Deployed { report, .. } = ended else { return Ok(ended) };
    // The warnings of a deployment commit with its end and are told right after it, one for each failed check.
    let mut missing = report.findings.iter().filter(|finding| !finding.passed()).count();
    let mut warnings = Vec::new();
    while missing > 0 {
        warnings.push(follower.until(|event| warning(event, id)).await?);
        missing -= 1;
    }
    Ok(Followed::Deployed { report, warnings })
}

fn job_end(event: &Event, source: &ObjectVersion) -> Option<Result<ObjectVersion, String>> {
    match &event.data {
        EventData::SigningJobSucceeded(job) if job.source == *source => job.signed_object.clone().map(Ok),
        EventData::SigningJobFailed(job) if job.source == *source => {
            Some(Err(job.status_reason.clone().unwrap_or_else(|| "no reason was given".to_owned())))
        }
        EventData::SigningJobRequested(_)
        | EventData::SigningJobStarted(_)
        | EventData::SigningJobSucceeded(_)
        | EventData::SigningJobFailed(_)
        | EventData::DeploymentRequested(_)
        | EventData::DeploymentSucceeded(_)
        | EventData::DeploymentBlocked(_)
        | EventData::DeploymentFailed(_)
        | EventData::DeploymentWarning(_)
        | EventData::FunctionExposed(_) => None,
    }
}

fn requested(event: &Event, function: &FunctionName, code: &CodeVersion) -> Option<DeploymentId> {
    match &event.data {
        EventData::DeploymentRequested(DeploymentRequest { function_name, code: asked, .. })
            if function_name == function && asked == code =>
        {
            Some(DeploymentId::for_event(&own_principal(), &event.id))
        }
        EventData::SigningJobRequested(_)
        | EventData::SigningJobStarted(_)
        | EventData::SigningJobSucceeded(_)
        | EventData::SigningJobFailed(_)
        | EventData::DeploymentRequested(_)
        | EventData::DeploymentSucceeded(_)
        | EventData::DeploymentBlocked(_)
        | EventData::DeploymentFailed(_)
        | EventData::DeploymentWarning(_)
        | EventData::FunctionExposed(_) => None,
    }
}

fn deployment_end(event: &Event, id: DeploymentId) -> Option<Followed> {
    let ours = |report: &DeploymentReport| (report.deployment_id == id).then(|| report.clone());
    match &event.data {
        EventData::DeploymentSucceeded(report) => {
            ours(report).map(|report| Followed::Deployed { report, warnings: Vec::new() })
        }
        EventData::DeploymentBlocked(report) => ours(report).map(|report| Followed::Blocked { report }),
        EventData::DeploymentFailed(report) => ours(report).map(|report| Followed::Failed { report }),
        EventData::SigningJobRequested(_)
        | EventData::SigningJobStarted(_)
        | EventData::SigningJobSucceeded(_)
        | EventData::SigningJobFailed(_)
        | EventData::DeploymentRequested(_)
        | EventData::DeploymentWarning(_)
        | EventData::FunctionExposed(_) => None,
    }
}

fn warning(event: &Event, id: DeploymentId) -> Option<Finding> {
    match &event.data {
        EventData::DeploymentWarning(warning) if warning.deployment_id == id => Some(warning.finding.clone()),
        EventData::SigningJobRequested(_)
        | EventData::SigningJobStarted(_)
        | EventData::SigningJobSucceeded(_)
        | EventData::SigningJobFailed(_)
        | EventData::DeploymentRequested(_)
        | EventData::DeploymentSucceeded(_)
        | EventData::DeploymentBlocked(_)
        | EventData::DeploymentFailed(_)
        | EventData::DeploymentWarning(_)
        | EventData::FunctionExposed(_) => None,
    }
}
