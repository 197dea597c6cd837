//! ListObjects, ListObjectsV2 and ListObjectVersions.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    ObjectVersion, ObjectVersionStorageClass,
};

use crate::errors::{Result, invalid_argument};
use crate::listing::{Item, Marker, Query, Source, Start, page};
use crate::metadata::{Metadata, Version, buckets, versions};
use crate::objects::require_version_id;
use crate::store::{Store, owner, timestamp};

impl Store {
    pub(crate) async fn list_objects(&self, input: ListObjectsInput) -> Result<ListObjectsOutput> {
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let max = page_size("maxKeys", input.max_keys)?;
        let marker = input.marker.unwrap_or_default();
        let query = query(input.prefix, input.delimiter, Marker::Key(marker.clone()), max)?;
        let page = self.objects_page(&input.bucket, &query).await?;
        // S3 names the next marker only where the client could not know it: with a delimiter.
        let next = page.next.filter(|_| query.delimiter.is_some()).map(|next| encoding.apply(next.text()));
        Ok(ListObjectsOutput {
            is_truncated: Some(page.truncated),
            next_marker: next,
            contents: Some(
                page.items.iter().map(|version| object(version, encoding, true)).collect::<Result<_>>()?,
            ),
            common_prefixes: Some(encoding.prefixes(&page.common_prefixes)),
            name: Some(input.bucket),
            marker: Some(encoding.apply(&marker)),
            max_keys: Some(max),
            prefix: Some(encoding.apply(&query.prefix)),
            delimiter: query.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        })
    }

    pub(crate) async fn list_objects_v2(&self, input: ListObjectsV2Input) -> Result<ListObjectsV2Output> {
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let max = page_size("maxKeys", input.max_keys)?;
        let after = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => Marker::Key(decode_token(token)?),
            (None, Some(key)) => Marker::Key(key.clone()),
            (None, None) => Marker::None,
        };
        let query = query(input.prefix, input.delimiter, after, max)?;
        let page = self.objects_page(&input.bucket, &query).await?;
        let owned = input.fetch_owner.unwrap_or(false);
        Ok(ListObjectsV2Output {
            key_count: Some(i32::try_from(page.items.len() + page.common_prefixes.len())?),
            is_truncated: Some(page.truncated),
            next_continuation_token: page.next.map(|next| encode_token(next.text())),
            contents: Some(
                page.items.iter().map(|version| object(version, encoding, owned)).collect::<Result<_>>()?,
            ),
            common_prefixes: Some(encoding.prefixes(&page.common_prefixes)),
            name: Some(input.bucket),
            max_keys: Some(max),
            prefix: Some(encoding.apply(&query.prefix)),
            delimiter: query.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
            start_after: input.start_after.as_deref().map(|key| encoding.apply(key)),
            continuation_token: input.continuation_token,
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        })
    }

    pub(crate) async fn list_object_versions(
        &self,
        input: ListObjectVersionsInput,
    ) -> Result<ListObjectVersionsOutput> {
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let max = page_size("maxKeys", input.max_keys)?;
        let db = self.metadata.readers();
        buckets::find(db, &input.bucket).await?;
        let after = self.version_marker(&input).await?;
        let query = query(input.prefix, input.delimiter, after, max)?;
        let source = AllVersions { metadata: &self.metadata, bucket: &input.bucket };
        let page = page(&source, &query).await?;
        let next_version = page.items.last().map(|version| version.version_id.clone());
        let next_version = next_version.filter(|_| matches!(page.next, Some(Marker::Item(..))));
        let (markers, objects): (Vec<_>, Vec<_>) =
            page.items.into_iter().partition(|version| version.is_delete_marker);
        Ok(ListObjectVersionsOutput {
            is_truncated: Some(page.next.is_some()),
            next_key_marker: page.next.map(|next| encoding.apply(next.text())),
            next_version_id_marker: next_version,
            versions: Some(
                objects.iter().map(|version| object_version(version, encoding)).collect::<Result<_>>()?,
            ),
            delete_markers: Some(markers.iter().map(|version| delete_marker(version, encoding)).collect()),
            common_prefixes: Some(encoding.prefixes(&page.common_prefixes)),
            name: Some(input.bucket),
            max_keys: Some(max),
            prefix: Some(encoding.apply(&query.prefix)),
            delimiter: query.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
            key_marker: Some(encoding.apply(input.key_marker.as_deref().unwrap_or_default())),
            version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
            encoding_type: input.encoding_type,
            ..ListObjectVersionsOutput::default()
        })
    }

    async fn objects_page(&self, bucket: &str, query: &Query) -> Result<ObjectsPage> {
        buckets::find(self.metadata.readers(), bucket).await?;
        let page = page(&LatestVersions { metadata: &self.metadata, bucket }, query).await?;
        Ok(ObjectsPage {
            truncated: page.next.is_some(),
            items: page.items,
            common_prefixes: page.common_prefixes,
            next: page.next,
        })
    }

    /// A version named as marker that was deleted since: the key is listed from its newest, so that a client
    /// that deletes page by page misses nothing.
    async fn version_marker(&self, input: &ListObjectVersionsInput) -> Result<Marker> {
        let version_id = input.version_id_marker.as_deref().filter(|id| !id.is_empty());
        match (input.key_marker.as_deref().filter(|key| !key.is_empty()), version_id) {
            (None, None) => Ok(Marker::None),
            (None, Some(_)) => {
                let message = "A version-id marker cannot be specified without a key marker.";
                Err(invalid_argument(message).into())
            }
            (Some(key), None) => Ok(Marker::Key(key.to_owned())),
            (Some(key), Some(id)) => {
                require_version_id(id)?;
                let found = versions::named(self.metadata.readers(), &input.bucket, key, id).await?;
                Ok(Marker::Item(key.to_owned(), found.map_or(i64::MAX, |version| version.position)))
            }
        }
    }
}

struct ObjectsPage {
    items: Vec<Version>,
    common_prefixes: Vec<String>,
    next: Option<Marker>,
    truncated: bool,
}

struct LatestVersions<'s> {
    metadata: &'s Metadata,
    bucket: &'s str,
}

struct AllVersions<'s> {
    metadata: &'s Metadata,
    bucket: &'s str,
}

impl Source for LatestVersions<'_> {
    type Item = Version;

    async fn fetch(&self, start: &Start, limit: usize) -> Result<Vec<Version>> {
        versions::list_latest(self.metadata.readers(), self.bucket, start, i64::try_from(limit)?).await
    }
}

impl Source for AllVersions<'_> {
    type Item = Version;

    async fn fetch(&self, start: &Start, limit: usize) -> Result<Vec<Version>> {
        versions::list_all(self.metadata.readers(), self.bucket, start, i64::try_from(limit)?).await
    }
}

impl Item for Version {
    fn key(&self) -> &str {
        &self.key
    }

    fn rank(&self) -> i64 {
        self.position
    }
}

impl Marker {
    /// The key or common prefix to name to a client.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::None => "",
            Self::Key(key) | Self::Item(key, _) => key,
        }
    }
}

/// How keys are written in a response: XML cannot hold every character that a key may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(crate) fn of(wanted: Option<&EncodingType>) -> Result<Self> {
        match wanted.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(invalid_argument("Invalid Encoding Method specified in Request").into()),
        }
    }

    pub(crate) fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, KEY_ENCODED).to_string(),
        }
    }

    pub(crate) fn prefixes(self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.apply(prefix)) }).collect()
    }
}

/// What a client asked to list, with an empty delimiter meaning none.
pub(crate) fn query(
    prefix: Option<String>,
    delimiter: Option<String>,
    after: Marker,
    max: i32,
) -> Result<Query> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
    let after = if after.text().is_empty() { Marker::None } else { after };
    Ok(Query { prefix: prefix.unwrap_or_default(), delimiter, after, max: usize::try_from(max)? })
}

/// How many keys to answer: at most [`MAX_KEYS`], whatever was asked.
/// `name` is what S3 calls the parameter in its answer.
pub(crate) fn page_size(name: &str, asked: Option<i32>) -> Result<i32> {
    match asked.unwrap_or(MAX_KEYS) {
        max if max < 0 => {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            Err(invalid_argument(message).into())
        }
        max => Ok(max.min(MAX_KEYS)),
    }
}

fn object(version: &Version, encoding: Encoding, owned: bool) -> Result<Object> {
    let checksum = version.checksum()?;
    Ok(Object {
        checksum_algorithm: checksum.as_ref().map(|checksum| vec![checksum.wire_algorithm()]),
        checksum_type: checksum.as_ref().map(crate::checksums::StoredChecksum::wire_type),
        e_tag: Some(ETag::Strong(version.etag.clone())),
        key: Some(encoding.apply(&version.key)),
        last_modified: Some(timestamp(version.created_at)),
        owner: owned.then(owner),
        size: Some(version.size),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    })
}

fn object_version(version: &Version, encoding: Encoding) -> Result<ObjectVersion> {
    let checksum = version.checksum()?;
    Ok(ObjectVersion {
        checksum_algorithm: checksum.as_ref().map(|checksum| vec![checksum.wire_algorithm()]),
        checksum_type: checksum.as_ref().map(crate::checksums::StoredChecksum::wire_type),
        e_tag: Some(ETag::Strong(version.etag.clone())),
        is_latest: Some(version.is_latest),
        key: Some(encoding.apply(&version.key)),
        last_modified: Some(timestamp(version.created_at)),
        owner: Some(owner()),
        size: Some(version.size),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some(version.version_id.clone()),
        ..ObjectVersion::default()
    })
}

fn delete_marker(version: &Version, encoding: Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(version.is_latest),
        key: Some(encoding.apply(&version.key)),
        last_modified: Some(timestamp(version.created_at)),
        owner: Some(owner()),
        version_id: Some(version.version_id.clone()),
    }
}

fn encode_token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

fn decode_token(token: &str) -> Result<String> {
    let invalid = || invalid_argument("The continuation token provided is incorrect");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let last = String::from_utf8(bytes).map_err(|_| invalid())?;
    if last.is_empty() { Err(invalid().into()) } else { Ok(last) }
}

/// S3's limit for one page of keys.
const MAX_KEYS: i32 = 1000;

const KEY_ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');
