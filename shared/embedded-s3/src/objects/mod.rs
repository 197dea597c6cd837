//! Objects: put, get, head, copy, delete.

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Error, S3ErrorCode};
use sqlx::SqliteExecutor;

use crate::errors::{Result, invalid_argument, refusal};
use crate::metadata::versions::{self, NULL_VERSION};
use crate::metadata::{Bucket, Version};
use crate::store::{is_id, timestamp};

mod attributes;
mod copy;
mod delete;
mod get;
mod put;
mod receive;
mod source;

pub(crate) use attributes::{Attributes, attributes_of};
pub(crate) use copy::source_conditions;
pub(crate) use put::NewObject;
pub(crate) use receive::{Body, Expected, MAX_OBJECT};
pub(crate) use source::Selection;

/// The version a request means, which must exist and be no delete marker.
///
/// # Errors
/// `NoSuchKey`, `NoSuchVersion`, or `MethodNotAllowed` for a delete marker named by its version, each with
/// the headers S3 sends along.
pub(crate) async fn require_object(
    db: impl SqliteExecutor<'_>,
    bucket: &Bucket,
    key: &str,
    version_id: Option<&str>,
) -> Result<Version> {
    let (found, missing, hidden) = match version_id {
        Some(id) => {
            require_version_id(id)?;
            let found = versions::named(db, &bucket.name, key, id).await?;
            (found, S3ErrorCode::NoSuchVersion, S3ErrorCode::MethodNotAllowed)
        }
        None => {
            (versions::latest(db, &bucket.name, key).await?, S3ErrorCode::NoSuchKey, S3ErrorCode::NoSuchKey)
        }
    };
    match found {
        None => Err(refusal(missing).into()),
        Some(marker) if marker.is_delete_marker => Err(delete_marker(hidden, &marker).into()),
        Some(version) => Ok(version),
    }
}

/// Refuses what no version was ever called.
pub(crate) fn require_version_id(id: &str) -> Result<()> {
    if id == NULL_VERSION || is_id(id) {
        return Ok(());
    }
    let what =
        if id.is_empty() { "Version id cannot be the empty string" } else { "Invalid version id specified" };
    Err(invalid_argument(what).into())
}

fn delete_marker(code: S3ErrorCode, marker: &Version) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-amz-delete-marker"), HeaderValue::from_static("true"));
    if let Ok(id) = HeaderValue::from_str(&marker.version_id) {
        headers.insert(HeaderName::from_static("x-amz-version-id"), id);
    }
    if code == S3ErrorCode::MethodNotAllowed {
        headers.insert(http::header::ALLOW, HeaderValue::from_static("DELETE"));
        let mut date = Vec::new();
        if timestamp(marker.created_at).format(s3s::dto::TimestampFormat::HttpDate, &mut date).is_ok()
            && let Ok(date) = HeaderValue::from_bytes(&date)
        {
            headers.insert(http::header::LAST_MODIFIED, date);
        }
    }
    let mut error = refusal(code);
    error.set_headers(headers);
    error
}
