//! Who calls, and who can be named in a resource policy.

use std::fmt;
use std::str::FromStr;

/// An AWS account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        let legal = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        legal
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| InvalidPrincipal::new(text, "an account of 12 digits"))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not the principal it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidPrincipal {
    /// The text as it was given, cut to 160 characters.
    pub value: String,
    /// The form that was expected.
    pub expected: &'static str,
}

impl InvalidPrincipal {
    fn new(value: &str, expected: &'static str) -> Self {
        Self { value: value.chars().take(160).collect(), expected }
    }
}

/// Who calls. Its text form is an ARN, or for a service its name such as `lambda.amazonaws.com`.
///
/// | caller | text |
/// |---|---|
/// | the account itself | `arn:aws:iam::ACCOUNT:root` |
/// | a user | `arn:aws:iam::ACCOUNT:user/PATH/NAME` |
/// | a role | `arn:aws:iam::ACCOUNT:role/PATH/NAME` |
/// | a session of a role | `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` |
///
/// The root user has no rights of its own here: it is a principal like any other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Kind);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Service(String),
    Identity { partition: String, account: AccountId, entity: Entity },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Entity {
    Root,
    /// Path and name, such as `build/ci`.
    User(String),
    /// Path and name.
    Role(String),
    /// A session's ARN has the role's name without its path; names are unique in an account.
    Session {
        role: String,
        session: String,
    },
    /// The role of a session, of which no more than the name is known. It is a claim, and never parsed.
    SessionRole(String),
}

impl Principal {
    /// The account of the caller; a service has none.
    pub fn account(&self) -> Option<&AccountId> {
        match &self.0 {
            Kind::Service(_) => None,
            Kind::Identity { account, .. } => Some(account),
        }
    }

    /// The name of a user, without its path.
    pub fn user_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Identity { entity: Entity::User(path), .. } => Some(last_segment(path)),
            Kind::Identity { .. } | Kind::Service(_) => None,
        }
    }

    /// What `aws:PrincipalArn` says: a session is known by its role, a service has no ARN.
    pub(crate) fn policy_arn(&self) -> Option<String> {
        match &self.0 {
            Kind::Service(_) => None,
            Kind::Identity { entity: Entity::Session { .. }, .. } => {
                self.claims().get(1).map(ToString::to_string)
            }
            Kind::Identity { .. } => Some(self.to_string()),
        }
    }

    /// The principals that the caller is, from the widest to itself: a user is also its account, a session also its role
    /// and account.
    pub(crate) fn claims(&self) -> Vec<Principal> {
        let Kind::Identity { partition, account, entity } = &self.0 else { return vec![self.clone()] };
        let same_account = |entity| {
            Principal(Kind::Identity { partition: partition.clone(), account: account.clone(), entity })
        };
        let mut claims = vec![same_account(Entity::Root)];
        if let Entity::Session { role, .. } = entity {
            claims.push(same_account(Entity::SessionRole(role.clone())));
        }
        if *entity != Entity::Root {
            claims.push(self.clone());
        }
        claims
    }

    /// True if a policy that names `self` means `claim`.
    pub(crate) fn names(&self, claim: &Principal) -> bool {
        let (
            Kind::Identity { partition, account, entity: Entity::Role(path) },
            Kind::Identity {
                partition: claimed_partition,
                account: claimed_account,
                entity: Entity::SessionRole(role),
            },
        ) = (&self.0, &claim.0)
        else {
            return self == claim;
        };
        (partition, account, last_segment(path)) == (claimed_partition, claimed_account, role.as_str())
    }

    /// True if the principal is the account `account` itself, in whatever partition.
    pub(crate) fn is_account(&self, account: &AccountId) -> bool {
        matches!(&self.0, Kind::Identity { account: own, entity: Entity::Root, .. } if own == account)
    }

    /// A service by its name, such as `lambda.amazonaws.com`.
    pub(crate) fn service(text: &str) -> Option<Self> {
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let legal = text.len() <= MAX_SERVICE_CHARACTERS && text.contains('.') && text.split('.').all(label);
        legal.then(|| Self(Kind::Service(text.to_owned())))
    }

    /// Everyone but a service.
    pub(crate) fn identity(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, service, "", account, resource] = fields.as_slice() else { return None };
        let entity = Entity::parse(service, resource)?;
        let partition = is_partition(partition).then(|| partition.to_owned())?;
        Some(Self(Kind::Identity { partition, account: account.parse().ok()?, entity }))
    }
}

impl Entity {
    fn parse(service: &str, resource: &str) -> Option<Self> {
        match (service, resource.split_once('/')) {
            ("iam", None) => (resource == "root").then_some(Self::Root),
            ("iam", Some(("user", path))) => is_path(path).then(|| Self::User(path.to_owned())),
            ("iam", Some(("role", path))) => is_path(path).then(|| Self::Role(path.to_owned())),
            ("sts", Some(("assumed-role", path))) => {
                let (role, session) = path.split_once('/')?;
                (is_name(role) && is_name(session))
                    .then(|| Self::Session { role: role.to_owned(), session: session.to_owned() })
            }
            _ => None,
        }
    }
}

impl FromStr for Principal {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        let parsed = Self::identity(text).or_else(|| Self::service(text));
        parsed.ok_or_else(|| InvalidPrincipal::new(text, PRINCIPAL_FORM))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (partition, account, entity) = match &self.0 {
            Kind::Service(name) => return f.write_str(name),
            Kind::Identity { partition, account, entity } => (partition, account, entity),
        };
        match entity {
            Entity::Root => write!(f, "arn:{partition}:iam::{account}:root"),
            Entity::User(path) => write!(f, "arn:{partition}:iam::{account}:user/{path}"),
            Entity::Role(path) | Entity::SessionRole(path) => {
                write!(f, "arn:{partition}:iam::{account}:role/{path}")
            }
            Entity::Session { role, session } => {
                write!(f, "arn:{partition}:sts::{account}:assumed-role/{role}/{session}")
            }
        }
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_partition(text: &str) -> bool {
    text.starts_with("aws") && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// IAM's names of users, roles and sessions: letters, digits and `_+=,.@-`.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_CHARACTERS).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

fn is_path(text: &str) -> bool {
    text.len() <= MAX_PATH_CHARACTERS && text.split('/').all(is_name)
}

const PRINCIPAL_FORM: &str = "a principal: write arn:aws:iam::ACCOUNT:user/NAME, …:role/NAME, …:root, \
                              arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, or a service such as lambda.amazonaws.com";

/// IAM's limit for the names of users, roles and sessions, in characters.
const MAX_NAME_CHARACTERS: usize = 64;
/// IAM's limit for a path, 512 characters, and a name.
const MAX_PATH_CHARACTERS: usize = 512 + MAX_NAME_CHARACTERS;
/// The length of a DNS name, in characters.
const MAX_SERVICE_CHARACTERS: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(text: &str) -> Principal {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_round_trips() {
        for text in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/ci",
            "arn:aws-cn:iam::123456789012:user/build/eu/ci@example.com",
            "arn:aws:iam::123456789012:role/service-role/deploy",
            "arn:aws:sts::123456789012:assumed-role/deploy/run-1",
            "lambda.amazonaws.com",
        ] {
            assert_eq!(principal(text).to_string(), text);
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for text in [
            "*",
            "123456789012",
            "ci",
            "",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:user/*",
            "arn:aws:iam::12345678901:root",
            "arn:aws:iam:us-east-1:123456789012:root",
            "arn:evil:iam::123456789012:root",
            "arn:aws:sts::123456789012:user/ci",
            "arn:aws:iam::123456789012:group/ci",
            "arn:aws:iam::123456789012:user//ci",
            "arn:aws:sts::123456789012:assumed-role/deploy",
            "arn:aws:sts::123456789012:assumed-role/a/b/c",
            "lambda..amazonaws.com",
            "Lambda.amazonaws.com",
            "lambda.amazonaws.com:x",
        ] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_is_known_by_its_role_and_account() {
        let session = principal("arn:aws:sts::123456789012:assumed-role/deploy/run-1");
        let names = |text: &str| session.claims().iter().any(|claim| principal(text).names(claim));
        assert!(names("arn:aws:iam::123456789012:role/deploy"));
        assert!(names("arn:aws:iam::123456789012:role/path/deploy"), "a session's ARN has no path");
        assert!(names("arn:aws:iam::123456789012:root"));
        assert!(names("arn:aws:sts::123456789012:assumed-role/deploy/run-1"));
        assert!(!names("arn:aws:sts::123456789012:assumed-role/deploy/run-2"));
        assert!(!names("arn:aws:iam::123456789013:role/deploy"));
        assert!(!names("arn:aws:iam::123456789012:role/deploy/other"));
        assert_eq!(session.policy_arn().unwrap(), "arn:aws:iam::123456789012:role/deploy");
    }

    #[test]
    fn a_role_that_calls_itself_is_named_with_its_path() {
        let (with_path, without) =
            ("arn:aws:iam::123456789012:role/path/deploy", "arn:aws:iam::123456789012:role/deploy");
        let names = |named: &str, caller: &str| {
            principal(caller).claims().iter().any(|claim| principal(named).names(claim))
        };
        assert!(names(with_path, with_path) && names(without, without));
        assert!(!names(without, with_path) && !names(with_path, without));
    }
}
