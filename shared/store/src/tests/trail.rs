//! Many records: each question has an index, and a page does not wait for the others.

use std::time::{Duration, Instant};

use countersign_domain::trail::{EventName, EventSource, TrailEventId, TrailRecord, UserIdentity};
use countersign_domain::{Scope, UnixMillis};
use countersign_ports::StoreError;
use countersign_ports::trail::{PAGE_MAX, Position, Trail, TrailFilter};
use tempfile::TempDir;

use super::samples::deployment;
use super::server::{Server, execute};
use crate::database::{Database, Session};
use crate::statement::sql;
use crate::store::Store;
use crate::trail::{Direction, Span, append, page};
use crate::{PostgresStore, SqliteStore};

/// Enough that a plan which reads them all would be a bad one.
const RECORDS: i64 = 100_000;

#[tokio::test]
async fn sqlite_reads_no_record_that_is_not_asked_for() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&directory.path().join("state.db")).await.unwrap();
    let series = format!(
        "WITH RECURSIVE series (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < {RECORDS})"
    );
    fill(&store, &series).await;
    for (what, filter, late, index) in questions() {
        for direction in [Direction::Onwards, Direction::Back] {
            let statement = page(&filter, &span(late), 100, direction).explained("EXPLAIN QUERY PLAN");
            let plan: Vec<(i64, i64, i64, String)> = store.database.rows(statement).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
            let plan = plan.join("; ");
            assert!(plan.contains(index), "{what}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN t"), "{what}: {plan}");
        }
    }
    measure(&store).await;
}

#[tokio::test]
async fn postgresql_reads_no_record_that_is_not_asked_for() {
    let server = Server::start().await;
    let store = PostgresStore::connect(&server.database().await).await.unwrap();
    fill(&store, &format!("WITH series (i) AS (SELECT generate_series(1, {RECORDS}))")).await;
    execute(&mut server.connection("test0").await, "ANALYZE").await;
    for (what, filter, late, _) in questions() {
        for direction in [Direction::Onwards, Direction::Back] {
            let statement = page(&filter, &span(late), 100, direction).explained("EXPLAIN");
            let plan: Vec<(String,)> = store.database.rows(statement).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(step,)| step).collect();
            let plan = plan.join("\n");
            assert!(!plan.contains("Seq Scan on trail t"), "{what}: {plan}");
        }
    }
    measure(&store).await;
}

#[tokio::test]
async fn what_is_recorded_with_a_change_is_taken_back_with_it() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&directory.path().join("state.db")).await.unwrap();
    let record = record("e1");
    let mut change = store.database.begin().await.unwrap();
    append(&mut change, std::slice::from_ref(&record)).await.unwrap();
    drop(change);
    assert_eq!(read(&store).await, []);
    let mut change = store.database.begin().await.unwrap();
    append(&mut change, std::slice::from_ref(&record)).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(read(&store).await, [record]);
}

#[tokio::test]
async fn a_record_that_does_not_parse_is_corrupt() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(&directory.path().join("state.db")).await.unwrap();
    store.append(&[record("e1")]).await.unwrap();
    let mut change = store.database.begin().await.unwrap();
    change.execute(sql("UPDATE trail SET record = '{}'")).await.unwrap();
    change.commit().await.unwrap();
    let read = store.page(&TrailFilter::default(), Position::START, 9).await;
    assert!(matches!(read, Err(StoreError::Corrupt { what: "trail.record", .. })), "{read:?}");
}

/// What is asked, whether of the late records, and SQLite's way to the answer.
fn questions() -> Vec<(&'static str, TrailFilter, bool, &'static str)> {
    let any = TrailFilter::default();
    let rare = TrailFilter { principal: Some("arn:rare".to_owned()), ..any.clone() };
    vec![
        ("a page", any.clone(), false, "INTEGER PRIMARY KEY"),
        ("an operation", TrailFilter { name: Some(name()), ..any.clone() }, false, "trail_by_operation"),
        (
            "a source",
            TrailFilter { source: Some(EventSource::Signer), ..any.clone() },
            false,
            "trail_by_source",
        ),
        ("a principal", rare.clone(), false, "trail_by_principal"),
        (
            "an error",
            TrailFilter { error_code: Some("AccessDeniedException".to_owned()), ..any.clone() },
            false,
            "trail_by_error",
        ),
        ("errors", TrailFilter { only_errors: true, ..any.clone() }, false, "trail_errors"),
        (
            "a resource",
            TrailFilter { resource: Some("arn:rare".to_owned()), ..any.clone() },
            false,
            "SEARCH r",
        ),
        ("late ones", any, true, "SEARCH l"),
        ("late ones of a principal", rare, true, "SEARCH l"),
    ]
}

fn span(late: bool) -> Span {
    Span { after: RECORDS / 2, before: None, late }
}

/// How long pages take, printed: the machines that run tests differ too much to judge it.
async fn measure<D: Database>(store: &Store<D>) {
    let any = TrailFilter::default();
    let middle = UnixMillis::new(RECORDS * 500).unwrap();
    for (what, filter) in [
        ("all", any.clone()),
        ("since the middle", TrailFilter { since: Some(middle), ..any.clone() }),
        ("until the middle", TrailFilter { until: Some(middle), ..any.clone() }),
        ("an operation", TrailFilter { name: Some(name()), ..any.clone() }),
        ("a principal", TrailFilter { principal: Some("arn:rare".to_owned()), ..any.clone() }),
        ("a resource", TrailFilter { resource: Some("arn:rare".to_owned()), ..any.clone() }),
        ("errors", TrailFilter { only_errors: true, ..any }),
    ] {
        let mut slowest = [Duration::ZERO; 2];
        for place in 0..20 {
            let begun = Instant::now();
            let after = Position::new((place * RECORDS / 20).unsigned_abs());
            let page = store.page(&filter, after, 100).await.unwrap();
            slowest[0] = slowest[0].max(begun.elapsed());
            let begun = Instant::now();
            let newest = store.newest(&filter, 100).await.unwrap();
            slowest[1] = slowest[1].max(begun.elapsed());
            assert!(page.records.len() <= PAGE_MAX && !newest.records.is_empty(), "{what}");
        }
        println!("{what}: at most {:?} a page, {:?} the newest", slowest[0], slowest[1]);
    }
}

/// A record a second; each thousandth is rare.
async fn fill<D: Database>(store: &Store<D>, series: &str) {
    let record = serde_json::to_string(&record("filled")).unwrap();
    let mut change = store.database.begin().await.unwrap();
    for statement in [
        format!(
            "INSERT INTO trail (event_id, event_time, newest_time, event_source, operation, principal, error_code, record)
             {series} SELECT 'id' || i, i * 1000, i * 1000,
                 CASE WHEN i % 2 = 0 THEN 'signer.amazonaws.com' ELSE 'lambda.amazonaws.com' END,
                 CASE WHEN i % 3 = 0 THEN 'CreateFunction' ELSE 'GetFunction' END,
                 CASE WHEN i % 1000 = 0 THEN 'arn:rare' ELSE 'arn:common' END,
                 CASE WHEN i % 50 = 0 THEN 'AccessDeniedException' END,
                 $1 FROM series"
        ),
        format!(
            "INSERT INTO trail_resources (position, resource)
             {series} SELECT i, CASE WHEN i % 1000 = 0 THEN 'arn:rare' ELSE 'arn:common' END || substr($1, 1, 0)
             FROM series"
        ),
        format!(
            "INSERT INTO trail_late (position)
             {series} SELECT i FROM series WHERE i % 1000 = 0 AND length($1) > 0"
        ),
    ] {
        change.execute(sql(statement).bind(record.as_str())).await.unwrap();
    }
    change.commit().await.unwrap();
}

async fn read(store: &SqliteStore) -> Vec<TrailRecord> {
    let page = store.page(&TrailFilter::default(), Position::START, 9).await.unwrap();
    page.records.into_iter().map(|(_, record)| record).collect()
}

fn record(event: &str) -> TrailRecord {
    let id = TrailEventId::for_deployment(deployment(event, "hello", "a.zip").id, "told");
    let maria = UserIdentity::user("maria", "000000000000", "arn:aws:iam::000000000000:user/maria");
    let scope = Scope::new("us-east-1", "000000000000").unwrap();
    let at = "2026-11-21T08:30:00Z".parse().unwrap();
    TrailRecord::new(id, maria, (EventSource::Lambda, name()), at, &scope)
}

fn name() -> EventName {
    "CreateFunction20150331".parse().unwrap()
}
