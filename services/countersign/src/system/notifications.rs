//! Moves the embedded endpoint's notifications to the signer's queue.

use std::time::Duration;

use anyhow::Context;
use countersign_embedded_s3::EmbeddedS3;
use countersign_queue::{EmbeddedQueue, QueueName};
use tokio_util::sync::CancellationToken;

use crate::output;

/// Enqueues what arrived and then forgets it, until `shutdown`. A crash in between enqueues again, and nothing is lost.
pub(crate) async fn relay(s3: EmbeddedS3, queue: EmbeddedQueue, shutdown: CancellationToken) {
    let arrived = s3.notified();
    while !shutdown.is_cancelled() {
        let pause = match pass(&s3, &queue).await {
            Ok(0) => IDLE,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(
                    error = output::told(&error),
                    "notifications could not be enqueued; trying again"
                );
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(AFTER_FAILURE) => {}
                }
                continue;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = arrived.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn pass(s3: &EmbeddedS3, queue: &EmbeddedQueue) -> anyhow::Result<usize> {
    let pending = s3.pending_notifications(BATCH).await?;
    let mut delivered = Vec::with_capacity(pending.len());
    for notification in &pending {
        let body = serde_json::to_vec(&notification.body)?;
        let enqueued = queue.enqueue(QueueName::Signer, &notification.id, PUBLISHER, &body).await;
        enqueued.with_context(|| format!("notification {}", notification.id))?;
        delivered.push(notification.id.clone());
    }
    s3.mark_delivered(&delivered).await?;
    Ok(delivered.len())
}

/// Notifications moved at once.
const BATCH: usize = 100;

/// The longest pause where nothing arrives; arrivals wake at once.
const IDLE: Duration = Duration::from_secs(5);

const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// In whose name notifications are enqueued.
const PUBLISHER: &str = "embedded-s3";
