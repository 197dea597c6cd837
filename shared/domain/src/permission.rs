//! What a signing profile permits to others: the statements of its resource policy (Signer's `Permission`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::AccountId;
use crate::name::{ProfileVersionId, name};
use crate::principal::PrincipalArn;
use crate::text::serde_as_text;

name!(
    /// The id of a statement, unique in its policy: 1 to 100 letters, digits, `-` or `_`, as Lambda has it; Signer's model
    /// sets no bounds.
    StatementId, "statement id", broken_statement_rule
);
name!(
    /// The id of one state of a thing that is changed only by who saw that state: 1 to 128 printable ASCII characters,
    /// opaque.
    RevisionId, "revision id", broken_revision_rule
);

impl RevisionId {
    /// A UUID of 16 random bytes, as AWS shows them.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self::from_uuid(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    fn from_uuid(uuid: Uuid) -> Self {
        uuid.to_string().parse().expect("a UUID is a revision id")
    }
}

/// One statement: who may do what with a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfilePermission {
    /// Its id.
    pub statement_id: StatementId,
    /// What is permitted.
    pub action: ProfileAction,
    /// To whom.
    pub principal: PermittedPrincipal,
    /// With this version alone; without it, with every version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_version: Option<ProfileVersionId>,
}

/// What others can be permitted to do with a profile. Its text form is the action of IAM, such as `signer:StartSigningJob`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileAction {
    /// To have packages signed.
    StartSigningJob,
    /// To have payloads signed, which no platform of ours does.
    SignPayload,
    /// To see the profile.
    GetSigningProfile,
    /// To revoke what it signed.
    RevokeSignature,
}

/// A text that names no such action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be permitted: use signer:StartSigningJob, signer:SignPayload, signer:GetSigningProfile or \
     signer:RevokeSignature"
)]
pub struct UnknownProfileAction(String);

impl ProfileAction {
    /// Every action.
    pub const ALL: [Self; 4] =
        [Self::StartSigningJob, Self::SignPayload, Self::GetSigningProfile, Self::RevokeSignature];

    /// The action as IAM writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartSigningJob => "signer:StartSigningJob",
            Self::SignPayload => "signer:SignPayload",
            Self::GetSigningProfile => "signer:GetSigningProfile",
            Self::RevokeSignature => "signer:RevokeSignature",
        }
    }
}

impl FromStr for ProfileAction {
    type Err = UnknownProfileAction;

    fn from_str(text: &str) -> Result<Self, UnknownProfileAction> {
        let known = Self::ALL.into_iter().find(|action| action.as_str() == text);
        known.ok_or_else(|| UnknownProfileAction(text.chars().take(80).collect()))
    }
}

impl fmt::Display for ProfileAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(ProfileAction);

/// To whom something is permitted: a whole account, or one principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PermittedPrincipal {
    /// Everybody in the account whom their own policies allow it.
    Account(AccountId),
    /// This principal.
    Arn(PrincipalArn),
}

/// A text that is neither an account nor a principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a principal: write an account of 12 digits, or the ARN of a role or user")]
pub struct InvalidPrincipal(String);

impl FromStr for PermittedPrincipal {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        let account = text.parse().map(Self::Account);
        let principal = account.or_else(|_| text.parse().map(Self::Arn));
        principal.map_err(|_| InvalidPrincipal(text.chars().take(160).collect()))
    }
}

impl fmt::Display for PermittedPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => f.write_str(account.as_str()),
            Self::Arn(arn) => f.write_str(arn.as_str()),
        }
    }
}

serde_as_text!(PermittedPrincipal);

fn broken_statement_rule(text: &str) -> Option<&'static str> {
    let legal = (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (!legal).then_some("use 1 to 100 letters, digits, hyphens or underscores")
}

fn broken_revision_rule(text: &str) -> Option<&'static str> {
    let legal = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    (!legal).then_some("use 1 to 128 printable ASCII characters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_statement_round_trips() {
        for principal in ["123456789012", "arn:aws:iam::123456789012:role/ci"] {
            let statement = json!({
                "statementId": "ci-1",
                "action": "signer:StartSigningJob",
                "principal": principal,
                "profileVersion": "AbCdEfGhIj",
            });
            let parsed: ProfilePermission = serde_json::from_value(statement.clone()).unwrap();
            assert_eq!(serde_json::to_value(parsed).unwrap(), statement);
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let statement = json!({
            "statementId": "ci", "action": "signer:GetSigningProfile", "principal": "123456789012",
        });
        assert!(serde_json::from_value::<ProfilePermission>(statement.clone()).is_ok());
        for (member, value) in [
            ("statementId", json!("")),
            ("statementId", json!("a b")),
            ("action", json!("signer:*")),
            ("action", json!("signer:startsigningjob")),
            ("principal", json!("*")),
            ("principal", json!("arn:aws:iam::123456789012:group/ci")),
            ("profileVersion", json!("short")),
            ("condition", json!({})),
        ] {
            let mut statement = statement.clone();
            statement[member] = value;
            assert!(serde_json::from_value::<ProfilePermission>(statement).is_err(), "{member}");
        }
    }

    #[test]
    fn a_revision_that_is_made_parses() {
        let revision = RevisionId::from_random([7; 16]);
        assert_eq!(revision.as_str().parse(), Ok(revision.clone()));
        assert_eq!(revision.as_str().len(), 36);
    }
}
