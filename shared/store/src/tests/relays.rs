//! One process publishes the events of a source.

use std::time::{Duration, Instant};

use countersign_ports::jobs::{Jobs, Outbox, RELAY_LEASE};
use tokio::time::timeout;

use super::samples::{SOURCE, job, lease, started};
use super::server::Server;
use crate::PostgresStore;

async fn told(store: &PostgresStore, id: &str) {
    let job = job(&format!("{id}.zip"));
    store.claim_job(&job, &lease("w1"), &started(id, &job)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_process_relays_once_the_first_stays_away() {
    let server = Server::start().await;
    let settings = server.database().await;
    let first = PostgresStore::connect(&settings).await.unwrap();
    let second = PostgresStore::connect(&settings).await.unwrap();
    told(&second, "e1").await;
    let begun = Instant::now();
    assert_eq!(first.unpublished(SOURCE, 9).await.unwrap().len(), 1);
    assert_eq!(second.unpublished(SOURCE, 9).await, Ok(vec![]), "two relays of one source");
    assert_eq!(first.clone().unpublished(SOURCE, 9).await.unwrap().len(), 1, "a clone is the same process");
    assert_eq!(second.unpublished("/another", 9).await, Ok(vec![]), "a source of its own");
    tokio::time::sleep(RELAY_LEASE / 2).await;
    assert_eq!(first.unpublished(SOURCE, 9).await.unwrap().len(), 1, "it comes back in time");
    let last_call = Instant::now();
    while second.unpublished(SOURCE, 9).await.unwrap().is_empty() {
        assert!(begun.elapsed() < RELAY_LEASE * 4, "nobody relays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let away = last_call.elapsed();
    assert!(away > RELAY_LEASE - Duration::from_millis(200), "taken over after {away:?}");
    assert_eq!(first.unpublished(SOURCE, 9).await, Ok(vec![]), "it was away too long");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_relays_at_once_one_is_given_events() {
    let server = Server::start().await;
    let settings = server.database().await;
    told(&PostgresStore::connect(&settings).await.unwrap(), "e1").await;
    let mut relays = tokio::task::JoinSet::new();
    for _process in 0..8 {
        let store = PostgresStore::connect(&settings).await.unwrap();
        relays.spawn(async move { store.unpublished(SOURCE, 9).await.unwrap().len() });
    }
    assert_eq!(relays.join_all().await.iter().sum::<usize>(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_of_another_process_wakes_the_relay() {
    let server = Server::start().await;
    let settings = server.database().await;
    let relay = PostgresStore::connect(&settings).await.unwrap();
    let other = PostgresStore::connect(&settings).await.unwrap();
    // Begins to listen.
    relay.wait().await;
    let begun = Instant::now();
    for round in 0..10 {
        tokio::join!(relay.wait(), async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            told(&other, &format!("e{round}")).await;
        });
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "polled instead of woken: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_listens_is_closed() {
    let server = Server::start().await;
    let store = server.store().await;
    store.wait().await;
    timeout(Duration::from_secs(5), store.close()).await.expect("the listener lets go of its connection");
}
