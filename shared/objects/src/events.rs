//! S3's event notifications: hints that a new object version may be there.
//!
//! Whoever can write to the queue can write such a message, so nothing of it is believed but the name of an object
//! version, and that only after the domain's own parsers took it. Stores write keys in different encodings; the source
//! that a record names decides how its key is read.

mod aws;
mod ceph;
mod event_bridge;
mod minio;
mod record;

use countersign_domain::{BucketName, InvalidName, ObjectVersion};
use countersign_ports::queue::BODY_LIMIT_BYTES;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::shortened;

pub use crate::key_encoding::InvalidKeyEncoding;

/// A notification says that a version was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// The versions that may be meant, at least one, the likeliest first: where stores encode keys differently, the one
    /// that exists is meant.
    pub candidates: Vec<ObjectVersion>,
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
    /// It is of no kind that is known, or of two.
    #[error(
        "the message has neither Records nor the detail of an event of EventBridge, and is not s3:TestEvent"
    )]
    UnknownKind,
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
        "records of {event_source:?} in version {event_version:?} are not known: aws:s3, ceph:s3 and minio:s3 in version \
         2.x are, and aws.s3 of EventBridge in version 0"
    )]
    UnknownSource {
        /// Its `eventSource`, or the `source` of an event of EventBridge.
        event_source: String,
        /// Its `eventVersion`, or the `version`.
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
    match message {
        Message { records: Some(records), detail: None, .. } => of_records(&records),
        Message { records: None, detail: Some(_), .. } => {
            Ok(event_bridge::created(body).transpose().into_iter().collect())
        }
        Message { event: Some("s3:TestEvent"), records: None, detail: None } => Ok(Vec::new()),
        Message { .. } => Err(MalformedNotification::UnknownKind),
    }
}

/// Records of a message that are looked at. S3 sends one; the limit stops a message from being a thousand jobs.
pub const RECORDS_MAX: usize = 1000;

/// What tells the kinds of messages apart.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "Records", borrow)]
    records: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(rename = "Event")]
    event: Option<&'a str>,
}

fn of_records(
    records: &[&RawValue],
) -> Result<Vec<Result<ObjectCreated, EventRefusal>>, MalformedNotification> {
    if records.len() > RECORDS_MAX {
        return Err(MalformedNotification::TooManyRecords { count: records.len() });
    }
    Ok(records.iter().filter_map(|record| record::created(record).transpose()).collect())
}

/// The version id, where there is one. Stores write none, an empty one or `null` where the bucket keeps no versions.
fn versioned<'a>(version: Option<&'a str>, bucket: &BucketName, key: &str) -> Result<&'a str, EventRefusal> {
    match version {
        None | Some("" | "null") => {
            Err(EventRefusal::Unversioned { bucket: bucket.clone(), key: shortened(key) })
        }
        Some(version) => Ok(version),
    }
}

fn unknown_source(event_source: &str, event_version: &str) -> EventRefusal {
    let [event_source, event_version] = [event_source, event_version].map(shortened);
    EventRefusal::UnknownSource { event_source, event_version }
}

/// What is wrong with the JSON, without what a stranger put there.
fn reason(error: &serde_json::Error) -> String {
    shortened(&error.to_string())
}
