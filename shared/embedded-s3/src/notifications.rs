//! The notification of an object that arrived. Its row is written in the transaction that makes the version
//! visible, so that no arrival is lost and none is told of what never came to be.

use std::fmt::Write;

use countersign_domain::UnixMillis;
use serde_json::{Value, json};
use sqlx::{SqliteConnection, SqliteExecutor};
use uuid::Uuid;

use crate::errors::Result;
use crate::metadata::{Bucket, Version};

/// The notification of an object that arrived, to be delivered at least once.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Unique, and the same at every delivery.
    pub id: String,
    /// An S3 event message of version 2.1: `{"Records": [{…}]}` with one record.
    pub body: Value,
}

/// How an object came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventName {
    Put,
    Copy,
    CompleteMultipartUpload,
}

/// Writes the notification of `version`.
pub(crate) async fn record(
    db: &mut SqliteConnection,
    region: &str,
    bucket: &Bucket,
    version: &Version,
    event: EventName,
) -> Result<()> {
    let body = message(region, bucket, version, event).to_string();
    let id = Uuid::new_v4().to_string();
    let insert = sqlx::query("INSERT INTO notifications (id, body) VALUES ($1, $2)");
    insert.bind(id).bind(body).execute(db).await?;
    Ok(())
}

/// The oldest undelivered notifications, at most `limit`, oldest first.
pub(crate) async fn pending(
    db: impl SqliteExecutor<'_>,
    limit: i64,
) -> Result<Vec<Notification>, sqlx::Error> {
    let query = "SELECT id, body FROM notifications ORDER BY position LIMIT $1";
    let rows: Vec<(String, sqlx::types::Json<Value>)> =
        sqlx::query_as(query).bind(limit).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(id, body)| Notification { id, body: body.0 }).collect())
}

/// Forgets a notification that was delivered.
pub(crate) async fn forget(db: impl SqliteExecutor<'_>, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM notifications WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

fn message(region: &str, bucket: &Bucket, version: &Version, event: EventName) -> Value {
    let time = UnixMillis::new(version.created_at).map(|time| time.to_string()).unwrap_or_default();
    let mut object = json!({
        "key": encoded_key(&version.key),
        "size": version.size,
        "eTag": version.etag,
        "sequencer": format!("{:016X}", version.position),
    });
    if let Some(id) = bucket.versioning.told(&version.version_id) {
        object["versionId"] = Value::String(id);
    }
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": time,
        "eventName": event.as_str(),
        "userIdentity": {"principalId": "countersign"},
        "requestParameters": {},
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "countersign",
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": "countersign"},
                "arn": format!("arn:aws:s3:::{}", bucket.name),
            },
            "object": object,
        },
    }]})
}

/// The key as S3 writes it in events: form encoding, in which a space is `+`, but with `/` left as it is.
fn encoded_key(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'/' | b'-' | b'_' | b'.' | b'*' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").unwrap_or_default(),
        }
    }
    encoded
}

impl EventName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_aws_does() {
        assert_eq!(encoded_key("fn a/x+1.zip"), "fn+a/x%2B1.zip");
        assert_eq!(encoded_key("ä=%&.zip"), "%C3%A4%3D%25%26.zip");
    }
}
