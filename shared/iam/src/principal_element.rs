//! `Principal` and `NotPrincipal` of a resource policy.

use crate::element::Element;
use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::json::Json;
use crate::principal::{AccountId, Principal};

/// Whom a statement of a resource policy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalElement {
    /// Those who are named.
    Only(Vec<Named>),
    /// Everyone but those who are named.
    AllBut(Vec<Named>),
}

/// One entry of the element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Everyone,
    Account(AccountId),
    Exactly(Principal),
}

impl PrincipalElement {
    /// Reads `"*"` or `{"AWS": …, "Service": …}`.
    pub(crate) fn parse(element: &Element<'_>, negated: bool) -> Result<Self, PolicyError> {
        let named = named(element)?;
        if !negated {
            return Ok(Self::Only(named));
        }
        if named.contains(&Named::Everyone) {
            return Err(element.error(Code::InvalidPrincipal, "`*` here means nobody; name who is excepted"));
        }
        Ok(Self::AllBut(named))
    }

    /// True if the statement is about `caller`.
    ///
    /// An exception counts only if all that the caller is was named: a user's account beside the user, a session's role
    /// and account beside the session (IAM user guide, "NotPrincipal"). So a name left out denies too much, never too
    /// little.
    pub(crate) fn covers(&self, caller: &Principal) -> bool {
        let claims = caller.claims();
        let is_named = |named: &[Named], claim: &Principal| named.iter().any(|named| named.means(claim));
        match self {
            Self::Only(named) => claims.iter().any(|claim| is_named(named, claim)),
            Self::AllBut(named) => !claims.iter().all(|claim| is_named(named, claim)),
        }
    }
}

impl Named {
    fn means(&self, claim: &Principal) -> bool {
        match self {
            Self::Everyone => true,
            Self::Account(account) => claim.is_account(account),
            Self::Exactly(principal) => principal.names(claim),
        }
    }
}

fn named(element: &Element<'_>) -> Result<Vec<Named>, PolicyError> {
    if let Json::Text(text) = element.json {
        return match text.as_str() {
            "*" => Ok(vec![Named::Everyone]),
            other => {
                Err(element
                    .error(Code::InvalidPrincipal, format!("{} must be `*` or an object", quoted(other))))
            }
        };
    }
    let mut named = Vec::new();
    for (kind, element) in element.entries()? {
        for item in element.one_or_many()? {
            named.push(entry(kind, &item)?);
        }
    }
    Ok(named)
}

fn entry(kind: &str, item: &Element<'_>) -> Result<Named, PolicyError> {
    let text = item.text()?;
    let (entry, expected) = match kind {
        "AWS" if text == "*" => (Some(Named::Everyone), ""),
        "AWS" => {
            let account = text.parse().ok().map(Named::Account);
            (account.or_else(|| Principal::identity(text).map(Named::Exactly)), AWS_FORM)
        }
        "Service" => (Principal::service(text).map(Named::Exactly), SERVICE_FORM),
        _ => {
            let message = format!("{} principals do not exist here; write AWS or Service", quoted(kind));
            return Err(item.error(Code::InvalidPrincipal, message));
        }
    };
    entry.ok_or_else(|| item.error(Code::InvalidPrincipal, format!("{} is not {expected}", quoted(text))))
}

const AWS_FORM: &str = "`*`, an account of 12 digits, or the ARN of an account's root, a user, a role or an assumed-role \
                        session; a name cannot have wildcards";
const SERVICE_FORM: &str = "a service principal such as lambda.amazonaws.com";
