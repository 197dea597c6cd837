//! A hundred thousand jobs: each question that a client may ask has an index, and its answer does not wait for the others.

use std::time::{Duration, Instant};

use countersign_domain::{JobArn, JobStatus, Platform, UnixMillis};
use countersign_ports::job_registry::{JobCursor, JobFilter, JobRegistry};
use countersign_ports::jobs::Jobs;
use tempfile::TempDir;

use super::samples::{job, lease};
use super::server::{Server, execute};
use crate::database::{Database, Session};
use crate::jobs::{JobRow, page, unheld};
use crate::statement::{Statement, sql};
use crate::store::Store;
use crate::{PostgresStore, SqliteStore};

const JOBS: i64 = 100_000;

#[tokio::test]
async fn sqlite_reads_no_job_that_is_not_asked_for() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&directory.path().join("state.db")).await.unwrap();
    let series = format!(
        "WITH RECURSIVE series (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM series WHERE i < {JOBS} - 1)"
    );
    fill(&store, &series, "printf('%08x', i)").await;
    for (what, statement, index) in questions() {
        let explained = statement.explained("EXPLAIN QUERY PLAN");
        let plan: Vec<(i64, i64, i64, String)> = store.database.rows(explained).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
        let plan = plan.join("; ");
        assert!(plan.contains(index), "{what}: {plan}");
        assert!(!plan.contains("SCAN jobs") || plan.contains("SCAN jobs USING INDEX"), "{what}: {plan}");
    }
    measure(&store).await;
}

#[tokio::test]
async fn postgresql_reads_no_job_that_is_not_asked_for() {
    let server = Server::start().await;
    let settings = server.database().await;
    let store = PostgresStore::connect(&settings).await.unwrap();
    let series = format!("WITH series (i) AS (SELECT generate_series(0, {JOBS} - 1))");
    fill(&store, &series, "lpad(to_hex(i), 8, '0')").await;
    execute(&mut server.connection("test0").await, "ANALYZE").await;
    for (what, statement, index) in questions() {
        let plan: Vec<(String,)> = store.database.rows(statement.explained("EXPLAIN")).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(step,)| step).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index), "{what}: {plan}");
        assert!(!plan.contains("Seq Scan on jobs"), "{what}: {plan}");
    }
    measure(&store).await;
}

/// What is asked, and the index that answers it.
fn questions() -> Vec<(&'static str, Statement, &'static str)> {
    let all = JobFilter::default();
    let list = |filter: JobFilter| page(&filter, Some(&middle()), 25);
    vec![
        ("one job", JobRow::select("WHERE arn = $1").bind(arn(7).to_string()), "jobs_"),
        ("the first page", page(&all, None, 25), "jobs_by_age"),
        ("a page in the middle", list(all.clone()), "jobs_by_age"),
        ("a status", list(JobFilter { status: Some(JobStatus::Failed), ..all.clone() }), "jobs_by_status"),
        (
            "a platform",
            list(JobFilter { platform: Some(Platform::AwsLambdaSha384Ecdsa), ..all.clone() }),
            "jobs_by_platform",
        ),
        (
            "a requester",
            list(JobFilter { requested_by: Some(guest().parse().unwrap()), ..all.clone() }),
            "jobs_by_requester",
        ),
        (
            "an account",
            list(JobFilter { invoker: Some("111111111111".parse().unwrap()), ..all.clone() }),
            "jobs_by_invoker",
        ),
        ("revoked ones", list(JobFilter { is_revoked: Some(true), ..all.clone() }), "jobs_by_signature"),
        ("unrevoked ones", list(JobFilter { is_revoked: Some(false), ..all.clone() }), "jobs_by_age"),
        (
            "those that expire soon",
            list(JobFilter { expires_before: Some(created(20)), ..all.clone() }),
            "jobs_by_",
        ),
        ("those left behind", unheld(lease("w1").now, None, 100), "jobs_by_status"),
    ]
}

/// How long answers take, printed: the machines that run tests differ too much to judge it.
async fn measure<D: Database>(store: &Store<D>) {
    let mut times = Vec::new();
    for number in 0..500 {
        let arn = arn(number * 199);
        let begun = Instant::now();
        assert!(store.job(&arn).await.unwrap().is_some());
        times.push(begun.elapsed());
    }
    println!("one job: {}", quantiles(times));
    let all = JobFilter::default();
    for (what, filter) in [
        ("all", all.clone()),
        ("failed", JobFilter { status: Some(JobStatus::Failed), ..all.clone() }),
        ("a requester's", JobFilter { requested_by: Some(guest().parse().unwrap()), ..all.clone() }),
        ("revoked", JobFilter { is_revoked: Some(true), ..all.clone() }),
        ("expiring soon", JobFilter { expires_before: Some(created(20)), ..all.clone() }),
        ("expiring late", JobFilter { expires_after: Some(created(20)), ..all.clone() }),
    ] {
        let mut times = Vec::new();
        for _page in 0..50 {
            let begun = Instant::now();
            let page = store.list_jobs(&filter, Some(&middle()), 25).await.unwrap();
            times.push(begun.elapsed());
            assert!(!page.is_empty(), "{what}");
        }
        println!("a page of {what} jobs: {}", quantiles(times));
    }
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    format!("p50 {} us, p99 {} us", at(50), at(99))
}

/// Jobs one second apart, nearly all of them succeeded; a few of each kind that a filter asks for.
async fn fill<D: Database>(store: &Store<D>, series: &str, hex: &str) {
    let NewRow { profile, root, guest, start } = NewRow::new();
    let arn = format!("'{ARN}' || {hex} || '{REST}'");
    let kind =
        "CASE WHEN i % 1000 = 3 THEN 'Failed' WHEN i % 5000 = 4 THEN 'InProgress' ELSE 'Succeeded' END";
    let succeeded = "i % 1000 <> 3 AND i % 5000 <> 4";
    let jobs = format!(
        "{series} INSERT INTO jobs (arn, source_bucket, source_key, source_version, profile, platform, destination,
             requested_by, invoker, origin, created_at, status, completed_at, signed_bucket, signed_key, signed_version,
             signed_by, unsigned_sha256, expires_at)
         SELECT {arn}, 'unsigned', CAST(i AS TEXT), 'v1', '{profile}',
             CASE WHEN i % 2000 = 0 THEN 'AWSLambda-SHA384-ECDSA' ELSE 'Countersign-SHA256-RSA' END, 's3://signed/',
             CASE WHEN i % 3000 = 0 THEN '{guest}' ELSE '{root}' END,
             CASE WHEN i % 3000 = 0 THEN '111111111111' ELSE '000000000000' END, 'request', {start} + i * 1000, {kind},
             CASE WHEN {kind} <> 'InProgress' THEN {start} + i * 1000 + 500 END,
             CASE WHEN {succeeded} THEN 'signed' END, CASE WHEN {succeeded} THEN {hex} END,
             CASE WHEN {succeeded} THEN 'v1' END, CASE WHEN {succeeded} THEN {arn} END,
             CASE WHEN {succeeded} THEN '{SHA256}' END,
             CASE WHEN {succeeded} THEN {start} + CASE WHEN i < 100 THEN 10000 ELSE 90000000000 END END
         FROM series"
    );
    let revocations = format!(
        "INSERT INTO revocations (revoked, effective_from, revoked_at, revoked_by, reason)
         SELECT arn, 0, created_at, '{root}', 'leaked' FROM jobs
         WHERE status = 'Succeeded' AND created_at % 2000000 = ({start} + 7000) % 2000000"
    );
    let mut change = store.database.begin().await.unwrap();
    assert_eq!(change.execute(sql(jobs)).await.unwrap(), JOBS.unsigned_abs());
    assert_eq!(change.execute(sql(revocations)).await.unwrap(), 50);
    change.commit().await.unwrap();
}

struct NewRow {
    profile: String,
    root: String,
    guest: &'static str,
    start: i64,
}

impl NewRow {
    fn new() -> Self {
        let job = job("a.zip");
        let (profile, root) = (job.profile.to_string(), job.requested_by.to_string());
        Self { profile, root, guest: guest(), start: job.created_at.as_millis() }
    }
}

fn guest() -> &'static str {
    "arn:aws:iam::111111111111:role/ci"
}

fn middle() -> JobCursor {
    JobCursor { created_at: created(JOBS / 2), arn: arn(JOBS / 2) }
}

fn created(number: i64) -> UnixMillis {
    job("a.zip").created_at.plus_millis(number * 1000)
}

fn arn(number: i64) -> JobArn {
    format!("{ARN}{number:08x}{REST}").parse().unwrap()
}

const ARN: &str = "arn:aws:signer:us-east-1:000000000000:/signing-jobs/";
const REST: &str = "-0000-4000-8000-000000000000";
const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
