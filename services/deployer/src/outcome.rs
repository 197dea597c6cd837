//! What a caller who waits for a deployment is told.

use std::borrow::Cow;

use countersign_domain::RevisionId;
use countersign_ports::change::Refusal;
use countersign_ports::deployments::{Decision, Deployment};

use crate::halt::{Failure, Halt};

/// How a deployment ended. It is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What was to change stands.
    Deployed {
        /// The version that was published, if one was asked for.
        version: Option<u64>,
        /// What was decided, about which packages.
        decision: Box<Decision>,
        /// The revision id that the change was marked with. Publishing a version that stood already changes nothing.
        revision: RevisionId,
    },
    /// A check failed, and nothing was deployed.
    Blocked {
        /// What was decided.
        decision: Box<Decision>,
    },
    /// The change cannot be made of what stands.
    Refused(Refusal),
    /// It could not be carried out, which says nothing about trust.
    Failed {
        /// Stable over releases.
        code: Cow<'static, str>,
        /// For people.
        detail: String,
        /// What had been decided before it failed.
        decision: Option<Box<Decision>>,
    },
    /// The same was asked before, and ended so.
    EndedBefore(Box<Deployment>),
}

/// A deployment that did not end, or a dry run without a decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The change cannot be made of what stands.
    #[error(transparent)]
    Refused(Refusal),
    /// It cannot be carried out, which says nothing about trust.
    #[error("{code}: {detail}")]
    Failed {
        /// Stable over releases.
        code: Cow<'static, str>,
        /// For people.
        detail: String,
    },
    /// Another deployment of the function is under way, and did not end while this one waited.
    #[error("{0}")]
    Busy(String),
    /// Something that it needs does not answer; try again later.
    #[error("{0}")]
    Later(String),
    /// The id of the call was used for something else before.
    #[error("{0}")]
    Rejected(String),
}

impl From<Halt> for Undecided {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(Failure { refusal: Some(refusal), .. }) => Self::Refused(*refusal),
            Halt::Failed(Failure { code, detail, .. }) => Self::Failed { code, detail },
            Halt::Busy(reason) => Self::Busy(reason),
            Halt::Later { reason, .. } => Self::Later(reason),
            Halt::Rejected(reason) => Self::Rejected(reason),
        }
    }
}
