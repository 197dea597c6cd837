//! What is decided about.

use crate::action::Action;
use crate::context::Context;
use crate::keys;
use crate::principal::Principal;
use crate::resource::Resource;

/// Who asks for what, on which resources, and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    principal: Principal,
    action: Action,
    resources: Vec<Resource>,
    context: Context,
}

impl Request {
    /// A request on one resource. What follows from the principal is put into the context, over what is there:
    /// `aws:PrincipalArn`, `aws:PrincipalAccount` and, for users, `aws:username`.
    pub fn new(principal: Principal, action: Action, resource: Resource, mut context: Context) -> Self {
        context.set(keys::AWS_PRINCIPAL_ARN, principal.policy_arn());
        context.set(keys::AWS_PRINCIPAL_ACCOUNT, principal.account().map(ToString::to_string));
        context.set(keys::AWS_USERNAME, principal.user_name().map(ToOwned::to_owned));
        Self { principal, action, resources: vec![resource], context }
    }

    /// The same request, on `resource` too. It is allowed only if it is on each of its resources.
    #[must_use]
    pub fn and_on(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What is asked for.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// On what; at least one.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The condition keys and their values.
    pub fn context(&self) -> &Context {
        &self.context
    }
}
