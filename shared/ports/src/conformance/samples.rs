//! The jobs, deployments and events that the suites of the state are made of.

use countersign_domain::event::{CreateFunction, DeploymentRequest, RequestedSigningJob, SigningJob};
use countersign_domain::{
    Code, CodeSignature, CodeSigningConfig, DeploymentId, Event, EventData, JobArn, JobId, ObjectVersion,
    Platform, PrincipalArn, ProfileName, ProfileVersionArn, Scope, Sha256Digest, Tags, UnixMillis,
    UntrustedArtifact, ValidityPeriod,
};

use crate::Lease;
use crate::change::Change;
use crate::deployments::NewDeployment;
use crate::functions::Stamp;
use crate::jobs::{NewJob, Signature};
use crate::profiles::NewProfile;

/// Who tells the suites' events.
pub(crate) const SOURCE: &str = "/conformance";

/// The instant `seconds` after the suites begin.
pub(crate) fn at(seconds: i64) -> UnixMillis {
    UnixMillis::new(1_795_249_800_000).expect("an instant").plus_millis(seconds * 1000)
}

/// The lease of `worker` from one second to another.
pub(crate) fn lease(worker: &str, from: i64, until: i64) -> Lease {
    Lease { worker: worker.parse().expect("a worker id"), now: at(from), until: at(until) }
}

pub(crate) fn profile_arn(name: &str) -> ProfileVersionArn {
    let arn = format!("arn:aws:signer:us-east-1:000000000000:/signing-profiles/{name}/AbCdEfGhIj");
    arn.parse().expect("a profile version ARN")
}

pub(crate) fn profile_name(name: &str) -> ProfileName {
    name.parse().expect("a profile name")
}

pub(crate) fn new_profile(name: &str) -> NewProfile {
    NewProfile {
        arn: profile_arn(name),
        platform: Platform::CountersignSha256Rsa,
        validity: ValidityPeriod::DEFAULT,
        tags: Tags::default(),
        created_at: at(0),
    }
}

pub(crate) fn object(bucket: &str, key: &str) -> ObjectVersion {
    ObjectVersion {
        bucket: bucket.parse().expect("a bucket"),
        key: key.parse().expect("a key"),
        version: "v1".parse().expect("a version"),
    }
}

/// The job that signs `s3://unsigned/KEY` as profile `one`.
pub(crate) fn new_job(key: &str) -> NewJob {
    let (source, profile) = (object("unsigned", key), profile_arn("one"));
    let arn = JobArn::new(scope(), JobId::for_drop(&source, &profile));
    let requested_by = PrincipalArn::root(&scope());
    NewJob {
        arn,
        source,
        profile,
        platform: Platform::CountersignSha256Rsa,
        destination: "s3://signed/".parse().expect("a prefix"),
        invoker: requested_by.account().clone(),
        requested_by,
        created_at: at(0),
    }
}

/// The job that `maria` requests with `token`, of the package `KEY`.
pub(crate) fn requested_job(token: &str, key: &str) -> NewJob {
    let requested_by = maria();
    let arn = JobArn::new(scope(), JobId::for_token(requested_by.account(), token));
    NewJob { arn, invoker: requested_by.account().clone(), requested_by, ..new_job(key) }
}

/// Somebody with a name, in the account of the suites.
pub(crate) fn maria() -> PrincipalArn {
    "arn:aws:iam::000000000000:user/maria".parse().expect("a principal")
}

/// The signature that `job` makes at a second; it expires at second 1000.
pub(crate) fn signature(job: &NewJob, unsigned: &[u8], second: i64) -> Signature {
    Signature {
        object: object("signed", job.source.key.as_str()),
        signed_by: job.arn.clone(),
        unsigned_sha256: Sha256Digest::of(unsigned),
        expires_at: at(1000),
        completed_at: at(second),
    }
}

/// An event that tells of `job`.
pub(crate) fn told(id: &str, job: &NewJob) -> Event {
    let data = EventData::SigningJobStarted(SigningJob {
        job_id: job.arn.job(),
        job_arn: job.arn.clone(),
        profile_version_arn: job.profile.clone(),
        source: job.source.clone(),
        signed_object: None,
        status_reason: None,
    });
    Event::new(id.parse().expect("an event id"), SOURCE, at(0), data)
}

/// The event that tells that `job` was requested.
pub(crate) fn told_request(id: &str, job: &NewJob) -> Event {
    let data = EventData::SigningJobRequested(RequestedSigningJob {
        job_id: job.arn.job(),
        job_arn: job.arn.clone(),
    });
    Event::new(id.parse().expect("an event id"), SOURCE, at(0), data)
}

/// The event that asks for what `request` says.
pub(crate) fn requested(id: &str, request: DeploymentRequest) -> Event {
    let data = EventData::DeploymentRequested(request);
    Event::new(id.parse().expect("an event id"), SOURCE, at(0), data)
}

/// A request to deploy the package `key` to `function`, which is made under the config `csc` if need be.
pub(crate) fn request(function: &str, key: &str) -> DeploymentRequest {
    DeploymentRequest {
        function_name: function.parse().expect("a function name"),
        code: object("signed", key).into(),
        layers: Vec::new(),
        alias: Some("live".parse().expect("an alias")),
        target: None,
        create: Some(CreateFunction { code_signing_config: Some("csc".parse().expect("a config name")) }),
    }
}

/// The deployment that the event `id` asks for.
pub(crate) fn new_deployment(id: &str, request: DeploymentRequest) -> NewDeployment {
    let event = id.parse().expect("an event id");
    let principal = "ci".parse().expect("a principal");
    NewDeployment {
        id: DeploymentId::for_event(&principal, &event),
        event,
        publisher: "somebody".to_owned(),
        principal,
        request,
        change: Change::Publish,
        created_at: at(0),
    }
}

/// A config that allows the profile `publisher`.
pub(crate) fn config(name: &str, publisher: &str) -> CodeSigningConfig {
    CodeSigningConfig {
        name: name.parse().expect("a config name"),
        allowed_publishers: vec![profile_arn(publisher).to_string().parse().expect("a publisher")],
        untrusted_artifact: UntrustedArtifact::Enforce,
    }
}

/// Where the suites' configs live.
pub(crate) fn scope() -> Scope {
    Scope::new("us-east-1", "000000000000").expect("a scope")
}

/// The mark of a change at a second.
pub(crate) fn stamp(revision: &str, second: i64) -> Stamp {
    Stamp { revision: revision.parse().expect("a revision id"), at: at(second) }
}

/// The unsigned package `key` of these bytes.
pub(crate) fn code(key: &str, bytes: &[u8]) -> Code {
    let (object, sha256) = (object("signed", key).into(), Sha256Digest::of(bytes));
    Code { object, sha256, size_bytes: bytes.len() as u64, signature: None }
}

/// The same, signed by `profile` in the job of `job` at a second, until another one.
pub(crate) fn signed(code: Code, profile: &str, job: &NewJob, second: i64, until: i64) -> Code {
    let signature = CodeSignature {
        profile_version_arn: profile_arn(profile),
        job_arn: job.arn.clone(),
        signed_at: at(second),
        expires_at: at(until),
    };
    Code { signature: Some(signature), ..code }
}
