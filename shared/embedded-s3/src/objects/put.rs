//! PutObject, and making a version visible.

use s3s::S3Request;
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput};
use sqlx::SqliteConnection;

use super::receive::Received;
use super::{Attributes, Body, Expected, MAX_OBJECT, attributes_of};
use crate::checksums::{self, Coverage, StoredChecksum, checksum_members, set_checksum};
use crate::conditions::WriteConditions;
use crate::errors::Result;
use crate::metadata::versions::{self, NULL_VERSION};
use crate::metadata::{Bucket, Version, Versioning, buckets};
use crate::notifications::{self, EventName};
use crate::store::{Store, new_id};
use crate::tagging::Tags;

/// An object whose bytes are durable and that is about to become visible.
#[derive(Debug)]
pub(crate) struct NewObject<'r> {
    pub(crate) key: &'r str,
    pub(crate) content: &'r str,
    pub(crate) size: i64,
    pub(crate) etag: String,
    pub(crate) attributes: &'r Attributes,
    pub(crate) tags: &'r Tags,
    pub(crate) checksum: StoredChecksum,
    pub(crate) part_sizes: Option<Vec<i64>>,
    pub(crate) event: EventName,
}

impl Store {
    pub(crate) async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> Result<PutObjectOutput> {
        let expected = Expected {
            length: request.input.content_length,
            md5: request.input.content_md5.clone(),
            checksum: checksums::declared(checksum_members!(request.input), &request.headers)?,
            trailers: request.trailing_headers.take(),
        };
        let body = Body::from(request.input.body.take());
        let input = request.input;
        let attributes = attributes_of!(input)?;
        let tags = Tags::from_header(input.tagging.as_deref())?;
        let conditions = WriteConditions { if_match: input.if_match, if_none_match: input.if_none_match };
        self.check_writable(&input.bucket, &input.key, &conditions).await?;
        let received = body.receive(&self.content, expected, MAX_OBJECT).await?;
        let object = NewObject::whole(&input.key, &received, &attributes, &tags, EventName::Put);
        let (bucket, version) =
            self.publish(&input.bucket, object, &conditions).await?.after(self, received).await?;
        put_output(&bucket, &version)
    }

    /// Refuses early what would be refused after the body: the bucket is missing, or a condition does not
    /// hold.
    pub(crate) async fn check_writable(
        &self,
        bucket: &str,
        key: &str,
        conditions: &WriteConditions,
    ) -> Result<()> {
        let db = self.metadata.readers();
        buckets::find(db, bucket).await?;
        conditions.check(versions::latest(db, bucket, key).await?.as_ref())
    }

    /// Begins the write that makes `object` visible; [`Publication::after`] ends it.
    pub(crate) async fn publish(
        &self,
        bucket: &str,
        object: NewObject<'_>,
        conditions: &WriteConditions,
    ) -> Result<Publication> {
        let mut tx = self.metadata.begin().await?;
        let bucket = buckets::find(&mut *tx, bucket).await?;
        let (version, replaced) = self.insert_object(&mut tx, &bucket, object, conditions).await?;
        Ok(Publication { tx, bucket, version, replaced })
    }

    /// Writes the version and its notification in one transaction, if the conditions hold in it.
    pub(crate) async fn insert_object(
        &self,
        tx: &mut SqliteConnection,
        bucket: &Bucket,
        object: NewObject<'_>,
        conditions: &WriteConditions,
    ) -> Result<(Version, Option<String>)> {
        conditions.check(versions::latest(&mut *tx, &bucket.name, object.key).await?.as_ref())?;
        let event = object.event;
        let row = object.into_row(bucket, self.now())?;
        let (version, replaced) = versions::insert(&mut *tx, row).await?;
        notifications::record(tx, &self.region, bucket, &version, event).await?;
        Ok((version, replaced))
    }
}

/// A version that becomes visible with the commit that [`Publication::after`] makes.
pub(crate) struct Publication {
    tx: sqlx::Transaction<'static, sqlx::Sqlite>,
    bucket: Bucket,
    version: Version,
    replaced: Option<String>,
}

impl Publication {
    /// Commits the version whose bytes are `received`.
    pub(crate) async fn after(self, store: &Store, received: Received) -> Result<(Bucket, Version)> {
        let replaced = self.replaced.into_iter().collect();
        store.commit_object(self.tx, received.content, replaced).await?;
        Ok((self.bucket, self.version))
    }
}

impl<'r> NewObject<'r> {
    /// An object that was received in one piece.
    pub(crate) fn whole(
        key: &'r str,
        received: &'r Received,
        attributes: &'r Attributes,
        tags: &'r Tags,
        event: EventName,
    ) -> Self {
        let checksum = StoredChecksum {
            algorithm: received.algorithm,
            value: received.checksum.clone(),
            coverage: Coverage::FullObject,
        };
        let (content, size, etag) = (received.content.id(), received.size, received.etag.clone());
        Self { key, content, size, etag, attributes, tags, checksum, part_sizes: None, event }
    }

    fn into_row(self, bucket: &Bucket, now: i64) -> Result<Version> {
        Ok(Version {
            content: Some(self.content.to_owned()),
            size: self.size,
            etag: self.etag,
            attributes: self.attributes.to_column()?,
            tags: self.tags.to_column()?,
            checksum_algorithm: Some(self.checksum.algorithm.name().to_owned()),
            checksum_value: Some(self.checksum.value),
            checksum_type: Some(self.checksum.coverage.name().to_owned()),
            part_sizes: self.part_sizes.map(|sizes| serde_json::to_string(&sizes)).transpose()?,
            ..empty_version(bucket, self.key, now)
        })
    }
}

/// A version of `key` without bytes, which is what a delete marker is.
pub(crate) fn empty_version(bucket: &Bucket, key: &str, now: i64) -> Version {
    let version_id = match bucket.versioning {
        Versioning::Enabled => new_id(now),
        Versioning::Disabled | Versioning::Suspended => NULL_VERSION.to_owned(),
    };
    Version {
        position: 0,
        bucket: bucket.name.clone(),
        key: key.to_owned(),
        version_id,
        is_latest: true,
        is_delete_marker: false,
        created_at: now,
        content: None,
        size: 0,
        etag: String::new(),
        attributes: "{}".to_owned(),
        tags: "[]".to_owned(),
        checksum_algorithm: None,
        checksum_value: None,
        checksum_type: None,
        part_sizes: None,
    }
}

fn put_output(bucket: &Bucket, version: &Version) -> Result<PutObjectOutput> {
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        version_id: bucket.versioning.told(&version.version_id),
        ..PutObjectOutput::default()
    };
    if let Some(checksum) = version.checksum()? {
        set_checksum!(output, checksum.algorithm, checksum.value);
        output.checksum_type = Some(checksum.wire_type());
    }
    Ok(output)
}
