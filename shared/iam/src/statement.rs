//! One statement.

use crate::action::ActionElement;
use crate::condition::Condition;
use crate::element::{Element, Members};
use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::policy::PolicyKind;
use crate::principal_element::PrincipalElement;
use crate::request::Request;
use crate::resource::{Resource, ResourceElement};

/// What a statement does if it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    principal: Option<PrincipalElement>,
    action: ActionElement,
    resource: ResourceElement,
    pub(crate) conditions: Vec<Condition>,
}

impl Statement {
    pub(crate) fn parse(
        element: &Element<'_>,
        kind: PolicyKind,
        variables: bool,
    ) -> Result<Self, PolicyError> {
        let members = element.members(match kind {
            PolicyKind::Identity => &MEMBERS[2..],
            PolicyKind::Resource => MEMBERS,
        })?;
        let effect = effect(members.required("Effect")?)?;
        let (not_action, action) = members.either("Action")?;
        let (not_resource, resource) = members.either("Resource")?;
        Ok(Self {
            sid: members.get("Sid").map(|element| sid(element, kind)).transpose()?.flatten(),
            effect,
            principal: match kind {
                PolicyKind::Identity => None,
                PolicyKind::Resource => Some(principal(&members, effect)?),
            },
            action: ActionElement::parse(action, not_action)?,
            resource: ResourceElement::parse(resource, not_resource, variables)?,
            conditions: match members.get("Condition") {
                Some(element) => Condition::parse_block(element, variables)?,
                None => Vec::new(),
            },
        })
    }

    /// True if every element of the statement covers the request, as far as it is about `resource`.
    pub(crate) fn applies(&self, request: &Request, resource: &Resource) -> bool {
        let context = request.context();
        self.principal.as_ref().is_none_or(|principal| principal.covers(request.principal()))
            && self.action.covers(request.action())
            && self.resource.covers(resource, context)
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

fn effect(element: &Element<'_>) -> Result<Effect, PolicyError> {
    match element.text()? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(element.error(Code::InvalidEffect, format!("{} must be Allow or Deny", quoted(other)))),
    }
}

/// The statement's id. An empty one, as Terraform writes it, is none.
fn sid(element: &Element<'_>, kind: PolicyKind) -> Result<Option<String>, PolicyError> {
    let text = element.text()?;
    let (others, rule): (&[u8], _) = match kind {
        PolicyKind::Identity => (b"", "use letters and digits"),
        PolicyKind::Resource => (b"-_ ", "use letters, digits, hyphens, underscores and spaces"),
    };
    if text.len() > MAX_SID_CHARACTERS
        || !text.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
    {
        let message = format!("{}: {rule}, at most {MAX_SID_CHARACTERS}", quoted(text));
        return Err(element.error(Code::InvalidSid, message));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// AWS takes `NotPrincipal` with `Deny` alone: with `Allow` it would let in everyone who was not thought of.
fn principal(members: &Members<'_>, effect: Effect) -> Result<PrincipalElement, PolicyError> {
    let (negated, element) = members.either("Principal")?;
    if negated && effect == Effect::Allow {
        return Err(
            element.error(Code::InvalidPrincipal, "stands beside Allow; AWS takes it beside Deny alone")
        );
    }
    PrincipalElement::parse(element, negated)
}

/// Everything that a statement can have; the first two in resource policies alone.
const MEMBERS: &[&str] = &[
    "Principal",
    "NotPrincipal",
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Lambda's and Signer's limit for statement ids is 100 and 64; audit records quote them.
const MAX_SID_CHARACTERS: usize = 100;
