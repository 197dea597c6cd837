//! What every adapter of [`EventBus`], [`WorkQueue`] and [`DeadLetters`] has to do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::Event;

use super::samples::{new_job, request, requested, told};
use crate::fakes::ManualClock;
use crate::queue::{
    BODY_LIMIT_BYTES, DELIVERY_LIMIT, DeadLetter, DeadLetterId, DeadLetters, Delivery, EventBus, QueueError,
    QueueName, Receipt, WorkQueue,
};

/// A queue to be tested, empty at first.
pub struct QueueUnderTest {
    /// Its bus.
    pub bus: Arc<dyn EventBus>,
    /// The queue that `deployment.requested` goes to.
    pub queue: Arc<dyn WorkQueue>,
    /// Its dead letters.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The publisher that the bus publishes as.
    pub publisher: String,
    /// The clock by which leases run out; without one the suite lets real time pass.
    pub clock: Option<ManualClock>,
}

/// Checks the whole contract on empty queues that `make` gives.
///
/// # Panics
/// Where the queue breaks it.
pub async fn check(make: impl AsyncFn() -> QueueUnderTest) {
    events_reach_the_queue_they_are_bound_to(&make().await).await;
    an_event_that_is_too_large_is_refused(&make().await).await;
    messages_come_oldest_first_and_never_too_many(&make().await).await;
    an_empty_queue_answers_after_the_wait(&make().await).await;
    an_arrival_ends_the_wait(&make().await).await;
    a_delivery_belongs_to_one_consumer(&make().await).await;
    of_many_consumers_one_gets_a_message(&make().await).await;
    a_lease_that_ran_out_gives_the_message_back(&make().await).await;
    an_extension_holds_the_message(&make().await).await;
    an_acknowledged_message_is_gone(&make().await).await;
    a_message_given_back_comes_again_after_its_delay(&make().await).await;
    a_message_is_given_up_after_the_delivery_limit(&make().await).await;
    a_message_that_crashes_its_consumers_is_given_up(&make().await).await;
    a_rejected_message_is_gone(&make().await).await;
    a_settled_delivery_cannot_be_settled_otherwise(&make().await).await;
    what_was_given_up_can_be_looked_at(&make().await).await;
    what_was_given_up_can_be_replayed(&make().await).await;
    a_replayed_message_is_as_fresh_as_a_new_one(&make().await).await;
    the_depth_counts_what_waits(&make().await).await;
}

async fn events_reach_the_queue_they_are_bound_to(test: &QueueUnderTest) {
    test.bus
        .publish(&told("status", &new_job("a.zip")))
        .await
        .expect("an event without a queue is published");
    let event = test.publish("e1").await;
    let delivery = test.one().await;
    assert_eq!((delivery.message_id.as_str(), delivery.attempt), ("e1", 1));
    assert_eq!(
        delivery.publisher.as_deref(),
        Some(test.publisher.as_str()),
        "the publisher as authenticated"
    );
    let body: Event = serde_json::from_slice(&delivery.body).expect("the body is the event");
    assert_eq!(body, event);
    test.none("an event came that is not bound to the queue").await;
}

async fn an_event_that_is_too_large_is_refused(test: &QueueUnderTest) {
    let mut event = requested("e1", request("hello", "a.zip"));
    event.source = "/".repeat(BODY_LIMIT_BYTES);
    let refused = test.bus.publish(&event).await;
    assert!(matches!(refused, Err(QueueError::Refused(_))), "{refused:?}");
    test.none("a refused event was delivered").await;
}

async fn messages_come_oldest_first_and_never_too_many(test: &QueueUnderTest) {
    for id in ["e3", "e1", "e2"] {
        test.publish(id).await;
    }
    assert_eq!(test.queue.receive(0, LEASE, A_WHILE).await, Ok(vec![]), "asked for none");
    let first = test.take(2).await;
    let ids: Vec<_> = first.iter().map(|delivery| delivery.message_id.as_str()).collect();
    assert_eq!(ids, ["e3", "e1"]);
    assert_eq!(test.one().await.message_id, "e2");
}

async fn an_empty_queue_answers_after_the_wait(test: &QueueUnderTest) {
    let (begun, wait) = (Instant::now(), Duration::from_millis(300));
    assert_eq!(test.queue.receive(9, LEASE, wait).await, Ok(vec![]));
    let took = begun.elapsed();
    assert!(took >= wait, "it answered after {took:?}");
    assert!(took < wait + A_WHILE, "it answered after {took:?}");
}

async fn an_arrival_ends_the_wait(test: &QueueUnderTest) {
    let queue = Arc::clone(&test.queue);
    let waiting = tokio::spawn(async move { queue.receive(9, LEASE, A_WHILE * 6).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let published = Instant::now();
    test.publish("e1").await;
    let deliveries = waiting.await.expect("the consumer lives").expect("it receives");
    assert_eq!(deliveries.len(), 1);
    assert!(published.elapsed() < A_WHILE, "it took {:?}", published.elapsed());
}

async fn a_delivery_belongs_to_one_consumer(test: &QueueUnderTest) {
    test.publish("e1").await;
    let held = test.one().await;
    test.none("a message under lease was delivered").await;
    assert_eq!(test.queue.ack(&held.receipt).await, Ok(()));
}

async fn of_many_consumers_one_gets_a_message(test: &QueueUnderTest) {
    for number in 0..20 {
        test.publish(&format!("e{number}")).await;
    }
    let mut consumers = tokio::task::JoinSet::new();
    for _consumer in 0..8 {
        let queue = Arc::clone(&test.queue);
        consumers.spawn(async move {
            let mut got = Vec::new();
            loop {
                match queue.receive(2, A_WHILE, Duration::from_millis(100)).await.expect("it receives") {
                    deliveries if deliveries.is_empty() => return got,
                    deliveries => got.extend(deliveries.into_iter().map(|delivery| delivery.message_id)),
                }
            }
        });
    }
    let mut got = consumers.join_all().await.concat();
    got.sort();
    let mut expected: Vec<_> = (0..20).map(|number| format!("e{number}")).collect();
    expected.sort();
    assert_eq!(got, expected, "each message to one consumer");
}

async fn a_lease_that_ran_out_gives_the_message_back(test: &QueueUnderTest) {
    test.publish("e1").await;
    let first = test.one().await;
    test.pass(LEASE).await;
    let second = test.one().await;
    assert_eq!((second.message_id.as_str(), second.attempt), ("e1", 2));
    assert_ne!(first.receipt, second.receipt, "a receipt belongs to one delivery");
    test.is_lost(&first.receipt, "the message is another consumer's").await;
    assert_eq!(test.queue.ack(&first.receipt).await, Err(QueueError::ReceiptLost), "it is not done with");
    assert_eq!(test.queue.ack(&second.receipt).await, Ok(()), "the holder's receipt is untouched");
    test.none("an acknowledged message came again").await;
}

async fn an_extension_holds_the_message(test: &QueueUnderTest) {
    test.publish("e1").await;
    let held = test.one().await;
    test.pass(LEASE / 2).await;
    assert_eq!(test.queue.extend(&held.receipt, LEASE * 2).await, Ok(()));
    test.pass(LEASE).await;
    test.none("an extended lease does not hold").await;
    assert_eq!(test.queue.ack(&held.receipt).await, Ok(()));
}

async fn an_acknowledged_message_is_gone(test: &QueueUnderTest) {
    test.publish("e1").await;
    let held = test.one().await;
    assert_eq!(test.queue.ack(&held.receipt).await, Ok(()));
    assert_eq!(test.queue.ack(&held.receipt).await, Ok(()), "it was done with before");
    test.pass(LEASE).await;
    test.none("an acknowledged message came again").await;
}

async fn a_message_given_back_comes_again_after_its_delay(test: &QueueUnderTest) {
    test.publish("e1").await;
    let held = test.one().await;
    assert_eq!(test.queue.retry(&held.receipt, LEASE * 2, "busy").await, Ok(()));
    test.pass(LEASE).await;
    test.none("it came before its delay was over").await;
    test.pass(LEASE).await;
    let again = test.one().await;
    assert_eq!((again.message_id.as_str(), again.attempt), ("e1", 2));
    assert_eq!(test.queue.retry(&again.receipt, Duration::ZERO, "busy").await, Ok(()));
    assert_eq!(test.one().await.attempt, 3, "without a delay it comes at once");
}

async fn a_message_is_given_up_after_the_delivery_limit(test: &QueueUnderTest) {
    test.publish("e1").await;
    for attempt in 1..=DELIVERY_LIMIT {
        let delivery = test.one().await;
        assert_eq!(delivery.attempt, attempt);
        assert_eq!(test.queue.retry(&delivery.receipt, Duration::ZERO, "still busy").await, Ok(()));
    }
    test.none("it was delivered beyond the limit").await;
}

async fn a_message_that_crashes_its_consumers_is_given_up(test: &QueueUnderTest) {
    test.publish("e1").await;
    for attempt in 1..=DELIVERY_LIMIT {
        assert_eq!(test.one().await.attempt, attempt);
        test.pass(LEASE).await;
    }
    test.publish("e2").await;
    assert_eq!(test.one().await.message_id, "e2", "it was delivered beyond the limit");
}

async fn a_rejected_message_is_gone(test: &QueueUnderTest) {
    test.publish("e1").await;
    let held = test.one().await;
    assert_eq!(test.queue.reject(&held.receipt, "not an event").await, Ok(()));
    test.pass(LEASE).await;
    test.none("a rejected message came again").await;
}

async fn a_settled_delivery_cannot_be_settled_otherwise(test: &QueueUnderTest) {
    for (id, settle) in [("e1", "ack"), ("e2", "reject")] {
        test.publish(id).await;
        let held = test.one().await;
        let settled = match settle {
            "ack" => test.queue.ack(&held.receipt).await,
            _ => test.queue.reject(&held.receipt, "not an event").await,
        };
        assert_eq!(settled, Ok(()));
        test.is_lost(&held.receipt, settle).await;
    }
    test.publish("e3").await;
    let held = test.one().await;
    assert_eq!(test.queue.retry(&held.receipt, Duration::ZERO, "busy").await, Ok(()));
    test.is_lost(&held.receipt, "retry").await;
    assert_eq!(test.queue.ack(&held.receipt).await, Err(QueueError::ReceiptLost), "it will come again");
    assert_eq!(test.one().await.attempt, 2);
    test.is_lost(&Receipt("no such receipt".to_owned()), "a receipt of nobody's").await;
}

async fn what_was_given_up_can_be_looked_at(test: &QueueUnderTest) {
    assert_eq!(test.dead_letters.dead_letters(9).await, Ok(vec![]));
    let event = test.publish("e1").await;
    assert_eq!(test.queue.reject(&test.one().await.receipt, "not for us").await, Ok(()));
    test.dead(1).await;
    test.pass(LEASE).await;
    test.publish("e2").await;
    for attempt in 1..=DELIVERY_LIMIT {
        let reason = format!("busy, attempt {attempt}");
        assert_eq!(test.queue.retry(&test.one().await.receipt, Duration::ZERO, &reason).await, Ok(()));
    }
    let dead = test.dead(2).await;
    let seen: Vec<_> = dead.iter().map(|letter| (letter.message_id.as_str(), letter.queue)).collect();
    assert_eq!(seen, [("e2", QueueName::Deployer), ("e1", QueueName::Deployer)], "newest first");
    assert_eq!((dead[0].reason.as_str(), dead[1].reason.as_str()), ("busy, attempt 5", "not for us"));
    assert_eq!((dead[0].attempts, dead[1].attempts), (Some(DELIVERY_LIMIT), Some(1)));
    assert_eq!(dead[1].publisher.as_deref(), Some(test.publisher.as_str()), "as authenticated");
    assert!(dead[1].died_at.is_some());
    let body: Event = serde_json::from_slice(&dead[1].body).expect("the body is the event");
    assert_eq!(body, event);
    assert_eq!(test.dead(2).await, dead, "looking changes nothing");
    assert_eq!(test.dead_letters.dead_letters(1).await, Ok(vec![dead[0].clone()]));
    assert_eq!(test.dead_letters.dead_letters(0).await, Ok(vec![]));
}

async fn what_was_given_up_can_be_replayed(test: &QueueUnderTest) {
    for id in ["e1", "e2", "e3"] {
        test.publish(id).await;
        assert_eq!(test.queue.reject(&test.one().await.receipt, "not for us").await, Ok(()));
    }
    let dead = test.dead(3).await;
    assert_eq!(test.dead_letters.replay(&dead[1].id).await, Ok(true));
    let again = test.one().await;
    assert_eq!((again.message_id.as_str(), again.attempt), ("e2", 1), "deliveries are counted anew");
    assert_eq!(again.publisher.as_deref(), Some(test.publisher.as_str()), "still the publisher's");
    assert_eq!(test.queue.ack(&again.receipt).await, Ok(()));
    let others = test.dead(2).await;
    assert!(
        others.contains(&dead[0]) && others.contains(&dead[2]),
        "the others stay as they were: {others:?}"
    );
    for gone in [dead[1].id.clone(), DeadLetterId("no such letter".to_owned())] {
        assert_eq!(test.dead_letters.replay(&gone).await, Ok(false), "{gone}");
    }
    test.none("a message was replayed twice").await;
}

async fn a_replayed_message_is_as_fresh_as_a_new_one(test: &QueueUnderTest) {
    test.publish("e1").await;
    for _life in 0..3 {
        for attempt in 1..=DELIVERY_LIMIT {
            let delivery = test.one().await;
            assert_eq!(delivery.attempt, attempt);
            assert_eq!(test.queue.retry(&delivery.receipt, Duration::ZERO, "busy").await, Ok(()));
        }
        let dead = test.dead(1).await;
        assert_eq!(test.dead_letters.replay(&dead[0].id).await, Ok(true));
    }
    assert_eq!(test.one().await.attempt, 1);
    test.dead(0).await;
}

async fn the_depth_counts_what_waits(test: &QueueUnderTest) {
    assert_eq!(test.dead_letters.depth(QueueName::Deployer).await, Ok(0));
    test.publish("e1").await;
    test.publish("e2").await;
    assert_eq!(test.dead_letters.depth(QueueName::Deployer).await, Ok(2));
    assert_eq!(test.dead_letters.depth(QueueName::Signer).await, Ok(0));
    let held = test.take(2).await;
    assert_eq!(test.dead_letters.depth(QueueName::Deployer).await, Ok(2), "two are in our hands");
    assert_eq!(test.queue.reject(&held[0].receipt, "not for us").await, Ok(()));
    assert_eq!(test.queue.ack(&held[1].receipt).await, Ok(()));
    test.dead(1).await;
    assert_eq!(test.dead_letters.depth(QueueName::Deployer).await, Ok(0), "a dead letter waits for nobody");
}

impl QueueUnderTest {
    /// The dead letters, once there are `count`: a broker moves them in its own time.
    async fn dead(&self, count: usize) -> Vec<DeadLetter> {
        let begun = Instant::now();
        loop {
            let dead = self.dead_letters.dead_letters(9).await.expect("dead letters are listed");
            if dead.len() == count {
                return dead;
            }
            assert!(begun.elapsed() < A_WHILE, "{count} dead letters expected: {dead:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn publish(&self, id: &str) -> Event {
        let event = requested(id, request("hello", "a.zip"));
        self.bus.publish(&event).await.expect("it is published");
        event
    }

    /// That many messages; a broker hands over in its own time what was published together.
    async fn take(&self, count: usize) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let more = self.queue.receive(count - taken.len(), LEASE, A_WHILE).await.expect("it receives");
            assert!(!more.is_empty() && taken.len() + more.len() <= count, "{taken:?} and {more:?}");
            taken.extend(more);
        }
        taken
    }

    async fn one(&self) -> Delivery {
        self.take(1).await.remove(0)
    }

    async fn none(&self, otherwise: &str) {
        let wait = if self.clock.is_some() { Duration::from_millis(20) } else { QUIET };
        assert_eq!(self.queue.receive(9, LEASE, wait).await, Ok(vec![]), "{otherwise}");
    }

    async fn is_lost(&self, receipt: &Receipt, why: &str) {
        let lost = Err(QueueError::ReceiptLost);
        assert_eq!(self.queue.extend(receipt, LEASE).await, lost, "extended: {why}");
        assert_eq!(self.queue.retry(receipt, Duration::ZERO, "busy").await, lost, "given back: {why}");
        assert_eq!(self.queue.reject(receipt, "no").await, lost, "rejected: {why}");
    }

    async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }
}

/// Long enough for a slow machine to work under it, short enough to be waited for.
const LEASE: Duration = Duration::from_secs(2);

/// How long a broker is listened to before it has nothing to say.
const QUIET: Duration = Duration::from_millis(300);

/// Longer than anything here takes that works.
const A_WHILE: Duration = Duration::from_secs(10);
