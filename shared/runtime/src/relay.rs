//! Moves events from the outbox to the event bus.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::EventId;
use countersign_ports::jobs::Outbox;
use countersign_ports::queue::{EventBus, QueueError};
use tokio_util::sync::CancellationToken;

use crate::worker::backoff::Backoff;

/// Publishes the events of `source` that stand in `outbox` and then marks them, until `shutdown`. A crash in between
/// publishes again, which the bus allows; an event that the bus refuses stays in the outbox and does not hold up the
/// others.
pub async fn relay(
    outbox: Arc<dyn Outbox>,
    bus: Arc<dyn EventBus>,
    source: &'static str,
    shutdown: CancellationToken,
) {
    let mut backoff = Backoff::default();
    while !shutdown.is_cancelled() {
        let pause = match pass(outbox.as_ref(), bus.as_ref(), source).await {
            Pass::Progress => {
                backoff.reset();
                continue;
            }
            Pass::Nothing => {
                backoff.reset();
                None
            }
            Pass::Trouble => Some(backoff.next_pause()),
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = wait(outbox.as_ref(), pause) => {}
        }
    }
}

enum Pass {
    Progress,
    Nothing,
    Trouble,
}

async fn wait(outbox: &dyn Outbox, pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => outbox.wait().await,
    }
}

async fn pass(outbox: &dyn Outbox, bus: &dyn EventBus, source: &str) -> Pass {
    let events = match outbox.unpublished(source, BATCH).await {
        Ok(events) if events.is_empty() => return Pass::Nothing,
        Ok(events) => events,
        Err(error) => {
            tracing::warn!(%error, "the outbox could not be read; trying again");
            return Pass::Trouble;
        }
    };
    let mut published: Vec<EventId> = Vec::new();
    let mut trouble = false;
    for event in &events {
        match bus.publish(event).await {
            Ok(()) => published.push(event.id.clone()),
            Err(error) => {
                tracing::warn!(event.id = %event.id, event.kind = event.data.kind(), %error, "an event could not be published; it stays in the outbox");
                trouble = true;
                // Order among the others is kept while the bus is away; a refusal concerns this event alone.
                if !matches!(error, QueueError::Refused(_)) {
                    break;
                }
            }
        }
    }
    mark(outbox, &published, trouble).await
}

async fn mark(outbox: &dyn Outbox, published: &[EventId], trouble: bool) -> Pass {
    if published.is_empty() {
        return Pass::Trouble;
    }
    match outbox.mark_published(published).await {
        Ok(()) if trouble => Pass::Trouble,
        Ok(()) => Pass::Progress,
        Err(error) => {
            tracing::warn!(%error, "published events could not be marked; they will be published again");
            Pass::Trouble
        }
    }
}

/// Events read from the outbox at once.
const BATCH: usize = 100;

#[cfg(test)]
mod tests;
