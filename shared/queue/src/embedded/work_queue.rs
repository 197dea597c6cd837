//! Consuming: leased deliveries, settled by their receipts.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::UnixMillis;
use countersign_ports::queue::{Delivery, QueueError, Receipt, WorkQueue};
use tokio::time::Instant;

use super::messages::Found;
use super::{EmbeddedQueue, POLL, dead_letters, messages, unavailable};
use crate::QueueName;

/// One of the durable queues.
#[derive(Clone)]
pub struct EmbeddedWorkQueue {
    queue: EmbeddedQueue,
    name: QueueName,
}

impl EmbeddedWorkQueue {
    pub(super) fn new(queue: EmbeddedQueue, name: QueueName) -> Self {
        Self { queue, name }
    }

    /// What can be delivered now; without a write if there is nothing, so that an idle consumer disturbs nobody. The
    /// second value is how long nothing will come by itself.
    async fn take(&self, max: usize, lease: Duration) -> Result<(Vec<Delivery>, Duration), QueueError> {
        let now = self.queue.now();
        let due = messages::next_due(&self.queue.shared.readers, self.name).await?;
        let pause = due.map_or(POLL, |due| span(now, due).min(POLL));
        if !pause.is_zero() {
            return Ok((Vec::new(), pause));
        }
        let mut change = self.queue.begin_write().await?;
        let deliveries = messages::take(&mut change, self.name, max, now, after(now, lease)).await?;
        change.commit().await.map_err(unavailable)?;
        Ok((deliveries, MIN_PAUSE))
    }
}

#[async_trait]
impl WorkQueue for EmbeddedWorkQueue {
    async fn receive(
        &self,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + wait;
        loop {
            // Listening begins before looking: what arrives in between wakes this consumer.
            let arrival = self.queue.arrivals(self.name).notified();
            let (deliveries, pause) = self.take(max, lease).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !deliveries.is_empty() || left.is_zero() {
                return Ok(deliveries);
            }
            let _looked_again = tokio::time::timeout(pause.min(left), arrival).await;
        }
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<(), QueueError> {
        let mut change = self.queue.begin_write().await?;
        let message = messages::held(&mut change, receipt).await?;
        messages::postpone(&mut change, &message, after(self.queue.now(), lease), false).await?;
        change.commit().await.map_err(unavailable)
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let mut change = self.queue.begin_write().await?;
        match messages::find(&mut change, receipt).await? {
            Found::Held(message) => messages::settle(&mut change, &message, self.queue.now()).await?,
            Found::Lost => return Err(QueueError::ReceiptLost),
            Found::Gone => return Ok(()),
        }
        change.commit().await.map_err(unavailable)
    }

    async fn retry(&self, receipt: &Receipt, delay: Duration, reason: &str) -> Result<(), QueueError> {
        let mut change = self.queue.begin_write().await?;
        let message = messages::held(&mut change, receipt).await?;
        let now = self.queue.now();
        if message.is_worn_out() {
            dead_letters::bury(&mut change, &message, reason, now).await?;
        } else {
            messages::postpone(&mut change, &message, after(now, delay), true).await?;
        }
        self.queue.commit(change, self.name).await
    }

    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError> {
        let mut change = self.queue.begin_write().await?;
        let message = messages::held(&mut change, receipt).await?;
        dead_letters::bury(&mut change, &message, reason, self.queue.now()).await?;
        change.commit().await.map_err(unavailable)
    }
}

fn after(now: UnixMillis, span: Duration) -> UnixMillis {
    now.plus_millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// How long it is from `now` to `due`; nothing if that is past.
fn span(now: UnixMillis, due: i64) -> Duration {
    Duration::from_millis(u64::try_from(due - now.as_millis()).unwrap_or(0))
}

/// How long to wait when another consumer took what was seen.
const MIN_PAUSE: Duration = Duration::from_millis(1);
