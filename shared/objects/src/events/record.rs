//! One of a notification's `Records`: a shape of AWS that other stores took over, each with a key of its own encoding.

use countersign_domain::{BucketName, ObjectVersion};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EventRefusal, ObjectCreated, aws, ceph, minio, reason, unknown_source, versioned};

/// The version that the record says was created; `None` if it tells of something else.
pub(super) fn created(record: &RawValue) -> Result<Option<ObjectCreated>, EventRefusal> {
    let record: Record =
        serde_json::from_str(record.get()).map_err(|error| EventRefusal::Malformed(reason(&error)))?;
    if !record.event_version.starts_with("2.") {
        return Err(unknown_source(&record.event_source, &record.event_version));
    }
    match record.event_source.as_str() {
        "aws:s3" => aws::created(&record),
        "ceph:s3" => ceph::created(&record),
        "minio:s3" => minio::created(&record),
        other => Err(unknown_source(other, &record.event_version)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    event_version: String,
    event_source: String,
    pub(super) event_name: String,
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

impl Record {
    /// The key, as the store wrote it.
    pub(super) fn written_key(&self) -> &str {
        &self.s3.object.key
    }

    /// The version of the object with this key.
    pub(super) fn object(&self, key: &str) -> Result<ObjectCreated, EventRefusal> {
        let bucket: BucketName = self.s3.bucket.name.parse()?;
        let version = versioned(self.s3.object.version_id.as_deref(), &bucket, key)?.parse()?;
        Ok(ObjectCreated { candidates: vec![ObjectVersion { bucket, key: key.parse()?, version }] })
    }
}
