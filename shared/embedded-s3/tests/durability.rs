//! What is left after a restart, and after `kill -9` in the middle of everything.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use countersign_domain::BucketName;
use countersign_embedded_s3::{EmbeddedS3, Keys, OpenError};
use support::{Running, client, credentials, open, python, require_success, wall_clock};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everything_and_removes_orphans() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    python(&running, &["fill"]).await;
    running.stop().await;
    let orphan = dir.path().join("contents/ab/ab000000000000000000000000000000");
    let unfinished = dir.path().join("staging/half");
    std::fs::write(&orphan, "named by no metadata").unwrap();
    std::fs::write(&unfinished, "half").unwrap();

    let running = Running::start(dir.path()).await;
    assert!(!orphan.try_exists().unwrap() && !unfinished.try_exists().unwrap());
    python(&running, &["filled"]).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_are_told_once_they_are_visible_and_until_they_are_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    let arrived = running.s3.notified();
    python(&running, &["fill"]).await;
    tokio::time::timeout(Duration::from_secs(1), arrived.notified()).await.unwrap();
    let pending = running.s3.pending_notifications(10).await.unwrap();
    let records: Vec<_> = pending.iter().map(|pending| &pending.body["Records"][0]).collect();
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload"]);
    let object = &records[0]["s3"]["object"];
    assert_eq!((&object["key"], &object["size"]), (&"fn+a/x%2B1.zip".into(), &5.into()));
    assert_eq!(object["versionId"].as_str().unwrap().len(), 32);
    assert_eq!(records[0]["s3"]["bucket"]["arn"], "arn:aws:s3:::kept-bucket");
    assert_eq!((&records[0]["eventVersion"], &records[0]["eventSource"]), (&"2.1".into(), &"aws:s3".into()));
    let sequencers: Vec<_> =
        records.iter().map(|record| record["s3"]["object"]["sequencer"].as_str()).collect();
    assert!(sequencers.is_sorted() && sequencers[0] != sequencers[1]);

    running.s3.mark_delivered(&[pending[1].id.clone(), "unknown".to_owned()]).await.unwrap();
    running.stop().await;
    let again = open(dir.path(), support::REGION).await;
    let left: Vec<_> =
        again.pending_notifications(10).await.unwrap().into_iter().map(|left| left.id).collect();
    assert_eq!(left, [pending[0].id.clone(), pending[2].id.clone()]);
    assert_eq!(again.pending_notifications(1).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_served_by_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), support::REGION).await;
    let keys: std::sync::Arc<dyn Keys> = std::sync::Arc::new(credentials());
    let another = || EmbeddedS3::open(dir.path(), wall_clock(), keys.clone(), support::REGION.to_owned());
    assert!(matches!(another().await.err(), Some(OpenError::InUse(_))));
    first.close().await;
    drop(first);
    // A program that another test starts has every file of this process open until it executes.
    let freed = async {
        while let Err(error) = another().await {
            assert!(matches!(error, OpenError::InUse(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), freed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_ensured_as_often_as_one_likes() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    let (unsigned, signed): (BucketName, BucketName) =
        ("unsigned".parse().unwrap(), "signed".parse().unwrap());
    running.s3.ensure_bucket(&unsigned, true).await.unwrap();
    running.s3.ensure_bucket(&unsigned, false).await.unwrap();
    running.s3.ensure_bucket(&signed, false).await.unwrap();
    let versioning = |bucket| {
        let mut command = client("aws", &running.url);
        command.args(["s3api", "get-bucket-versioning", "--output", "text", "--bucket", bucket]);
        async move { String::from_utf8(command.output().await.unwrap().stdout).unwrap() }
    };
    assert_eq!(versioning("unsigned").await.trim(), "Enabled");
    assert_eq!(versioning("signed").await.trim(), "");
    running.stop().await;
}

/// Kills the endpoint at different moments of a busy life, and looks after each death at what is left.
#[tokio::test(flavor = "multi_thread")]
async fn kill_minus_nine_loses_nothing_acknowledged_and_shows_nothing_half_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = String::new();
    for round in 0..ROUNDS {
        let (mut endpoint, url) = separate_process(dir.path()).await;
        let mut work = clients("work", &url).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(work.stdout.take().unwrap());
        for _ in 0..LEAST_WRITES {
            lines.read_line(&mut journal).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(150 + 83 * round)).await;
        endpoint.kill().await.unwrap();
        lines.read_to_string(&mut journal).await.unwrap();
        assert!(work.wait().await.unwrap().success());
        require_intact(dir.path(), &journal).await;
    }
    assert!(journal.lines().count() >= LEAST_WRITES * usize::try_from(ROUNDS).unwrap());
}

async fn require_intact(dir: &Path, journal: &str) {
    let running = Running::start(dir).await;
    let mut check = clients("intact", &running.url);
    let check = check.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = check.spawn().unwrap();
    let mut input = check.stdin.take().unwrap();
    input.write_all(journal.as_bytes()).await.unwrap();
    drop(input);
    require_success(&check.wait_with_output().await.unwrap(), "what is left after kill -9");

    let told = running.s3.pending_notifications(usize::MAX).await.unwrap();
    let told: Vec<_> =
        told.iter().map(|told| &told.body["Records"][0]["s3"]["object"]["versionId"]).collect();
    for acknowledged in journal.lines().filter_map(|line| line.strip_prefix("versioned ")) {
        let version = acknowledged.split(' ').nth(1).unwrap();
        assert_eq!(told.iter().filter(|told| told.as_str() == Some(version)).count(), 1, "{acknowledged}");
    }
    running.stop().await;
    let stray = std::fs::read_dir(dir.join("staging")).unwrap().count();
    assert_eq!(stray, 0, "a restart leaves no unfinished content");
}

fn clients(function: &str, url: &str) -> Command {
    let mut command = client("python3", url);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients.py")).arg(function);
    command
}

/// This test program again, as a process that can be killed.
async fn separate_process(dir: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "serves_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, url)) = line.split_once("serving ") {
            return (child, url.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that the test of kill -9 starts"]
#[expect(clippy::disallowed_methods, reason = "the folder comes from the test that starts this process")]
async fn serves_until_it_is_killed() {
    let dir = std::env::var(FOLDER).expect("run the test of kill -9, which starts this one");
    let running = Running::start(Path::new(&dir)).await;
    println!("serving {}", running.url);
    std::future::pending::<()>().await;
}

const FOLDER: &str = "EMBEDDED_S3_TEST_FOLDER";
const ROUNDS: u64 = 6;
const LEAST_WRITES: usize = 12;
