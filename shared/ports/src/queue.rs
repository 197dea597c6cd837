//! Messages between the services.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{Event, UnixMillis};

/// Publishes events to whoever is bound to their routing key.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// `Ok` means that the event is durable and will reach every bound queue at least once. Publishing the same event
    /// again is allowed and may deliver it again: consumers remember event ids.
    ///
    /// # Errors
    /// [`QueueError::Refused`] if its JSON is longer than [`BODY_LIMIT_BYTES`].
    async fn publish(&self, event: &Event) -> Result<(), QueueError>;
}

/// One durable queue with competing consumers. A message is delivered at least once; between a delivery and its
/// settlement no other consumer gets it, until its lease runs out.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Up to `max` messages, oldest first, each leased for `lease`. Waits up to `wait` for the first one; an empty list
    /// means that none came. Never more than `max`.
    async fn receive(&self, max: usize, lease: Duration, wait: Duration)
    -> Result<Vec<Delivery>, QueueError>;

    /// Holds the message for `lease` from now.
    ///
    /// # Errors
    /// [`QueueError::ReceiptLost`] when somebody else has it meanwhile, or it is settled.
    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<(), QueueError>;

    /// The message is done with for good. `Ok` also when it was so before. A delivery whose lease ran out can be settled
    /// as long as nobody else has the message.
    ///
    /// # Errors
    /// [`QueueError::ReceiptLost`] when the message is not done with: somebody else has it, or it was given back.
    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError>;

    /// Gives the message back, to be delivered again after `delay`; after [`DELIVERY_LIMIT`] deliveries it becomes a
    /// dead letter instead. So does a message whose lease ran out that many times: its consumers crash.
    ///
    /// # Errors
    /// [`QueueError::ReceiptLost`] when somebody else has it meanwhile, or it is settled.
    async fn retry(&self, receipt: &Receipt, delay: Duration, reason: &str) -> Result<(), QueueError>;

    /// The message can never be handled: it becomes a dead letter, with the reason.
    ///
    /// # Errors
    /// [`QueueError::ReceiptLost`] when somebody else has it meanwhile, or it is settled.
    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError>;
}

/// Messages that were given up, for the people who look after a queue.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Up to `max` of them, newest first; a broker may know the second alone.
    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Puts the message back into its queue, with its id, its publisher and a new count of deliveries; it is a dead
    /// letter no more. Nobody gains a publisher's identity by it. `false` if there is no dead letter of this id: it was
    /// replayed before, or made room for newer ones.
    async fn replay(&self, id: &DeadLetterId) -> Result<bool, QueueError>;

    /// The number of messages in `queue`, those in consumers' hands included, its dead letters not.
    async fn depth(&self, queue: QueueName) -> Result<u64, QueueError>;
}

/// The queues of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueName {
    /// `countersign.signer`: notifications of dropped objects, and events with the routing key `signing-job.requested`.
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
            "signing-job.requested" => &[Self::Signer],
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

/// A message in a consumer's hands.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The id that the publisher gave.
    pub message_id: String,
    /// The publisher as the broker authenticated it; never a field of the body.
    pub publisher: Option<String>,
    /// How often the message was delivered, this time included: 1 at first.
    pub attempt: u32,
    /// The message.
    pub body: Vec<u8>,
    /// What settles it.
    pub receipt: Receipt,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies come from outside and never reach a log.
        let Self { message_id, publisher, attempt, body, .. } = self;
        write!(f, "Delivery {{ {message_id:?} from {publisher:?}, attempt {attempt}, {} bytes }}", body.len())
    }
}

/// A message that was given up.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What names it among the dead letters, as long as it is one.
    pub id: DeadLetterId,
    /// The queue it was in.
    pub queue: QueueName,
    /// The id that the publisher gave.
    pub message_id: String,
    /// The publisher as the broker authenticated it.
    pub publisher: Option<String>,
    /// How often it was delivered, where the broker says so.
    pub attempts: Option<u32>,
    /// Why it was given up, for people.
    pub reason: String,
    /// When it was given up, where the broker says so.
    pub died_at: Option<UnixMillis>,
    /// The message.
    pub body: Vec<u8>,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies come from outside and never reach a log.
        let Self { id, queue, message_id, publisher, attempts, reason, died_at, body } = self;
        write!(
            f,
            "DeadLetter {{ {id} in {queue}: {message_id:?} from {publisher:?}, {attempts:?} deliveries, {reason:?}, \
             {died_at:?}, {} bytes }}",
            body.len()
        )
    }
}

/// Names one dead letter: 1 to 256 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeadLetterId(pub String);

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What settles a delivery; it belongs to that delivery alone, not to the message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// What a caller of a queue has to tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The queue could not be reached or did not answer. Try again: every operation may be repeated.
    #[error("the queue is unavailable: {0}")]
    Unavailable(String),
    /// The delivery was settled or its lease ran out and another consumer has the message.
    #[error("the delivery is no longer this consumer's")]
    ReceiptLost,
    /// No queue would take the event, or it is larger than the queue accepts.
    #[error("the queue refused the message: {0}")]
    Refused(String),
}

/// How often a message is delivered before it becomes a dead letter.
pub const DELIVERY_LIMIT: u32 = 5;

/// The largest body that a queue accepts, in bytes: an event is a pointer to a package, never the package.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;
