//! PostgreSQL's contracts, how it is connected to, and what it refuses.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use countersign_domain::{Platform, Tags, UnixMillis};
use countersign_ports::jobs::{JobClaim, Jobs, NewJob, Outbox};
use countersign_ports::profiles::Profiles;
use countersign_ports::{StoreError, conformance};
use secrecy::SecretString;

use super::samples::{SOURCE, job, lease, root, started, views_show_what_there_is};
use super::server::{Server, execute};
use crate::{PostgresSettings, PostgresStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn profiles_keep_the_contract() {
    let server = Server::start().await;
    conformance::profiles::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revocations_keep_the_contract() {
    let server = Server::start().await;
    conformance::revocations::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_keep_the_contract() {
    let server = Server::start().await;
    conformance::jobs::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_and_lists_keep_the_contract() {
    let server = Server::start().await;
    conformance::job_registry::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn permissions_keep_the_contract() {
    let server = Server::start().await;
    conformance::permissions::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_outbox_keeps_the_contract() {
    let server = Server::start().await;
    conformance::outbox::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deployments_keep_the_contract() {
    let server = Server::start().await;
    conformance::deployments::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_to_be_followed_keep_the_contract() {
    let server = Server::start().await;
    conformance::target_changes::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_trail_keeps_the_contract() {
    let server = Server::start().await;
    conformance::trail::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn code_signing_configs_keep_the_contract() {
    let server = Server::start().await;
    conformance::code_signing_configs::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn functions_keep_the_contract() {
    let server = Server::start().await;
    conformance::functions::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn layers_keep_the_contract() {
    let server = Server::start().await;
    conformance::layers::check(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exposures_keep_the_contract() {
    let server = Server::start().await;
    conformance::exposure::check(async || server.store().await).await;
}

#[tokio::test]
async fn the_command_line_sees_what_there_is() {
    let server = Server::start().await;
    views_show_what_there_is(&server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_processes_open_an_empty_database() {
    let server = Server::start().await;
    let settings = server.database().await;
    let mut opening = tokio::task::JoinSet::new();
    for _process in 0..8 {
        let settings = settings.clone();
        opening.spawn(async move { PostgresStore::connect(&settings).await.unwrap() });
    }
    for store in opening.join_all().await {
        assert_eq!(store.ping().await, Ok(()));
        assert_eq!(store.newest_jobs(9).await, Ok(vec![]));
        store.close().await;
    }
}

#[tokio::test]
async fn what_does_not_parse_is_corrupt() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut past = server.connection("test0").await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    for (damaged, what) in [
        ("UPDATE jobs SET source_version = 'null'", "jobs.source_version"),
        ("UPDATE jobs SET source_version = 'v1', created_at = -1", "jobs.created_at"),
        ("UPDATE jobs SET created_at = 0, profile = 'me'", "jobs.profile"),
        ("ALTER TABLE jobs ALTER created_at TYPE TEXT", "a row"),
    ] {
        execute(&mut past, damaged).await;
        let store = PostgresStore::connect(&server.settings("test0")).await.unwrap();
        let read = store.job(&job.arn).await;
        assert!(matches!(read, Err(StoreError::Corrupt { what: found, .. }) if found == what), "{read:?}");
    }
    execute(&mut past, "UPDATE outbox SET event = '{}'").await;
    let read = store.unpublished(SOURCE, 9).await;
    assert!(matches!(read, Err(StoreError::Corrupt { what: "outbox.event", .. })), "{read:?}");
}

#[tokio::test]
async fn a_newer_release_may_add_columns_while_this_one_runs() {
    let server = Server::start().await;
    let store = server.store().await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    let before = store.job(&job.arn).await.unwrap();
    let added = "ALTER TABLE jobs ADD COLUMN priority BIGINT NOT NULL DEFAULT 0";
    execute(&mut server.connection("test0").await, added).await;
    assert_eq!(store.job(&job.arn).await, Ok(before));
}

#[tokio::test]
async fn a_reason_with_a_nul_ends_its_job() {
    let server = Server::start().await;
    let store = server.store().await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    assert_eq!(store.fail_job(&job.arn, &lease("w1"), "an entry \0 name", &[]).await, Ok(()));
    let reason = store.job(&job.arn).await.unwrap().unwrap().status_reason;
    assert_eq!(reason.as_deref(), Some("an entry \u{fffd} name"));
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_not_opened() {
    let server = Server::start().await;
    server.store().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'newer', true, ''::bytea, 0)";
    execute(&mut server.connection("test0").await, newer).await;
    let opened = PostgresStore::connect(&server.settings("test0")).await;
    assert!(refused(&opened).contains("9999"));
}

#[tokio::test]
async fn a_database_of_the_first_release_is_taken_over() {
    let server = Server::start().await;
    let settings = server.database().await;
    let mut database = server.connection("test0").await;
    let migrations = tempfile::tempdir().unwrap();
    let first = include_str!("../../migrations/postgres/0001_state.sql");
    std::fs::write(migrations.path().join("0001_state.sql"), first).unwrap();
    let migrator = sqlx::migrate::Migrator::new(migrations.path()).await.unwrap();
    migrator.run(&mut database).await.unwrap();
    let NewJob { arn, profile, .. } = job("a.zip");
    for statement in [
        format!(
            "INSERT INTO profiles VALUES ('default', '{profile}', 'Countersign-SHA384-ECDSA', '135MONTHS', 'Revoked', 1)"
        ),
        format!("INSERT INTO revocations VALUES ('{profile}', 2, 3, 'stolen')"),
        format!(
            "INSERT INTO jobs (arn, source_bucket, source_key, source_version, profile, destination, created_at, status,
                 lease_worker, lease_until)
             VALUES ('{arn}', 'unsigned', 'a.zip', 'v1', '{profile}', 's3://signed/', 1, 'InProgress', 'w1', 1)"
        ),
    ] {
        execute(&mut database, &statement).await;
    }
    let store = PostgresStore::connect(&settings).await.unwrap();
    let (platform, created_at) = (Platform::CountersignSha384Ecdsa, UnixMillis::new(1).unwrap());
    let taken = NewJob { platform, created_at, ..job("a.zip") };
    let claim = store.claim_job(&taken, &lease("w2"), &started("again", &taken)).await;
    assert_eq!(claim, Ok(JobClaim::Claimed(taken.created())), "with the platform of its profile");
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![]), "an earlier job was told before");
    let kept = store.profile(profile.profile().name()).await.unwrap().unwrap();
    assert_eq!((kept.tags, kept.revocation.unwrap().revoked_by), (Tags::default(), root()));
}

#[tokio::test]
async fn a_database_of_another_encoding_is_not_opened() {
    let server = Server::start().await;
    server.administer("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0").await;
    let opened = PostgresStore::connect(&server.settings("latin")).await;
    assert!(refused(&opened).contains("UTF8"));
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let mut server = Server::start().await;
    let settings = PostgresSettings { connect_timeout: Duration::from_secs(1), ..server.database().await };
    server.kill();
    assert!(refused(&PostgresStore::connect(&settings).await).contains("no connection in time"));
}

#[tokio::test]
async fn passwords_and_certificates_are_checked() {
    let access = "hostssl all signer 127.0.0.1/32 scram-sha-256\nhost all app 127.0.0.1/32 trust";
    let settings = ["ssl = on", "ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'"];
    let server = Server::start_with(access, &settings, certify).await;
    server.administer("CREATE ROLE signer LOGIN PASSWORD 's3cret'").await;
    server.administer("CREATE DATABASE state OWNER signer").await;
    let ca_file = Some(server.data().join("ca.pem"));
    let password = |text: &str| Some(SecretString::from(text));
    let right = PostgresSettings {
        url: format!("postgresql://signer@localhost:{}/state", server.port()),
        password: password("s3cret"),
        ca_file,
        ..server.settings("state")
    };
    let store = PostgresStore::connect(&right).await.unwrap();
    assert_eq!(store.ping().await, Ok(()));
    assert!(!format!("{store:?}").contains("s3cret"));

    let wrong = [
        (PostgresSettings { password: password("other"), ..right.clone() }, "password authentication failed"),
        (PostgresSettings { password: None, ..right.clone() }, "password"),
        (PostgresSettings { ca_file: None, ..right.clone() }, "certificate"),
        (at(&right, &server, "127.0.0.1", ""), "certificate"),
        (at(&right, &server, "localhost", "?sslmode=disable"), "no encryption"),
    ];
    for (settings, reason) in wrong {
        let opened = PostgresStore::connect(&settings).await;
        assert!(refused(&opened).contains(reason), "{opened:?} instead of {reason}");
    }
    let any_name = at(&right, &server, "127.0.0.1", "?sslmode=verify-ca");
    assert!(PostgresStore::connect(&any_name).await.is_ok());
}

fn at(settings: &PostgresSettings, server: &Server, host: &str, mode: &str) -> PostgresSettings {
    let url = format!("postgresql://signer@{host}:{}/state{mode}", server.port());
    PostgresSettings { url, ..settings.clone() }
}

/// Makes a certificate authority and a certificate for `localhost`.
fn certify(directory: &Path) {
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > server.ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem
        chmod 600 server.key";
    let made = Command::new("sh").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn a_wrong_url_is_refused_and_not_repeated() {
    for (url, reason) in [
        ("postgresql://app:s3cret@127.0.0.1/state", "password"),
        ("postgresql://app:@127.0.0.1/state?password=s3cret", "parameters"),
        ("postgresql://app@127.0.0.1/state?sslmode=prefer", "sslmode"),
        ("postgresql://app@127.0.0.1/state?sslmode=disable&sslmode=disable", "parameters"),
        ("postgresql://app@127.0.0.1/state?ssl_mode=disable", "parameters"),
        ("postgresql://127.0.0.1/state", "user"),
        ("postgresql://app@127.0.0.1", "database"),
        ("postgresql://app@127.0.0.1/state/s3cret", "database"),
        ("postgresql:state", "user"),
        ("mysql://app@127.0.0.1/state", "postgresql://"),
        ("s3cret", "URL"),
    ] {
        let settings = PostgresSettings {
            url: url.to_owned(),
            password: None,
            ca_file: None,
            max_connections: 2,
            connect_timeout: Duration::from_secs(1),
        };
        let reason_given = refused(&PostgresStore::connect(&settings).await);
        assert!(reason_given.contains(reason), "{url}: {reason_given}");
        assert!(!reason_given.contains("s3cret"), "{reason_given}");
    }
}

fn refused(opened: &Result<PostgresStore, StoreError>) -> String {
    match opened {
        Err(StoreError::Unavailable(reason)) => reason.clone(),
        other => panic!("{other:?}"),
    }
}
