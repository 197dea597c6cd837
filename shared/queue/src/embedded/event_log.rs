//! The newest events, once each, to be followed in a terminal.

use countersign_domain::Event;
use countersign_ports::queue::QueueError;
use sqlx::{SqliteConnection, SqlitePool};

use super::{EVENT_LOG_ROWS, limit, unavailable};

/// Appends an event, unless it is there.
pub(super) async fn append(
    change: &mut SqliteConnection,
    event: &Event,
    json: &str,
) -> Result<(), QueueError> {
    let appended = sqlx::query(
        "INSERT INTO events (source, event_id, event) VALUES ($1, $2, $3) ON CONFLICT (source, event_id) DO NOTHING",
    );
    let appended = appended.bind(&event.source).bind(event.id.as_str()).bind(json);
    let appended = appended.execute(&mut *change).await.map_err(unavailable)?;
    if appended.rows_affected() == 0 {
        return Ok(());
    }
    let forgotten = sqlx::query("DELETE FROM events WHERE sequence <= $1");
    let forgotten = forgotten.bind(appended.last_insert_rowid().saturating_sub(EVENT_LOG_ROWS));
    forgotten.execute(change).await.map(drop).map_err(unavailable)
}

pub(super) async fn after(
    readers: &SqlitePool,
    sequence: i64,
    max: usize,
) -> Result<Vec<(i64, Event)>, QueueError> {
    let rows = sqlx::query_as::<_, (i64, String)>(
        "SELECT sequence, event FROM events WHERE sequence > $1 ORDER BY sequence LIMIT $2",
    );
    let rows = rows.bind(sequence).bind(limit(max)).fetch_all(readers).await.map_err(unavailable)?;
    rows.into_iter().map(|(sequence, json)| Ok((sequence, parse(sequence, &json)?))).collect()
}

pub(super) async fn last_sequence(readers: &SqlitePool) -> Result<i64, QueueError> {
    let last = sqlx::query_scalar::<_, Option<i64>>("SELECT MAX(sequence) FROM events");
    Ok(last.fetch_one(readers).await.map_err(unavailable)?.unwrap_or(0))
}

fn parse(sequence: i64, json: &str) -> Result<Event, QueueError> {
    serde_json::from_str(json).map_err(|error| {
        QueueError::Unavailable(format!("event {sequence} of the log does not parse: {error}"))
    })
}
