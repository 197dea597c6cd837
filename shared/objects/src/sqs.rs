//! Notifications from SQS: the port's queue, as far as SQS can keep its contract.
//!
//! What differs:
//! - A standard queue gives its messages in about the order of their arrival, and sometimes one message twice at once.
//! - SQS lets a receipt settle a message long after its lease ran out, even one that another consumer holds by then. So
//!   every lease is timed here too, and after it the receipt is lost, whoever has the message.
//! - A message's lease cannot be extended beyond 12 hours after its delivery; the receipt is lost then.
//! - SQS's messages carry no publisher, and the id is the one that SQS gave.
//! - Dead letters are of the queue's own `RedrivePolicy`: see [`SqsQueue::reject`] and `DELIVERY_LIMIT` below.

mod dead_letters;
mod failure;
mod in_hand;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Config;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use countersign_ports::queue::{DELIVERY_LIMIT, Delivery, QueueError, Receipt, WorkQueue};

use crate::failure::shortened;
use crate::settings::{SqsSettings, probe_timeouts};
use failure::Call;
use in_hand::{InHand, Standing};

/// A standard queue of SQS, or of whatever speaks its protocol. Clones share their connections and their deliveries: a
/// receipt is settled by a clone of the queue that received it.
///
/// It needs `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility` and `sqs:GetQueueAttributes`, and of
/// its dead-letter queue, where it has one, `sqs:GetQueueUrl` and `sqs:SendMessage`.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
    in_hand: Arc<InHand>,
}

impl SqsQueue {
    /// A client of the queue that `settings` mean. Nothing is sent yet; only the default chain of credentials may look
    /// around.
    pub async fn new(settings: &SqsSettings) -> Self {
        let client = settings.client().await;
        Self { client, url: settings.queue_url.clone(), in_hand: Arc::new(InHand::default()) }
    }

    /// Whether the queue is there and may be looked at: one short request, for a readiness check.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`], with the permission that is missing if that is why.
    pub async fn ping(&self) -> Result<(), QueueError> {
        let probe = Config::builder().retry_config(RetryConfig::disabled()).timeout_config(probe_timeouts());
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = request.attribute_names(QueueAttributeName::QueueArn).customize();
        let answer = request.config_override(probe).send().await;
        answer.map(|_| ()).map_err(|error| self.call("sqs:GetQueueAttributes").failed(&error))
    }

    fn call<'a>(&'a self, action: &'static str) -> Call<'a> {
        Call { action, queue: &self.url }
    }

    async fn poll(&self, max: i32, lease: Duration, wait_seconds: i32) -> Result<Vec<Delivery>, QueueError> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(max);
        let request = request
            .visibility_timeout(lease_seconds(lease))
            .wait_time_seconds(wait_seconds)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = request.send().await.map_err(|error| self.call("sqs:ReceiveMessage").failed(&error))?;
        let until = Instant::now() + lease;
        let mut deliveries = Vec::new();
        for message in answer.messages.unwrap_or_default() {
            let delivery = delivery(message)?;
            self.in_hand.take(&delivery, until);
            if !self.was_given_up(&delivery).await {
                deliveries.push(delivery);
            }
        }
        Ok(deliveries)
    }

    /// After the delivery limit a queue without a dead-letter queue would give the message again for days.
    async fn was_given_up(&self, delivery: &Delivery) -> bool {
        if delivery.attempt <= DELIVERY_LIMIT {
            return false;
        }
        let given_up = match self.dead_letter_queue().await {
            // Its `maxReceiveCount` is the limit, and SQS keeps it.
            Ok(Some(_)) => return false,
            Ok(None) => {
                self.drop_message(&delivery.receipt, &delivery.message_id, "the delivery limit").await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &given_up {
            let message = &delivery.message_id;
            tracing::warn!(queue = self.url, message, %error, "the message could not be given up; it is delivered again");
        }
        given_up.is_ok()
    }

    async fn change_visibility(&self, receipt: &Receipt, seconds: i32) -> Result<(), QueueError> {
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let answer = request.receipt_handle(&receipt.0).visibility_timeout(seconds).send().await;
        answer.map(|_| ()).map_err(|error| self.call("sqs:ChangeMessageVisibility").not_settled(&error))
    }

    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(&self.url).receipt_handle(&receipt.0);
        let answer = request.send().await;
        answer.map_err(|error| self.call("sqs:DeleteMessage").not_settled(&error))?;
        self.in_hand.done(receipt);
        Ok(())
    }
}

#[async_trait]
impl WorkQueue for SqsQueue {
    /// At most ten, SQS's own limit. Leases are whole seconds, rounded up, from 1 second to 12 hours.
    async fn receive(
        &self,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let max = i32::try_from(max).unwrap_or(RECEIVE_MAX).min(RECEIVE_MAX);
        if max == 0 {
            return Ok(Vec::new());
        }
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let wait_seconds =
                i32::try_from(left.as_secs()).unwrap_or(WAIT_SECONDS_MAX).min(WAIT_SECONDS_MAX);
            let deliveries = self.poll(max, lease, wait_seconds).await?;
            if !deliveries.is_empty() || Instant::now() >= until {
                return Ok(deliveries);
            }
            // SQS waits for whole seconds; the rest of the wait is spent here.
            if wait_seconds == 0 {
                tokio::time::sleep(left.min(SHORT_POLL_PAUSE)).await;
            }
        }
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<(), QueueError> {
        self.in_hand.message(receipt)?;
        let until = Instant::now() + lease;
        self.change_visibility(receipt, lease_seconds(lease)).await?;
        self.in_hand.extend(receipt, until);
        Ok(())
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        match self.in_hand.standing(receipt) {
            Standing::Held => self.delete(receipt).await,
            Standing::Done => Ok(()),
            Standing::Lost => Err(QueueError::ReceiptLost),
        }
    }

    /// The queue's `maxReceiveCount` makes it a dead letter. Without a `RedrivePolicy`, the message is given up when it
    /// comes after `DELIVERY_LIMIT` deliveries: see [`SqsQueue::reject`]. SQS keeps no reason; it is logged.
    async fn retry(&self, receipt: &Receipt, delay: Duration, reason: &str) -> Result<(), QueueError> {
        let message = self.in_hand.message(receipt)?;
        self.change_visibility(receipt, whole_seconds(delay)).await?;
        self.in_hand.give_back(receipt);
        let reason = shortened(reason);
        tracing::info!(queue = self.url, message = message.id, reason, "the message will come again");
        Ok(())
    }

    /// Sends the message to the queue that its `RedrivePolicy` names, with the reason, and deletes it. Without such a
    /// policy the reason is logged as an error and the message is deleted: it is a hint that nobody can use, and what
    /// was really dropped is found by the sweep.
    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError> {
        let message = self.in_hand.message(receipt)?;
        match self.dead_letter_queue().await? {
            Some(dead_letters) => {
                self.send_dead_letter(&dead_letters, &message, reason).await?;
                // Crash point: the message comes again and becomes a second dead letter.
                self.delete(receipt).await
            }
            None => self.drop_message(receipt, &message.id, reason).await,
        }
    }
}

/// A message without an id, a receipt or a count of its deliveries could not be settled, or would come for ever.
fn delivery(message: Message) -> Result<Delivery, QueueError> {
    let count =
        message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    let attempt = count.and_then(|count| count.parse().ok()).filter(|attempt| *attempt > 0);
    let (Some(message_id), Some(receipt), Some(attempt)) =
        (message.message_id, message.receipt_handle, attempt)
    else {
        let reason = "the answer has a message without MessageId, ReceiptHandle or ApproximateReceiveCount";
        return Err(QueueError::Unavailable(reason.to_owned()));
    };
    let body = message.body.unwrap_or_default().into_bytes();
    Ok(Delivery { message_id, publisher: None, attempt, body, receipt: Receipt(receipt) })
}

fn lease_seconds(lease: Duration) -> i32 {
    whole_seconds(lease).max(1)
}

/// Rounded up: a lease lasts as long as was asked for, and a delay is not cut short.
fn whole_seconds(time: Duration) -> i32 {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    i32::try_from(seconds).unwrap_or(VISIBILITY_SECONDS_MAX).min(VISIBILITY_SECONDS_MAX)
}

/// Messages of one answer: SQS's limit.
const RECEIVE_MAX: i32 = 10;

/// Seconds that SQS waits for a message: its limit.
const WAIT_SECONDS_MAX: i32 = 20;

/// Seconds that a message can be held or delayed: SQS's limit, 12 hours.
const VISIBILITY_SECONDS_MAX: i32 = 43_200;

/// Between two looks in the last second of a wait.
const SHORT_POLL_PAUSE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_within_limits() {
        for (millis, lease, delay) in [(0, 1, 0), (1, 1, 1), (2000, 2, 2), (2001, 3, 3)] {
            let time = Duration::from_millis(millis);
            assert_eq!((lease_seconds(time), whole_seconds(time)), (lease, delay), "{millis} ms");
        }
        assert_eq!(whole_seconds(Duration::MAX), VISIBILITY_SECONDS_MAX);
    }

    #[test]
    fn a_message_that_cannot_be_settled_is_no_delivery() {
        let whole = |count| {
            let count = (MessageSystemAttributeName::ApproximateReceiveCount, String::from(count));
            Message::builder()
                .message_id("m")
                .receipt_handle("r")
                .body("b")
                .set_attributes(Some([count].into()))
        };
        let taken = delivery(whole("2").build()).unwrap();
        assert_eq!((taken.message_id.as_str(), taken.attempt, &taken.body[..]), ("m", 2, &b"b"[..]));
        assert_eq!(taken.publisher, None);
        for message in [
            whole("0").build(),
            whole("many").build(),
            whole("1").set_attributes(None).build(),
            whole("1").set_message_id(None).build(),
            whole("1").set_receipt_handle(None).build(),
        ] {
            assert!(matches!(delivery(message), Err(QueueError::Unavailable(_))));
        }
    }
}
