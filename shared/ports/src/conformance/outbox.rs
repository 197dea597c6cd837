//! What every adapter of [`Outbox`] has to do.

use std::time::Duration;

use countersign_domain::{Event, EventId};
use tokio::time::timeout;

use super::samples::{SOURCE, lease, new_job, told};
use crate::jobs::{JobClaim, Jobs, Outbox};

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: Jobs + Outbox + Clone + 'static,
{
    events_come_in_the_order_of_their_commits(&make().await).await;
    what_is_published_is_forgotten(&make().await).await;
    an_id_that_waits_is_not_put_in_twice(&make().await).await;
    a_commit_ends_the_wait(&make().await).await;
    the_wait_ends_by_itself(&make().await).await;
    each_service_gets_what_it_told(&make().await).await;
}

async fn each_service_gets_what_it_told(store: &(impl Jobs + Outbox)) {
    let [ours, other] = ["ours", "other"].map(|id| told(id, &new_job("x.zip")));
    let theirs = Event::new(other.id, "/another", other.time, other.data);
    claim(store, "a.zip", &ours).await;
    claim(store, "b.zip", &theirs).await;
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![ours]));
    assert_eq!(store.unpublished("/another", 9).await, Ok(vec![theirs]));
    assert_eq!(store.unpublished("/nobody", 9).await, Ok(vec![]));
}

async fn events_come_in_the_order_of_their_commits(store: &(impl Jobs + Outbox)) {
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![]));
    let job = new_job("a.zip");
    let [c, a, b, d] = ["c", "a", "b", "d"].map(|id| told(id, &job));
    claim(store, "a.zip", &c).await;
    let failed = store.fail_job(&job.arn, &lease("w1", 1, 2), "no", &[a.clone(), b.clone()]).await;
    assert_eq!(failed, Ok(()));
    claim(store, "b.zip", &d).await;
    assert_eq!(
        store.unpublished(SOURCE, 3).await,
        Ok(vec![c.clone(), a.clone(), b.clone()]),
        "the oldest three"
    );
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![c, a, b, d]), "reading takes nothing away");
    assert_eq!(store.unpublished(SOURCE, 0).await, Ok(vec![]));
}

async fn what_is_published_is_forgotten(store: &(impl Jobs + Outbox)) {
    let [a, b] = ["a", "b"].map(|id| told(id, &new_job("x.zip")));
    claim(store, "a.zip", &a).await;
    claim(store, "b.zip", &b).await;
    let published = [a.id, "never-seen".parse().expect("an event id")];
    for _repeated in 0..2 {
        assert_eq!(store.mark_published(&published).await, Ok(()));
        assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![b.clone()]));
    }
    assert_eq!(store.mark_published(&Vec::<EventId>::new()).await, Ok(()));
}

async fn an_id_that_waits_is_not_put_in_twice(store: &(impl Jobs + Outbox)) {
    let event = told("same", &new_job("x.zip"));
    claim(store, "a.zip", &event).await;
    claim(store, "b.zip", &event).await;
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![event]));
}

async fn a_commit_ends_the_wait(store: &(impl Jobs + Outbox + Clone + 'static)) {
    let waiting = tokio::spawn({
        let store = store.clone();
        async move {
            while store.unpublished(SOURCE, 1).await.expect("it is read").is_empty() {
                store.wait().await;
            }
        }
    });
    claim(store, "a.zip", &told("a", &new_job("a.zip"))).await;
    let woken = timeout(A_WHILE, waiting).await.expect("a commit wakes the relay");
    woken.expect("the relay reads on");
}

async fn the_wait_ends_by_itself(store: &(impl Jobs + Outbox)) {
    for _repeated in 0..2 {
        timeout(A_WHILE, store.wait()).await.expect("another process may have committed: look again");
    }
}

async fn claim(store: &impl Jobs, key: &str, started: &Event) {
    let claim = store.claim_job(&new_job(key), &lease("w1", 0, 10), started).await;
    assert!(matches!(claim, Ok(JobClaim::Claimed(_))), "a new job was not granted: {claim:?}");
}

const A_WHILE: Duration = Duration::from_secs(10);
