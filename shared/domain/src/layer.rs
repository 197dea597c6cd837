//! Layers: names, the ARNs of their versions, and to whom a version is permitted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::arn::{InvalidArn, Scope, scoped};
use crate::function::positive;
use crate::name::{is_word_byte, name};
use crate::permission::{PermittedPrincipal, StatementId};
use crate::text::serde_as_text;

name!(
    /// The name of a layer: 1 to 140 letters, digits, `-` or `_`.
    LayerName, "layer name", broken_layer_rule
);
name!(
    /// An organization of AWS accounts: `o-` and 10 to 32 lower-case letters or digits.
    OrganizationId, "organization id", broken_organization_rule
);

/// `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerVersionArn {
    scope: Scope,
    layer: LayerName,
    version: u64,
}

impl LayerVersionArn {
    /// The ARN of version `version` of `layer` in `scope`; `None` unless it is a number from 1 that a database holds.
    pub fn new(scope: Scope, layer: LayerName, version: u64) -> Option<Self> {
        (1..=i64::MAX.unsigned_abs()).contains(&version).then_some(Self { scope, layer, version })
    }

    /// Where the layer lives.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The layer's name.
    pub fn layer(&self) -> &LayerName {
        &self.layer
    }

    /// The version's number, from 1.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl FromStr for LayerVersionArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let parsed = || {
            let (scope, resource) = scoped(text, "lambda")?;
            let (layer, version) = resource.strip_prefix("layer:")?.split_once(':')?;
            Some(Self { scope, layer: layer.parse().ok()?, version: positive(version)? })
        };
        let expected = "a layer version ARN (arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION)";
        parsed().ok_or_else(|| InvalidArn::new(text, expected))
    }
}

impl fmt::Display for LayerVersionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:layer:{}:{}", self.scope.of_service("lambda"), self.layer, self.version)
    }
}

serde_as_text!(LayerVersionArn);

/// One statement of a layer version's policy: who may get it. Its action is always `lambda:GetLayerVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayerPermission {
    /// Its id.
    pub statement_id: StatementId,
    /// To whom.
    pub principal: LayerPrincipal,
    /// Only to accounts of this organization; goes with [`LayerPrincipal::Everyone`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
}

/// To whom a layer version is permitted. Its text is `*`, an account of 12 digits, or an ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LayerPrincipal {
    /// `*`: to everyone.
    Everyone,
    /// To an account, or one of its principals.
    Permitted(PermittedPrincipal),
}

impl LayerPrincipal {
    /// True if it means everyone in `account`.
    pub fn is_account(&self, account: &AccountId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Permitted(PermittedPrincipal::Account(named)) => named == account,
            Self::Permitted(PermittedPrincipal::Arn(_)) => false,
        }
    }
}

impl FromStr for LayerPrincipal {
    type Err = crate::permission::InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" { Ok(Self::Everyone) } else { text.parse().map(Self::Permitted) }
    }
}

impl fmt::Display for LayerPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::Permitted(principal) => principal.fmt(f),
        }
    }
}

serde_as_text!(LayerPrincipal);

fn broken_layer_rule(text: &str) -> Option<&'static str> {
    let legal = (1..=140).contains(&text.len()) && text.bytes().all(is_word_byte);
    (!legal).then_some("use 1 to 140 letters, digits, hyphens or underscores")
}

fn broken_organization_rule(text: &str) -> Option<&'static str> {
    let id = text.strip_prefix("o-").filter(|id| (10..=32).contains(&id.len()));
    let legal = id.is_some_and(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    (!legal).then_some("it is o- and 10 to 32 lower-case letters or digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_arn_round_trips_and_a_layer_arn_is_none() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:layer:numpy:3";
        assert_eq!(arn.parse::<LayerVersionArn>().unwrap().to_string(), arn);
        for wrong in [":0", ":03", ":$LATEST", ":a", ":", "", ":3:4"] {
            assert!(arn.replace(":3", wrong).parse::<LayerVersionArn>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_permission_is_read_strictly() {
        let legal =
            serde_json::json!({"statementId": "s1", "principal": "*", "organizationId": "o-0123456789"});
        let parsed: LayerPermission = serde_json::from_value(legal.clone()).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), legal);
        for (member, value) in [("principal", "**"), ("organizationId", "o-1"), ("action", "lambda:*")] {
            let mut wrong = legal.clone();
            wrong[member] = value.into();
            assert!(serde_json::from_value::<LayerPermission>(wrong).is_err(), "{member}");
        }
    }
}
