//! The main job and its refusals, as a user meets them: a running `up`, the AWS CLI, a terminal.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::event::{CreateFunction, DeploymentRequest, EventData};
use countersign_domain::{CodeVersion, Event, UnixMillis};
use countersign_ports::queue::{DeadLetters as _, EventBus as _};
use countersign_queue::{EmbeddedQueue, QueueName};
use countersign_runtime::SystemClock;
use countersign_tests::packages::package;
use countersign_tests::tools::{countersign, everything, run};
use countersign_tests::up::Up;
use countersign_tests::{PATIENCE, eventually};
use tempfile::TempDir;

#[test]
fn a_dropped_package_is_signed_deployed_and_told_of() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data"));
    let dropped = package(folder.path(), "hello.zip", "hello");
    let begun = Instant::now();
    up.drop_package(&dropped, "hello/pkg.zip");
    let live = eventually("an alias", PATIENCE, || up.live("hello"));
    println!("serving after {:?}, deployed {:?} after the upload began", up.started_in(), begun.elapsed());

    let mode = |name: &str| live.join(name).metadata().expect("a deployed file").permissions().mode() & 0o777;
    assert_eq!((mode("handler.py"), mode("bin/run")), (0o644, 0o755));
    assert!(live.join("META-INF/countersign.p7s").is_file());
    assert!(live.ends_with("versions/1"));
    for told in ["signing", "signed", "deploying", "deployed"] {
        up.says(told);
    }
}

#[test]
fn the_same_package_dropped_again_is_the_same_signed_object_and_version() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data"));
    let dropped = package(folder.path(), "same.zip", "same");
    up.drop_package(&dropped, "same/pkg.zip");
    eventually("the first deployment", PATIENCE, || up.live("same"));
    up.drop_package(&dropped, "same/pkg.zip");
    eventually("the second deployment", PATIENCE, || {
        (up.log().matches("deployed   same version 1").count() == 2).then_some(())
    });
    assert_eq!(up.versions("unsigned").len(), 2);
    assert_eq!(up.versions("signed").len(), 1);
    assert_eq!(up.published("same"), ["1"]);

    let changed = package(folder.path(), "changed.zip", "changed");
    up.drop_package(&changed, "same/pkg.zip");
    eventually("the third deployment", PATIENCE, || {
        up.live("same").filter(|live| live.ends_with("versions/2"))
    });
    assert_eq!(up.versions("signed").len(), 2);
}

#[test]
fn a_real_jar_and_a_real_wheel_shaped_package_pass() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data"));
    let jar = folder.path().join("app.zip");
    std::fs::write(folder.path().join("Main.txt"), "main").expect("a file");
    let path = |path: &Path| path.to_string_lossy().into_owned();
    run("jar", ["--create", "--file", &path(&jar), "-C", &path(folder.path()), "Main.txt"]);
    up.drop_package(&jar, "app/any.zip");
    let live = eventually("an alias", PATIENCE, || up.live("app"));
    assert!(live.join("META-INF/MANIFEST.MF").is_file());
}

#[test]
fn what_cannot_be_signed_is_refused_with_its_code_and_leaves_nothing() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data"));
    let good = package(folder.path(), "good.zip", "good");
    up.drop_package(&good, "good/pkg.zip");
    eventually("a good package", PATIENCE, || up.live("good"));
    let (key, version) = up.versions("signed").remove(0);
    let signed = folder.path().join("signed.zip");
    let target = signed.to_string_lossy();
    let fetched = up.aws(&[
        "s3api",
        "get-object",
        "--bucket",
        "signed",
        "--key",
        &key,
        "--version-id",
        &version,
        &target,
    ]);
    assert!(fetched.status.success(), "{}", everything(&fetched));

    let files: [(&str, &[u8], &str, &str); 3] = [
        ("empty.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "empty/pkg.zip", "empty_archive"),
        ("text.zip", b"this is no zip at all", "text/pkg.zip", "not_a_zip"),
        ("nothing.zip", b"", "nothing/pkg.zip", "not_a_zip"),
    ];
    for (name, bytes, key, code) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        up.drop_package(&path, key);
        up.says(code);
    }
    up.drop_package(&signed, "again/pkg.zip");
    up.says("already_signed");
    up.drop_package(&good, "wheel/pkg.whl");
    up.says("key_not_zip");
    up.drop_package(&good, "no-folder.zip");
    up.says("no_function_name");

    for function in ["empty", "text", "nothing", "again", "wheel"] {
        assert_eq!(up.published(function), Vec::<String>::new(), "{function}");
    }
    assert_eq!(up.versions("signed").len(), 1, "a refused package left a signed object");
    let work: Vec<_> = std::fs::read_dir(up.data_dir().join("work")).expect("a folder").collect();
    let left = |entry: &std::io::Result<std::fs::DirEntry>| {
        std::fs::read_dir(entry.as_ref().expect("an entry").path()).map_or(0, Iterator::count)
    };
    assert_eq!(work.iter().map(left).sum::<usize>(), 0, "files in the making were left");
}

#[test]
fn buckets_and_profiles_that_do_not_fit_are_named() {
    let folder = folder();
    let data = folder.path().join("data");
    drop(Up::start(&data));
    append_config(
        &data,
        r#"
        [[route]]
        source = "s3://plain/"
        profile = "default"
        destination = "s3://signed/plain/"
        [[route]]
        source = "s3://unsigned/nowhere/"
        profile = "default"
        destination = "s3://does-not-exist/"
        [[route]]
        source = "s3://unsigned/stranger/"
        profile = "stranger"
        destination = "s3://signed/"
        "#,
    );
    let up = Up::start(&data);
    let good = package(folder.path(), "good.zip", "good");
    up.aws(&["s3", "mb", "s3://plain"]);
    let path = good.to_string_lossy();
    up.aws(&["s3", "cp", &path, "s3://plain/pkg.zip"]);
    up.says("unversioned_source");
    up.drop_package(&good, "nowhere/pkg.zip");
    up.says("no_such_destination");
    up.drop_package(&good, "stranger/pkg.zip");
    up.says("unknown_profile");
    assert_eq!(up.versions("signed").len(), 0);
}

#[test]
fn a_drop_that_nobody_told_of_is_found_by_the_sweep() {
    let folder = folder();
    let data = folder.path().join("data");
    let mut up = Up::start(&data);
    let good = package(folder.path(), "late.zip", "late");
    for arguments in [
        &["s3", "mb", "s3://later"][..],
        &[
            "s3api",
            "put-bucket-versioning",
            "--bucket",
            "later",
            "--versioning-configuration",
            "Status=Enabled",
        ],
        &["s3", "cp", &good.to_string_lossy(), "s3://later/late/pkg.zip"],
    ] {
        let output = up.aws(arguments);
        assert!(output.status.success(), "{}", everything(&output));
    }
    // There is no route yet, so its notification comes to nothing.
    assert!(up.stop().success());
    append_config(
        &data,
        r#"
        [[route]]
        source = "s3://later/"
        profile = "default"
        destination = "s3://signed/"
        deploy = { function = "{segment}", alias = "live", create = true, code_signing_config = "default" }
        "#,
    );
    let up = Up::start(&data);
    eventually("an alias", PATIENCE, || up.live("late"));
}

#[test]
fn the_same_event_ten_times_is_one_job_and_one_deployment() {
    let folder = folder();
    let data = folder.path().join("data");
    let mut up = Up::start(&data);
    up.drop_package(&package(folder.path(), "ten.zip", "ten"), "ten/pkg.zip");
    eventually("an alias", PATIENCE, || up.live("ten"));
    let (key, version) = up.versions("unsigned").remove(0);
    let signed = up.versions("signed").remove(0);
    assert!(up.stop().success());

    let notification = serde_json::json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-11-21T08:30:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "unsigned"}, "object": {"key": key, "versionId": version, "size": 1}},
    }]});
    let request = deployment(&signed, "ten");
    runtime().block_on(async {
        let queue = queue_of(&data).await;
        for round in 0..10 {
            let id = format!("repeated-{round}");
            let body = notification.to_string();
            queue.enqueue(QueueName::Signer, &id, "test", body.as_bytes()).await.expect("enqueued");
            queue.bus("countersign").publish(&request).await.expect("published");
        }
        queue.close().await;
    });
    let up = Up::start(&data);
    runtime().block_on(async {
        let queue = queue_of(&data).await;
        for name in [QueueName::Signer, QueueName::Deployer] {
            let begun = Instant::now();
            while queue.depth(name).await.expect("a depth") > 0 {
                assert!(begun.elapsed() < PATIENCE, "{name} is not drained");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        assert_eq!(queue.dead_letters(10).await.expect("dead letters"), []);
    });
    assert_eq!(up.versions("signed").len(), 1);
    assert_eq!(up.published("ten"), ["1"]);
    assert_eq!(up.log().matches("signing    ").count(), 1, "one job was begun");
    // One from the drop and one that the test asked for, whose ten deliveries are one.
    assert_eq!(up.log().matches("deployed   ten version 1").count(), 2);
}

#[test]
fn a_config_with_three_mistakes_tells_all_three_and_starts_nothing() {
    let folder = folder();
    let data = folder.path().join("data");
    drop(Up::start(&data));
    append_config(
        &data,
        r#"
        [[route]]
        source = "unsigned"
        profile = "with-hyphen"
        destination = "s3://unsigned/inside/"
        "#,
    );
    let output = countersign()
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let told = everything(&output);
    for part in ["source", "with-hyphen", "s3://unsigned/inside/"] {
        assert!(told.contains(part), "{part} is not told of in {told}");
    }
}

#[test]
fn one_data_directory_serves_one_up() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data"));
    let second = countersign()
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(up.data_dir())
        .output()
        .expect("it runs");
    assert_eq!(second.status.code(), Some(2), "{}", everything(&second));
}

#[test]
fn submit_follows_a_package_to_its_end() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data"));
    let submit = |path: &Path, to: &str| {
        let output = countersign()
            .args(["submit", "--wait", "--to", to, "--data-dir"])
            .arg(up.data_dir())
            .arg(path)
            .output()
            .expect("it runs");
        (output.status.code(), everything(&output))
    };
    let (code, told) = submit(&package(folder.path(), "good.zip", "good"), "s3://unsigned/submitted/pkg.zip");
    assert_eq!(code, Some(0), "{told}");
    assert!(up.live("submitted").is_some());
    let bad = folder.path().join("bad.zip");
    std::fs::write(&bad, "no zip").expect("a file");
    let (code, told) = submit(&bad, "s3://unsigned/submitted/pkg.zip");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("not_a_zip"), "{told}");
}

#[test]
fn a_revoked_job_blocks_its_next_deployment() {
    let folder = folder();
    let data = folder.path().join("data");
    let up = Up::start(&data);
    up.drop_package(&package(folder.path(), "one.zip", "one"), "one/pkg.zip");
    eventually("an alias", PATIENCE, || up.live("one"));
    let signed = up.versions("signed").remove(0);
    let job = signed.0.trim_end_matches(".zip").to_owned();
    let revoked = countersign()
        .args(["revoke", "--job", &job, "--reason", "a test", "--yes", "--data-dir"])
        .arg(&data)
        .output()
        .expect("it runs");
    assert_eq!(revoked.status.code(), Some(0), "{}", everything(&revoked));
    let request = deployment(&signed, "other");
    runtime().block_on(async {
        let queue = queue_of(&data).await;
        queue.bus("countersign").publish(&request).await.expect("published");
        queue.close().await;
    });
    up.says("revocation");
    up.says("blocked");
    assert_eq!(up.published("other"), Vec::<String>::new());
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The queue of a data directory, beside an `up` or without one.
async fn queue_of(data: &Path) -> EmbeddedQueue {
    EmbeddedQueue::open(&data.join("queue.sqlite"), Arc::new(SystemClock)).await.expect("the queue")
}

/// A request to deploy one signed object as `function`.
fn deployment((key, version): &(String, String), function: &str) -> Event {
    let code = CodeVersion {
        bucket: "signed".parse().expect("a bucket"),
        key: key.parse().expect("a key"),
        version: version.parse().expect("a version"),
    };
    let create = Some(CreateFunction { code_signing_config: Some("default".parse().expect("a name")) });
    let function_name = function.parse().expect("a function name");
    let alias = Some("live".parse().expect("an alias"));
    let request = DeploymentRequest { function_name, code, layers: Vec::new(), alias, target: None, create };
    let time = UnixMillis::new(1_800_000_000_000).expect("an instant");
    Event::new(
        "asked-by-a-test".parse().expect("an id"),
        "/test",
        time,
        EventData::DeploymentRequested(request),
    )
}

fn append_config(data: &Path, text: &str) {
    let path = data.join("countersign.toml");
    let config = std::fs::read_to_string(&path).expect("the configuration");
    std::fs::write(path, format!("{config}\n{text}")).expect("the configuration");
}
