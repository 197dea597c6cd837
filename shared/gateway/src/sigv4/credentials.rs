//! Who may sign: what the services look up access keys in.

use secrecy::{ExposeSecret, SecretString};

/// Looks access keys up.
#[async_trait::async_trait]
pub trait Credentials: Send + Sync {
    /// The key of that id, or `None` if there is none.
    ///
    /// # Errors
    /// When it could not be asked; the request is then answered as a failure of the service, never as unknown.
    async fn find(&self, access_key_id: &str) -> Result<Option<AccessKey>, CredentialsUnavailable>;
}

/// The keys could not be asked for. The reason is for the log of the adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("access keys cannot be looked up")]
pub struct CredentialsUnavailable;

/// An access key: whose it is, and the secret. It has no `Debug`.
#[derive(Clone)]
pub struct AccessKey {
    principal: Principal,
    secret: SecretString,
}

/// Somebody who may call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The name in the configuration, such as `maria`.
    pub name: String,
    /// The IAM ARN, such as `arn:aws:iam::123456789012:user/maria`.
    pub arn: String,
    /// The account: 12 digits.
    pub account: String,
}

impl AccessKey {
    /// A key of `principal`.
    pub fn new(principal: Principal, secret: SecretString) -> Self {
        Self { principal, secret }
    }

    pub(super) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    pub(super) fn into_principal(self) -> Principal {
        self.principal
    }
}
