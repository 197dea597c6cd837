//! S3's events as EventBridge sends them: one to a message.
//!
//! On AWS the key stands as it is; LocalStack escapes it. Nothing in the message tells the two apart, so both readings
//! are candidates, as it stands first: the version belongs to one of them at most.

use countersign_domain::{BucketName, ObjectKey, ObjectVersion, VersionId};
use serde::Deserialize;

use super::{EventRefusal, ObjectCreated, reason, unknown_source, versioned};
use crate::key_encoding;

/// The version that the event says was created; `None` if it tells of something else in S3.
pub(super) fn created(body: &[u8]) -> Result<Option<ObjectCreated>, EventRefusal> {
    let malformed = |error| EventRefusal::Malformed(reason(&error));
    let envelope: Envelope = serde_json::from_slice(body).map_err(malformed)?;
    if envelope.source != "aws.s3" || envelope.version != "0" {
        return Err(unknown_source(&envelope.source, &envelope.version));
    }
    if envelope.detail_type != "Object Created" {
        return Ok(None);
    }
    let event: Event = serde_json::from_slice(body).map_err(malformed)?;
    candidates(event.detail).map(|candidates| Some(ObjectCreated { candidates }))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope {
    version: String,
    source: String,
    detail_type: String,
}

#[derive(Deserialize)]
struct Event {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Object {
    key: String,
    version_id: Option<String>,
}

fn candidates(Detail { bucket, object }: Detail) -> Result<Vec<ObjectVersion>, EventRefusal> {
    let bucket: BucketName = bucket.name.parse()?;
    let version: VersionId = versioned(object.version_id.as_deref(), &bucket, &object.key)?.parse()?;
    let literal: Result<ObjectKey, _> = object.key.parse();
    let unescaped = key_encoding::unescaped(&object.key).ok().filter(|key| *key != object.key);
    let unescaped = unescaped.and_then(|key| key.parse().ok());
    if unescaped.is_none() {
        literal.as_ref().map_err(Clone::clone)?;
    }
    let keys = literal.into_iter().chain(unescaped);
    Ok(keys.map(|key| ObjectVersion { bucket: bucket.clone(), key, version: version.clone() }).collect())
}
