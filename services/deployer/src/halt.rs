//! Why a deployment is not carried out: for good, or not now.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use countersign_domain::ObjectVersion;
use countersign_ports::StoreError;
use countersign_ports::change::Refusal;
use countersign_ports::deployments::Decision;
use countersign_ports::objects::ObjectError;

/// The deployment cannot be carried out, which says nothing about trust. Its text is `code: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Stable over releases.
    pub(crate) code: Cow<'static, str>,
    /// For people.
    pub(crate) detail: String,
    /// What had been decided before it failed.
    pub(crate) decision: Option<Box<Decision>>,
    /// Why the change could not be made of what stands, if that is it.
    pub(crate) refusal: Option<Box<Refusal>>,
}

/// Why the pipeline stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Halt {
    /// The deployment fails.
    #[error("{0}")]
    Failed(Failure),
    /// It is tried again.
    #[error("{reason}")]
    Later {
        /// When it makes sense to try; `None` leaves that to the backoff.
        after: Option<Duration>,
        /// Why, for people.
        reason: String,
    },
    /// Another deployment of the function is under way; it is tried again.
    #[error("{0}")]
    Busy(String),
    /// The message asks for nothing that could be recorded as a deployment.
    #[error("{0}")]
    Rejected(String),
}

impl Failure {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into(), decision: None, refusal: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Halt {
    pub(crate) fn later(reason: impl fmt::Display) -> Self {
        Self::Later { after: None, reason: reason.to_string() }
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A change that cannot be made of what stands.
pub(crate) fn refused(refusal: Refusal) -> Halt {
    let code = match refusal {
        Refusal::FunctionExists(_) => "function_exists",
        Refusal::UnknownFunction(_) => "unknown_function",
        Refusal::OtherRevision { .. } => "other_revision",
        Refusal::OtherCode { .. } => "other_code",
        Refusal::Changed(_) => "function_changed",
    };
    let failure = Failure::new(code, refusal.to_string());
    Failure { refusal: Some(Box::new(refusal)), ..failure }.into()
}

/// A failing store says nothing about the deployment.
impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::later(error)
    }
}

/// A package could not be fetched. Whoever asks for a deployment names a version that is there and may be read, so only
/// what passes by itself is tried again.
pub(crate) fn fetching(object: &ObjectVersion, error: &ObjectError) -> Halt {
    let code = match error {
        ObjectError::NoSuchBucket(_) | ObjectError::NotFound(_) => "package_not_found",
        ObjectError::TooLarge { .. } => "package_too_large",
        ObjectError::Denied(_) => "package_access_denied",
        ObjectError::Refused(_) | ObjectError::Unversioned(_) | ObjectError::AlreadyExists(_) => {
            "package_unreadable"
        }
        ObjectError::Unavailable(_) | ObjectError::Damaged { .. } | ObjectError::LocalFile { .. } => {
            return Halt::later(format!("could not fetch {object}: {error}"));
        }
    };
    Failure::new(code, format!("could not fetch {object}: {error}")).into()
}
