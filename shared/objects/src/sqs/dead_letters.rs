//! Messages that are given up.

use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use countersign_ports::queue::{QueueError, Receipt};
use serde::Deserialize;

use super::SqsQueue;
use super::failure::Call;
use super::in_hand::Held;
use crate::failure::shortened;

/// The part of a `RedrivePolicy` that is needed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
}

impl SqsQueue {
    /// The ARN of the queue that the `RedrivePolicy` names, if there is one. It is looked up each time: messages are
    /// seldom given up, and operators change the policy meanwhile.
    pub(super) async fn dead_letter_queue(&self) -> Result<Option<String>, QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(QueueAttributeName::RedrivePolicy).send().await;
        let answer = answer.map_err(|error| self.call("sqs:GetQueueAttributes").failed(&error))?;
        let Some(policy) = answer.attributes().and_then(|all| all.get(&QueueAttributeName::RedrivePolicy))
        else {
            return Ok(None);
        };
        let policy: RedrivePolicy = serde_json::from_str(policy)
            .map_err(|_| QueueError::Unavailable("the queue's RedrivePolicy cannot be read".to_owned()))?;
        Ok(Some(policy.dead_letter_target_arn))
    }

    /// Sends the message to the queue of this ARN, with why it was given up and the id it had.
    pub(super) async fn send_dead_letter(
        &self,
        arn: &str,
        message: &Held,
        reason: &str,
    ) -> Result<(), QueueError> {
        let url = self.url_of(arn).await?;
        let request = self.client.send_message().queue_url(url).message_body(&message.body);
        let request = request
            .message_attributes("CountersignReason", text(reason)?)
            .message_attributes("CountersignMessageId", text(&message.id)?);
        let answer = request.send().await;
        answer.map_err(|error| Call { action: "sqs:SendMessage", queue: arn }.failed(&error))?;
        let (message, reason) = (&message.id, shortened(reason));
        tracing::warn!(queue = self.url, message, reason, "the message was moved to the dead-letter queue");
        Ok(())
    }

    async fn url_of(&self, arn: &str) -> Result<String, QueueError> {
        let parts: Vec<_> = arn.split(':').collect();
        let &["arn", _, "sqs", _, account, name] = &parts[..] else {
            let reason = format!("the RedrivePolicy names {:?}, which is no queue", shortened(arn));
            return Err(QueueError::Unavailable(reason));
        };
        let request = self.client.get_queue_url().queue_name(name).queue_owner_aws_account_id(account);
        let call = Call { action: "sqs:GetQueueUrl", queue: arn };
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        answer.queue_url.ok_or_else(|| QueueError::Unavailable(format!("{} has no URL", shortened(arn))))
    }

    /// Deletes the message for good.
    pub(super) async fn drop_message(
        &self,
        receipt: &Receipt,
        message: &str,
        reason: &str,
    ) -> Result<(), QueueError> {
        let reason = shortened(reason);
        tracing::error!(
            queue = self.url,
            message,
            reason,
            "the message is given up and deleted: the queue has no dead-letter queue; the sweep finds what was dropped"
        );
        self.delete(receipt).await
    }
}

/// SQS takes no empty text and no control characters.
fn text(value: &str) -> Result<MessageAttributeValue, QueueError> {
    let value = if value.is_empty() { "none given".to_owned() } else { shortened(value) };
    let built = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    built.map_err(|error| QueueError::Unavailable(error.to_string()))
}
