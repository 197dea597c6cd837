//! A queue in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{Event, UnixMillis};
use tokio::sync::Notify;

use super::{FaultPlan, ManualClock};
use crate::Clock;
use crate::queue::{
    BODY_LIMIT_BYTES, DELIVERY_LIMIT, DeadLetter, DeadLetterId, DeadLetters, Delivery, EventBus, QueueError,
    QueueName, Receipt, WorkQueue,
};

/// An [`EventBus`], one [`WorkQueue`] bound to `deployment.requested`, and its [`DeadLetters`], in memory. Clones share
/// their messages. Operations carry the names of the ports' methods in the [`FaultPlan`].
#[derive(Clone)]
pub struct MemoryQueue {
    state: Arc<Mutex<State>>,
    arrived: Arc<Notify>,
    clock: ManualClock,
    publisher: String,
    faults: FaultPlan,
}

#[derive(Default)]
struct State {
    deliveries: u64,
    deaths: u64,
    messages: Vec<Message>,
    dead: Vec<DeadLetter>,
    published: Vec<Event>,
}

struct Message {
    id: String,
    publisher: String,
    body: Vec<u8>,
    attempts: u32,
    available_at: UnixMillis,
    receipt: Option<Receipt>,
    past: Vec<Receipt>,
}

impl MemoryQueue {
    /// An empty queue whose bus publishes as `publisher`.
    pub fn new(clock: ManualClock, publisher: &str, faults: FaultPlan) -> Self {
        let publisher = publisher.to_owned();
        Self { state: Arc::default(), arrived: Arc::default(), clock, publisher, faults }
    }

    /// Puts a message into the queue, as an S3 notification arrives; never fails.
    pub fn enqueue(&self, message_id: &str, publisher: &str, body: &[u8]) {
        self.lock().enqueue(message_id, publisher, body, self.clock.now());
        self.arrived.notify_waiters();
    }

    /// Every event that was published, in order, repetitions included.
    pub fn published(&self) -> Vec<Event> {
        self.lock().published.clone()
    }

    /// The messages that were given up, in order.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.lock().dead.clone()
    }

    /// The number of messages that are not settled.
    pub fn depth(&self) -> usize {
        self.lock().messages.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut State) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let lost = || QueueError::Unavailable(format!("{operation} was told to fail"));
        self.faults.apply(operation, lost, || effect(&mut self.lock()))
    }
}

#[async_trait]
impl EventBus for MemoryQueue {
    async fn publish(&self, event: &Event) -> Result<(), QueueError> {
        let body = serde_json::to_vec(event).map_err(|error| QueueError::Refused(error.to_string()))?;
        if body.len() > BODY_LIMIT_BYTES {
            let reason = format!("{} bytes are more than the {BODY_LIMIT_BYTES} allowed", body.len());
            return Err(QueueError::Refused(reason));
        }
        let now = self.clock.now();
        let answer = self.call("publish", |state| {
            state.published.push(event.clone());
            if event.routing_key() == "deployment.requested" {
                state.enqueue(event.id.as_str(), &self.publisher, &body, now);
            }
            Ok(())
        });
        self.arrived.notify_waiters();
        answer
    }
}

#[async_trait]
impl WorkQueue for MemoryQueue {
    async fn receive(
        &self,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let arrived = self.arrived.notified();
            let now = self.clock.now();
            let deliveries = self.call("receive", |state| Ok(state.receive(max, now, until(now, lease))))?;
            let pause = deadline.saturating_duration_since(tokio::time::Instant::now()).min(POLL);
            if !deliveries.is_empty() || pause.is_zero() {
                return Ok(deliveries);
            }
            let _timed_out = tokio::time::timeout(pause, arrived).await;
        }
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<(), QueueError> {
        let available_at = until(self.clock.now(), lease);
        self.call("extend", |state| {
            let held = state.held(receipt)?;
            state.messages[held].available_at = available_at;
            Ok(())
        })
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.call("ack", |state| state.ack(receipt))
    }

    async fn retry(&self, receipt: &Receipt, delay: Duration, reason: &str) -> Result<(), QueueError> {
        let now = self.clock.now();
        let available_at = until(now, delay);
        self.call("retry", |state| {
            let held = state.held(receipt)?;
            if state.messages[held].attempts >= DELIVERY_LIMIT {
                state.bury(held, reason, now);
                return Ok(());
            }
            state.messages[held].receipt = None;
            state.messages[held].available_at = available_at;
            Ok(())
        })
    }

    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError> {
        let now = self.clock.now();
        self.call("reject", |state| {
            let held = state.held(receipt)?;
            state.bury(held, reason, now);
            Ok(())
        })
    }
}

#[async_trait]
impl DeadLetters for MemoryQueue {
    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.call("dead_letters", |state| Ok(state.dead.iter().rev().take(max).cloned().collect()))
    }

    async fn replay(&self, id: &DeadLetterId) -> Result<bool, QueueError> {
        let now = self.clock.now();
        let replayed = self.call("replay", |state| Ok(state.replay(id, now)));
        self.arrived.notify_waiters();
        replayed
    }

    async fn depth(&self, queue: QueueName) -> Result<u64, QueueError> {
        self.call("depth", |state| match queue {
            QueueName::Signer => Ok(0),
            QueueName::Deployer => Ok(state.messages.len() as u64),
        })
    }
}

impl State {
    fn enqueue(&mut self, message_id: &str, publisher: &str, body: &[u8], available_at: UnixMillis) {
        let (id, publisher, body) = (message_id.to_owned(), publisher.to_owned(), body.to_vec());
        let message =
            Message { id, publisher, body, attempts: 0, available_at, receipt: None, past: Vec::new() };
        self.messages.push(message);
    }

    fn receive(&mut self, max: usize, now: UnixMillis, until: UnixMillis) -> Vec<Delivery> {
        let worn_out = |message: &Message| message.attempts >= DELIVERY_LIMIT && message.available_at <= now;
        while let Some(worn_out) = self.messages.iter().position(worn_out) {
            self.bury(worn_out, "its consumers never settled it", now);
        }
        let due = self.messages.iter_mut().filter(|message| message.available_at <= now).take(max);
        due.map(|message| {
            self.deliveries += 1;
            message.deliver(Receipt(self.deliveries.to_string()), until)
        })
        .collect()
    }

    fn held(&self, receipt: &Receipt) -> Result<usize, QueueError> {
        let held = self.messages.iter().position(|message| message.receipt.as_ref() == Some(receipt));
        held.ok_or(QueueError::ReceiptLost)
    }

    fn ack(&mut self, receipt: &Receipt) -> Result<(), QueueError> {
        match self.messages.iter().position(|message| message.past.contains(receipt)) {
            Some(waiting) if self.messages[waiting].receipt.as_ref() != Some(receipt) => {
                Err(QueueError::ReceiptLost)
            }
            Some(held) => {
                self.messages.remove(held);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn bury(&mut self, message: usize, reason: &str, now: UnixMillis) {
        let Message { id, publisher, body, attempts, .. } = self.messages.remove(message);
        self.deaths += 1;
        self.dead.push(DeadLetter {
            id: DeadLetterId(self.deaths.to_string()),
            queue: QueueName::Deployer,
            message_id: id,
            publisher: Some(publisher),
            attempts: Some(attempts),
            reason: reason.to_owned(),
            died_at: Some(now),
            body,
        });
    }

    fn replay(&mut self, id: &DeadLetterId, now: UnixMillis) -> bool {
        let Some(position) = self.dead.iter().position(|letter| letter.id == *id) else { return false };
        let letter = self.dead.remove(position);
        self.enqueue(&letter.message_id, letter.publisher.as_deref().unwrap_or(""), &letter.body, now);
        true
    }
}

impl Message {
    fn deliver(&mut self, receipt: Receipt, until: UnixMillis) -> Delivery {
        self.attempts += 1;
        self.available_at = until;
        self.past.push(receipt.clone());
        self.receipt = Some(receipt.clone());
        Delivery {
            message_id: self.id.clone(),
            publisher: Some(self.publisher.clone()),
            attempt: self.attempts,
            body: self.body.clone(),
            receipt,
        }
    }
}

fn until(now: UnixMillis, span: Duration) -> UnixMillis {
    now.plus_millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// How often a waiting consumer looks whether the clock was stepped.
const POLL: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::queue::{QueueUnderTest, check};
    use crate::conformance::samples::{request, requested};
    use crate::fakes::Fault;

    #[tokio::test]
    async fn it_keeps_the_contract() {
        check(async || {
            let clock = ManualClock::default();
            let queue = MemoryQueue::new(clock.clone(), "conformance", FaultPlan::default());
            QueueUnderTest {
                bus: Arc::new(queue.clone()),
                queue: Arc::new(queue.clone()),
                dead_letters: Arc::new(queue),
                publisher: "conformance".to_owned(),
                clock: Some(clock),
            }
        })
        .await;
    }

    #[tokio::test]
    async fn an_event_whose_confirmation_got_lost_is_there() {
        let faults = FaultPlan::default();
        let queue = MemoryQueue::new(ManualClock::default(), "conformance", faults.clone());
        let event = requested("e1", request("hello", "a.zip"));
        for (fault, depth) in [(Fault::WithoutEffect, 0), (Fault::AfterEffect, 1)] {
            faults.fail_next("publish", fault);
            let published = queue.publish(&event).await;
            assert!(matches!(published, Err(QueueError::Unavailable(_))), "{published:?}");
            assert_eq!((queue.depth(), queue.published().len()), (depth, depth), "{fault:?}");
        }
    }
}
