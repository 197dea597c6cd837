//! The durable queue between the services: embedded, in an SQLite file of its own.
//!
//! At least once: a message is gone only after it was acknowledged or became a dead letter with a reason. This crate
//! never looks into a message, except for the routing key of an event, and never contains a decision or the machine's
//! clock.
#![forbid(unsafe_code)]

mod embedded;

use std::fmt;
use std::str::FromStr;

pub use embedded::{
    DEAD_LETTER_ROWS, DEDUPLICATION_WINDOW, DeadLetter, EVENT_LOG_ROWS, EmbeddedBus, EmbeddedQueue,
    EmbeddedWorkQueue, NAME_LIMIT_BYTES, POLL, QUEUE_LIMIT_MESSAGES,
};

/// The queues between the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueName {
    /// `countersign.signer`: notifications of dropped objects.
    Signer,
    /// `countersign.deployer`: events with the routing key `deployment.requested`.
    Deployer,
}

impl QueueName {
    /// Every queue.
    pub const ALL: [Self; 2] = [Self::Signer, Self::Deployer];

    /// The name, as a broker knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signer => "countersign.signer",
            Self::Deployer => "countersign.deployer",
        }
    }

    /// The queues that events with this routing key go to.
    pub fn bound_to(routing_key: &str) -> &'static [Self] {
        match routing_key {
            "deployment.requested" => &[Self::Deployer],
            _ => &[],
        }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is the name of no queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a queue: use countersign.signer or countersign.deployer")]
pub struct UnknownQueue(String);

impl FromStr for QueueName {
    type Err = UnknownQueue;

    fn from_str(text: &str) -> Result<Self, UnknownQueue> {
        let known = Self::ALL.into_iter().find(|name| name.as_str() == text);
        known.ok_or_else(|| UnknownQueue(text.chars().take(80).collect()))
    }
}
