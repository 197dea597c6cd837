//! S3's event notifications: hints that a new object version may be there.
//!
//! Whoever can write to the queue can write such a message, so nothing of it is believed but the name of an object
//! version, and that only after the domain's own parsers took it.

use countersign_domain::{BucketName, InvalidName, ObjectVersion};
use countersign_ports::queue::BODY_LIMIT_BYTES;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::shortened;
use crate::key_encoding;

pub use crate::key_encoding::InvalidKeyEncoding;

/// A notification says that this version was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// The version.
    pub object: ObjectVersion,
}

/// The message is no notification: it can never be handled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNotification {
    /// It is larger than any notification.
    #[error("the notification has {size_bytes} bytes, more than {BODY_LIMIT_BYTES}")]
    TooLarge {
        /// Its size in bytes.
        size_bytes: usize,
    },
    /// It is not the JSON of a notification.
    #[error("the message is not an S3 notification: {0}")]
    NotJson(String),
    /// It has neither records nor is it S3's test event.
    #[error("the message has no Records and is not s3:TestEvent")]
    NoRecords,
    /// It has more records than any notification.
    #[error("the notification has {count} records, more than {RECORDS_MAX}")]
    TooManyRecords {
        /// How many.
        count: usize,
    },
}

/// One record names no object version that could be signed. The others of its message stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// It is not a record.
    #[error("the record is malformed: {0}")]
    Malformed(String),
    /// It comes from something whose records this parser does not know, so that its key could be misread.
    #[error(
        "records of {event_source:?} in version {event_version:?} are not known: aws:s3 in version 2.x is"
    )]
    UnknownSource {
        /// Its `eventSource`.
        event_source: String,
        /// Its `eventVersion`.
        event_version: String,
    },
    /// The object has no version.
    #[error("{key:?} lies in the unversioned bucket {bucket}: turn on bucket versioning and upload again")]
    Unversioned {
        /// Its bucket.
        bucket: BucketName,
        /// Its key.
        key: String,
    },
    /// The key is not in S3's encoding.
    #[error(transparent)]
    KeyEncoding(#[from] InvalidKeyEncoding),
    /// The bucket, key or version is not legal.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// The object versions that a notification says were created, in its order. Records of other events, and S3's test
/// event, give nothing.
///
/// # Errors
/// [`MalformedNotification`] where the message as a whole is no notification.
pub fn parse(body: &[u8]) -> Result<Vec<Result<ObjectCreated, EventRefusal>>, MalformedNotification> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(MalformedNotification::TooLarge { size_bytes: body.len() });
    }
    let message: Message<'_> =
        serde_json::from_slice(body).map_err(|error| MalformedNotification::NotJson(reason(&error)))?;
    let records = match (message.records, message.event) {
        (Some(records), _) => records,
        (None, Some("s3:TestEvent")) => Vec::new(),
        (None, _) => return Err(MalformedNotification::NoRecords),
    };
    if records.len() > RECORDS_MAX {
        return Err(MalformedNotification::TooManyRecords { count: records.len() });
    }
    Ok(records.into_iter().filter_map(|record| created(record).transpose()).collect())
}

/// Records of a message that are looked at. S3 sends one; the limit stops a message from being a thousand jobs.
pub const RECORDS_MAX: usize = 1000;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "Records", borrow)]
    records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "Event")]
    event: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_version: String,
    event_source: String,
    event_name: String,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    version_id: Option<String>,
}

fn created(record: &RawValue) -> Result<Option<ObjectCreated>, EventRefusal> {
    let record: Record =
        serde_json::from_str(record.get()).map_err(|error| EventRefusal::Malformed(reason(&error)))?;
    if record.event_source != "aws:s3" || !record.event_version.starts_with("2.") {
        let [event_source, event_version] =
            [&record.event_source, &record.event_version].map(|text| shortened(text));
        return Err(EventRefusal::UnknownSource { event_source, event_version });
    }
    if !record.event_name.starts_with("ObjectCreated:") {
        return Ok(None);
    }
    object(&record.s3).map(|object| Some(ObjectCreated { object }))
}

fn object(entity: &Entity) -> Result<ObjectVersion, EventRefusal> {
    let bucket: BucketName = entity.bucket.name.parse()?;
    let key = key_encoding::decoded(&entity.object.key)?;
    match entity.object.version_id.as_deref() {
        None | Some("" | "null") => Err(EventRefusal::Unversioned { bucket, key: shortened(&key) }),
        Some(version) => Ok(ObjectVersion { bucket, key: key.parse()?, version: version.parse()? }),
    }
}

/// What is wrong with the JSON, without what a stranger put there.
fn reason(error: &serde_json::Error) -> String {
    shortened(&error.to_string())
}

#[cfg(test)]
mod tests;
