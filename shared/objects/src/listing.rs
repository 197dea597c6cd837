//! One page of `ListObjectVersions`.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{DeleteMarkerEntry, EncodingType, ObjectVersion as ListedVersion};
use countersign_domain::{BucketName, ObjectVersion, Prefix};
use countersign_ports::objects::{ObjectError, ObjectFacts, PageMarker, VersionPage};

use crate::failure::Subject;
use crate::key_encoding;

/// Versions on a page: S3's own limit.
pub(crate) const PAGE_SIZE: i32 = 1000;

pub(crate) async fn page(
    client: &Client,
    prefix: &Prefix,
    from: Option<&PageMarker>,
    page_size: i32,
) -> Result<VersionPage, ObjectError> {
    let request = client
        .list_object_versions()
        .bucket(prefix.bucket.as_str())
        .prefix(&prefix.key_prefix)
        .max_keys(page_size)
        // XML cannot hold every key; encoded it can.
        .encoding_type(EncodingType::Url)
        .set_key_marker(from.map(|marker| marker.key.clone()))
        .set_version_id_marker(from.and_then(|marker| marker.version.clone()));
    let answer = request.send().await.map_err(|error| Subject::Bucket(&prefix.bucket).failed(&error))?;
    let next = next_page(&answer, prefix, from)?;
    let mut versions = Vec::with_capacity(answer.versions().len());
    for listed in answer.versions() {
        versions.extend(facts(&prefix.bucket, listed)?);
    }
    Ok(VersionPage { versions, next })
}

/// Where the next page begins. One that begins where this one did would never end.
fn next_page(
    answer: &ListObjectVersionsOutput,
    prefix: &Prefix,
    from: Option<&PageMarker>,
) -> Result<Option<PageMarker>, ObjectError> {
    if !answer.is_truncated().unwrap_or(false) {
        return Ok(None);
    }
    let version = answer.next_version_id_marker().map(str::to_owned);
    let next = last_key(answer)?.map(|key| PageMarker { key, version });
    if next.is_none() || next.as_ref() == from {
        return Err(ObjectError::Unavailable(format!(
            "the listing of {prefix} is cut off and does not go on"
        )));
    }
    Ok(next)
}

/// The last key on a page, in S3's order, which is that of UTF-8. `NextKeyMarker` should say it too, but Ceph and LocalStack
/// write it unencoded among encoded keys, and MinIO appends to it.
fn last_key(answer: &ListObjectVersionsOutput) -> Result<Option<String>, ObjectError> {
    let versions = answer.versions().iter().filter_map(ListedVersion::key);
    let delete_markers = answer.delete_markers().iter().filter_map(DeleteMarkerEntry::key);
    let keys: Vec<String> = versions.chain(delete_markers).map(decoded).collect::<Result<_, _>>()?;
    Ok(keys.into_iter().max())
}

/// The version as the domain knows it. `None` for what can never be signed: objects from before versioning was turned
/// on, and keys with control characters. One such object must not hide the others.
fn facts(bucket: &BucketName, listed: &ListedVersion) -> Result<Option<ObjectFacts>, ObjectError> {
    let key = decoded(listed.key().unwrap_or_default())?.parse();
    let version = listed.version_id().unwrap_or_default().parse();
    let (Ok(key), Ok(version)) = (key, version) else {
        tracing::debug!(%bucket, "a listed object without a legal key and version is left out");
        return Ok(None);
    };
    let object = ObjectVersion { bucket: bucket.clone(), key, version };
    let size_bytes = listed.size().and_then(|size| u64::try_from(size).ok());
    let size_bytes = size_bytes.ok_or_else(|| malformed(&format!("{object} has no size")))?;
    Ok(Some(ObjectFacts { object, size_bytes }))
}

fn decoded(text: &str) -> Result<String, ObjectError> {
    key_encoding::decoded(text).map_err(|error| malformed(&error.to_string()))
}

fn malformed(reason: &str) -> ObjectError {
    ObjectError::Unavailable(format!("the answer to a listing is malformed: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> BucketName {
        "unsigned".parse().unwrap()
    }

    fn listed(key: &str, version: &str) -> ListedVersion {
        ListedVersion::builder().key(key).version_id(version).size(7).build()
    }

    #[test]
    fn keys_are_decoded() {
        let facts = facts(&bucket(), &listed("a+b%2Bc.zip", "v1")).unwrap().unwrap();
        assert_eq!(facts.object.key.as_str(), "a b+c.zip");
        assert_eq!(facts.size_bytes, 7);
    }

    #[test]
    fn what_can_never_be_signed_is_left_out() {
        for (key, version) in [("a.zip", "null"), ("a%0A.zip", "v1"), ("", "v1"), ("a.zip", "")] {
            assert_eq!(facts(&bucket(), &listed(key, version)), Ok(None), "{key:?} {version:?}");
        }
    }

    #[test]
    fn a_listing_that_does_not_go_on_is_an_error_and_no_end() {
        let prefix = "s3://unsigned/".parse().unwrap();
        let cut = ListObjectVersionsOutput::builder().is_truncated(true);
        assert!(next_page(&cut.clone().build(), &prefix, None).is_err());
        let answer = cut.versions(listed("a+b", "v1")).next_version_id_marker("v1").build();
        let next = next_page(&answer, &prefix, None).unwrap();
        assert_eq!(next, Some(PageMarker { key: "a b".to_owned(), version: Some("v1".to_owned()) }));
        assert!(next_page(&answer, &prefix, next.as_ref()).is_err());
    }

    #[test]
    fn a_page_goes_on_after_its_last_key_whatever_it_says_of_it_and_be_it_deleted() {
        let deleted = DeleteMarkerEntry::builder().key("b%2Bc").version_id("v2").build();
        let page = ListObjectVersionsOutput::builder().versions(listed("a", "v1")).delete_markers(deleted);
        for marker in ["b%2Bc", "b+c", "b+c[more]"] {
            let answer = page.clone().next_key_marker(marker).build();
            assert_eq!(last_key(&answer).unwrap().as_deref(), Some("b+c"));
        }
    }
}
