//! From columns to domain words and back, strictly.

use std::fmt::Display;
use std::str::FromStr;

use countersign_domain::{Event, UnixMillis};
use countersign_ports::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;

/// What a failure of the database means to a caller.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn unavailable(error: sqlx::Error) -> StoreError {
    if let sqlx::Error::ColumnDecode { source, index } = &error {
        return corrupt("a row", format!("column {index}: {source}"));
    }
    StoreError::Unavailable(error.to_string())
}

pub(super) fn corrupt(what: &'static str, reason: impl Display) -> StoreError {
    StoreError::Corrupt { what, reason: reason.to_string() }
}

pub(super) fn parse<T>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error| corrupt(what, error))
}

pub(super) fn parse_optional<T>(what: &'static str, text: Option<&str>) -> Result<Option<T>, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    text.map(|text| parse(what, text)).transpose()
}

pub(super) fn instant(what: &'static str, millis: i64) -> Result<UnixMillis, StoreError> {
    UnixMillis::new(millis).map_err(|error| corrupt(what, error))
}

pub(super) fn count(what: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|error| corrupt(what, error))
}

pub(super) fn bigint(what: &'static str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| corrupt(what, error))
}

pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| corrupt(what, error))
}

pub(super) fn to_json<T: Serialize + ?Sized>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt(what, error))
}

/// Puts events into the outbox, in the transaction of the change that they tell of.
pub(super) async fn tell(change: &mut SqliteConnection, events: &[Event]) -> Result<(), StoreError> {
    for event in events {
        sqlx::query(
            "INSERT INTO outbox (event_id, source, event) VALUES ($1, $2, $3) ON CONFLICT (event_id) DO NOTHING",
        )
            .bind(event.id.as_str())
            .bind(&event.source)
            .bind(to_json("outbox.event", event)?)
            .execute(&mut *change)
            .await
            .map_err(unavailable)?;
    }
    Ok(())
}

/// Counts a change of policy or revocation, so that no decision that was based on the state before it is recorded.
pub(super) async fn count_revision(change: &mut SqliteConnection) -> Result<(), StoreError> {
    let counted = sqlx::query("UPDATE revision SET value = value + 1 WHERE id = 1");
    match counted.execute(change).await.map_err(unavailable)?.rows_affected() {
        1 => Ok(()),
        rows => Err(corrupt("revision", format!("it has {rows} rows instead of one"))),
    }
}
