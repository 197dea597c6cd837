use std::path::PathBuf;

use countersign_domain::event::{CreateFunction, DeploymentRequest};
use countersign_domain::{DeploymentId, Event, EventData, ObjectVersion, Sha256Digest, Verdict};
use countersign_ports::Lease;
use countersign_ports::conformance;
use countersign_ports::deployments::{
    CodeSigningConfigs, Decision, DeploymentClaim, Deployments, Finish, NewDeployment, Recording,
};
use countersign_ports::jobs::{Job, JobClaim, Jobs, NewJob, Outbox};
use tempfile::TempDir;

use super::*;

/// An empty store; its directory lives as long as the test.
async fn empty(directory: &TempDir) -> SqliteStore {
    let mut number = 0;
    while path(directory, number).try_exists().unwrap() {
        number += 1;
    }
    SqliteStore::open(&path(directory, number)).await.unwrap()
}

fn path(directory: &TempDir, number: u32) -> PathBuf {
    directory.path().join(format!("{number}.db"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn profiles_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::profiles::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revocations_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::revocations::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::jobs::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_outbox_keeps_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::outbox::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deployments_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::deployments::check(async || empty(&directory).await).await;
}

fn job(key: &str) -> NewJob {
    let source = ObjectVersion {
        bucket: "unsigned".parse().unwrap(),
        key: key.parse().unwrap(),
        version: "v1".parse().unwrap(),
    };
    let profile =
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default/AbCdEfGhIj".parse().unwrap();
    let scope = countersign_domain::Scope::new("us-east-1", "000000000000").unwrap();
    let arn = countersign_domain::JobArn::new(scope, countersign_domain::JobId::for_drop(&source, &profile));
    let destination = "s3://signed/".parse().unwrap();
    NewJob { arn, source, profile, destination, created_at: "2026-11-21T08:30:00Z".parse().unwrap() }
}

fn lease(worker: &str) -> Lease {
    let now: countersign_domain::UnixMillis = "2026-11-21T08:30:00Z".parse().unwrap();
    Lease { worker: worker.parse().unwrap(), now, until: now.plus_millis(10_000) }
}

/// Who tells the events.
const SOURCE: &str = "/test";

fn started(id: &str, job: &NewJob) -> Event {
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

#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let directory = TempDir::new().unwrap();
    let (job, started) = (job("a.zip"), started("e1", &job("a.zip")));
    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    assert!(matches!(store.claim_job(&job, &lease("w1"), &started).await, Ok(JobClaim::Claimed(_))));
    // The files of an open store are what a killed process leaves behind.
    for suffix in ["", "-wal"] {
        let [from, to] = ["0", "1"].map(|name| directory.path().join(format!("{name}.db{suffix}")));
        std::fs::copy(from, to).unwrap();
    }
    let store = SqliteStore::open(&path(&directory, 1)).await.unwrap();
    assert_eq!(store.job(&job.arn).await.unwrap().unwrap().source, job.source);
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![started.clone()]));
    assert_eq!(store.claim_job(&job, &lease("w2"), &started).await, Ok(JobClaim::Busy(lease("w1").until)));
    store.recover().await.unwrap();
    assert!(matches!(store.claim_job(&job, &lease("w2"), &started).await, Ok(JobClaim::Claimed(_))));
}

#[tokio::test]
async fn the_command_line_sees_what_there_is() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    for (key, second) in [("a.zip", 0), ("b.zip", 2), ("c.zip", 1)] {
        let created_at = job(key).created_at.plus_millis(second * 1000);
        let job = NewJob { created_at, ..job(key) };
        store.claim_job(&job, &lease("w1"), &started(key, &job)).await.unwrap();
    }
    let keys = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.source.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(store.newest_jobs(2).await.unwrap()), ["b.zip", "c.zip"]);
    assert_eq!(keys(store.jobs_of_source(&job("a.zip").source).await.unwrap()), ["a.zip"]);
    assert_eq!(store.jobs_of_source(&job("never.zip").source).await, Ok(vec![]));
    let [first, second] = [deployed(&store, "e1", "a.zip").await, deployed(&store, "e2", "b.zip").await];
    let newest = store.newest_deployments(9).await.unwrap();
    assert_eq!(newest.iter().map(|deployment| deployment.id).collect::<Vec<_>>(), [second.id, first.id]);
    let of_code = store.deployments_of_code(&first.request.code).await.unwrap();
    assert_eq!(of_code.iter().map(|deployment| deployment.id).collect::<Vec<_>>(), [first.id]);
    let functions = store.functions().await.unwrap();
    assert_eq!(functions.len(), 1);
    assert_eq!(functions[0].function.name.as_str(), "hello");
    assert_eq!(functions[0].versions.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(functions[0].versions[1].code_sha256, Sha256Digest::of(b"b.zip"));
    assert_eq!(functions[0].aliases, [("live".parse().unwrap(), 2)].into());
}

/// A deployment of the package `key` as the function `hello`, from the event to its end.
async fn deployed(store: &SqliteStore, event: &str, key: &str) -> NewDeployment {
    let request = DeploymentRequest {
        function_name: "hello".parse().unwrap(),
        code: ObjectVersion { bucket: "signed".parse().unwrap(), ..job(key).source }.into(),
        layers: Vec::new(),
        alias: Some("live".parse().unwrap()),
        target: None,
        create: Some(CreateFunction { code_signing_config: None }),
    };
    let event = event.parse().unwrap();
    let (publisher, principal) = ("ci-user".to_owned(), "ci".parse().unwrap());
    let id = DeploymentId::for_event(&principal, &event);
    let count = i64::try_from(store.newest_deployments(9).await.unwrap().len()).unwrap();
    let created_at = lease("w1").now.plus_millis(count);
    let new = NewDeployment { id, event, publisher, principal, request: request.clone(), created_at };
    assert_eq!(store.begin(&new, &lease("w1")).await, Ok(DeploymentClaim::Begun { recorded: None }));
    let decision = Decision {
        deployment: id,
        revision: store.basis(&request).await.unwrap().revision,
        verdict: Verdict::Deploy,
        findings: Vec::new(),
        reason: "nothing is demanded".to_owned(),
        code_sha256: Sha256Digest::of(key.as_bytes()),
        layer_sha256: Vec::new(),
        request,
    };
    let recording = store.record(&decision, &lease("w1")).await.unwrap();
    let Recording::Recorded(recorded) = recording else { panic!("{recording:?}") };
    let (version, alias) = (recorded.version().unwrap(), new.request.alias.clone());
    store.finish(id, &lease("w1"), &Finish::Succeeded { version, alias }, &[]).await.unwrap();
    new
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_share_one_file() {
    let directory = TempDir::new().unwrap();
    let file = path(&directory, 0);
    let mut opening = tokio::task::JoinSet::new();
    for _process in 0..4 {
        let file = file.clone();
        opening.spawn(async move { SqliteStore::open(&file).await.unwrap() });
    }
    let stores = opening.join_all().await;
    let mut claims = tokio::task::JoinSet::new();
    for (number, store) in stores.iter().cycle().take(16).enumerate() {
        let store = store.clone();
        claims.spawn(async move {
            let job = job("a.zip");
            store.claim_job(&job, &lease(&format!("w{number}")), &started("e1", &job)).await
        });
    }
    let claims = claims.join_all().await;
    let granted = claims.iter().filter(|claim| matches!(claim, Ok(JobClaim::Claimed(_)))).count();
    let busy = claims.iter().filter(|claim| matches!(claim, Ok(JobClaim::Busy(_)))).count();
    assert_eq!((granted, busy), (1, 15), "{claims:?}");
    for store in &stores {
        assert_eq!(
            store.unpublished(SOURCE, 9).await.unwrap().len(),
            1,
            "each process sees what one committed"
        );
    }
}

#[tokio::test]
async fn another_process_s_events_are_noticed() {
    let directory = TempDir::new().unwrap();
    let file = path(&directory, 0);
    let relay = SqliteStore::open(&file).await.unwrap();
    let other = SqliteStore::open(&file).await.unwrap();
    let job = job("a.zip");
    other.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    let noticed = tokio::time::timeout(std::time::Duration::from_secs(2), async {
        while relay.unpublished(SOURCE, 1).await.unwrap().is_empty() {
            relay.wait().await;
        }
    });
    noticed.await.expect("the relay looks although nobody woke it");
}

#[tokio::test]
async fn a_change_whose_events_cannot_be_kept_is_not_made() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    damage(&directory, "DROP TABLE outbox").await;
    let job = job("a.zip");
    let claim = store.claim_job(&job, &lease("w1"), &started("e1", &job)).await;
    assert!(matches!(claim, Err(StoreError::Unavailable(_))), "{claim:?}");
    assert_eq!(store.job(&job.arn).await, Ok(None), "a job without its event");
}

#[tokio::test]
async fn what_does_not_parse_is_corrupt() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    for (damaged, what) in [
        ("UPDATE jobs SET source_version = 'null'", "jobs.source_version"),
        ("UPDATE jobs SET source_version = 'v1', created_at = -1", "jobs.created_at"),
        ("UPDATE jobs SET created_at = 0, profile = 'me'", "jobs.profile"),
        ("UPDATE jobs SET created_at = 'yesterday'", "a row"),
    ] {
        damage(&directory, damaged).await;
        let read = store.job(&job.arn).await;
        assert!(matches!(read, Err(StoreError::Corrupt { what: found, .. }) if found == what), "{read:?}");
    }
    damage(&directory, "UPDATE outbox SET event = '{}'").await;
    let read = store.unpublished(SOURCE, 9).await;
    assert!(matches!(read, Err(StoreError::Corrupt { what: "outbox.event", .. })), "{read:?}");
}

#[tokio::test]
async fn a_config_without_publishers_is_corrupt() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    damage(&directory, "INSERT INTO code_signing_configs VALUES ('csc', '[]', 'Enforce')").await;
    let read = store.code_signing_config(&"csc".parse().unwrap()).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_not_opened() {
    let directory = TempDir::new().unwrap();
    SqliteStore::open(&path(&directory, 0)).await.unwrap().close().await;
    damage(
        &directory,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'newer', 1, x'00', 0)",
    )
    .await;
    let opened = SqliteStore::open(&path(&directory, 0)).await;
    assert!(matches!(opened, Err(StoreError::Unavailable(reason)) if reason.contains("9999")));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_opened() {
    let directory = TempDir::new().unwrap();
    std::fs::write(path(&directory, 0), "x".repeat(10_000)).unwrap();
    assert!(matches!(SqliteStore::open(&path(&directory, 0)).await, Err(StoreError::Unavailable(_))));
}

/// Does to the first file what no release of ours does.
async fn damage(directory: &TempDir, statement: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path(directory, 0)).foreign_keys(false);
    let mut file = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query("PRAGMA ignore_check_constraints = ON").execute(&mut file).await.unwrap();
    sqlx::query(statement).execute(&mut file).await.unwrap();
}
