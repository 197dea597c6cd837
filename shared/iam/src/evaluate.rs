//! From policies and a request to a decision (IAM user guide, "Policy evaluation logic").

use crate::decision::{Allowed, Decision, Denied, DenyReason, StatementRef};
use crate::policy::{Document, Policy, ResourcePolicy};
use crate::principal::AccountId;
use crate::request::Request;
use crate::resource::Resource;
use crate::statement::Effect;

/// Decides by the caller's own policies alone: for resources of the caller's account that have no policy.
///
/// An explicit deny wins over every allow; what nothing allows is denied. Each of the request's resources must be allowed.
pub fn evaluate(policies: &[&Policy], request: &Request) -> Decision {
    let identity: Vec<&Document> = policies.iter().map(|policy| &policy.0).collect();
    decide(request, |resource| {
        no_denial(&identity, request, resource)?;
        Ok(vec![allowing(&identity, request, resource).ok_or(DenyReason::NoIdentityPolicy)?])
    })
}

/// Decides by the caller's policies and the policy of the resource, which belongs to the account `owner`.
///
/// An explicit deny on either side wins. In one account either side may allow; across accounts both must. A service has no
/// account and no policies of its own: the resource's policy alone allows it.
pub fn evaluate_with_resource_policy(
    policies: &[&Policy],
    resource_policy: Option<&ResourcePolicy>,
    request: &Request,
    owner: &AccountId,
) -> Decision {
    let identity: Vec<&Document> = policies.iter().map(|policy| &policy.0).collect();
    let of_resource: Vec<&Document> = resource_policy.iter().map(|policy| &policy.0).collect();
    decide(request, |resource| {
        no_denial(&identity, request, resource)?;
        no_denial(&of_resource, request, resource)?;
        let by_identity = allowing(&identity, request, resource).ok_or(DenyReason::NoIdentityPolicy);
        let by_resource = allowing(&of_resource, request, resource).ok_or(DenyReason::NoResourcePolicy);
        match request.principal().account() {
            Some(account) if account == owner => {
                Ok(vec![by_identity.or_else(|reason| by_resource.or(Err(reason)))?])
            }
            Some(_) => Ok(vec![by_identity?, by_resource?]),
            None => Ok(vec![by_resource?]),
        }
    })
}

/// Allows if `judge` allows on every resource; otherwise the first explicit deny, or else the first denial, counts.
fn decide(request: &Request, judge: impl Fn(&Resource) -> Result<Vec<StatementRef>, DenyReason>) -> Decision {
    let (mut by, mut denial) = (Vec::new(), None);
    for resource in request.resources() {
        match judge(resource) {
            Ok(statements) => by.extend(statements),
            Err(reason @ DenyReason::Explicit(_)) => return denied(request, resource, reason),
            Err(reason) => denial = denial.or(Some((resource, reason))),
        }
    }
    match denial {
        Some((resource, reason)) => denied(request, resource, reason),
        None => Decision::Allow(Allowed::assertion(request, by)),
    }
}

fn denied(request: &Request, resource: &Resource, reason: DenyReason) -> Decision {
    let (principal, action) = (request.principal().clone(), request.action().clone());
    Decision::Deny(Box::new(Denied { principal, action, resource: resource.clone(), reason }))
}

fn no_denial(policies: &[&Document], request: &Request, resource: &Resource) -> Result<(), DenyReason> {
    first(policies, Effect::Deny, request, resource).map_or(Ok(()), |by| Err(DenyReason::Explicit(by)))
}

fn allowing(policies: &[&Document], request: &Request, resource: &Resource) -> Option<StatementRef> {
    first(policies, Effect::Allow, request, resource)
}

/// The first statement with this effect that applies.
fn first(
    policies: &[&Document],
    effect: Effect,
    request: &Request,
    resource: &Resource,
) -> Option<StatementRef> {
    policies.iter().find_map(|policy| {
        let found = policy.with_effect(effect).find(|(_, statement)| statement.applies(request, resource));
        found.map(|found| StatementRef::to(policy, found))
    })
}
