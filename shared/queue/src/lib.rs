//! The durable queue between the services: embedded, in an SQLite file of its own, or in RabbitMQ.
//!
//! At least once: a message is gone only after it was acknowledged or became a dead letter with a reason. This crate
//! never looks into a message, except for the routing key of an event, and never contains a decision or the machine's
//! clock.
#![forbid(unsafe_code)]

mod embedded;
mod rabbit;

pub use countersign_ports::queue::QueueName;
pub use embedded::{
    DEAD_LETTER_ROWS, DEDUPLICATION_WINDOW, EVENT_LOG_ROWS, EmbeddedBus, EmbeddedQueue, EmbeddedWorkQueue,
    NAME_LIMIT_BYTES, POLL, QUEUE_LIMIT_MESSAGES,
};
pub use rabbit::{
    Follower, HOLD_LIMIT, NotificationExchange, NotificationKind, RETRY_DELAY_LIMIT, RabbitBus, RabbitQueue,
    RabbitSettings, RabbitWorkQueue, Topology,
};
