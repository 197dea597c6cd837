//! Who asks: the ARNs of IAM's principals.
//!
//! Grammar (IAM User Guide, "IAM identifiers"): `arn:PARTITION:iam::ACCOUNT:root`, `…:user/[PATH/]NAME`,
//! `…:role/[PATH/]NAME`, and `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION`.

use std::fmt;
use std::str::FromStr;

use crate::account::AccountId;
use crate::arn::{InvalidArn, Scope, is_partition};
use crate::name::PrincipalName;
use crate::text::serde_as_text;

/// A user, a role, a session of a role, or an account itself (`root`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalArn {
    text: String,
    account: AccountId,
}

impl PrincipalArn {
    /// The account of `scope` itself: whoever works where nobody tells users apart, such as a drop into a bucket.
    pub fn root(scope: &Scope) -> Self {
        Self::of(scope, "root")
    }

    /// The user that the configuration calls `name`.
    pub fn user(scope: &Scope, name: &PrincipalName) -> Self {
        Self::of(scope, &format!("user/{name}"))
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account that the principal belongs to.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    fn of(scope: &Scope, resource: &str) -> Self {
        let (partition, account) = (scope.partition(), scope.account().clone());
        Self { text: format!("arn:{partition}:iam::{account}:{resource}"), account }
    }
}

impl FromStr for PrincipalArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let parsed = || {
            let mut fields = text.splitn(6, ':');
            let mut next = || fields.next();
            let (arn, partition, service, region) = (next()?, next()?, next()?, next()?);
            let (account, resource) = (next()?.parse().ok()?, next()?);
            let legal = arn == "arn"
                && is_partition(partition)
                && region.is_empty()
                && match service {
                    "iam" => is_identity(resource),
                    "sts" => is_session(resource),
                    _ => false,
                };
            legal.then(|| Self { text: text.to_owned(), account })
        };
        parsed().ok_or_else(|| InvalidArn { value: text.chars().take(160).collect(), expected: EXPECTED })
    }
}

impl fmt::Display for PrincipalArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

serde_as_text!(PrincipalArn);

fn is_identity(resource: &str) -> bool {
    let Some((kind, name)) = resource.split_once('/') else { return resource == "root" };
    let (path, name) = name.rsplit_once('/').map_or((None, name), |(path, name)| (Some(path), name));
    matches!(kind, "user" | "role") && path.is_none_or(is_path) && is_name(name, 1)
}

fn is_session(resource: &str) -> bool {
    let mut fields = resource.split('/');
    let (kind, role, session) = (fields.next(), fields.next(), fields.next());
    kind == Some("assumed-role")
        && role.is_some_and(|role| is_name(role, 1))
        && session.is_some_and(|session| is_name(session, 2))
        && fields.next().is_none()
}

/// IAM allows every printable character in a path. Of those, `*` and `?` would be patterns in a policy.
fn is_path(path: &str) -> bool {
    path.len() <= PATH_MAX_BYTES && path.split('/').all(|part| !part.is_empty() && part.bytes().all(is_word))
}

fn is_name(name: &str, shortest: usize) -> bool {
    (shortest..=NAME_MAX_BYTES).contains(&name.len()) && name.bytes().all(is_word)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

/// The longest name of a user, a role or a session, in bytes (IAM's quotas).
const NAME_MAX_BYTES: usize = 64;

/// The longest path, in bytes, without the slashes at its ends (IAM's quotas: 512 with them).
const PATH_MAX_BYTES: usize = 510;

const EXPECTED: &str = "the ARN of a principal (arn:aws:iam::ACCOUNT:root, …:user/NAME or …:role/NAME, or \
     arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION)";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PrincipalArn, InvalidArn> {
        text.parse()
    }

    #[test]
    fn the_principals_of_iam_round_trip() {
        for text in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/maria",
            "arn:aws:iam::123456789012:user/division/team_1/maria@example.com",
            "arn:aws-cn:iam::123456789012:role/service-role/signer",
            "arn:aws:sts::123456789012:assumed-role/signer/i-0123",
        ] {
            let arn = parse(text).unwrap();
            assert_eq!((arn.to_string().as_str(), arn.account().as_str()), (text, "123456789012"));
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for text in [
            "arn:aws:iam::12345678901:root",
            "arn:aws:iam:us-east-1:123456789012:root",
            "arn:evil:iam::123456789012:root",
            "arn:aws:iam::123456789012:roots",
            "arn:aws:iam::123456789012:user",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:user//maria",
            "arn:aws:iam::123456789012:user/*",
            "arn:aws:iam::123456789012:user/a:b",
            "arn:aws:iam::123456789012:group/admins",
            "arn:aws:iam::123456789012:assumed-role/signer/session",
            "arn:aws:sts::123456789012:role/signer",
            "arn:aws:sts::123456789012:assumed-role/signer/x",
            "arn:aws:sts::123456789012:assumed-role/signer/session/more",
            "123456789012",
            "*",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("arn:aws:iam::123456789012:user/{}", "x".repeat(65))).is_err());
    }

    #[test]
    fn what_is_made_is_what_parses() {
        let scope = Scope::new("us-east-1", "123456789012").unwrap();
        for made in [PrincipalArn::root(&scope), PrincipalArn::user(&scope, &"ci-1_a".parse().unwrap())] {
            assert_eq!(parse(made.as_str()), Ok(made));
        }
    }
}
