//! Publishing: into the event log, and into every queue that is bound to the event.

use async_trait::async_trait;
use countersign_domain::{Event, Sha256Digest};
use countersign_ports::queue::{EventBus, QueueError};

use super::messages::NewMessage;
use super::{EmbeddedQueue, check_size, event_log, messages, unavailable};
use crate::QueueName;

/// Publishes events as one publisher.
#[derive(Clone)]
pub struct EmbeddedBus {
    queue: EmbeddedQueue,
    publisher: String,
}

impl EmbeddedBus {
    pub(super) fn new(queue: EmbeddedQueue, publisher: &str) -> Self {
        Self { queue, publisher: publisher.to_owned() }
    }
}

#[async_trait]
impl EventBus for EmbeddedBus {
    async fn publish(&self, event: &Event) -> Result<(), QueueError> {
        let json = serde_json::to_string(event).map_err(|error| QueueError::Refused(error.to_string()))?;
        let (message_id, publisher, body) = (event.id.as_str(), self.publisher.as_str(), json.as_bytes());
        check_size(message_id, publisher, body)?;
        let body_sha256 = Sha256Digest::of(body);
        let bound = QueueName::bound_to(event.routing_key());
        let mut change = self.queue.begin_write().await?;
        event_log::append(&mut change, event, &json).await?;
        for &queue in bound {
            let message = NewMessage { queue, message_id, publisher, body, body_sha256 };
            messages::put(&mut change, &message, self.queue.now()).await?;
        }
        change.commit().await.map_err(unavailable)?;
        bound.iter().for_each(|queue| self.queue.arrivals(*queue).notify_waiters());
        Ok(())
    }
}
