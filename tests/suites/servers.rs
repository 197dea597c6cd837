//! The servers that other suites use start, take the users that they promise, come back, and leave nothing behind.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use countersign_tests::eventually;
use countersign_tests::servers::{LocalStack, PostgreSql, RabbitMq};
use countersign_tests::tools::everything;

#[test]
fn rabbitmq_serves_its_users_and_keeps_what_it_had() {
    let begun = Instant::now();
    let mut broker = RabbitMq::start();
    println!("RabbitMQ serves after {:?}", begun.elapsed());
    let users = broker.ctl(&["list_users", "--no-table-headers"]);
    let names: BTreeSet<_> = users.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, BTreeSet::from(["ci", "countersign-deployer", "countersign-signer", "s3"]));
    let password = broker.user("ci").password.clone();
    broker.ctl(&["authenticate_user", "ci", &password]);
    assert!(!broker.try_ctl(&["authenticate_user", "ci", "another"]).status.success());

    broker.ctl(&["add_vhost", "kept"]);
    broker.kill();
    assert!(std::net::TcpStream::connect(("127.0.0.1", broker.port())).is_err());
    broker.start_again();
    broker.restart();
    assert!(broker.ctl(&["list_vhosts"]).contains("kept"));
}

#[test]
fn postgresql_demands_its_password_and_keeps_what_it_had() {
    let begun = Instant::now();
    let mut server = PostgreSql::start();
    println!("PostgreSQL serves after {:?}", begun.elapsed());
    let count = |url: &str, password: &str| {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-A", "-t", "-w", "-d", url, "-c", "SELECT count(*) FROM kept"]);
        psql.env("PGPASSWORD", password).output().expect("psql runs")
    };
    server.sql("countersign", "SET ROLE countersign; CREATE TABLE public.kept AS SELECT 1 AS one");
    let own = server.create_database("own");
    assert!(!count(&own, server.password()).status.success(), "the table is in the other database");
    assert!(everything(&count(&server.url(), "wrong")).contains("authentication failed"));
    for _ in 0..3 {
        server.kill();
        server.start_again();
    }
    server.restart();
    assert_eq!(everything(&count(&server.url(), server.password())).trim(), "1");
}

#[test]
fn localstack_tells_the_queue_of_a_drop_and_keeps_functions() {
    let begun = Instant::now();
    let localstack = LocalStack::start();
    println!("LocalStack serves after {:?}", begun.elapsed());
    let folder = tempfile::tempdir().expect("a folder");
    let package = countersign_tests::packages::package(folder.path(), "hello.zip", "hello");
    localstack.aws_json(&["s3", "cp", "--quiet", &package.to_string_lossy(), "s3://unsigned/hello/pkg.zip"]);
    let queue = localstack.queue_url("countersign");
    let version = eventually("a notification", Duration::from_secs(20), || {
        let answer = localstack.aws_json(&["sqs", "receive-message", "--queue-url", &queue]);
        let body = answer["Messages"][0]["Body"].as_str()?.to_owned();
        let record: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        record["Records"][0]["s3"]["object"]["versionId"].as_str().map(ToOwned::to_owned)
    });
    let code = format!("S3Bucket=unsigned,S3Key=hello/pkg.zip,S3ObjectVersion={version}");
    localstack.aws_json(&[
        "lambda",
        "create-function",
        "--function-name",
        "hello",
        "--runtime",
        "provided.al2023",
        "--handler",
        "bootstrap",
        "--role",
        "arn:aws:iam::000000000000:role/fn",
        "--code",
        &code,
    ]);
    let state = eventually("an active function", Duration::from_secs(20), || {
        let function = localstack.aws_json(&["lambda", "get-function", "--function-name", "hello"]);
        let state = function["Configuration"]["State"].as_str().unwrap_or_default().to_owned();
        (state != "Pending").then_some(state)
    });
    assert_eq!(state, "Active", "{}", localstack.log());
}

/// A test that is killed runs no destructor. This one starts itself again, lets that run start the servers, and kills it.
#[test]
fn a_killed_test_leaves_no_server_and_no_folder_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut test = Command::new(std::env::current_exe().expect("a test knows where it is"))
        .args(["--exact", "--ignored", "servers_for_a_test_that_is_killed"])
        .env("TMPDIR", folder.path())
        .spawn()
        .expect("the test runs");
    eventually("servers", Duration::from_secs(120), || folder.path().join("started").is_file().then_some(()));
    assert!(processes_of(folder.path()).len() >= 3, "{:?}", processes_of(folder.path()));
    test.kill().expect("it runs");
    test.wait().expect("it ended");
    let begun = Instant::now();
    while !processes_of(folder.path()).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", processes_of(folder.path()));
        std::thread::sleep(Duration::from_millis(50));
    }
    eventually("no folder left", Duration::from_secs(10), || {
        let mut left = std::fs::read_dir(folder.path()).expect("a folder");
        left.all(|entry| entry.is_ok_and(|entry| !entry.path().is_dir())).then_some(())
    });
}

#[test]
#[ignore = "run by the test above, which kills it"]
fn servers_for_a_test_that_is_killed() {
    let (_broker, _database, _localstack) =
        (RabbitMq::start(), PostgreSql::start(), LocalStack::start_empty());
    std::fs::write(std::env::temp_dir().join("started"), "").expect("a file");
    std::thread::sleep(Duration::from_secs(300));
}

/// The processes that were started with `folder` in their arguments or their environment.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").expect("a process table") {
        let process = process.expect("an entry").path();
        // One that ends meanwhile cannot be read, and has ended.
        let read = |name: &str| std::fs::read(process.join(name)).unwrap_or_default();
        let text = [read("cmdline"), read("environ")].concat();
        if String::from_utf8_lossy(&text).contains(&*folder) {
            found.push(format!(
                "{}: {}",
                process.display(),
                String::from_utf8_lossy(&read("comm")).trim_end()
            ));
        }
    }
    found
}
