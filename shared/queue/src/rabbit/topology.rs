//! What is declared at the broker.

use countersign_ports::queue::{DELIVERY_LIMIT, QueueError};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, Connection, ExchangeKind};

use super::link::{Failure, open, within};
use crate::QueueName;

/// What is declared beside the queues themselves.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    /// Where object stores publish their notifications; each is declared and bound to `countersign.signer`.
    pub notifications: Vec<NotificationExchange>,
}

/// An exchange that an object store publishes its notifications to; durable.
#[derive(Debug, Clone)]
pub struct NotificationExchange {
    /// Its name, 1 to 255 bytes.
    pub exchange: String,
    /// Its type, as the store declares it.
    pub kind: NotificationKind,
    /// The key of the binding, at most 255 bytes.
    pub routing_key: String,
}

/// The type of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationKind {
    /// The binding's key is a pattern.
    Topic,
    /// The binding's key is the message's.
    Direct,
    /// Every message.
    Fanout,
}

impl Topology {
    /// # Errors
    /// [`QueueError::Refused`] for names that AMQP has no room for.
    pub(super) fn check(&self) -> Result<(), QueueError> {
        for NotificationExchange { exchange, routing_key, .. } in &self.notifications {
            if exchange.is_empty()
                || exchange.len() > NAME_LIMIT_BYTES
                || routing_key.len() > NAME_LIMIT_BYTES
            {
                return Err(QueueError::Refused(format!(
                    "an exchange has 1 to {NAME_LIMIT_BYTES} bytes and a routing key at most {NAME_LIMIT_BYTES}: \
                     {exchange:?} with {routing_key:?}"
                )));
            }
        }
        Ok(())
    }

    /// Declares everything; what is there stays as it is.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), QueueError> {
        exchange(connection, EVENTS, ExchangeKind::Topic).await?;
        exchange(connection, DEAD_LETTERS, ExchangeKind::Direct).await?;
        for name in QueueName::ALL {
            let (home, dead) = (name.as_str(), dead_letters_of(name));
            queue(connection, dead, dead_letter_arguments(home)).await?;
            bind(connection, dead, DEAD_LETTERS, home).await?;
            queue(connection, home, work_arguments(home)).await?;
        }
        queue(connection, REASONS, reasons_arguments()).await?;
        bind(connection, REASONS, DEAD_LETTERS, REASON_KEY).await?;
        bind(connection, QueueName::Signer.as_str(), EVENTS, "signing-job.requested").await?;
        bind(connection, QueueName::Deployer.as_str(), EVENTS, "deployment.requested").await?;
        for NotificationExchange { exchange: name, kind, routing_key } in &self.notifications {
            exchange(connection, name, kind.into()).await?;
            bind(connection, QueueName::Signer.as_str(), name, routing_key).await?;
        }
        Ok(())
    }
}

/// The queue with the dead letters of `name`.
pub(super) fn dead_letters_of(name: QueueName) -> &'static str {
    match name {
        QueueName::Signer => "countersign.signer.dead-letters",
        QueueName::Deployer => "countersign.deployer.dead-letters",
    }
}

/// The number of messages that wait in a queue.
pub(super) async fn count(channel: &Channel, name: &str) -> Result<u32, QueueError> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let found = within(channel.queue_declare(name.into(), passive, FieldTable::default())).await?;
    Ok(found.message_count())
}

// A declaration that the broker refuses ends its channel, so each has its own.

async fn exchange(connection: &Connection, name: &str, kind: ExchangeKind) -> Result<(), QueueError> {
    let mut declared = declare_exchange(connection, name, kind.clone(), false).await;
    if may_not(&declared) {
        declared = declare_exchange(connection, name, kind, true).await;
    }
    declared.map_err(|failure| explained(name, failure))
}

async fn queue(connection: &Connection, name: &str, arguments: FieldTable) -> Result<(), QueueError> {
    let mut declared = declare_queue(connection, name, arguments, false).await;
    if may_not(&declared) {
        declared = declare_queue(connection, name, FieldTable::default(), true).await;
    }
    declared.map_err(|failure| explained(name, failure))
}

async fn declare_exchange(
    connection: &Connection,
    name: &str,
    kind: ExchangeKind,
    passive: bool,
) -> Result<(), Failure> {
    let channel = open(connection).await?;
    let options = ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
    within(channel.exchange_declare(name.into(), kind, options, FieldTable::default())).await
}

async fn declare_queue(
    connection: &Connection,
    name: &str,
    arguments: FieldTable,
    passive: bool,
) -> Result<(), Failure> {
    let channel = open(connection).await?;
    let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
    within(channel.queue_declare(name.into(), options, arguments)).await.map(drop)
}

/// True where this user may not declare: then it is enough that somebody else did.
fn may_not(declared: &Result<(), Failure>) -> bool {
    declared.as_ref().is_err_and(|failure| failure.code == Some(ACCESS_REFUSED))
}

fn explained(name: &str, failure: Failure) -> QueueError {
    match failure.code {
        Some(NOT_FOUND) => QueueError::Unavailable(format!(
            "{name} is not declared and this user may not configure it: connect once as a user that may"
        )),
        Some(PRECONDITION_FAILED) => QueueError::Unavailable(format!(
            "{name} is declared otherwise at the broker: configure the type that it has there, or empty and delete it \
             ({failure})"
        )),
        _ => failure.into(),
    }
}

/// Binds a queue; a user that may not relies on somebody else's binding, and learns from returned events if there is none.
async fn bind(connection: &Connection, queue: &str, exchange: &str, key: &str) -> Result<(), QueueError> {
    let channel = open(connection).await?;
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    match within(channel.queue_bind(queue.into(), exchange.into(), key.into(), options, arguments)).await {
        Err(failure) if failure.code == Some(ACCESS_REFUSED) => {
            tracing::debug!(queue, exchange, key, "this user may not bind; the binding has to be there");
            Ok(())
        }
        bound => Ok(bound?),
    }
}

fn work_arguments(name: &str) -> FieldTable {
    let mut arguments = quorum(WORK_LIMIT_MESSAGES);
    // The broker counts returns, of which there may be one less than deliveries.
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(i64::from(DELIVERY_LIMIT) - 1));
    dead_lettering(arguments, DEAD_LETTERS, name)
}

fn dead_letter_arguments(home: &str) -> FieldTable {
    let mut arguments = quorum(DEAD_LETTER_LIMIT_MESSAGES);
    // Looking at a dead letter is a delivery and a return, and newer brokers send home what was returned 20 times.
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(1_000_000_000));
    dead_lettering(arguments, "", home)
}

fn reasons_arguments() -> FieldTable {
    let mut arguments = quorum(DEAD_LETTER_LIMIT_MESSAGES);
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(1_000_000_000));
    arguments.insert("x-overflow".into(), text("drop-head"));
    arguments
}

fn quorum(limit: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(limit));
    arguments
}

fn dead_lettering(mut arguments: FieldTable, exchange: &str, key: &str) -> FieldTable {
    arguments.insert("x-dead-letter-exchange".into(), text(exchange));
    arguments.insert("x-dead-letter-routing-key".into(), text(key));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    // At-least-once asks for it: a queue that drops messages when it is full loses dead letters too.
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

impl From<&NotificationKind> for ExchangeKind {
    fn from(kind: &NotificationKind) -> Self {
        match kind {
            NotificationKind::Topic => Self::Topic,
            NotificationKind::Direct => Self::Direct,
            NotificationKind::Fanout => Self::Fanout,
        }
    }
}

/// The exchange of all events.
pub(super) const EVENTS: &str = "countersign.events";

/// The exchange to the dead letters and their reasons.
pub(super) const DEAD_LETTERS: &str = "countersign.dead-letters";

/// The queue of reasons.
pub(super) const REASONS: &str = "countersign.dead-letters.reasons";

/// The routing key of reasons.
pub(super) const REASON_KEY: &str = "reason";

/// The most messages that wait in one queue; beyond it publishers are told to come back later.
const WORK_LIMIT_MESSAGES: i64 = 100_000;

/// The most dead letters of one queue; beyond it they stay where they died, and count there.
pub(super) const DEAD_LETTER_LIMIT_MESSAGES: i64 = 10_000;

/// The longest name, in bytes: an AMQP short string.
const NAME_LIMIT_BYTES: usize = 255;

// Replies of AMQP 0-9-1, section 1.2.
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;
