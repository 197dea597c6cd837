//! AWS's IAM policy documents, read strictly and evaluated as AWS documents it.
//!
//! ```
//! use countersign_iam::{Context, Policy, Request, evaluate, keys};
//!
//! let policy = Policy::parse(r#"{
//!     "Version": "2012-10-17",
//!     "Statement": {
//!         "Sid": "OnlyWithTheConfig",
//!         "Effect": "Allow",
//!         "Action": "lambda:CreateFunction",
//!         "Resource": "*",
//!         "Condition": {"StringEquals": {
//!             "lambda:CodeSigningConfigArn": "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-1"
//!         }}
//!     }
//! }"#)?.named("ci");
//! let request = Request::new(
//!     "arn:aws:iam::123456789012:user/ci".parse()?,
//!     "lambda:CreateFunction".parse()?,
//!     "arn:aws:lambda:us-east-1:123456789012:function:hello".parse()?,
//!     Context::default().with(
//!         keys::LAMBDA_CODE_SIGNING_CONFIG_ARN,
//!         "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-1",
//!     ),
//! );
//! let allowed = evaluate(&[&policy], &request).into_result()?;
//! assert_eq!(allowed.by()[0].to_string(), "ci/OnlyWithTheConfig");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What carries a request out demands the [`Allowed`] that only an evaluation makes. A document that is not understood to
//! the last member is an error with its place, and never a policy with less in it.
//!
//! # Where AWS says nothing, or leaves a choice
//!
//! | case | here |
//! |---|---|
//! | several values in a request, and no set operator | some value must fit; for a negated operator none may. For the keys that are known to have several values, the policy is refused |
//! | a value that the operator cannot compare, such as a text for `NumericEquals` | equals nothing: positive operators are false, negated ones true |
//! | what a variable or its default brings in | literal, also where it contains `*` or `?` |
//! | a key whose only value is the empty text | `Null` counts it as absent, the set operators as no value; a variable has no value |
//! | an empty `Condition`, an empty list | refused |
//! | the root user | has no rights of its own |
//! | permissions boundaries, session policies, service control policies | do not exist |
//!
//! This crate is pure. It never contains I/O, a clock, or a list of users.
#![forbid(unsafe_code)]

mod action;
mod condition;
mod context;
mod decision;
mod element;
mod error;
mod evaluate;
mod glob;
mod json;
pub mod keys;
mod policy;
mod principal;
mod principal_element;
mod request;
mod resource;
mod statement;
mod template;

pub use action::{Action, InvalidAction};
pub use context::Context;
pub use decision::{Allowed, Decision, Denied, DenyReason, StatementRef};
pub use error::{PolicyError, PolicyErrorCode, PolicyWarning};
pub use evaluate::{evaluate, evaluate_with_resource_policy};
pub use policy::{MAX_POLICY_BYTES, Policy, PolicyKind, ResourcePolicy};
pub use principal::{AccountId, InvalidPrincipal, Principal};
pub use request::Request;
pub use resource::{InvalidResource, Resource};

#[cfg(test)]
mod tests;
