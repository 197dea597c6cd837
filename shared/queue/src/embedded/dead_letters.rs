//! Messages that were given up, with the reason.

use std::fmt;

use async_trait::async_trait;
use countersign_domain::{Sha256Digest, UnixMillis};
use countersign_ports::queue::{DeadLetter, DeadLetterId, DeadLetters, QueueError};
use sqlx::{SqliteConnection, SqlitePool};

use super::messages::{HeldMessage, NewMessage, remove};
use super::{DEAD_LETTER_ROWS, EmbeddedQueue, limit, messages, unavailable};
use crate::QueueName;

#[async_trait]
impl DeadLetters for EmbeddedQueue {
    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        newest(&self.shared.readers, max).await
    }

    async fn replay(&self, id: &DeadLetterId) -> Result<bool, QueueError> {
        let mut change = self.begin_write().await?;
        let Some(letter) = exhume(&mut change, id).await? else { return Ok(false) };
        let (queue, body) = (letter.queue, letter.body.as_slice());
        let (message_id, publisher) = (letter.message_id.as_str(), letter.publisher.as_deref().unwrap_or(""));
        let message = NewMessage { queue, message_id, publisher, body, body_sha256: Sha256Digest::of(body) };
        messages::put(&mut change, &message, self.now()).await?;
        self.commit(change, queue).await.map(|()| true)
    }

    async fn depth(&self, queue: QueueName) -> Result<u64, QueueError> {
        messages::depth(&self.shared.readers, queue).await
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

/// Takes a dead letter out.
async fn exhume(change: &mut SqliteConnection, id: &DeadLetterId) -> Result<Option<DeadLetter>, QueueError> {
    let Ok(sequence) = id.0.parse::<i64>() else { return Ok(None) };
    let row = sqlx::query_as::<_, DeadLetterRow>("DELETE FROM dead_letters WHERE sequence = $1 RETURNING *");
    let row = row.bind(sequence).fetch_optional(change).await.map_err(unavailable)?;
    row.map(DeadLetter::try_from).transpose()
}

/// Up to `max` dead letters, newest first.
async fn newest(readers: &SqlitePool, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
    let rows =
        sqlx::query_as::<_, DeadLetterRow>("SELECT * FROM dead_letters ORDER BY sequence DESC LIMIT $1");
    let rows = rows.bind(limit(max)).fetch_all(readers).await.map_err(unavailable)?;
    rows.into_iter().map(DeadLetter::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct DeadLetterRow {
    sequence: i64,
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
            id: DeadLetterId(row.sequence.to_string()),
            queue: row.queue.parse().map_err(|error| corrupt(&error))?,
            attempts: Some(u32::try_from(row.attempts).map_err(|error| corrupt(&error))?),
            died_at: Some(UnixMillis::new(row.died_at).map_err(|error| corrupt(&error))?),
            message_id: row.message_id,
            publisher: Some(row.publisher),
            reason: row.reason,
            body: row.body,
        })
    }
}

/// The longest reason that is kept, in characters: a reason may quote what an attacker wrote.
const REASON_LIMIT_CHARS: usize = 2000;
