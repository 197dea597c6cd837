//! Messages that were given up, with the reason.

use std::fmt;

use countersign_domain::UnixMillis;
use countersign_ports::queue::QueueError;
use sqlx::{SqliteConnection, SqlitePool};

use super::messages::{HeldMessage, remove};
use super::{DEAD_LETTER_ROWS, limit, unavailable};
use crate::QueueName;

/// A message that was given up.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue it was in.
    pub queue: QueueName,
    /// The id that the publisher gave.
    pub message_id: String,
    /// The publisher.
    pub publisher: String,
    /// How often it was delivered.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: String,
    /// When it was given up.
    pub died_at: UnixMillis,
    /// The message.
    pub body: Vec<u8>,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies come from outside and never reach a log.
        let Self { queue, message_id, publisher, attempts, reason, died_at, body } = self;
        write!(
            f,
            "DeadLetter {{ {queue} {message_id:?} from {publisher:?}, {attempts} deliveries, {reason:?}, {died_at}, {} bytes }}",
            body.len()
        )
    }
}

/// Moves a message to the dead letters.
pub(super) async fn bury(
    change: &mut SqliteConnection,
    message: &HeldMessage,
    reason: &str,
    now: UnixMillis,
) -> Result<(), QueueError> {
    remove(change, message).await?;
    let buried = sqlx::query(
        "INSERT INTO dead_letters (queue, message_id, publisher, body, attempts, reason, died_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&message.queue)
    .bind(&message.message_id)
    .bind(&message.publisher)
    .bind(&message.body)
    .bind(message.attempts)
    .bind(reason.chars().take(REASON_LIMIT_CHARS).collect::<String>())
    .bind(now.as_millis())
    .execute(&mut *change)
    .await
    .map_err(unavailable)?;
    let forgotten = sqlx::query("DELETE FROM dead_letters WHERE sequence <= $1");
    let forgotten = forgotten.bind(buried.last_insert_rowid().saturating_sub(DEAD_LETTER_ROWS));
    forgotten.execute(change).await.map(drop).map_err(unavailable)
}

/// Up to `max` dead letters, newest first.
pub(super) async fn newest(readers: &SqlitePool, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
    let rows = sqlx::query_as::<_, DeadLetterRow>(
        "SELECT queue, message_id, publisher, body, attempts, reason, died_at
         FROM dead_letters ORDER BY sequence DESC LIMIT $1",
    );
    let rows = rows.bind(limit(max)).fetch_all(readers).await.map_err(unavailable)?;
    rows.into_iter().map(DeadLetter::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct DeadLetterRow {
    queue: String,
    message_id: String,
    publisher: String,
    body: Vec<u8>,
    attempts: i64,
    reason: String,
    died_at: i64,
}

impl TryFrom<DeadLetterRow> for DeadLetter {
    type Error = QueueError;

    fn try_from(row: DeadLetterRow) -> Result<Self, QueueError> {
        let corrupt = |error: &dyn fmt::Display| {
            QueueError::Unavailable(format!("dead letter {:?} does not parse: {error}", row.message_id))
        };
        Ok(Self {
            queue: row.queue.parse().map_err(|error| corrupt(&error))?,
            attempts: u32::try_from(row.attempts).map_err(|error| corrupt(&error))?,
            died_at: UnixMillis::new(row.died_at).map_err(|error| corrupt(&error))?,
            message_id: row.message_id,
            publisher: row.publisher,
            reason: row.reason,
            body: row.body,
        })
    }
}

/// The longest reason that is kept, in characters: a reason may quote what an attacker wrote.
const REASON_LIMIT_CHARS: usize = 2000;
