//! What the broker says of a message.

use countersign_domain::{Sha256Digest, UnixMillis};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use crate::QueueName;

/// The id that the publisher gave; where it gave none, the digest of the body.
pub(super) fn id(properties: &BasicProperties, body: &[u8]) -> String {
    let given = properties.message_id().as_ref().map(|id| id.as_str().to_owned());
    given.filter(|id| !id.is_empty()).unwrap_or_else(|| Sha256Digest::of(body).to_string())
}

/// The publisher: the broker refuses a `user_id` that is not the connection's user.
pub(super) fn publisher(properties: &BasicProperties) -> Option<String> {
    properties.user_id().as_ref().map(|user| user.as_str().to_owned()).filter(|user| !user.is_empty())
}

/// How often a message is delivered, this time included: a quorum queue counts its returns. On a first delivery the
/// header is whatever the publisher wrote.
pub(super) fn attempt(properties: &BasicProperties, redelivered: bool) -> u32 {
    let returns =
        header(properties, "x-delivery-count").filter(|_| redelivered).and_then(integer).unwrap_or(0);
    u32::try_from(returns).unwrap_or(0).saturating_add(1)
}

/// The last death of a message.
pub(super) struct Death {
    /// `rejected`, `delivery_limit`, …
    pub(super) reason: String,
    /// When it was, in whole seconds.
    pub(super) at: Option<UnixMillis>,
    /// How often it died so before.
    pub(super) count: i64,
}

/// The death that brought a message to its dead letters; the broker puts the latest first.
pub(super) fn death(properties: &BasicProperties, queue: QueueName) -> Option<Death> {
    let Some(AMQPValue::FieldArray(deaths)) = header(properties, "x-death") else { return None };
    let died_here =
        |death: &&FieldTable| field(death, "queue").and_then(text).as_deref() == Some(queue.as_str());
    let here = deaths.as_slice().iter().filter_map(table).find(died_here)?;
    let seconds = match field(here, "time") {
        Some(AMQPValue::Timestamp(seconds)) => i64::try_from(*seconds).ok(),
        _ => None,
    };
    Some(Death {
        reason: field(here, "reason").and_then(text).unwrap_or_default(),
        at: seconds.and_then(|seconds| UnixMillis::new(seconds.checked_mul(1000)?).ok()),
        count: field(here, "count").and_then(integer).unwrap_or(0),
    })
}

/// A header of a message.
pub(super) fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref().and_then(|headers| field(headers, name))
}

/// A whole number, of whatever width the sender chose.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other types are no whole numbers, or too large ones")]
pub(super) fn integer(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(value) => Some(value.into()),
        AMQPValue::ShortShortUInt(value) => Some(value.into()),
        AMQPValue::ShortInt(value) => Some(value.into()),
        AMQPValue::ShortUInt(value) => Some(value.into()),
        AMQPValue::LongInt(value) => Some(value.into()),
        AMQPValue::LongUInt(value) => Some(value.into()),
        AMQPValue::LongLongInt(value) => Some(value),
        _ => None,
    }
}

/// Identifies a message of a queue by everything that its publisher gave, for ids and reasons.
pub(super) fn fingerprint(queue: QueueName, publisher: Option<&str>, id: &str, body: &[u8]) -> String {
    let identity = format!("{queue}\n{publisher:?}\n{id:?}\n{}", Sha256Digest::of(body));
    Sha256Digest::of(identity.as_bytes()).to_string()
}

fn field<'a>(table: &'a FieldTable, name: &str) -> Option<&'a AMQPValue> {
    table.inner().get(name)
}

fn table(value: &AMQPValue) -> Option<&FieldTable> {
    if let AMQPValue::FieldTable(table) = value { Some(table) } else { None }
}

fn text(value: &AMQPValue) -> Option<String> {
    if let AMQPValue::LongString(text) = value { Some(text.to_string()) } else { None }
}
