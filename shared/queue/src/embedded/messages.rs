//! The life of a message: put in, delivered, settled.

use countersign_domain::{Sha256Digest, UnixMillis};
use countersign_ports::queue::{DELIVERY_LIMIT, Delivery, QueueError, Receipt};
use sqlx::{SqliteConnection, SqlitePool};

use super::{DEDUPLICATION_WINDOW, QUEUE_LIMIT_MESSAGES, dead_letters, limit, unavailable};
use crate::QueueName;

/// A message to be put in.
pub(super) struct NewMessage<'a> {
    pub(super) queue: QueueName,
    pub(super) message_id: &'a str,
    pub(super) publisher: &'a str,
    pub(super) body: &'a [u8],
    pub(super) body_sha256: Sha256Digest,
}

/// A message that a consumer has.
#[derive(sqlx::FromRow)]
pub(super) struct HeldMessage {
    sequence: i64,
    pub(super) queue: String,
    pub(super) message_id: String,
    pub(super) publisher: String,
    pub(super) body: Vec<u8>,
    body_sha256: String,
    pub(super) attempts: i64,
    interruptions: i64,
    leased: i64,
}

/// What a receipt finds.
pub(super) enum Found {
    /// The delivery is still this consumer's.
    Held(HeldMessage),
    /// The message was given back or somebody else has it.
    Lost,
    /// The message is done with.
    Gone,
}

/// Puts a message in, unless it is a repetition.
pub(super) async fn put(
    change: &mut SqliteConnection,
    message: &NewMessage<'_>,
    now: UnixMillis,
) -> Result<(), QueueError> {
    if was_settled(change, message, now).await? {
        return Ok(());
    }
    check_room(change, message.queue).await?;
    sqlx::query(
        "INSERT INTO messages (queue, message_id, publisher, body, body_sha256, attempts, leased, available_at)
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6)
         ON CONFLICT (queue, publisher, message_id, body_sha256) DO NOTHING",
    )
    .bind(message.queue.as_str())
    .bind(message.message_id)
    .bind(message.publisher)
    .bind(message.body)
    .bind(message.body_sha256.to_string())
    .bind(now.as_millis())
    .execute(change)
    .await
    .map(drop)
    .map_err(unavailable)
}

/// When the next message can be delivered, from a read that no writer waits for.
pub(super) async fn next_due(readers: &SqlitePool, queue: QueueName) -> Result<Option<i64>, QueueError> {
    let due = sqlx::query_scalar::<_, Option<i64>>("SELECT MIN(available_at) FROM messages WHERE queue = $1");
    due.bind(queue.as_str()).fetch_one(readers).await.map_err(unavailable)
}

/// Delivers up to `max` messages, oldest first, leased until `until`; what was delivered too often and never settled
/// becomes a dead letter.
pub(super) async fn take(
    change: &mut SqliteConnection,
    queue: QueueName,
    max: usize,
    now: UnixMillis,
    until: UnixMillis,
) -> Result<Vec<Delivery>, QueueError> {
    bury_worn_out(change, queue, now).await?;
    let due = sqlx::query_as::<_, HeldMessage>(
        "SELECT * FROM messages INDEXED BY messages_in_order
         WHERE queue = $1 AND available_at <= $2 ORDER BY sequence LIMIT $3",
    )
    .bind(queue.as_str())
    .bind(now.as_millis())
    .bind(limit(max))
    .fetch_all(&mut *change)
    .await
    .map_err(unavailable)?;
    for message in &due {
        let leased = sqlx::query(
            "UPDATE messages SET attempts = attempts + 1, leased = 1, available_at = $1 WHERE sequence = $2",
        );
        let leased = leased.bind(until.as_millis()).bind(message.sequence);
        leased.execute(&mut *change).await.map_err(unavailable)?;
    }
    due.into_iter().map(HeldMessage::into_delivery).collect()
}

/// The message that `receipt` was given for.
pub(super) async fn find(change: &mut SqliteConnection, receipt: &Receipt) -> Result<Found, QueueError> {
    let Some((sequence, attempts)) = parse_receipt(receipt) else {
        return Err(QueueError::ReceiptLost);
    };
    let message = sqlx::query_as::<_, HeldMessage>("SELECT * FROM messages WHERE sequence = $1");
    let message = message.bind(sequence).fetch_optional(change).await.map_err(unavailable)?;
    Ok(match message {
        None => Found::Gone,
        Some(message) if message.leased == 1 && message.attempts == attempts => Found::Held(message),
        Some(_) => Found::Lost,
    })
}

/// The message that `receipt` was given for, which is still this consumer's.
pub(super) async fn held(
    change: &mut SqliteConnection,
    receipt: &Receipt,
) -> Result<HeldMessage, QueueError> {
    match find(change, receipt).await? {
        Found::Held(message) => Ok(message),
        Found::Lost | Found::Gone => Err(QueueError::ReceiptLost),
    }
}

/// Holds a message until `until`, or gives it back until then.
pub(super) async fn postpone(
    change: &mut SqliteConnection,
    message: &HeldMessage,
    until: UnixMillis,
    give_back: bool,
) -> Result<(), QueueError> {
    sqlx::query("UPDATE messages SET available_at = $1, leased = $2 WHERE sequence = $3")
        .bind(until.as_millis())
        .bind(i64::from(!give_back))
        .bind(message.sequence)
        .execute(change)
        .await
        .map(drop)
        .map_err(unavailable)
}

/// Gives back every message in hand, without counting the delivery against it.
pub(super) async fn interrupt(change: &mut SqliteConnection, now: UnixMillis) -> Result<u64, QueueError> {
    let interrupted = sqlx::query(
        "UPDATE messages SET leased = 0, available_at = $1, interruptions = interruptions + 1 WHERE leased = 1",
    );
    let interrupted = interrupted.bind(now.as_millis()).execute(change).await.map_err(unavailable)?;
    Ok(interrupted.rows_affected())
}

/// Forgets a message that is done with, but for the window in which its repetition is recognised.
pub(super) async fn settle(
    change: &mut SqliteConnection,
    message: &HeldMessage,
    now: UnixMillis,
) -> Result<(), QueueError> {
    remove(change, message).await?;
    sqlx::query(
        "INSERT INTO settled (queue, publisher, message_id, body_sha256, settled_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (queue, publisher, message_id, body_sha256) DO UPDATE SET settled_at = excluded.settled_at",
    )
    .bind(&message.queue)
    .bind(&message.publisher)
    .bind(&message.message_id)
    .bind(&message.body_sha256)
    .bind(now.as_millis())
    .execute(&mut *change)
    .await
    .map_err(unavailable)?;
    let forgotten = sqlx::query("DELETE FROM settled WHERE settled_at <= $1").bind(window_start(now));
    forgotten.execute(change).await.map(drop).map_err(unavailable)
}

/// Takes a message out of its queue.
pub(super) async fn remove(change: &mut SqliteConnection, message: &HeldMessage) -> Result<(), QueueError> {
    let removed = sqlx::query("DELETE FROM messages WHERE sequence = $1").bind(message.sequence);
    removed.execute(change).await.map(drop).map_err(unavailable)
}

/// The number of messages in the queue.
pub(super) async fn depth(readers: &SqlitePool, queue: QueueName) -> Result<u64, QueueError> {
    let depth = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM messages WHERE queue = $1");
    let depth = depth.bind(queue.as_str()).fetch_one(readers).await.map_err(unavailable)?;
    u64::try_from(depth).map_err(|error| QueueError::Unavailable(error.to_string()))
}

async fn was_settled(
    change: &mut SqliteConnection,
    message: &NewMessage<'_>,
    now: UnixMillis,
) -> Result<bool, QueueError> {
    let settled = sqlx::query_scalar::<_, i64>(
        "SELECT settled_at FROM settled
         WHERE queue = $1 AND publisher = $2 AND message_id = $3 AND body_sha256 = $4 AND settled_at > $5",
    )
    .bind(message.queue.as_str())
    .bind(message.publisher)
    .bind(message.message_id)
    .bind(message.body_sha256.to_string())
    .bind(window_start(now))
    .fetch_optional(change)
    .await;
    settled.map(|settled| settled.is_some()).map_err(unavailable)
}

async fn check_room(change: &mut SqliteConnection, queue: QueueName) -> Result<(), QueueError> {
    let last = sqlx::query_scalar::<_, i64>(
        "SELECT sequence FROM messages WHERE queue = $1 ORDER BY sequence LIMIT 1 OFFSET $2",
    );
    let last = last.bind(queue.as_str()).bind(QUEUE_LIMIT_MESSAGES - 1);
    match last.fetch_optional(change).await.map_err(unavailable)? {
        None => Ok(()),
        Some(_) => Err(QueueError::Unavailable(format!("{QUEUE_LIMIT_MESSAGES} messages wait in {queue}"))),
    }
}

async fn bury_worn_out(
    change: &mut SqliteConnection,
    queue: QueueName,
    now: UnixMillis,
) -> Result<(), QueueError> {
    let worn_out = sqlx::query_as::<_, HeldMessage>(
        "SELECT * FROM messages
         WHERE queue = $1 AND available_at <= $2 AND (attempts - interruptions >= $3 OR interruptions >= $4)",
    )
    .bind(queue.as_str())
    .bind(now.as_millis())
    .bind(i64::from(DELIVERY_LIMIT))
    .bind(INTERRUPTION_LIMIT);
    for message in worn_out.fetch_all(&mut *change).await.map_err(unavailable)? {
        let reason = format!("delivered {} times and never settled: its consumers crashed", message.attempts);
        dead_letters::bury(change, &message, &reason, now).await?;
    }
    Ok(())
}

impl HeldMessage {
    /// This message at the delivery that its row does not count yet.
    fn into_delivery(self) -> Result<Delivery, QueueError> {
        let attempts = self.attempts + 1;
        let counted = attempts - self.interruptions;
        let corrupt = |error| QueueError::Unavailable(format!("message {}: {error}", self.sequence));
        Ok(Delivery {
            message_id: self.message_id,
            publisher: Some(self.publisher),
            attempt: u32::try_from(counted).map_err(corrupt)?,
            body: self.body,
            receipt: Receipt(format!("{}.{attempts}", self.sequence)),
        })
    }

    /// True if it must not be delivered again.
    pub(super) fn is_worn_out(&self) -> bool {
        self.attempts - self.interruptions >= i64::from(DELIVERY_LIMIT)
    }
}

/// A receipt names the message and its delivery, both of which are never used twice.
fn parse_receipt(receipt: &Receipt) -> Option<(i64, i64)> {
    let (sequence, attempts) = receipt.0.split_once('.')?;
    Some((sequence.parse().ok()?, attempts.parse().ok()?))
}

fn window_start(now: UnixMillis) -> i64 {
    let window = i64::try_from(DEDUPLICATION_WINDOW.as_millis()).unwrap_or(i64::MAX);
    now.as_millis().saturating_sub(window)
}

/// How often a message may be in hand when its process ends. Killing `up` again and again loses nothing; a message that
/// ends the process itself is given up at last.
const INTERRUPTION_LIMIT: i64 = 100;
