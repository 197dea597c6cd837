//! The end of a job and the events that tell of it, in one commit.

use countersign_domain::event::{DeploymentRequest, RequestedSigningJob, SigningJob};
use countersign_domain::{
    CodeVersion, Event, EventData, EventId, JobArn, ObjectVersion, ProfileVersionArn, SignedObject,
    UnixMillis,
};
use countersign_ports::jobs::{Job, Signature};

use crate::Signer;
use crate::admit::PlannedDeployment;
use crate::claim::Claimed;
use crate::halt::{Halt, Refusal};

/// What tells a worker that a job was requested.
pub(crate) fn requested(job: &JobArn, at: UnixMillis) -> Event {
    let told = RequestedSigningJob { job_id: job.job(), job_arn: job.clone() };
    event(job, "requested", at, EventData::SigningJobRequested(told))
}

/// What tells that a job was claimed for the first time.
pub(crate) fn started(
    job: &JobArn,
    profile: &ProfileVersionArn,
    source: &ObjectVersion,
    at: UnixMillis,
) -> Event {
    let told = SigningJob {
        job_id: job.job(),
        job_arn: job.clone(),
        profile_version_arn: profile.clone(),
        source: source.clone(),
        signed_object: None,
        status_reason: None,
    };
    event(job, "started", at, EventData::SigningJobStarted(told))
}

/// Ends the job with its signature, and asks for the deployment that its route wants.
pub(crate) async fn succeeded(
    signer: &Signer,
    claimed: &Claimed,
    signature: &Signature,
    deployment: Option<&PlannedDeployment>,
) -> Result<(), Halt> {
    let job = &claimed.job.arn;
    let told = told(&claimed.job, Some(signature.object.clone()), loosened(signer));
    let mut events =
        vec![event(job, "succeeded", signature.completed_at, EventData::SigningJobSucceeded(told))];
    events.extend(deployment.map(|planned| {
        let request = request(planned, signature.object.clone());
        event(job, "deployment", signature.completed_at, EventData::DeploymentRequested(request))
    }));
    signer.ports.jobs.succeed_job(job, &signer.lease(&claimed.holder), signature, &events).await?;
    tracing::info!(job = %job.job(), source = %claimed.job.source, signed = %signature.object, "signed");
    Ok(())
}

/// What a signature under looser limits than the default says.
fn loosened(signer: &Signer) -> Option<String> {
    let limits = signer.settings.gate_limits.loosened();
    (!limits.is_empty()).then(|| format!("limits loosened: {}", limits.join(", ")))
}

/// Ends the job with the reason of its refusal.
pub(crate) async fn failed(signer: &Signer, claimed: &Claimed, refusal: &Refusal) -> Result<(), Halt> {
    let job = &claimed.job.arn;
    let reason = refusal.to_string();
    let told = told(&claimed.job, None, Some(reason.clone()));
    let events = [event(job, "failed", signer.ports.clock.now(), EventData::SigningJobFailed(told))];
    signer.ports.jobs.fail_job(job, &signer.lease(&claimed.holder), &reason, &events).await?;
    // No warning: the package is at fault, and the event tells it.
    tracing::info!(job = %job.job(), source = %claimed.job.source, reason, "not signed");
    Ok(())
}

fn told(job: &Job, signed_object: Option<SignedObject>, status_reason: Option<String>) -> SigningJob {
    SigningJob {
        job_id: job.arn.job(),
        job_arn: job.arn.clone(),
        profile_version_arn: job.profile.clone(),
        source: job.source.clone(),
        signed_object,
        status_reason,
    }
}

fn request(planned: &PlannedDeployment, signed: SignedObject) -> DeploymentRequest {
    DeploymentRequest {
        function_name: planned.function.clone(),
        code: CodeVersion::from(signed),
        layers: Vec::new(),
        alias: planned.alias.clone(),
        target: planned.target.clone(),
        create: planned.create.clone(),
    }
}

/// The id is a function of the job and of what is told, so a repeated step tells it under the same id.
fn event(job: &JobArn, what: &str, at: UnixMillis, data: EventData) -> Event {
    let id: EventId = format!("{}/{what}", job.job()).parse().expect("a UUID and a word are an event id");
    Event::new(id, EVENT_SOURCE, at, data)
}

/// The CloudEvents source of what this service tells.
pub const EVENT_SOURCE: &str = "/countersign/signer";
