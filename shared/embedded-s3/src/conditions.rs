//! Conditional requests (RFC 9110 section 13), as far as S3 has them.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use s3s::S3ErrorCode;
use s3s::dto::{ETag, ETagCondition, Timestamp};

use crate::errors::{Result, invalid_argument, not_implemented, refusal};
use crate::metadata::Version;

/// On what a write depends.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteConditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

/// On what a read depends.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadConditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// What the conditions of a read say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

impl WriteConditions {
    /// The conditions of an operation whose input leaves them in the headers.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self> {
        let condition = |name: &str| {
            let malformed = |_| invalid_argument(format!("{name} is not an entity tag"));
            let value = headers.get(name).map(|value| ETagCondition::parse_http_header(value.as_bytes()));
            value.transpose().map_err(malformed)
        };
        Ok(Self { if_match: condition("if-match")?, if_none_match: condition("if-none-match")? })
    }

    /// Refuses the write unless it holds for the latest version, of which a delete marker is none.
    pub(crate) fn check(&self, latest: Option<&Version>) -> Result<()> {
        let object = latest.filter(|version| !version.is_delete_marker);
        match &self.if_none_match {
            Some(ETagCondition::ETag(_)) => return Err(not_implemented("If-None-Match with an ETag").into()),
            Some(ETagCondition::Any) if object.is_some() => {
                return Err(refusal(S3ErrorCode::PreconditionFailed).into());
            }
            Some(ETagCondition::Any) | None => {}
        }
        match (&self.if_match, object) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(refusal(S3ErrorCode::NoSuchKey).into()),
            (Some(wanted), Some(object)) if matches_strongly(wanted, object) => Ok(()),
            (Some(_), Some(_)) => Err(refusal(S3ErrorCode::PreconditionFailed).into()),
        }
    }
}

impl ReadConditions {
    /// Evaluates the conditions in the order of RFC 9110 section 13.2.2.
    pub(crate) fn evaluate(&self, object: &Version) -> Verdict {
        let modified = modified_at(object);
        let holds = match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) => matches_strongly(wanted, object),
            (None, Some(since)) => modified <= *since,
            (None, None) => true,
        };
        if !holds {
            return Verdict::Failed;
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(ETagCondition::Any), _) => true,
            (Some(ETagCondition::ETag(known)), _) => known.value() == object.etag,
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if unchanged { Verdict::NotModified } else { Verdict::Proceed }
    }
}

/// When the version was made, to the second, as `Last-Modified` says it.
fn modified_at(object: &Version) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs((object.created_at / 1000).unsigned_abs()))
}

fn matches_strongly(wanted: &ETagCondition, object: &Version) -> bool {
    match wanted {
        ETagCondition::Any => true,
        ETagCondition::ETag(ETag::Strong(etag)) => *etag == object.etag,
        ETagCondition::ETag(ETag::Weak(_)) => false,
    }
}
