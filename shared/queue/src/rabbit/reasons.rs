//! Why messages were given up: the broker keeps that they were refused, not why.

use std::collections::HashMap;
use std::sync::Arc;

use countersign_ports::queue::QueueError;
use lapin::Channel;
use lapin::options::BasicGetOptions;
use lapin::types::AMQPValue;

use super::bus::Publisher;
use super::link::{Link, within};
use super::message;
use super::topology::{DEAD_LETTER_LIMIT_MESSAGES, DEAD_LETTERS, REASON_KEY, REASONS};

/// Why a message was given up.
pub(super) struct Reason {
    pub(super) text: String,
    /// How often it had been delivered.
    pub(super) attempts: Option<u32>,
}

/// Writes reasons down.
pub(super) struct Reasons {
    publisher: Publisher,
}

impl Reasons {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { publisher: Publisher::new(link) }
    }

    /// Keeps `reason` for the message with this fingerprint; a later one replaces it.
    pub(super) async fn keep(
        &self,
        fingerprint: &str,
        attempts: u32,
        reason: &str,
    ) -> Result<(), QueueError> {
        let mut headers = lapin::types::FieldTable::default();
        headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(attempts.into()));
        let properties = self
            .publisher
            .properties()
            .with_message_id(fingerprint.into())
            .with_headers(headers)
            .with_content_type("text/plain".into());
        let text: String = reason.chars().take(REASON_LIMIT_CHARS).collect();
        match self.publisher.publish(DEAD_LETTERS, REASON_KEY, text.as_bytes(), properties).await? {
            true => Ok(()),
            false => {
                Err(QueueError::Unavailable(format!("no queue is bound to {DEAD_LETTERS} with {REASON_KEY}")))
            }
        }
    }
}

/// Every reason that is kept, by fingerprint. They stay where they are: the channel is to be closed afterwards.
pub(super) async fn read(channel: &Channel) -> Result<HashMap<String, Reason>, QueueError> {
    let mut reasons = HashMap::new();
    for _ in 0..DEAD_LETTER_LIMIT_MESSAGES {
        let got = within(channel.basic_get(REASONS.into(), BasicGetOptions::default())).await?;
        let Some(got) = got else { break };
        let attempts = message::header(&got.properties, ATTEMPTS).and_then(message::integer);
        let attempts = attempts.and_then(|attempts| u32::try_from(attempts).ok());
        let text = String::from_utf8_lossy(&got.data).into_owned();
        reasons.insert(message::id(&got.properties, &got.data), Reason { text, attempts });
    }
    Ok(reasons)
}

/// The header that says how often a message had been delivered.
const ATTEMPTS: &str = "attempts";

/// The longest reason that is kept, in characters: a reason may quote what an attacker wrote.
const REASON_LIMIT_CHARS: usize = 2000;
