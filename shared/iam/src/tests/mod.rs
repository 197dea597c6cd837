//! Whole documents and whole decisions.

use crate::{Context, Policy, Request, ResourcePolicy, evaluate};

mod accounts;
mod code_signing;
mod decisions;
mod documents;
mod operators;
mod oracle;
mod properties;

const USER: &str = "arn:aws:iam::123456789012:user/build/ci";

fn policy(json: &str) -> Policy {
    Policy::parse(json).unwrap_or_else(|error| panic!("{error}\n{json}"))
}

fn resource_policy(json: &str) -> ResourcePolicy {
    ResourcePolicy::parse(json).unwrap_or_else(|error| panic!("{error}\n{json}"))
}

/// A policy of 2012-10-17 with these statements.
fn statements(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn request(principal: &str, action: &str, resource: &str, context: Context) -> Request {
    Request::new(principal.parse().unwrap(), action.parse().unwrap(), resource.parse().unwrap(), context)
}

/// True if a policy with this one statement, apart from its effect, covers the request.
fn covers(statement: &str, request: &Request) -> bool {
    let allow = policy(&statements(&format!(r#"{{"Effect":"Allow",{statement}}}"#)));
    evaluate(&[&allow], request).is_allowed()
}
