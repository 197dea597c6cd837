//! Tags of object versions and of buckets.

use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
    TagSet,
};
use s3s::{S3Error, S3ErrorCode};
use serde::{Deserialize, Serialize};

use crate::errors::{Result, custom, not_configured};
use crate::metadata::configurations::Subresource;
use crate::metadata::{buckets, versions};
use crate::objects::require_object;
use crate::query;
use crate::store::Store;

/// The tags of one version or bucket, in the order they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// Tags as a document gives them.
    fn from_set(set: TagSet, limit: &Limit) -> Result<Self> {
        let pairs = set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
        Self::checked(pairs.collect(), limit)
    }

    /// Tags as the `x-amz-tagging` header gives them: `key=value&…`, percent-encoded.
    pub(crate) fn from_header(header: Option<&str>) -> Result<Self> {
        let pairs = header.filter(|header| !header.is_empty()).map(query::pairs).unwrap_or_default();
        Self::checked(pairs, &OF_OBJECTS)
    }

    /// Tags as a row holds them.
    pub(crate) fn from_column(json: &str) -> Result<Self> {
        Ok(serde_json::from_str(json)?)
    }

    /// The text for a row.
    pub(crate) fn to_column(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// How many there are, for the header that S3 sends only if there are any.
    pub(crate) fn count(&self) -> Option<i32> {
        i32::try_from(self.0.len()).ok().filter(|count| *count > 0)
    }

    fn into_set(self) -> TagSet {
        self.0.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
    }

    fn checked(pairs: Vec<(String, String)>, limit: &Limit) -> Result<Self> {
        if pairs.len() > limit.tags {
            return Err(custom("BadRequest", http::StatusCode::BAD_REQUEST, limit.exceeded).into());
        }
        for (at, (key, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(at).any(|(earlier, _)| earlier == key) {
                return Err(invalid("Cannot provide multiple Tags with the same key").into());
            }
            if key.is_empty() || key.chars().count() > MAX_KEY || key.starts_with("aws:") {
                return Err(invalid("The TagKey you have provided is invalid").into());
            }
            if value.chars().count() > MAX_VALUE {
                return Err(invalid("The TagValue you have provided is invalid").into());
            }
        }
        Ok(Self(pairs))
    }
}

impl Store {
    pub(crate) async fn tags(&self, input: GetObjectTaggingInput) -> Result<GetObjectTaggingOutput> {
        let db = self.metadata.readers();
        let bucket = buckets::find(db, &input.bucket).await?;
        let version = require_object(db, &bucket, &input.key, input.version_id.as_deref()).await?;
        let tag_set = Tags::from_column(&version.tags)?.into_set();
        Ok(GetObjectTaggingOutput { tag_set, version_id: bucket.versioning.told(&version.version_id) })
    }

    pub(crate) async fn put_tags(&self, input: PutObjectTaggingInput) -> Result<PutObjectTaggingOutput> {
        let tags = Tags::from_set(input.tagging.tag_set, &OF_OBJECTS)?;
        let version_id =
            self.replace_tags(&input.bucket, &input.key, input.version_id.as_deref(), &tags).await?;
        Ok(PutObjectTaggingOutput { version_id })
    }

    pub(crate) async fn delete_tags(
        &self,
        input: DeleteObjectTaggingInput,
    ) -> Result<DeleteObjectTaggingOutput> {
        let none = Tags::default();
        let version_id =
            self.replace_tags(&input.bucket, &input.key, input.version_id.as_deref(), &none).await?;
        Ok(DeleteObjectTaggingOutput { version_id })
    }

    pub(crate) async fn bucket_tags(&self, input: GetBucketTaggingInput) -> Result<GetBucketTaggingOutput> {
        let stored = self.configuration(&input.bucket, Subresource::Tagging).await?;
        let stored = stored.ok_or_else(|| not_configured("NoSuchTagSet"))?;
        Ok(GetBucketTaggingOutput { tag_set: Tags::from_column(&stored)?.into_set() })
    }

    /// A bucket with an empty set of tags has none.
    pub(crate) async fn put_bucket_tags(
        &self,
        input: PutBucketTaggingInput,
    ) -> Result<PutBucketTaggingOutput> {
        let tags = Tags::from_set(input.tagging.tag_set, &OF_BUCKETS)?;
        let document = tags.count().map(|_| tags.to_column()).transpose()?;
        self.configure(&input.bucket, Subresource::Tagging, document.as_deref()).await?;
        Ok(PutBucketTaggingOutput::default())
    }

    pub(crate) async fn delete_bucket_tags(
        &self,
        input: DeleteBucketTaggingInput,
    ) -> Result<DeleteBucketTaggingOutput> {
        self.configure(&input.bucket, Subresource::Tagging, None).await?;
        Ok(DeleteBucketTaggingOutput::default())
    }

    async fn replace_tags(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        tags: &Tags,
    ) -> Result<Option<String>> {
        let mut tx = self.metadata.begin().await?;
        let bucket = buckets::find(&mut *tx, bucket).await?;
        let version = require_object(&mut *tx, &bucket, key, version_id).await?;
        versions::set_tags(&mut *tx, version.position, &tags.to_column()?).await?;
        tx.commit().await?;
        Ok(bucket.versioning.told(&version.version_id))
    }
}

fn invalid(message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::InvalidTag, message);
    error.set_status_code(http::StatusCode::BAD_REQUEST);
    error
}

/// How many tags there may be, and what S3 says to more.
struct Limit {
    tags: usize,
    exceeded: &'static str,
}

/// S3's own limits: tags of a version or bucket, characters of a key, characters of a value. Without them a
/// client could store megabytes of metadata per version.
const OF_OBJECTS: Limit = Limit { tags: 10, exceeded: "Object tags cannot be greater than 10" };
const OF_BUCKETS: Limit = Limit { tags: 50, exceeded: "Bucket tag count cannot be greater than 50" };
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_form_is_decoded_and_bounded() {
        let tags = Tags::from_header(Some("team=pay%20ments&empty=&plus=a+b")).unwrap();
        let expected = [("team", "pay ments"), ("empty", ""), ("plus", "a b")];
        assert_eq!(tags.0, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let eleven: Vec<String> = (0..11).map(|i| format!("k{i}=v")).collect();
        assert!(Tags::from_header(Some(&eleven.join("&"))).is_err());
        assert!(Tags::from_header(Some("a=1&a=2")).is_err());
        assert!(Tags::from_header(Some("aws:x=1")).is_err());
        assert!(Tags::from_header(Some(&format!("{}=1", "k".repeat(129)))).is_err());
        assert_eq!(Tags::from_header(None).unwrap(), Tags::default());
    }
}
