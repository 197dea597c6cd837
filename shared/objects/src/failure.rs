//! What the SDK's errors mean to a caller of the port.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use countersign_domain::{BucketName, ObjectLocation, ObjectVersion};
use countersign_ports::objects::ObjectError;

/// What a call was about.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Bucket(&'a BucketName),
    Object(&'a ObjectLocation),
    Version(&'a ObjectVersion),
}

impl Subject<'_> {
    /// The port's error for the SDK's.
    pub(crate) fn failed<E>(self, error: &SdkError<E, HttpResponse>) -> ObjectError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(response) = error.raw_response() else {
            return ObjectError::Unavailable(format!("{self}: {}", with_causes(error)));
        };
        self.refused(
            response.status().as_u16(),
            error.code().unwrap_or_default(),
            error.message().unwrap_or_default(),
        )
    }

    fn refused(self, status: u16, code: &str, message: &str) -> ObjectError {
        let told = || format!("{self}: HTTP {status} {}: {}", shortened(code), shortened(message));
        match (status, code) {
            (_, "NoSuchBucket") => ObjectError::NoSuchBucket(self.bucket().clone()),
            (404, _) if matches!(self, Self::Bucket(_)) => ObjectError::NoSuchBucket(self.bucket().clone()),
            (412, _) => self.taken(),
            (_, "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "IncompleteBody") => {
                ObjectError::Damaged { object: self.to_string(), reason: shortened(message) }
            }
            // What is meant by a version id that was never minted is that there is no such version.
            (400, "InvalidArgument") if matches!(self, Self::Version(_)) => {
                ObjectError::NotFound(self.to_string())
            }
            // 405: the version is a delete marker.
            (404 | 405, _) => ObjectError::NotFound(self.to_string()),
            (401 | 403, _) => ObjectError::Denied(format!("{self} ({})", shortened(code))),
            // 409: another conditional write was under way; 429: slow down.
            (408 | 409 | 429 | 500.., _) => ObjectError::Unavailable(told()),
            _ => ObjectError::Refused(told()),
        }
    }

    fn taken(self) -> ObjectError {
        match self {
            Self::Object(object) => ObjectError::AlreadyExists(object.clone()),
            Self::Version(version) => ObjectError::AlreadyExists(version.location()),
            Self::Bucket(bucket) => ObjectError::Refused(format!("{bucket}: a precondition failed")),
        }
    }

    fn bucket(&self) -> &BucketName {
        match self {
            Self::Bucket(bucket) => bucket,
            Self::Object(object) => &object.bucket,
            Self::Version(version) => &version.bucket,
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucket(bucket) => write!(f, "s3://{bucket}"),
            Self::Object(object) => object.fmt(f),
            Self::Version(version) => version.fmt(f),
        }
    }
}

/// An error and its causes on one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    shortened(&causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}")))
}

/// What an endpoint says, fit for a log line.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Characters of a foreign message that are repeated. Stops an endpoint from filling a log.
const MESSAGE_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_meaning() {
        let object = ObjectLocation { bucket: "signed".parse().unwrap(), key: "a.zip".parse().unwrap() };
        let version = object.clone().at("v1".parse().unwrap());
        let of_object = |status, code| Subject::Object(&object).refused(status, code, "");
        let of_version = |status, code| Subject::Version(&version).refused(status, code, "");
        assert_eq!(of_object(412, "PreconditionFailed"), ObjectError::AlreadyExists(object.clone()));
        assert_eq!(of_object(404, "NoSuchBucket"), ObjectError::NoSuchBucket(object.bucket.clone()));
        let of_bucket = Subject::Bucket(&object.bucket).refused(404, "", "");
        assert_eq!(
            of_bucket,
            ObjectError::NoSuchBucket(object.bucket.clone()),
            "an answer to HEAD has no code"
        );
        assert_eq!(of_version(404, "NoSuchVersion"), ObjectError::NotFound(version.to_string()));
        assert_eq!(of_version(400, "InvalidArgument"), ObjectError::NotFound(version.to_string()));
        assert!(matches!(of_object(403, "SignatureDoesNotMatch"), ObjectError::Denied(_)));
        assert!(matches!(of_object(400, "BadDigest"), ObjectError::Damaged { .. }));
        assert!(matches!(of_object(400, "InvalidArgument"), ObjectError::Refused(_)));
        assert!(matches!(of_object(301, "PermanentRedirect"), ObjectError::Refused(_)));
        for status in [408, 409, 429, 500, 503] {
            assert!(of_object(status, "").is_transient(), "{status}");
        }
    }

    #[test]
    fn what_never_got_an_answer_is_told_with_its_causes_and_no_internals() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let timed_out: SdkError<std::fmt::Error, HttpResponse> = SdkError::timeout_error(refused);
        assert_eq!(with_causes(&timed_out), "request has timed out: connection refused");
    }

    #[test]
    fn a_foreign_message_stays_on_its_line() {
        assert_eq!(shortened("a\r\nb\u{1b}[2J"), "a  b [2J");
        assert_eq!(shortened(&"x".repeat(10_000)).len(), MESSAGE_CHARS_MAX);
    }
}
