//! Resources: on what something is asked for, and the patterns of `Resource` and `NotResource`.

use std::fmt;
use std::str::FromStr;

use crate::context::Context;
use crate::element::Element;
use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::glob::matches;
use crate::template::{Template, Wildcards};

/// On what something is asked for: an ARN, or `*` for an action that is not about one resource, such as a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(String);

/// A text that is no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a resource: write an ARN (arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE), or `*`")]
pub struct InvalidResource(String);

impl Resource {
    /// `*`: the action is about no one resource. Only patterns that match the text `*` cover it.
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// The resource as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Resource {
    type Err = InvalidResource;

    fn from_str(text: &str) -> Result<Self, InvalidResource> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let arn = matches!(fields.as_slice(), ["arn", partition, service, _, _, resource]
            if ![partition, service, resource].iter().any(|field| field.is_empty()));
        // A control character would be a way to forge a line of the log.
        let legal = (arn || text == "*") && !text.chars().any(char::is_control);
        legal.then(|| Self(text.to_owned())).ok_or_else(|| InvalidResource(text.chars().take(160).collect()))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `Resource`, or `NotResource` if negated.
///
/// Unlike the ARN operators of conditions, a pattern is matched over the whole text: a `*` at the end of a segment takes
/// colons too (IAM user guide, "Resource").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceElement {
    negated: bool,
    patterns: Vec<Template>,
}

impl ResourceElement {
    pub(crate) fn parse(element: &Element<'_>, negated: bool, variables: bool) -> Result<Self, PolicyError> {
        let patterns = element.one_or_many()?;
        let patterns = patterns.iter().map(|item| pattern(item, variables)).collect::<Result<_, _>>()?;
        Ok(Self { negated, patterns })
    }

    /// True if the statement is about `resource`. A pattern with a variable that has no value matches no resource, so
    /// that `NotResource` then covers all.
    pub(crate) fn covers(&self, resource: &Resource, context: &Context) -> bool {
        let matched = |pattern: &Template| {
            pattern.expand(context).is_some_and(|pattern| matches(&pattern, &resource.0))
        };
        self.patterns.iter().any(matched) != self.negated
    }
}

fn pattern(element: &Element<'_>, variables: bool) -> Result<Template, PolicyError> {
    let text = element.text()?;
    if let Some(broken) = broken_rule(text, variables) {
        return Err(element.error(Code::InvalidResource, format!("{} {broken}", quoted(text))));
    }
    Template::parse(text, Wildcards::On, variables)
        .map_err(|broken| element.error(Code::InvalidVariable, broken))
}

fn broken_rule(text: &str, variables: bool) -> Option<&'static str> {
    if text == "*" {
        return None;
    }
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, ..] = fields.as_slice() else { return Some(NOT_AN_ARN) };
    if *arn != "arn" || partition.is_empty() || service.is_empty() {
        return Some(NOT_AN_ARN);
    }
    if service.contains(['*', '?']) {
        return Some("has a wildcard in its service, where AWS takes none");
    }
    if fields.iter().take(5).any(|field| variables && field.contains("${")) {
        return Some("has a variable before its fifth colon, where AWS takes none");
    }
    let complete = fields.len() == 6 && !fields[5].is_empty();
    let open = fields.len() > 3 && text.ends_with('*');
    (!complete && !open).then_some(NOT_AN_ARN)
}

const NOT_AN_ARN: &str =
    "is neither `*` nor the pattern of an ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_arns_are_taken_and_others_are_not() {
        for text in [
            "*",
            "arn:aws:s3:::bucket",
            "arn:aws:lambda:us-east-1:*",
            "arn:*:lambda:*:*:function:*",
            "arn:aws:s3:::${aws:username, 'a:b'}",
            "arn:aws:signer:*:123456789012:/signing-profiles/?*",
        ] {
            assert_eq!(broken_rule(text, true), None, "{text}");
        }
        for text in [
            "",
            "**",
            "bucket",
            "arn:",
            "arn:aws",
            "arn:aws:lambda",
            "arn:aws:lambda*",
            "arn:aws:*:us-east-1:*",
            "arn:aws:lambda:us-east-1:123456789012",
            "arn:aws:lambda:us-east-1:123456789012:",
            "arn::s3:::b",
            "ARN:aws:s3:::b",
            "*:aws:s3:::b",
            "arn:aws:s3::${aws:PrincipalAccount}:b",
            "${aws:username}",
        ] {
            assert!(broken_rule(text, true).is_some(), "{text}");
        }
    }

    #[test]
    fn a_resource_is_an_arn_or_a_star() {
        assert!("arn:aws:signer:us-east-1:123456789012:/signing-profiles/a".parse::<Resource>().is_ok());
        assert_eq!("*".parse(), Ok(Resource::any()));
        for text in [
            "",
            "**",
            "arn:aws:signer",
            "arn:aws:s3:::",
            "arn:aws:::b:c",
            "x:aws:s3:::b",
            "arn:aws:s3:::a\nb",
        ] {
            assert!(text.parse::<Resource>().is_err(), "{text}");
        }
    }
}
