//! Who asks: the principals of the configuration, their users of the broker and their access keys.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use countersign_domain::PrincipalName;
use countersign_iam::{AccountId, Policy};
use secrecy::SecretString;

use crate::config::{SecretError, SecretSource};
use crate::{DataDir, Environment};

/// A `[[principal]]`: by what it is known, and the policies that say what it may. Without a policy it may nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    name: PrincipalName,
    arn: countersign_iam::Principal,
    account: AccountId,
    publishers: Vec<String>,
    access_keys: Vec<AccessKey>,
    policies: Vec<Policy>,
}

impl Principal {
    /// The principal of that name in `account`, known by nothing and allowed nothing.
    pub fn new(name: PrincipalName, account: AccountId) -> Self {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let arn = arn.parse().expect("a principal's name is the name of an IAM user");
        Self { name, arn, account, publishers: Vec::new(), access_keys: Vec::new(), policies: Vec::new() }
    }

    /// The same, known by these users of the broker too.
    #[must_use]
    pub fn with_publishers(mut self, publishers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.publishers.extend(publishers.into_iter().map(Into::into));
        self
    }

    /// The same, known by these access keys too.
    #[must_use]
    pub fn with_access_keys(mut self, access_keys: impl IntoIterator<Item = AccessKey>) -> Self {
        self.access_keys.extend(access_keys);
        self
    }

    /// The same, under these identity policies too.
    #[must_use]
    pub fn with_policies(mut self, policies: impl IntoIterator<Item = Policy>) -> Self {
        self.policies.extend(policies);
        self
    }

    /// The same, allowed everything in its own account: what the services of `countersign up` are to themselves.
    #[must_use]
    pub fn with_all_rights(self) -> Self {
        let all = Policy::parse(ALL_RIGHTS).expect("a policy that allows everything");
        self.with_policies([all.named("all-rights")])
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &PrincipalName {
        &self.name
    }

    /// `arn:aws:iam::ACCOUNT:user/NAME`.
    pub fn arn(&self) -> &countersign_iam::Principal {
        &self.arn
    }

    /// Its account, which may be another than the installation's.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The users of the broker behind it.
    pub fn publishers(&self) -> &[String] {
        &self.publishers
    }

    /// Its access keys.
    pub fn access_keys(&self) -> &[AccessKey] {
        &self.access_keys
    }

    /// Its identity policies, each named by its file as the configuration writes it.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }
}

/// An access key: its id, and where its secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    id: AccessKeyId,
    secret: SecretSource,
}

impl AccessKey {
    pub(crate) fn new(id: AccessKeyId, secret: SecretSource) -> Self {
        Self { id, secret }
    }

    /// Its id.
    pub fn id(&self) -> &AccessKeyId {
        &self.id
    }

    /// Its secret. The variable wins over the file.
    ///
    /// # Errors
    /// When there is neither, or the file does not hold one line of text.
    pub fn secret(&self, data: &DataDir, environment: &Environment) -> Result<SecretString, SecretError> {
        self.secret.demand(data, environment)
    }
}

/// The id of an access key: 16 to 128 ASCII letters, digits or underscores (IAM API, `accessKeyIdType`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

/// A text that is no id of an access key. It is not repeated: it may be the secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not the id of an access key: write {MIN_ACCESS_KEY_ID_CHARACTERS} to {MAX_ACCESS_KEY_ID_CHARACTERS} letters, \
     digits or underscores"
)]
pub struct InvalidAccessKeyId;

impl AccessKeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccessKeyId {
    type Err = InvalidAccessKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidAccessKeyId> {
        let legal = (MIN_ACCESS_KEY_ID_CHARACTERS..=MAX_ACCESS_KEY_ID_CHARACTERS).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if legal { Ok(Self(text.to_owned())) } else { Err(InvalidAccessKeyId) }
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for AccessKeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Who asks for something over the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// The name under which the broker authenticated it.
    pub publisher: String,
    /// Who that is to us, with the policies that counted when the message was looked at.
    pub principal: Arc<Principal>,
}

/// Why nobody is behind a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownPublisher {
    /// The broker vouches for nobody.
    #[error(
        "unauthenticated_publisher: the message carries no user that the broker validated; publish it with the \
         property user_id set to your own user"
    )]
    Nobody,
    /// The broker vouches for somebody whom the configuration does not name.
    #[error(
        "unknown_publisher: {0:?} is no publisher of any [[principal]]; add it to the configuration if it may ask for \
         deployments"
    )]
    Stranger(String),
}

const ALL_RIGHTS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// IAM's limits for the id of an access key, in characters.
const MIN_ACCESS_KEY_ID_CHARACTERS: usize = 16;
const MAX_ACCESS_KEY_ID_CHARACTERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_id_has_the_characters_that_aws_gives_it() {
        for good in ["AKIAIOSFODNN7EXAMPLE", "a_b_c_d_e_f_g_h_", &"A".repeat(128)] {
            assert_eq!(good.parse::<AccessKeyId>().unwrap().as_str(), good);
        }
        for wrong in
            ["", "AKIA", &"A".repeat(15), &"A".repeat(129), "AKIAIOSFODNN7EXAMPL/", "AKIAIOSFODNN7EXÄMPLE"]
        {
            assert_eq!(wrong.parse::<AccessKeyId>(), Err(InvalidAccessKeyId), "{wrong}");
        }
    }

    #[test]
    fn every_name_of_a_principal_makes_an_arn() {
        let account: AccountId = "111122223333".parse().unwrap();
        for name in ["ci", "9", "a-b_c", &"x".repeat(64)] {
            let principal = Principal::new(name.parse().unwrap(), account.clone());
            assert_eq!(principal.arn().to_string(), format!("arn:aws:iam::111122223333:user/{name}"));
            assert_eq!(principal.arn().user_name(), Some(name));
        }
    }
}
