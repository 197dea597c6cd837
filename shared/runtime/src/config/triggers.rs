//! `[[trigger]]`: where the signer learns of drops, beside the sweep.

use std::fmt;
use std::str::FromStr;

use super::address::{HttpEndpoint, QueueUrl};
use super::section::Section;

/// Where the signer learns of drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// An SQS queue that S3 sends its notifications to.
    Sqs {
        /// The queue.
        queue_url: String,
        /// Where SQS is served, such as LocalStack's URL; `None` for AWS.
        endpoint: Option<String>,
    },
    /// An exchange of our broker that MinIO or Ceph publishes its notifications to.
    Amqp {
        /// The exchange, durable.
        exchange: String,
        /// Its type, as the store declares it. By default topic.
        exchange_type: ExchangeType,
        /// What the signer's queue is bound with. By default `#` for topic, nothing for fanout.
        routing_key: String,
    },
}

/// How an exchange chooses the queues of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeType {
    /// By a pattern.
    Topic,
    /// By an equal key.
    Direct,
    /// All of them.
    Fanout,
}

impl ExchangeType {
    /// Its name in AMQP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Direct => "direct",
            Self::Fanout => "fanout",
        }
    }
}

impl fmt::Display for ExchangeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExchangeType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Topic, Self::Direct, Self::Fanout];
        let wrong = || format!("{text:?} is not a type of exchange: write topic, direct or fanout");
        known.into_iter().find(|known| known.as_str() == text).ok_or_else(wrong)
    }
}

/// Reads each trigger. A trigger with a mistake is left out.
pub(super) fn read(sections: Vec<Section<'_>>, has_broker: bool) -> Vec<Trigger> {
    let mut triggers = Vec::new();
    for mut section in sections {
        let trigger = match section.kind(&[SQS, AMQP]) {
            Some(SQS) => read_sqs(&mut section),
            Some(_) => read_amqp(&mut section, has_broker),
            None => None,
        };
        if let Some(trigger) = trigger {
            if triggers.iter().any(|earlier| same_source(earlier, &trigger)) {
                section
                    .mistake("kind", "an earlier trigger receives the same already: leave one of them out");
            }
            triggers.push(trigger);
        }
        section.finish();
    }
    triggers
}

fn read_sqs(section: &mut Section<'_>) -> Option<Trigger> {
    let write = "the queue's, such as \"https://sqs.eu-central-1.amazonaws.com/123456789012/countersign\"";
    let queue_url = section.required::<QueueUrl>("queue_url", write);
    let endpoint = section.parsed::<HttpEndpoint>("endpoint").map(|endpoint| endpoint.0);
    Some(Trigger::Sqs { queue_url: queue_url?.0, endpoint })
}

fn read_amqp(section: &mut Section<'_>, has_broker: bool) -> Option<Trigger> {
    if !has_broker {
        section.mistake("kind", "there is no broker to receive from: add [rabbitmq]");
    }
    let exchange = section.required::<ExchangeName>("exchange", "the exchange, such as \"s3-events\"");
    let exchange_type = section.parsed_or("exchange_type", ExchangeType::Topic);
    let routing_key = read_routing_key(section, exchange_type?);
    Some(Trigger::Amqp { exchange: exchange?.0, exchange_type: exchange_type?, routing_key: routing_key?.0 })
}

fn read_routing_key(section: &mut Section<'_>, exchange_type: ExchangeType) -> Option<RoutingKey> {
    match exchange_type {
        ExchangeType::Topic => section.parsed_or("routing_key", RoutingKey("#".into())),
        ExchangeType::Direct => {
            section.required("routing_key", "the key under which the store publishes to a direct exchange")
        }
        ExchangeType::Fanout => {
            let key = section.parsed_or("routing_key", RoutingKey(String::new()))?;
            if !key.0.is_empty() {
                section.mistake("routing_key", "has no effect on a fanout exchange: leave it out");
            }
            Some(key)
        }
    }
}

/// True if both triggers receive the same messages.
fn same_source(one: &Trigger, other: &Trigger) -> bool {
    match (one, other) {
        (Trigger::Sqs { queue_url: one, .. }, Trigger::Sqs { queue_url: other, .. }) => one == other,
        (
            Trigger::Amqp { exchange: one, routing_key: one_key, .. },
            Trigger::Amqp { exchange: other, routing_key: other_key, .. },
        ) => (one, one_key) == (other, other_key),
        (Trigger::Sqs { .. }, Trigger::Amqp { .. }) | (Trigger::Amqp { .. }, Trigger::Sqs { .. }) => false,
    }
}

struct ExchangeName(String);

impl FromStr for ExchangeName {
    type Err = String;

    /// AMQP 0-9-1, domain `exchange-name`.
    fn from_str(text: &str) -> Result<Self, String> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if !(1..=127).contains(&text.len()) || !text.bytes().all(legal) {
            return Err(format!(
                "{:?} is not the name of an exchange: use 1 to 127 letters, digits or any of -_.:",
                text.chars().take(80).collect::<String>()
            ));
        }
        if text.starts_with("countersign.") {
            return Err(format!("{text} is among our own names: give the store an exchange of its own"));
        }
        Ok(Self(text.to_owned()))
    }
}

struct RoutingKey(String);

impl FromStr for RoutingKey {
    type Err = &'static str;

    /// AMQP 0-9-1, a short string.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = text.len() <= 255 && !text.chars().any(char::is_control);
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err("use at most 255 bytes without control characters")
        }
    }
}

const SQS: &str = "sqs";
const AMQP: &str = "amqp";

pub(super) const MAX_TRIGGERS: usize = 16;
