//! Who did it.

use serde::{Deserialize, Serialize};

use super::MAX_TEXT_BYTES;
use crate::text::cut;

/// CloudTrail's `userIdentity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserIdentity {
    #[serde(rename = "type")]
    kind: IdentityKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoked_by: Option<String>,
}

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityKind {
    /// A principal of the configuration.
    #[serde(rename = "IAMUser")]
    IamUser,
    /// The installation itself.
    #[serde(rename = "AWSService")]
    AwsService,
}

impl UserIdentity {
    /// The principal `name`, whose ARN is `arn:aws:iam::ACCOUNT:user/NAME`. The principal's id is its name: there are no
    /// others.
    pub fn user(name: &str, account: &str, arn: &str) -> Self {
        Self {
            kind: IdentityKind::IamUser,
            principal_id: Some(cut(name, MAX_TEXT_BYTES)),
            arn: Some(cut(arn, MAX_TEXT_BYTES)),
            account_id: Some(cut(account, MAX_TEXT_BYTES)),
            access_key_id: None,
            user_name: Some(cut(name, MAX_TEXT_BYTES)),
            invoked_by: None,
        }
    }

    /// The service of this host name, such as `signer.amazonaws.com`.
    pub fn service(host: &str) -> Self {
        Self {
            kind: IdentityKind::AwsService,
            principal_id: None,
            arn: None,
            account_id: None,
            access_key_id: None,
            user_name: None,
            invoked_by: Some(cut(host, MAX_TEXT_BYTES)),
        }
    }

    /// The same, known by this access key.
    #[must_use]
    pub fn with_access_key(mut self, id: &str) -> Self {
        self.access_key_id = Some(cut(id, MAX_TEXT_BYTES));
        self
    }

    /// The ARN.
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// The user's or the service's name.
    pub fn name(&self) -> Option<&str> {
        self.user_name.as_deref().or(self.invoked_by.as_deref())
    }
}
