//! The embedded queue: an SQLite file that several processes may open at once.

mod bus;
mod dead_letters;
mod event_log;
mod messages;
mod work_queue;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::{Event, Sha256Digest, UnixMillis};
use countersign_ports::Clock;
use countersign_ports::queue::{BODY_LIMIT_BYTES, QueueError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

use crate::QueueName;
pub use bus::EmbeddedBus;
use messages::NewMessage;
pub use work_queue::EmbeddedWorkQueue;

/// The durable queues and the event log in an SQLite file. Clones share their connections.
///
/// `Ok` means synced to the disk (WAL, `synchronous=FULL`). Consumers of this process are woken at once, those of other
/// processes look every [`POLL`].
#[derive(Clone)]
pub struct EmbeddedQueue {
    shared: Arc<Shared>,
}

struct Shared {
    writer: SqlitePool,
    readers: SqlitePool,
    clock: Arc<dyn Clock>,
    signer_arrivals: Notify,
    deployer_arrivals: Notify,
}

impl EmbeddedQueue {
    /// Opens the queues at `path`, making the file and bringing its schema up to date. Other processes may have it open.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] if the file cannot be opened, is not a database, or has the schema of a newer release.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let mut attempt = 1;
        loop {
            match Self::connect(path, Arc::clone(&clock)).await {
                Err(_) if attempt < OPEN_ATTEMPTS => attempt += 1,
                opened => return opened,
            }
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }

    async fn connect(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let failed = |error: &dyn std::fmt::Display| {
            let path = path.display();
            QueueError::Unavailable(format!("{path}: {error}; a damaged file is restored from a backup"))
        };
        let writing = options.clone().create_if_missing(true);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(writing).await;
        let writer = writer.map_err(|error| failed(&error))?;
        sqlx::migrate!("./migrations").run(&writer).await.map_err(|error| failed(&error))?;
        let reading = options.read_only(true);
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(reading).await;
        let readers = readers.map_err(|error| failed(&error))?;
        let (signer_arrivals, deployer_arrivals) = (Notify::new(), Notify::new());
        Ok(Self { shared: Arc::new(Shared { writer, readers, clock, signer_arrivals, deployer_arrivals }) })
    }

    /// Publishes events as `publisher`, who has been authenticated.
    pub fn bus(&self, publisher: &str) -> EmbeddedBus {
        EmbeddedBus::new(self.clone(), publisher)
    }

    /// Consumes from the queue `name`.
    pub fn work_queue(&self, name: QueueName) -> EmbeddedWorkQueue {
        EmbeddedWorkQueue::new(self.clone(), name)
    }

    /// Puts a message from `publisher`, who has been authenticated, into one queue.
    ///
    /// A message with the same publisher, id and body as one that is not settled yet, or was acknowledged within
    /// [`DEDUPLICATION_WINDOW`], is not put in again. One that became a dead letter is.
    ///
    /// # Errors
    /// [`QueueError::Refused`] for a body above [`BODY_LIMIT_BYTES`] or a name above [`NAME_LIMIT_BYTES`];
    /// [`QueueError::Unavailable`] while [`QUEUE_LIMIT_MESSAGES`] wait.
    pub async fn enqueue(
        &self,
        queue: QueueName,
        message_id: &str,
        publisher: &str,
        body: &[u8],
    ) -> Result<(), QueueError> {
        check_size(message_id, publisher, body)?;
        let mut change = self.begin_write().await?;
        let message = NewMessage { queue, message_id, publisher, body, body_sha256: Sha256Digest::of(body) };
        messages::put(&mut change, &message, self.now()).await?;
        self.commit(change, queue).await
    }

    /// Gives back at once what consumers of an earlier process had in hand when that process ended, instead of after
    /// their leases; such a delivery does not count towards the delivery limit. Gives the number of messages.
    ///
    /// Only for a process that knows itself the one consumer of this file, before it begins to receive.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] if nothing could be changed.
    pub async fn recover(&self) -> Result<u64, QueueError> {
        let mut change = self.begin_write().await?;
        let interrupted = messages::interrupt(&mut change, self.now()).await?;
        change.commit().await.map_err(unavailable)?;
        Ok(interrupted)
    }

    /// Up to `max` events that were published after the one numbered `sequence`, in order, with their numbers. The log
    /// keeps the newest [`EVENT_LOG_ROWS`]; 0 asks for all of them.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the log cannot be read.
    pub async fn events_after(&self, sequence: i64, max: usize) -> Result<Vec<(i64, Event)>, QueueError> {
        event_log::after(&self.shared.readers, sequence, max).await
    }

    /// The number of the newest event in the log, 0 if there is none: where following begins.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the log cannot be read.
    pub async fn last_sequence(&self) -> Result<i64, QueueError> {
        event_log::last_sequence(&self.shared.readers).await
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.shared.readers.close().await;
        self.shared.writer.close().await;
    }

    fn now(&self) -> UnixMillis {
        self.shared.clock.now()
    }

    fn arrivals(&self, queue: QueueName) -> &Notify {
        match queue {
            QueueName::Signer => &self.shared.signer_arrivals,
            QueueName::Deployer => &self.shared.deployer_arrivals,
        }
    }

    /// Begins a change; dropping it takes everything back.
    async fn begin_write(&self) -> Result<Transaction<'static, Sqlite>, QueueError> {
        self.shared.writer.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)
    }

    /// Makes a change durable and wakes the consumers of `queue`.
    async fn commit(&self, change: Transaction<'static, Sqlite>, queue: QueueName) -> Result<(), QueueError> {
        change.commit().await.map_err(unavailable)?;
        self.arrivals(queue).notify_waiters();
        Ok(())
    }
}

fn check_size(message_id: &str, publisher: &str, body: &[u8]) -> Result<(), QueueError> {
    if body.len() > BODY_LIMIT_BYTES {
        let bytes = body.len();
        return Err(QueueError::Refused(format!(
            "the body has {bytes} bytes, more than the {BODY_LIMIT_BYTES} allowed"
        )));
    }
    for (what, name) in [("message id", message_id), ("publisher", publisher)] {
        if name.len() > NAME_LIMIT_BYTES {
            let bytes = name.len();
            return Err(QueueError::Refused(format!(
                "the {what} has {bytes} bytes, more than the {NAME_LIMIT_BYTES} allowed"
            )));
        }
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn unavailable(error: sqlx::Error) -> QueueError {
    QueueError::Unavailable(error.to_string())
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// How long an acknowledged message is remembered, so that its repetition is not delivered: SQS's window.
pub const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(5 * 60);

/// How soon a consumer notices what another process put in, or a lease that ran out.
pub const POLL: Duration = Duration::from_millis(200);

/// The longest message id and publisher, in bytes: nobody fills the disk with names.
pub const NAME_LIMIT_BYTES: usize = 1024;

/// The most messages that wait in one queue. Beyond it publishers are told to come back later, and keep their events in
/// the outbox: a flood of notifications does not fill the disk.
pub const QUEUE_LIMIT_MESSAGES: u32 = 100_000;

/// The most events that the log keeps: it is there to be followed, not an archive that grows for ever.
pub const EVENT_LOG_ROWS: i64 = 50_000;

/// The most dead letters that are kept, newest first: a flood of poison messages does not fill the disk.
pub const DEAD_LETTER_ROWS: i64 = 10_000;

/// How long a connection waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many reads run at once; more only contend for the same disk.
const READERS: u32 = 4;

/// How often opening is tried: of two processes that make one file at once, one finds it locked or half made.
const OPEN_ATTEMPTS: u32 = 10;

/// How long to wait between two tries.
const OPEN_PAUSE: Duration = Duration::from_millis(50);
