//! Routes: what a drop means.

use std::fmt;
use std::str::FromStr;

use countersign_domain::{
    AliasName, CodeSigningConfigName, FunctionName, InvalidName, ObjectLocation, Prefix, ProfileName,
    TargetName,
};

/// What happens to objects dropped under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where objects are dropped.
    pub source: Prefix,
    /// The profile that signs them.
    pub profile: ProfileName,
    /// Where signed objects go: this prefix, the job id and `.zip`.
    pub destination: Prefix,
    /// What is deployed afterwards, if anything.
    pub deploy: Option<DeployRoute>,
}

/// What is deployed after signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRoute {
    /// The function.
    pub function: FunctionTemplate,
    /// The alias that is to point to the new version.
    pub alias: Option<AliasName>,
    /// The target; `None` for the first one declared.
    pub target: Option<TargetName>,
    /// Make the function if there is none of this name.
    pub create: bool,
    /// The config that a function made so is bound to.
    pub code_signing_config: Option<CodeSigningConfigName>,
}

/// The route of a dropped object: of those whose source holds it, the one with the longest prefix.
pub fn route_of<'a>(routes: &'a [Route], object: &ObjectLocation) -> Option<&'a Route> {
    routes
        .iter()
        .filter(|route| route.source.contains(object))
        .max_by_key(|route| route.source.key_prefix.len())
}

/// The name of a function, with `{segment}` at most once: the first path segment after the source prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionTemplate {
    before: String,
    /// What follows `{segment}`; `None` where the template has none and `before` is the whole name.
    after: Option<String>,
}

/// Why a template gives no function name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It has a brace that is not part of one `{{segment}}`.
    #[error(
        "{0:?} is not a function name: write a name, or {{segment}} once with letters, digits, - or _ around it"
    )]
    Malformed(String),
    /// The object lies directly under the source, so that there is no segment.
    #[error("{object} names no function: drop it into a folder, as in {source_prefix}FUNCTION/package.zip")]
    NoSegment {
        /// The dropped object.
        object: ObjectLocation,
        /// The route's source.
        source_prefix: Prefix,
    },
    /// What comes out is not a legal function name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl FunctionTemplate {
    /// The function that `object`, dropped under `source`, deploys.
    ///
    /// # Errors
    /// When the object has no segment, or what comes out is no function name.
    pub fn resolve(&self, source: &Prefix, object: &ObjectLocation) -> Result<FunctionName, TemplateError> {
        let Some(after) = &self.after else { return Ok(self.before.parse()?) };
        let segment = source.segment(object).ok_or_else(|| TemplateError::NoSegment {
            object: object.clone(),
            source_prefix: source.clone(),
        })?;
        Ok(format!("{}{segment}{after}", self.before).parse()?)
    }
}

impl FromStr for FunctionTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let malformed = || TemplateError::Malformed(text.chars().take(80).collect());
        let template = match text.split_once(SEGMENT) {
            None => Self { before: text.to_owned(), after: None },
            Some((before, after)) => Self { before: before.to_owned(), after: Some(after.to_owned()) },
        };
        // With any legal segment in its place the text must be a legal name, which also refuses stray braces.
        let sample = match &template.after {
            None => text.to_owned(),
            Some(after) => format!("{}s{after}", template.before),
        };
        sample.parse::<FunctionName>().map_err(|_| malformed())?;
        Ok(template)
    }
}

impl fmt::Display for FunctionTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            None => f.write_str(&self.before),
            Some(after) => write!(f, "{}{SEGMENT}{after}", self.before),
        }
    }
}

const SEGMENT: &str = "{segment}";

#[cfg(test)]
mod tests {
    use super::*;

    fn route(source: &str) -> Route {
        Route {
            source: source.parse().unwrap(),
            profile: "default".parse().unwrap(),
            destination: "s3://signed/".parse().unwrap(),
            deploy: None,
        }
    }

    fn object(key: &str) -> ObjectLocation {
        ObjectLocation { bucket: "unsigned".parse().unwrap(), key: key.parse().unwrap() }
    }

    #[test]
    fn the_longest_source_wins_whatever_the_order() {
        let mut routes = vec![route("s3://unsigned/"), route("s3://unsigned/a/"), route("s3://other/a/b/")];
        for _ in 0..2 {
            let chosen = route_of(&routes, &object("a/b/x.zip")).unwrap();
            assert_eq!(chosen.source.key_prefix, "a/");
            routes.reverse();
        }
        assert!(route_of(&routes[1..], &object("b.zip")).is_none());
    }

    #[test]
    fn a_template_puts_the_segment_between_its_texts() {
        let source = "s3://unsigned/in/".parse().unwrap();
        let resolve = |template: &str, key: &str| {
            template
                .parse::<FunctionTemplate>()
                .unwrap()
                .resolve(&source, &object(key))
                .map(|name| name.to_string())
        };
        assert_eq!(resolve("{segment}", "in/hello/any.zip").unwrap(), "hello");
        assert_eq!(resolve("prod-{segment}_1", "in/hello/any.zip").unwrap(), "prod-hello_1");
        assert_eq!(resolve("fixed", "in/any.zip").unwrap(), "fixed");
        assert!(matches!(resolve("{segment}", "in/any.zip"), Err(TemplateError::NoSegment { .. })));
        assert!(matches!(resolve("{segment}", "in/sp ace/any.zip"), Err(TemplateError::Name(_))));
        assert!(matches!(resolve("{segment}", "in/../any.zip"), Err(TemplateError::Name(_))));
    }

    #[test]
    fn a_malformed_template_is_refused_and_a_good_one_prints_as_written() {
        for text in ["", "{segment}{segment}", "{name}", "a/{segment}", "{segment", "prod {segment}"] {
            assert!(text.parse::<FunctionTemplate>().is_err(), "{text}");
        }
        for text in ["{segment}", "prod-{segment}", "fixed"] {
            assert_eq!(text.parse::<FunctionTemplate>().unwrap().to_string(), text);
        }
    }
}
