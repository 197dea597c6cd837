//! RabbitMQ.
//!
//! # Topology
//!
//! Declared by every service when it connects; declaring what is there changes nothing.
//!
//! | what | kind | arguments |
//! |---|---|---|
//! | `countersign.events` | topic exchange | durable; every event, by its routing key |
//! | `countersign.dead-letters` | direct exchange | durable; leads to the three queues below it |
//! | `countersign.signer`, `countersign.deployer` | quorum queue | `x-delivery-limit` 4 (so 5 deliveries), `x-dead-letter-exchange` `countersign.dead-letters`, `x-dead-letter-routing-key` its own name, `x-dead-letter-strategy` `at-least-once`, `x-overflow` `reject-publish`, `x-max-length` 100000 |
//! | `countersign.signer.dead-letters`, `countersign.deployer.dead-letters` | quorum queue | `x-dead-letter-exchange` the default one, `x-dead-letter-routing-key` the queue they belong to, `x-dead-letter-strategy` `at-least-once`, `x-overflow` `reject-publish`, `x-max-length` 10000, `x-delivery-limit` a thousand million |
//! | `countersign.dead-letters.reasons` | quorum queue | `x-max-length` 10000, `x-overflow` `drop-head`; why messages were given up |
//!
//! | exchange | routing key | queue |
//! |---|---|---|
//! | `countersign.events` | `signing-job.requested` | `countersign.signer` |
//! | `countersign.events` | `deployment.requested` | `countersign.deployer` |
//! | each of [`Topology::notifications`] | its routing key | `countersign.signer` |
//! | `countersign.dead-letters` | the name of a work queue | that queue's dead letters |
//! | `countersign.dead-letters` | `reason` | `countersign.dead-letters.reasons` |
//!
//! A message becomes a dead letter, and goes home again, by a refusal that makes the broker move it. Nobody publishes it
//! a second time: that would put the mover's `user_id` in the place of the publisher's. Dead letters that find no room
//! stay in the queue that they died in, and a full queue turns publishers away; nothing is dropped.
//!
//! # Permissions
//!
//! A user that may not configure finds everything declared, or is told what is missing.
//!
//! | user | configure | write | read |
//! |---|---|---|---|
//! | signer, deployer, declaring themselves | `^countersign\..*$` | `^(countersign\..*\|amq\.default)$` | `^countersign\..*$` |
//! | signer, declared by somebody else | `^$` | `^countersign\.(events\|dead-letters)$` | `^countersign\.signer$` |
//! | deployer, declared by somebody else | `^$` | `^countersign\.(events\|dead-letters)$` | `^countersign\.deployer$` |
//! | `countersign queue`, declared by somebody else | `^$` | `^$` | `^countersign\..*$` |
//! | publishers of deployments | `^$` | `^countersign\.events$` | `^$` |
//! | MinIO | the notification exchange, if it declares it | the notification exchange | `^$` |
//! | Ceph | the same, and `^amq\.gen.*$`: a queue for the broker's answers | the notification exchange | `^amq\.gen.*$` |
//!
//! A signer that declares notification exchanges itself needs them under configure and read too. No user may have the
//! tag `impersonator`: it would let it publish in the name of others.
//!
//! # Time
//!
//! The broker ends a channel whose consumer holds a message longer than `consumer_timeout` (30 minutes unless
//! configured), and everything else that the channel holds comes again. So a message is given back after [`HOLD_LIMIT`],
//! however often its lease was extended.

mod address;
mod bus;
mod dead_letters;
mod follow;
mod hand;
mod link;
mod message;
mod reasons;
mod topology;
mod work_queue;

use std::path::PathBuf;
use std::sync::Arc;

use countersign_ports::queue::QueueError;
use secrecy::SecretString;

use crate::QueueName;
pub use bus::RabbitBus;
pub use follow::Follower;
use hand::InHand;
pub use hand::{HOLD_LIMIT, RETRY_DELAY_LIMIT};
use link::Link;
pub use topology::{NotificationExchange, NotificationKind, Topology};
pub use work_queue::RabbitWorkQueue;

/// Where the broker is, and who we are to it.
pub struct RabbitSettings {
    /// `amqp://HOST:PORT/VHOST` or `amqps://…`, tried in order; without a port the scheme's, without a path the virtual
    /// host `/`. Without credentials.
    pub addresses: Vec<String>,
    /// The user of the broker; what it publishes carries this name.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// Certificates in PEM that are trusted for `amqps` instead of the system's roots.
    pub ca_file: Option<PathBuf>,
}

/// The queues in RabbitMQ. Clones share one connection, which is made anew when it was lost.
#[derive(Clone)]
pub struct RabbitQueue {
    link: Arc<Link>,
    in_hand: Arc<InHand>,
}

impl RabbitQueue {
    /// Connects to the first address that answers, and declares `topology`.
    ///
    /// # Errors
    /// [`QueueError::Refused`] for settings that nobody can connect with; [`QueueError::Unavailable`] if no broker
    /// answers, it does not let us in, or what is declared there differs.
    pub async fn connect(settings: RabbitSettings, topology: Topology) -> Result<Self, QueueError> {
        let link = Arc::new(Link::new(settings, topology)?);
        link.connection().await?;
        Ok(Self { link, in_hand: Arc::default() })
    }

    /// Publishes events as the user of the connection.
    pub fn bus(&self) -> RabbitBus {
        RabbitBus::new(Arc::clone(&self.link))
    }

    /// Consumes from the queue `name`. `prefetch`, at least 1, is how many messages the broker hands over without being
    /// asked for each: as many as are handled at once. Consuming begins with the first `receive`, and ends when the last
    /// clone is dropped.
    pub fn work_queue(&self, name: QueueName, prefetch: u16) -> RabbitWorkQueue {
        RabbitWorkQueue::new(Arc::clone(&self.link), &self.in_hand, name, prefetch)
    }

    /// Every event from now on, whoever publishes it, until the follower is dropped. Events that are published while the
    /// connection is lost are missed.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the broker is away, or does not let this user make queues of its own.
    pub async fn follow(&self) -> Result<Follower, QueueError> {
        Follower::begin(&self.link).await
    }

    /// Whether the broker answers and has both queues.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] with the reason.
    pub async fn ping(&self) -> Result<(), QueueError> {
        let channel = self.link.channel().await?;
        for name in QueueName::ALL {
            topology::count(&channel, name.as_str()).await?;
        }
        Ok(())
    }

    /// Gives back what is in hand and ends the connection for good.
    pub async fn close(&self) {
        self.link.close().await;
    }
}
