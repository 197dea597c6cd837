//! Why a drop is not signed: for good, or not now.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use countersign_domain::ObjectVersion;
use countersign_ports::StoreError;
use countersign_ports::keys::KeyError;
use countersign_ports::objects::ObjectError;

/// The package, or where it comes from or goes to, makes signing impossible: the job fails, and trying again is no use.
/// Its text is `code: what disagrees and what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Stable over releases; of the gate and the format (FORMAT.md, sections 9 and 10), or one of this crate's.
    pub(crate) code: Cow<'static, str>,
    /// For people.
    pub(crate) detail: String,
}

/// Why the pipeline stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Halt {
    /// The job fails.
    #[error("{0}")]
    Refused(Refusal),
    /// Nothing is known against the drop: it is tried again.
    #[error("{reason}")]
    Later {
        /// When it makes sense to try; `None` leaves that to the backoff.
        after: Option<Duration>,
        /// Why, for people.
        reason: String,
    },
}

impl Refusal {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Halt {
    pub(crate) fn later(reason: impl fmt::Display) -> Self {
        Self::Later { after: None, reason: reason.to_string() }
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A failing store says nothing about the drop.
impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::later(error)
    }
}

/// A failing custody says nothing about the drop; a leaf that was rotated away is asked for again.
impl From<KeyError> for Halt {
    fn from(error: KeyError) -> Self {
        Self::later(error)
    }
}

/// The source could not be read. Only its absence and its size speak against the drop; a denied access is mended by
/// whoever granted too little.
pub(crate) fn reading_source(source: &ObjectVersion, error: ObjectError) -> Halt {
    match error {
        ObjectError::NotFound(_) | ObjectError::NoSuchBucket(_) => {
            Refusal::new("source_gone", format!("{source} was deleted before it was signed")).into()
        }
        error @ ObjectError::TooLarge { .. } => Refusal::new("package_too_large", error.to_string()).into(),
        error @ (ObjectError::Unversioned(_)
        | ObjectError::AlreadyExists(_)
        | ObjectError::Denied(_)
        | ObjectError::Refused(_)
        | ObjectError::Damaged { .. }
        | ObjectError::Unavailable(_)
        | ObjectError::LocalFile { .. }) => Halt::later(error),
    }
}

/// The destination could not be asked, written or read.
pub(crate) fn using_destination(error: ObjectError) -> Halt {
    match error {
        ObjectError::NoSuchBucket(bucket) => {
            let detail =
                format!("the destination bucket {bucket} does not exist; create it and upload again");
            Refusal::new("no_such_destination", detail).into()
        }
        ObjectError::Unversioned(bucket) => unversioned_destination(&bucket).into(),
        error @ (ObjectError::NotFound(_)
        | ObjectError::AlreadyExists(_)
        | ObjectError::Denied(_)
        | ObjectError::Refused(_)
        | ObjectError::TooLarge { .. }
        | ObjectError::Damaged { .. }
        | ObjectError::Unavailable(_)
        | ObjectError::LocalFile { .. }) => Halt::later(error),
    }
}

/// Who deploys a signed package pins its version, so there has to be one.
pub(crate) fn unversioned_destination(bucket: &countersign_domain::BucketName) -> Refusal {
    let detail = format!(
        "the destination bucket {bucket} keeps no versions; turn on bucket versioning and upload again"
    );
    Refusal::new("unversioned_destination", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_against_the_drop_refuses_it() {
        let source = ObjectVersion {
            bucket: "unsigned".parse().unwrap(),
            key: "fn.zip".parse().unwrap(),
            version: "v1".parse().unwrap(),
        };
        let code = |error| match reading_source(&source, error) {
            Halt::Refused(refusal) => Some(refusal.code.into_owned()),
            Halt::Later { .. } => None,
        };
        assert_eq!(code(ObjectError::NotFound("it".into())).as_deref(), Some("source_gone"));
        assert_eq!(code(ObjectError::NoSuchBucket(source.bucket.clone())).as_deref(), Some("source_gone"));
        let too_large = ObjectError::TooLarge { object: "it".into(), size_bytes: 2, limit_bytes: 1 };
        assert_eq!(code(too_large).as_deref(), Some("package_too_large"));
        assert_eq!(code(ObjectError::Denied("it".into())), None);
        assert_eq!(code(ObjectError::Unavailable("down".into())), None);
    }
}
