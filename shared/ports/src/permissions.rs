//! What signing profiles permit to other accounts: one resource policy a profile.

use async_trait::async_trait;
use countersign_domain::{ProfileName, ProfilePermission, RevisionId, StatementId};

use crate::StoreError;

/// The policies of the profiles. A policy changes as a whole, from one revision to the next.
#[async_trait]
pub trait ProfilePermissions: Send + Sync {
    /// What the profile permits, in the order in which it was added; `None` if it permits nothing, or there is no such profile.
    async fn permissions(&self, profile: &ProfileName) -> Result<Option<ProfilePolicy>, StoreError>;

    /// Adds a statement, if the policy is at the revision `expected`; with `None`, at whichever it is.
    ///
    /// # Errors
    /// [`PermissionError`]: every one but [`NoSuchStatement`](PermissionError::NoSuchStatement). Nothing was changed, except
    /// where [`Store`](PermissionError::Store) says that it is not known.
    async fn add_permission(
        &self,
        profile: &ProfileName,
        permission: &ProfilePermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), PermissionError>;

    /// Removes a statement, if the policy is at the revision `expected`. With the last statement the policy is gone, and its
    /// revision with it.
    ///
    /// # Errors
    /// [`NoSuchProfile`](PermissionError::NoSuchProfile), [`NoSuchStatement`](PermissionError::NoSuchStatement),
    /// [`OtherRevision`](PermissionError::OtherRevision), [`Store`](PermissionError::Store).
    async fn remove_permission(
        &self,
        profile: &ProfileName,
        statement: &StatementId,
        expected: &RevisionId,
        new: &RevisionId,
    ) -> Result<(), PermissionError>;
}

/// The policy of one profile: at least one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfilePolicy {
    /// This state of it.
    pub revision: RevisionId,
    /// Its statements, in the order in which they were added.
    pub permissions: Vec<ProfilePermission>,
}

/// Why a policy was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// There is no such profile.
    #[error("signing profile {0} does not exist")]
    NoSuchProfile(ProfileName),
    /// The policy has no such statement.
    #[error("signing profile {profile} has no statement {statement}")]
    NoSuchStatement {
        /// Of which profile.
        profile: ProfileName,
        /// The statement that was named.
        statement: StatementId,
    },
    /// The policy has a statement of that id.
    #[error("signing profile {profile} has a statement {statement} already; remove it or choose another id")]
    StatementExists {
        /// Of which profile.
        profile: ProfileName,
        /// The id that was to be added.
        statement: StatementId,
    },
    /// Somebody changed the policy meanwhile.
    #[error("the policy of signing profile {profile} is not at revision {expected}; read it again")]
    OtherRevision {
        /// Of which profile.
        profile: ProfileName,
        /// The revision that was named.
        expected: RevisionId,
    },
    /// The policy would have more statements than [`PERMISSIONS_MAX`].
    #[error("signing profile {0} has {PERMISSIONS_MAX} statements, which is the most; remove one first")]
    TooManyStatements(ProfileName),
    /// The policy would be longer than [`POLICY_MAX_BYTES`].
    #[error(
        "the policy of signing profile {profile} would have {size_bytes} bytes, more than {POLICY_MAX_BYTES}"
    )]
    PolicyTooLarge {
        /// Of which profile.
        profile: ProfileName,
        /// How long it would be, in bytes.
        size_bytes: usize,
    },
    /// The state could not be asked or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ProfilePolicy {
    /// The length of its statements as JSON, in bytes.
    pub fn size_bytes(&self) -> usize {
        serde_json::to_vec(&self.permissions).map_or(usize::MAX, |json| json.len())
    }

    /// The policy that stands, with one more statement: the rule that every store keeps.
    ///
    /// # Errors
    /// As [`ProfilePermissions::add_permission`].
    pub fn adding(
        standing: Option<Self>,
        profile: &ProfileName,
        permission: &ProfilePermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<Self, PermissionError> {
        if let Some(expected) = expected {
            check_revision(standing.as_ref(), profile, expected)?;
        }
        let mut permissions = standing.map(|standing| standing.permissions).unwrap_or_default();
        if permissions.iter().any(|known| known.statement_id == permission.statement_id) {
            let statement = permission.statement_id.clone();
            return Err(PermissionError::StatementExists { profile: profile.clone(), statement });
        }
        if permissions.len() >= PERMISSIONS_MAX {
            return Err(PermissionError::TooManyStatements(profile.clone()));
        }
        permissions.push(permission.clone());
        let policy = Self { revision: new.clone(), permissions };
        match policy.size_bytes() {
            ..=POLICY_MAX_BYTES => Ok(policy),
            size_bytes => Err(PermissionError::PolicyTooLarge { profile: profile.clone(), size_bytes }),
        }
    }

    /// The policy that stands, without a statement: the rule that every store keeps. `None` if it was the last.
    ///
    /// # Errors
    /// As [`ProfilePermissions::remove_permission`].
    pub fn removing(
        standing: Option<Self>,
        profile: &ProfileName,
        statement: &StatementId,
        expected: &RevisionId,
        new: &RevisionId,
    ) -> Result<Option<Self>, PermissionError> {
        let missing =
            || PermissionError::NoSuchStatement { profile: profile.clone(), statement: statement.clone() };
        let mut policy = standing.ok_or_else(missing)?;
        check_revision(Some(&policy), profile, expected)?;
        let before = policy.permissions.len();
        policy.permissions.retain(|known| known.statement_id != *statement);
        if policy.permissions.len() == before {
            return Err(missing());
        }
        policy.revision = new.clone();
        Ok((!policy.permissions.is_empty()).then_some(policy))
    }
}

fn check_revision(
    standing: Option<&ProfilePolicy>,
    profile: &ProfileName,
    expected: &RevisionId,
) -> Result<(), PermissionError> {
    if standing.is_some_and(|standing| standing.revision == *expected) {
        return Ok(());
    }
    Err(PermissionError::OtherRevision { profile: profile.clone(), expected: expected.clone() })
}

/// The most statements of one policy. Every request of another account looks at each of them.
pub const PERMISSIONS_MAX: usize = 20;

/// The longest policy, its statements as JSON, in bytes.
pub const POLICY_MAX_BYTES: usize = 10 * 1024;
