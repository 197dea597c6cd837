//! Exposures are found by indexes: as fast with ten thousand functions as with ten.

use std::time::{Duration, Instant};

use countersign_domain::UnixMillis;
use countersign_ports::exposure::Exposures;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

use super::server::{Server, execute};
use crate::SqliteStore;
use crate::database::Database;
use crate::exposure::exposed;
use crate::store::Store;

/// What is asked, with the values in their places.
fn asked() -> String {
    let text = exposed(UnixMillis::EPOCH, (String::new(), 0, 0, 0), 100).text();
    let values = [("$6", "100"), ("$5", "0"), ("$4", "0"), ("$3", "0"), ("$2", "''"), ("$1", "1000")];
    values.iter().fold(text, |text, (place, value)| text.replace(place, value))
}

/// Ten thousand functions, the first ten of which have expired.
fn functions(numbers: &str) -> [String; 2] {
    [
        format!(
            "INSERT INTO functions (name, binding_changes, newest_version, code)
             SELECT 'f' || n, 1, 0, '{{}}' FROM {numbers}"
        ),
        format!(
            "INSERT INTO signed_packages SELECT 'f' || n, 0, 0, 'profile' || n, 'job' || n, 1,
                 CASE WHEN n <= 10 THEN 500 ELSE 1000000 END FROM {numbers}"
        ),
    ]
}

async fn ten_are_found_at_once<D: Database>(store: &Store<D>) {
    let now = UnixMillis::new(1000).unwrap();
    assert_eq!(store.exposed(now, None, 100).await.unwrap().len(), 10);
    let begun = Instant::now();
    for _ in 0..20 {
        store.exposed(now, None, 100).await.unwrap();
    }
    println!("{:?} for one look at 10 000 functions", begun.elapsed() / 20);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn sqlite_looks_into_the_indexes() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("0.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut file =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let numbers =
        "(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10000) SELECT n FROM c)";
    for statement in functions(numbers) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut file).await.unwrap();
    }
    let plan = format!("EXPLAIN QUERY PLAN {}", asked());
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(plan)).fetch_all(&mut file).await.unwrap();
    let plan = plan.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("\n");
    for index in ["signed_packages_by_expiry", "signed_packages_by_profile", "signed_packages_by_job"] {
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
    }
    assert!(!plan.contains("SCAN signed_packages") && !plan.contains("SCAN p"), "{plan}");
    ten_are_found_at_once(&store).await;
}

#[tokio::test]
async fn postgres_looks_into_the_indexes() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut connection = server.connection("test0").await;
    for statement in functions("generate_series(1, 10000) n") {
        execute(&mut connection, &statement).await;
    }
    execute(&mut connection, "ANALYZE").await;
    let plan: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN {}", asked())))
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let plan = plan.into_iter().map(|(step,)| step).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("signed_packages_by_expiry"), "{plan}");
    ten_are_found_at_once(&store).await;
}
