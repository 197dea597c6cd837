//! Following every event, for a terminal.

use countersign_domain::Event;
use countersign_ports::queue::QueueError;
use futures::StreamExt;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};

use super::link::{Link, within};
use super::topology::EVENTS;

/// The events since it began, through a queue of its own that ends with it.
pub struct Follower {
    consumer: Consumer,
    /// The queue lives as long as its channel's connection and consumer do.
    _channel: Channel,
}

impl Follower {
    pub(super) async fn begin(link: &Link) -> Result<Self, QueueError> {
        let channel = link.channel().await?;
        let own =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let queue = within(channel.queue_declare("".into(), own, FieldTable::default())).await?;
        let name = queue.name().clone();
        let options = QueueBindOptions::default();
        let bound =
            channel.queue_bind(name.clone(), EVENTS.into(), "#".into(), options, FieldTable::default());
        within(bound).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = channel.basic_consume(name, "".into(), options, FieldTable::default());
        Ok(Self { consumer: within(consumer).await?, _channel: channel })
    }

    /// The next event; messages that are none are passed over.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the connection was lost: events may have been missed.
    pub async fn next(&mut self) -> Result<Event, QueueError> {
        loop {
            match self.consumer.next().await {
                Some(Ok(delivery)) => match serde_json::from_slice(&delivery.data) {
                    Ok(event) => return Ok(event),
                    Err(error) => tracing::debug!(%error, "a message on {EVENTS} is no event of ours"),
                },
                Some(Err(error)) => return Err(QueueError::Unavailable(error.to_string())),
                None => return Err(QueueError::Unavailable("the broker ended the consumer".to_owned())),
            }
        }
    }
}
