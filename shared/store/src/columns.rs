//! From columns to domain words and back, strictly.

use std::fmt::Display;
use std::str::FromStr;

use countersign_domain::UnixMillis;
use countersign_ports::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a failure of the database means to a caller.
pub(crate) fn failed(error: &sqlx::Error) -> StoreError {
    if let sqlx::Error::ColumnDecode { source, index } = error {
        return corrupt("a row", format!("column {index}: {source}"));
    }
    StoreError::Unavailable(error.to_string())
}

/// A text for people as both databases keep it: PostgreSQL has no NUL in its TEXT.
pub(crate) fn for_people(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(crate) fn corrupt(what: &'static str, reason: impl Display) -> StoreError {
    StoreError::Corrupt { what, reason: reason.to_string() }
}

pub(crate) fn parse<T>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error| corrupt(what, error))
}

pub(crate) fn parse_optional<T>(what: &'static str, text: Option<&str>) -> Result<Option<T>, StoreError>
where
    T: FromStr,
    T::Err: Display,
{
    text.map(|text| parse(what, text)).transpose()
}

pub(crate) fn instant(what: &'static str, millis: i64) -> Result<UnixMillis, StoreError> {
    UnixMillis::new(millis).map_err(|error| corrupt(what, error))
}

pub(crate) fn count(what: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|error| corrupt(what, error))
}

pub(crate) fn bigint(what: &'static str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| corrupt(what, error))
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| corrupt(what, error))
}

pub(crate) fn to_json<T: Serialize + ?Sized>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt(what, error))
}
