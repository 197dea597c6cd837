//! The object that is read: by a get, or as the source of a copy.

use std::io;

use http::{HeaderMap, HeaderValue};
use s3s::S3ErrorCode;
use s3s::dto::{CopySource, Range};

use super::require_object;
use crate::conditions::{ReadConditions, Verdict};
use crate::content::Bytestream;
use crate::errors::{Failure, Result, custom, invalid_request, not_implemented, refusal};
use crate::metadata::{Bucket, Version, buckets};
use crate::store::Store;

/// Which bytes of which object, and on what conditions.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    pub(crate) conditions: ReadConditions,
    pub(crate) selection: Selection,
}

/// Which part of an object is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    Whole,
    Range(Range),
    /// A part of a multipart upload, from 1.
    Part(i32),
}

/// An object that was found and may be read.
pub(crate) struct Found {
    pub(crate) bucket: Bucket,
    pub(crate) version: Version,
    /// The first byte.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
    /// True if less than the whole was asked for, even if that is all of it.
    pub(crate) partial: bool,
}

impl Store {
    /// The object and the bytes to be read of it, once the conditions hold. `failed` is for those that do
    /// not.
    pub(crate) async fn find_object(
        &self,
        reading: &Reading,
        failed: impl Fn(Verdict, &Version) -> Option<Failure>,
    ) -> Result<Found> {
        let db = self.metadata.readers();
        let bucket = buckets::find(db, &reading.bucket).await?;
        let version = require_object(db, &bucket, &reading.key, reading.version_id.as_deref()).await?;
        if let Some(failure) = failed(reading.conditions.evaluate(&version), &version) {
            return Err(failure);
        }
        let (offset, length) = reading.selection.resolve(&version)?;
        Ok(Found { bucket, version, offset, length, partial: reading.selection != Selection::Whole })
    }

    /// As [`Store::find_object`], with the bytes. A content that was replaced between the look at the
    /// metadata and the opening of the file is looked up again.
    pub(crate) async fn open_object(
        &self,
        reading: &Reading,
        failed: impl Fn(Verdict, &Version) -> Option<Failure>,
    ) -> Result<(Found, Bytestream)> {
        let mut attempt = 1;
        loop {
            let found = self.find_object(reading, &failed).await?;
            let content = found.version.content()?;
            let size = found.version.length()?;
            match self.content.read(content, size, found.offset, found.length).await {
                Ok(bytes) => return Ok((found, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < OPEN_ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Reading {
    /// The reading that a copy source means.
    pub(crate) fn of_copy_source(
        source: &CopySource,
        conditions: ReadConditions,
        selection: Selection,
    ) -> Result<Self> {
        match source {
            CopySource::Bucket { bucket, key, version_id } => Ok(Self {
                bucket: bucket.to_string(),
                key: key.to_string(),
                version_id: version_id.as_deref().map(str::to_owned),
                conditions,
                selection,
            }),
            CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
                Err(not_implemented("an access point as copy source").into())
            }
        }
    }
}

impl Selection {
    /// What a get or head asks for.
    pub(crate) fn of(range: Option<Range>, part: Option<i32>) -> Result<Self> {
        match (range, part) {
            (None, None) => Ok(Self::Whole),
            (Some(range), None) => Ok(Self::Range(range)),
            (None, Some(part)) => Ok(Self::Part(part)),
            (Some(_), Some(_)) => {
                Err(invalid_request("Cannot specify both Range header and partNumber query parameter").into())
            }
        }
    }

    /// Offset and length within `version`.
    fn resolve(self, version: &Version) -> Result<(u64, u64)> {
        let size = version.length()?;
        match self {
            Self::Whole => Ok((0, size)),
            Self::Range(range) => match range.check(size) {
                Ok(bytes) if bytes.start < bytes.end => Ok((bytes.start, bytes.end - bytes.start)),
                Ok(_) | Err(_) => Err(unsatisfiable(size).into()),
            },
            Self::Part(number) => part_bytes(version, size, number),
        }
    }
}

/// What a failed condition of a copy source becomes.
pub(crate) fn copy_condition_failed(verdict: Verdict, _: &Version) -> Option<Failure> {
    (verdict != Verdict::Proceed).then(|| refusal(S3ErrorCode::PreconditionFailed).into())
}

fn part_bytes(version: &Version, size: u64, number: i32) -> Result<(u64, u64)> {
    let parts = version.parts()?.unwrap_or_else(|| vec![size]);
    let at = number.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    let Some((before, length)) = at.and_then(|at| Some((parts.get(..at)?, *parts.get(at)?))) else {
        let message = "The requested partnumber is not satisfiable";
        let status = http::StatusCode::RANGE_NOT_SATISFIABLE;
        return Err(custom("InvalidPartNumber", status, message).into());
    };
    Ok((before.iter().sum(), length))
}

fn unsatisfiable(size: u64) -> s3s::S3Error {
    let mut error = refusal(S3ErrorCode::InvalidRange);
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
        error.set_headers(HeaderMap::from_iter([(http::header::CONTENT_RANGE, value)]));
    }
    error
}

/// How often a read follows an object that is being replaced.
const OPEN_ATTEMPTS: u32 = 8;
