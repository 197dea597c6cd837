//! One message: handled under a lease that is held on to, then settled.

use std::sync::Arc;
use std::time::Duration;

use countersign_ports::queue::{Delivery, QueueError, Receipt, WorkQueue};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::{Handled, Handler, WorkSettings};

/// Handles `delivery` and settles it. Nothing is settled if the lease was lost: the message is another's by then.
pub(super) async fn attend(
    queue: &dyn WorkQueue,
    handler: Arc<dyn Handler>,
    settings: &WorkSettings,
    give_up: &CancellationToken,
    delivery: Delivery,
) {
    let receipt = delivery.receipt.clone();
    let message_id = delivery.message_id.clone();
    // A task of its own, so that a panic ends here and not in the loop.
    let mut running = AbortOnDrop(tokio::spawn(async move { handler.handle(&delivery).await }));
    let handled = tokio::select! {
        ended = &mut running.0 => outcome(ended),
        () = hold(queue, &receipt, settings.lease) => {
            tracing::warn!(worker = settings.name, message.id = message_id, "the lease was lost; leaving the message to its new owner");
            return;
        }
        () = give_up.cancelled() => Handled::Retry { after: Duration::ZERO, reason: "the worker was stopped".into() },
    };
    drop(running);
    settle(queue, settings.name, &message_id, &receipt, &handled).await;
}

struct AbortOnDrop(JoinHandle<Handled>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn outcome(ended: Result<Handled, JoinError>) -> Handled {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a handler panicked");
        Handled::Retry { after: AFTER_PANIC, reason: "the handler panicked; see the worker's log".into() }
    })
}

/// Extends the lease again and again; returns only when it is lost.
async fn hold(queue: &dyn WorkQueue, receipt: &Receipt, lease: Duration) {
    loop {
        tokio::time::sleep(lease / 3).await;
        match queue.extend(receipt, lease).await {
            Err(QueueError::ReceiptLost) => return,
            Err(error) => tracing::warn!(%error, "a lease could not be extended; trying again"),
            Ok(()) => {}
        }
    }
}

/// Tells the queue. Where it cannot be told, the lease runs out and the message comes again, which handlers allow.
async fn settle(queue: &dyn WorkQueue, worker: &str, message_id: &str, receipt: &Receipt, handled: &Handled) {
    let mut backoff = Backoff::default();
    for _ in 0..SETTLE_ATTEMPTS {
        let settled = match handled {
            Handled::Done => queue.ack(receipt).await,
            Handled::Retry { after, reason } => {
                tracing::info!(worker, message.id = message_id, reason, "to be tried again");
                queue.retry(receipt, *after, reason).await
            }
            Handled::Reject { reason } => {
                tracing::warn!(worker, message.id = message_id, reason, "rejected: now a dead letter");
                queue.reject(receipt, reason).await
            }
        };
        match settled {
            Ok(()) | Err(QueueError::ReceiptLost) => return,
            Err(error @ (QueueError::Unavailable(_) | QueueError::Refused(_))) => {
                tracing::warn!(worker, message.id = message_id, %error, "a message could not be settled");
                tokio::time::sleep(backoff.next_pause()).await;
            }
        }
    }
}

const AFTER_PANIC: Duration = Duration::from_secs(5);
const SETTLE_ATTEMPTS: u32 = 4;
