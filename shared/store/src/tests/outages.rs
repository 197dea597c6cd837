//! The server goes away and comes back.

use std::time::Duration;

use countersign_ports::StoreError;
use countersign_ports::jobs::{JobClaim, Jobs, Outbox};
use tokio::time::timeout;

use super::samples::{SOURCE, job, lease, started};
use super::server::{Server, execute};
use crate::{PostgresSettings, PostgresStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_server_is_unavailable_until_it_is_back() {
    let mut server = Server::start().await;
    let settings = PostgresSettings { connect_timeout: Duration::from_secs(1), ..server.database().await };
    let store = PostgresStore::connect(&settings).await.unwrap();
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    store.wait().await;
    server.kill();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.job(&job.arn).await, Err(StoreError::Unavailable(_))));
    let renewed = store.renew_job(&job.arn, &lease("w1")).await;
    assert!(matches!(renewed, Err(StoreError::Unavailable(_))), "{renewed:?}");
    let told = store.unpublished(SOURCE, 9).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");

    server.restart().await;
    assert_eq!(store.ping().await, Ok(()));
    assert_eq!(store.renew_job(&job.arn, &lease("w1")).await, Ok(()));
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![started("e1", &job)]));
    assert_eq!(store.fail_job(&job.arn, &lease("w1"), "no", &[]).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_short_outage_is_waited_out() {
    let mut server = Server::start().await;
    let store = server.store().await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    server.kill();
    let renewing = tokio::spawn({
        let (store, job) = (store.clone(), job.arn.clone());
        async move { store.renew_job(&job, &lease("w1")).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart().await;
    assert_eq!(renewing.await.unwrap(), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_relay_hears_again_after_a_restart() {
    let mut server = Server::start().await;
    let settings = server.database().await;
    let relay = PostgresStore::connect(&settings).await.unwrap();
    relay.wait().await;
    server.kill();
    server.restart().await;
    let job = job("a.zip");
    let other = PostgresStore::connect(&settings).await.unwrap();
    other.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    let relayed = timeout(Duration::from_secs(10), async {
        while relay.unpublished(SOURCE, 9).await.unwrap().is_empty() {
            relay.wait().await;
        }
    });
    relayed.await.expect("the relay looks again");
    // It listens on a new connection.
    timeout(Duration::from_secs(10), async {
        let mut past = server.connection("test0").await;
        let listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
        while sqlx::query_scalar::<_, i64>(listening).fetch_one(&mut past).await.unwrap() == 0 {
            relay.wait().await;
        }
    })
    .await
    .expect("the relay listens again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_whose_connection_is_ended_is_made_again() {
    let server = Server::start().await;
    let store = server.store().await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    let mut past = server.connection("test0").await;
    execute(&mut past, "BEGIN").await;
    execute(&mut past, "SELECT 1 FROM jobs FOR UPDATE").await;
    let ending = tokio::spawn({
        let (store, job) = (store.clone(), job.clone());
        let ended = started("e2", &job);
        async move { store.fail_job(&job.arn, &lease("w1"), "no", &[ended]).await }
    });
    wait_for_waiting(&server).await;
    server
        .administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        .await;
    execute(&mut past, "COMMIT").await;
    assert_eq!(ending.await.unwrap(), Ok(()));
    assert_eq!(store.unpublished(SOURCE, 9).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deadlock_is_resolved_by_another_attempt() {
    let server = Server::start().await;
    let store = server.store().await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    let mut past = server.connection("test0").await;
    // The outbox first and then the job: the order that no change of ours has. The store's attempt is the one that the
    // server ends, because the other one looks for a deadlock much later.
    execute(&mut past, "SET deadlock_timeout = '60s'").await;
    execute(&mut past, "BEGIN").await;
    execute(&mut past, "SELECT pg_advisory_xact_lock(1129539331, 0)").await;
    let ending = tokio::spawn({
        let (store, job) = (store.clone(), job.clone());
        let ended = started("e2", &job);
        async move { store.fail_job(&job.arn, &lease("w1"), "no", &[ended]).await }
    });
    wait_for_waiting(&server).await;
    execute(&mut past, "SELECT 1 FROM jobs FOR UPDATE").await;
    execute(&mut past, "COMMIT").await;
    assert_eq!(ending.await.unwrap(), Ok(()));
    assert_eq!(store.job(&job.arn).await.unwrap().unwrap().status, countersign_domain::JobStatus::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_that_is_not_given_up_is_unavailable() {
    let server = Server::start().await;
    let store = server.store().await;
    let job = job("a.zip");
    store.claim_job(&job, &lease("w1"), &started("e1", &job)).await.unwrap();
    let mut past = server.connection("test0").await;
    execute(&mut past, "BEGIN").await;
    execute(&mut past, "SELECT 1 FROM jobs FOR UPDATE").await;
    let renewed = store.renew_job(&job.arn, &lease("w1")).await;
    assert!(matches!(renewed, Err(StoreError::Unavailable(_))), "{renewed:?}");
    execute(&mut past, "ROLLBACK").await;
    let claim = store.claim_job(&job, &lease("w1"), &started("e1", &job)).await;
    assert!(matches!(claim, Ok(JobClaim::Claimed(_))), "{claim:?}");
}

/// Returns once a connection of the store waits for a lock.
async fn wait_for_waiting(server: &Server) {
    let mut past = server.connection("test0").await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut past).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
