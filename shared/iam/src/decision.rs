//! What was decided, and by which statement.

use std::fmt;

use crate::action::Action;
use crate::policy::{Document, PolicyKind};
use crate::principal::Principal;
use crate::request::Request;
use crate::resource::Resource;
use crate::statement::Statement;

/// What was decided about a request.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody looks at lets everything pass"]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allow(Allowed),
    /// A statement denies it, or none allows it.
    Deny(Box<Denied>),
}

impl Decision {
    /// The proof that the request is allowed, which what carries it out demands.
    ///
    /// # Errors
    /// Why it is not.
    pub fn into_result(self) -> Result<Allowed, Box<Denied>> {
        match self {
            Self::Allow(allowed) => Ok(allowed),
            Self::Deny(denied) => Err(denied),
        }
    }

    /// True if the request is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Proof that policies allow a request. Only an evaluation makes one, and it cannot be copied.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowed {
    principal: Principal,
    action: Action,
    resources: Vec<Resource>,
    by: Vec<StatementRef>,
}

impl Allowed {
    /// The assertion that `request` is allowed by the statements `by`.
    pub(crate) fn assertion(request: &Request, mut by: Vec<StatementRef>) -> Self {
        by.sort();
        by.dedup();
        Self {
            principal: request.principal().clone(),
            action: request.action().clone(),
            resources: request.resources().to_vec(),
            by,
        }
    }

    /// Who may do it.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What may be done.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// On what; at least one.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The statements that allow it, each once; across accounts, one of each side.
    pub fn by(&self) -> &[StatementRef] {
        &self.by
    }
}

/// Why a request is not allowed. Its text is the sentence with which AWS refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Who asked.
    pub principal: Principal,
    /// For what.
    pub action: Action,
    /// The first of the resources on which it is not allowed.
    pub resource: Resource,
    /// Why.
    pub reason: DenyReason,
}

/// Why a request is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    /// This statement denies it.
    Explicit(StatementRef),
    /// No identity policy of the caller allows it.
    NoIdentityPolicy,
    /// The policy of another account's resource does not allow it, or there is none.
    NoResourcePolicy,
}

impl std::error::Error for Denied {}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principal, action, resource, reason } = self;
        write!(f, "User: {principal} is not authorized to perform: {action} on resource: {resource} ")?;
        match reason {
            DenyReason::Explicit(StatementRef { kind: PolicyKind::Identity, .. }) => {
                f.write_str("with an explicit deny in an identity-based policy")
            }
            DenyReason::Explicit(StatementRef { kind: PolicyKind::Resource, .. }) => {
                f.write_str("with an explicit deny in a resource-based policy")
            }
            DenyReason::NoIdentityPolicy => {
                write!(f, "because no identity-based policy allows the {action} action")
            }
            DenyReason::NoResourcePolicy => {
                write!(f, "because no resource-based policy allows the {action} action")
            }
        }
    }
}

/// Which statement decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementRef {
    /// To what the policy belongs.
    pub kind: PolicyKind,
    /// The policy's name.
    pub policy: String,
    /// The statement's place in it, from 0.
    pub index: usize,
    /// The statement's id, if it has one.
    pub sid: Option<String>,
}

impl StatementRef {
    pub(crate) fn to(policy: &Document, (index, statement): (usize, &Statement)) -> Self {
        Self { kind: policy.kind, policy: policy.name.clone(), index, sid: statement.sid.clone() }
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sid {
            Some(sid) => write!(f, "{}/{sid}", self.policy),
            None => write!(f, "{}/Statement[{}]", self.policy, self.index),
        }
    }
}
