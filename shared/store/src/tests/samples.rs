//! The jobs, deployments and events of the tests.

use countersign_domain::event::{CreateFunction, DeploymentRequest};
use countersign_domain::{
    Code, CodeSigningConfig, DeploymentId, Event, EventData, FunctionVersion, ObjectVersion, Platform,
    PrincipalArn, Sha256Digest, Tags, UntrustedArtifact, ValidityPeriod, Verdict,
};
use countersign_ports::Lease;
use countersign_ports::change::Change;
use countersign_ports::deployments::{
    Basis, Decision, DeploymentClaim, Deployments, Finish, NewDeployment, Recording,
};
use countersign_ports::functions::Stamp;
use countersign_ports::jobs::{Job, Jobs, NewJob};
use countersign_ports::profiles::NewProfile;

use crate::database::Database;
use crate::store::Store;

pub(super) fn job(key: &str) -> NewJob {
    let source = ObjectVersion {
        bucket: "unsigned".parse().unwrap(),
        key: key.parse().unwrap(),
        version: "v1".parse().unwrap(),
    };
    let profile =
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default/AbCdEfGhIj".parse().unwrap();
    let scope = countersign_domain::Scope::new("us-east-1", "000000000000").unwrap();
    let arn = countersign_domain::JobArn::new(scope, countersign_domain::JobId::for_drop(&source, &profile));
    NewJob {
        arn,
        source,
        profile,
        platform: Platform::CountersignSha256Rsa,
        destination: "s3://signed/".parse().unwrap(),
        requested_by: root(),
        invoker: root().account().clone(),
        created_at: "2026-11-21T08:30:00Z".parse().unwrap(),
    }
}

/// The account of the tests itself.
pub(super) fn root() -> PrincipalArn {
    "arn:aws:iam::000000000000:root".parse().unwrap()
}

/// The profile that signs the jobs.
pub(super) fn profile() -> NewProfile {
    NewProfile {
        arn: job("a.zip").profile,
        platform: Platform::CountersignSha256Rsa,
        validity: ValidityPeriod::DEFAULT,
        tags: Tags::default(),
        created_at: lease("w1").now,
    }
}

pub(super) fn lease(worker: &str) -> Lease {
    lease_from(worker, 0)
}

/// A lease of ten seconds, from so many seconds after the tests begin.
pub(super) fn lease_from(worker: &str, second: i64) -> Lease {
    let now: countersign_domain::UnixMillis = "2026-11-21T08:30:00Z".parse().unwrap();
    let now = now.plus_millis(second * 1000);
    Lease { worker: worker.parse().unwrap(), now, until: now.plus_millis(10_000) }
}

/// Who tells the events.
pub(super) const SOURCE: &str = "/test";

pub(super) fn started(id: &str, job: &NewJob) -> Event {
    let data = EventData::SigningJobStarted(countersign_domain::event::SigningJob {
        job_id: job.arn.job(),
        job_arn: job.arn.clone(),
        profile_version_arn: job.profile.clone(),
        source: job.source.clone(),
        signed_object: None,
        status_reason: None,
    });
    Event::new(id.parse().unwrap(), SOURCE, job.created_at, data)
}

/// A deployment of the package `key` as `function`, which is made if need be.
pub(super) fn deployment(event: &str, function: &str, key: &str) -> NewDeployment {
    let request = DeploymentRequest {
        function_name: function.parse().unwrap(),
        code: ObjectVersion { bucket: "signed".parse().unwrap(), ..job(key).source }.into(),
        layers: Vec::new(),
        alias: Some("live".parse().unwrap()),
        target: None,
        create: Some(CreateFunction { code_signing_config: None }),
    };
    let event = event.parse().unwrap();
    let (publisher, principal) = ("ci-user".to_owned(), "ci".parse().unwrap());
    let id = DeploymentId::for_event(&principal, &event);
    NewDeployment { id, event, publisher, principal, request, change: Change::Publish, created_at: at() }
}

/// A config that one profile satisfies.
pub(super) fn config(name: &str) -> CodeSigningConfig {
    CodeSigningConfig {
        name: name.parse().unwrap(),
        allowed_publishers: vec![job("a.zip").profile.to_string().parse().unwrap()],
        untrusted_artifact: UntrustedArtifact::Enforce,
    }
}

/// A verdict to deploy on that basis.
pub(super) fn decision(new: &NewDeployment, basis: &Basis) -> Decision {
    Decision {
        deployment: new.id,
        revision: basis.revision,
        verdict: Verdict::Deploy,
        findings: Vec::new(),
        reason: "nothing is demanded".to_owned(),
        code: code(new),
        layers: Vec::new(),
        request: new.request.clone(),
    }
}

/// The views of the command line, on an empty store.
pub(super) async fn views_show_what_there_is<D: Database>(store: &Store<D>) {
    for (key, second) in [("a.zip", 0), ("b.zip", 2), ("c.zip", 1)] {
        let created_at = job(key).created_at.plus_millis(second * 1000);
        let job = NewJob { created_at, ..job(key) };
        store.claim_job(&job, &lease("w1"), &started(key, &job)).await.unwrap();
    }
    let keys = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.source.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(store.newest_jobs(2).await.unwrap()), ["b.zip", "c.zip"]);
    assert_eq!(keys(store.jobs_of_source(&job("a.zip").source).await.unwrap()), ["a.zip"]);
    assert_eq!(store.jobs_of_source(&job("never.zip").source).await, Ok(vec![]));
    let [first, second] = [deployed(store, "e1", "a.zip").await, deployed(store, "e2", "b.zip").await];
    let newest = store.newest_deployments(9).await.unwrap();
    assert_eq!(newest.iter().map(|deployment| deployment.id).collect::<Vec<_>>(), [second.id, first.id]);
    let of_code = store.deployments_of_code(&first.request.code).await.unwrap();
    assert_eq!(of_code.iter().map(|deployment| deployment.id).collect::<Vec<_>>(), [first.id]);
    let functions = store.functions().await.unwrap();
    assert_eq!(functions.len(), 1);
    assert_eq!(functions[0].function.name.as_str(), "hello");
    assert_eq!(functions[0].versions.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(functions[0].versions[1].code_sha256, Sha256Digest::of(b"b.zip"));
    assert_eq!(functions[0].aliases, [("live".parse().unwrap(), FunctionVersion::Published(2))].into());
}

/// A deployment of the package `key` as the function `hello`, from the event to its end.
async fn deployed<D: Database>(store: &Store<D>, event: &str, key: &str) -> NewDeployment {
    let count = i64::try_from(store.newest_deployments(9).await.unwrap().len()).unwrap();
    let new = deployment(event, "hello", key);
    let new = NewDeployment { created_at: new.created_at.plus_millis(count), ..new };
    assert_eq!(store.begin(&new, &lease("w1")).await, Ok(DeploymentClaim::Begun { recorded: None }));
    let basis = store.basis(&new.request).await.unwrap();
    let recording = store.record(&decision(&new, &basis), &lease("w1"), &[]).await.unwrap();
    let Recording::Recorded(recorded) = recording else { panic!("{recording:?}") };
    let (version, alias) = (recorded.version(), new.request.alias.clone());
    store
        .finish(new.id, &lease("w1"), &Finish::Succeeded { version, alias }, &stamp(), &[], &[])
        .await
        .unwrap();
    new
}

/// The package of a deployment; its bytes are its key.
fn code(new: &NewDeployment) -> Code {
    let key = new.request.code.key.as_str();
    let (object, size_bytes) = (new.request.code.clone(), key.len() as u64);
    Code { object, sha256: Sha256Digest::of(key.as_bytes()), size_bytes, signature: None }
}

pub(super) fn stamp() -> Stamp {
    Stamp { revision: "r1".parse().unwrap(), at: at() }
}

/// When everything of the tests happens.
pub(super) fn at() -> countersign_domain::UnixMillis {
    lease("w1").now
}

pub(super) fn scope() -> countersign_domain::Scope {
    countersign_domain::Scope::new("us-east-1", "000000000000").unwrap()
}
