//! What is SQLite's own, and its contracts.

use std::path::PathBuf;

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{FunctionVersion, Tags, UnixMillis};
use countersign_ports::change::Change;
use countersign_ports::code_signing_configs::CodeSigningConfigs;
use countersign_ports::deployments::{DeploymentClaim, Deployments, Finish, NewDeployment, Recording};
use countersign_ports::functions::Functions;
use countersign_ports::jobs::{JobClaim, Jobs, NewJob, Outbox};
use countersign_ports::profiles::Profiles;
use countersign_ports::{StoreError, conformance};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

use super::samples::{SOURCE, deployment, job, lease, root, started, views_show_what_there_is};
use crate::SqliteStore;

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
async fn requests_and_lists_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::job_registry::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn permissions_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::permissions::check(async || empty(&directory).await).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_to_be_followed_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::target_changes::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_trail_keeps_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::trail::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn code_signing_configs_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::code_signing_configs::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn functions_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::functions::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn layers_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::layers::check(async || empty(&directory).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exposures_keep_the_contract() {
    let directory = TempDir::new().unwrap();
    conformance::exposure::check(async || empty(&directory).await).await;
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
    views_show_what_there_is(&empty(&directory).await).await;
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
    let empty = "INSERT INTO code_signing_configs (name, allowed_publishers, untrusted_artifact)
         VALUES ('csc', '[]', 'Enforce')";
    damage(&directory, empty).await;
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

#[tokio::test]
async fn a_file_of_the_first_release_is_taken_over() {
    let directory = TempDir::new().unwrap();
    let (job, new) = (job("a.zip"), deployment("e2", "hello", "a.zip"));
    let mut file = first_release(&directory).await;
    let event = serde_json::to_string(&started("e1", &job)).unwrap();
    let request = serde_json::to_string(&new.request).unwrap();
    for statement in [
        format!(
            "INSERT INTO jobs (arn, source_bucket, source_key, source_version, profile, destination, created_at, status,
                 lease_worker, lease_until)
             VALUES ('{}', 'unsigned', 'a.zip', 'v1', '{}', 's3://signed/', 1, 'InProgress', 'w1', 1)",
            job.arn, job.profile
        ),
        format!("INSERT INTO outbox (event_id, event) VALUES ('e1', '{event}')"),
        format!(
            "INSERT INTO deployments (id, event_id, publisher, function_name, code_bucket, code_key, code_version, request,
                 created_at, lease_worker, lease_until)
             VALUES ('{}', 'e2', NULL, 'hello', 'signed', 'a.zip', 'v1', '{request}', 1, 'w1', 1)",
            new.id
        ),
        "INSERT INTO code_signing_configs VALUES ('csc', '[]', 'Enforce')".to_owned(),
        format!(
            "INSERT INTO profiles VALUES ('default', '{}', 'Countersign-SHA256-RSA', '135MONTHS', 'Revoked', 1)",
            job.profile
        ),
        format!("INSERT INTO revocations VALUES ('{}', 2, 3, 'stolen')", job.profile),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut file).await.unwrap();
    }
    file.close().await.unwrap();

    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![started("e1", &job)]), "told by whom it says");
    let taken = NewJob { created_at: UnixMillis::new(1).unwrap(), ..job.clone() };
    let claim = store.claim_job(&job, &lease("w2"), &started("again", &job)).await;
    assert_eq!(claim, Ok(JobClaim::Claimed(taken.created())), "with the platform of its profile");
    let kept = store.profile(job.profile.profile().name()).await.unwrap().unwrap();
    assert_eq!((kept.tags, kept.revocation.unwrap().revoked_by), (Tags::default(), root()));
    let seen = store.deployment(new.id).await.unwrap().unwrap();
    assert_eq!((seen.publisher.as_str(), seen.principal.as_str()), ("countersign", "countersign"));
    let ours = NewDeployment {
        publisher: "countersign".to_owned(),
        principal: "countersign".parse().unwrap(),
        ..new
    };
    assert_eq!(store.begin(&ours, &lease("w2")).await, Ok(DeploymentClaim::Begun { recorded: None }));
}

#[tokio::test]
async fn what_the_first_release_deployed_stands_as_latest() {
    let directory = TempDir::new().unwrap();
    let mut new = deployment("e1", "hello", "a.zip");
    new.request.layers = vec![deployment("e2", "hello", "l.zip").request.code];
    let mut file = first_release(&directory).await;
    let request = serde_json::to_string(&new.request).unwrap();
    let [code, layer] = [b"a", b"l"].map(|bytes| countersign_domain::Sha256Digest::of(bytes));
    let decision = format!(
        r#"{{"revision":1,"verdict":"deploy","findings":[],"reason":"","code_sha256":"{code}","layer_sha256":["{layer}"]}}"#
    );
    for statement in [
        "INSERT INTO functions VALUES ('hello', NULL, 1, 1)".to_owned(),
        format!("INSERT INTO versions VALUES ('hello', 1, '{code}', '[\"{layer}\"]')"),
        "INSERT INTO aliases VALUES ('hello', 'live', 1)".to_owned(),
        format!(
            "INSERT INTO deployments (id, event_id, publisher, function_name, code_bucket, code_key, code_version, request,
                 created_at, decision, version, finish)
             VALUES ('{}', 'e1', NULL, 'hello', 'signed', 'a.zip', 'v1', '{request}', 1, '{decision}', 1,
                 '{{\"Succeeded\":{{\"version\":1,\"alias\":\"live\"}}}}')",
            new.id
        ),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut file).await.unwrap();
    }
    file.close().await.unwrap();

    let store = SqliteStore::open(&path(&directory, 0)).await.unwrap();
    let hello = &new.request.function_name;
    let latest = store.function(hello).await.unwrap().unwrap().latest.unwrap();
    assert_eq!((&latest.code.object, latest.code.sha256), (&new.request.code, code));
    assert_eq!(
        (&latest.layers[0].code.object, latest.layers[0].code.sha256),
        (&new.request.layers[0], layer)
    );
    let version = store.version(hello, FunctionVersion::Published(1)).await.unwrap().unwrap();
    assert_eq!((version.code, version.layers), (latest.code, latest.layers));
    let alias = store.alias(hello, &"live".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(alias.target.version, FunctionVersion::Published(1));
    let ended = store.deployment(new.id).await.unwrap().unwrap();
    assert_eq!(ended.finish, Some(Finish::Succeeded { version: Some(1), alias: new.request.alias.clone() }));
    let mut publish = deployment("e3", "hello", "a.zip");
    publish.request = DeploymentRequest { alias: None, create: None, ..new.request };
    publish.change = Change::PublishVersion { description: None, code_sha256: None, revision: None };
    store.begin(&publish, &lease("w1")).await.unwrap();
    let published = store.publish(publish.id, &lease("w1")).await.unwrap();
    let Recording::Recorded(recorded) = published else { panic!("{published:?}") };
    assert_eq!(recorded.version(), Some(1), "nothing changed since");
}

/// The first file, with the schema that the first release made.
async fn first_release(directory: &TempDir) -> SqliteConnection {
    let migrations = directory.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    let first = include_str!("../../migrations/sqlite/0001_state.sql");
    std::fs::write(migrations.join("0001_state.sql"), first).unwrap();
    let options = SqliteConnectOptions::new().filename(path(directory, 0)).create_if_missing(true);
    let mut file = SqliteConnection::connect_with(&options).await.unwrap();
    Migrator::new(migrations).await.unwrap().run(&mut file).await.unwrap();
    file
}

/// Does to the first file what no release of ours does.
async fn damage(directory: &TempDir, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(path(directory, 0)).foreign_keys(false);
    let mut file = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("PRAGMA ignore_check_constraints = ON").execute(&mut file).await.unwrap();
    sqlx::query(statement).execute(&mut file).await.unwrap();
}
