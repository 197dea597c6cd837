//! Publishing, confirmed by the broker.

use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::Event;
use countersign_ports::queue::{BODY_LIMIT_BYTES, EventBus, QueueError};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::Mutex;

use super::link::{Link, within};
use super::topology::EVENTS;
use crate::QueueName;

/// Publishes events as the user of the connection. Clones share a channel.
#[derive(Clone)]
pub struct RabbitBus {
    publisher: Arc<Publisher>,
}

impl RabbitBus {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { publisher: Arc::new(Publisher::new(link)) }
    }
}

#[async_trait]
impl EventBus for RabbitBus {
    async fn publish(&self, event: &Event) -> Result<(), QueueError> {
        let body = serde_json::to_vec(event).map_err(|error| QueueError::Refused(error.to_string()))?;
        if body.len() > BODY_LIMIT_BYTES {
            let reason = format!("{} bytes are more than the {BODY_LIMIT_BYTES} allowed", body.len());
            return Err(QueueError::Refused(reason));
        }
        let key = event.routing_key();
        let properties = self
            .publisher
            .properties()
            .with_message_id(short(event.id.as_str())?)
            .with_type(short(event.data.kind())?)
            .with_content_type("application/cloudevents+json".into());
        let routed = self.publisher.publish(EVENTS, key, &body, properties).await?;
        // Nobody has to follow what was done; what is asked for has to reach somebody.
        if !routed && !QueueName::bound_to(key).is_empty() {
            return Err(QueueError::Unavailable(format!(
                "no queue is bound to {EVENTS} with {key}: the topology is to be declared"
            )));
        }
        Ok(())
    }
}

/// A channel on which the broker confirms what was published.
pub(super) struct Publisher {
    link: Arc<Link>,
    channel: Mutex<Option<Channel>>,
}

impl Publisher {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, channel: Mutex::default() }
    }

    /// Properties of a durable message from the user of the connection. The broker refuses the name of another.
    pub(super) fn properties(&self) -> BasicProperties {
        BasicProperties::default().with_delivery_mode(PERSISTENT).with_user_id(self.link.user.as_str().into())
    }

    /// Publishes a message; `false` if no queue got it. `Ok` means that every queue that it was routed to has it on a
    /// majority of its nodes. After an error it may be there or not.
    pub(super) async fn publish(
        &self,
        exchange: &str,
        key: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<bool, QueueError> {
        let channel = self.channel().await?;
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let confirmed = within(async {
            channel.basic_publish(exchange.into(), key.into(), options, body, properties).await?.await
        });
        match confirmed.await? {
            // A message that could not be routed is acknowledged too, after it was returned.
            Confirmation::Ack(returned) => Ok(returned.is_none()),
            Confirmation::Nack(_) => {
                Err(QueueError::Unavailable(format!("a queue behind {exchange} is full or has no leader")))
            }
            Confirmation::NotRequested => {
                Err(QueueError::Unavailable("the broker did not confirm the message".to_owned()))
            }
        }
    }

    async fn channel(&self) -> Result<Channel, QueueError> {
        let mut current = self.channel.lock().await;
        if let Some(channel) = current.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.link.channel().await?;
        within(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }
}

fn short(value: &str) -> Result<ShortString, QueueError> {
    ShortString::try_new(value).map_err(|error| QueueError::Refused(error.to_string()))
}

/// `delivery-mode` of AMQP 0-9-1: kept on disk.
const PERSISTENT: u8 = 2;
