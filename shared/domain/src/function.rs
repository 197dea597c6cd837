//! Functions by name, version and alias: Lambda's ARNs.
//!
//! Grammar (Lambda's service authorization reference): `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`.

use std::fmt;
use std::str::FromStr;

use crate::arn::{InvalidArn, Scope, scoped};
use crate::name::{AliasName, FunctionName};
use crate::text::serde_as_text;

/// A version of a function: what stands last, or a published one that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionVersion {
    /// `$LATEST`.
    Latest,
    /// A published version, from 1 to [`FunctionVersion::MAX`].
    Published(u64),
}

/// A text that is neither `$LATEST` nor a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version of a function: write $LATEST or a number from 1")]
pub struct InvalidVersion(String);

impl FunctionVersion {
    /// The highest number, which every database can hold.
    pub const MAX: u64 = i64::MAX.unsigned_abs();

    /// The number of a published version.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Latest => None,
            Self::Published(number) => Some(number),
        }
    }
}

impl FromStr for FunctionVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        if text == "$LATEST" {
            return Ok(Self::Latest);
        }
        let number = positive(text).map(Self::Published);
        number.ok_or_else(|| InvalidVersion(text.chars().take(80).collect()))
    }
}

impl fmt::Display for FunctionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("$LATEST"),
            Self::Published(number) => number.fmt(f),
        }
    }
}

serde_as_text!(FunctionVersion);

/// What follows a function's name: a version or an alias.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualifier {
    /// A version.
    Version(FunctionVersion),
    /// An alias.
    Alias(AliasName),
}

/// A text that is neither a version nor an alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no qualifier: write $LATEST, a version's number or an alias")]
pub struct InvalidQualifier(String);

impl FromStr for Qualifier {
    type Err = InvalidQualifier;

    fn from_str(text: &str) -> Result<Self, InvalidQualifier> {
        let version = text.parse().map(Self::Version);
        let qualifier = version.or_else(|_| text.parse().map(Self::Alias));
        qualifier.map_err(|_| InvalidQualifier(text.chars().take(160).collect()))
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Alias(alias) => alias.fmt(f),
        }
    }
}

serde_as_text!(Qualifier);

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, unqualified or with `:QUALIFIER`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    scope: Scope,
    name: FunctionName,
    qualifier: Option<Qualifier>,
}

impl FunctionArn {
    /// The unqualified ARN of function `name` in `scope`.
    pub fn new(scope: Scope, name: FunctionName) -> Self {
        Self { scope, name, qualifier: None }
    }

    /// The same function at `qualifier`.
    #[must_use]
    pub fn at(self, qualifier: Qualifier) -> Self {
        Self { qualifier: Some(qualifier), ..self }
    }

    /// Where the function lives.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The function's name.
    pub fn name(&self) -> &FunctionName {
        &self.name
    }

    /// The version or alias; `None` for an unqualified ARN.
    pub fn qualifier(&self) -> Option<&Qualifier> {
        self.qualifier.as_ref()
    }
}

impl FromStr for FunctionArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let parsed = || {
            let (scope, resource) = scoped(text, "lambda")?;
            let rest = resource.strip_prefix("function:")?;
            let (name, qualifier) = match rest.split_once(':') {
                Some((name, qualifier)) => (name, Some(qualifier.parse().ok()?)),
                None => (rest, None),
            };
            Some(Self { scope, name: name.parse().ok()?, qualifier })
        };
        let expected =
            "a function ARN (arn:aws:lambda:REGION:ACCOUNT:function:NAME, with or without :QUALIFIER)";
        parsed().ok_or_else(|| InvalidArn::new(text, expected))
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:function:{}", self.scope.of_service("lambda"), self.name)?;
        self.qualifier.as_ref().map_or(Ok(()), |qualifier| write!(f, ":{qualifier}"))
    }
}

serde_as_text!(FunctionArn);

/// A number from 1 as it is written here, and in no other way.
pub(crate) fn positive(text: &str) -> Option<u64> {
    let number = text.parse().ok().filter(|number: &u64| number.to_string() == text)?;
    (1..=FunctionVersion::MAX).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:hello";

    #[test]
    fn arns_round_trip_with_every_qualifier() {
        for qualifier in ["", ":$LATEST", ":1", ":live"] {
            let text = format!("{FUNCTION}{qualifier}");
            let arn: FunctionArn = text.parse().unwrap();
            assert_eq!(arn.to_string(), text);
            assert_eq!(arn.qualifier().is_none(), qualifier.is_empty());
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for wrong in ["", ":", ":0", ":01", ":$latest", ":a:b", ":9223372036854775808", ":a/b"] {
            assert!(
                format!("{FUNCTION}:x{wrong}").parse::<FunctionArn>().is_err() || wrong.is_empty(),
                "{wrong}"
            );
            assert!(
                format!("{FUNCTION}{wrong}").parse::<FunctionArn>().is_err() || wrong.is_empty(),
                "{wrong}"
            );
        }
        for (from, to) in [(":lambda:", ":signer:"), ("function:", "layer:"), ("hello", "he llo")] {
            assert!(FUNCTION.replace(from, to).parse::<FunctionArn>().is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn a_version_is_written_in_one_way() {
        assert_eq!("7".parse(), Ok(FunctionVersion::Published(7)));
        assert_eq!("$LATEST".parse(), Ok(FunctionVersion::Latest));
        for wrong in ["", "0", "07", "+7", "-1", "7 ", "LATEST", "$LATEST ", "9223372036854775808"] {
            assert!(wrong.parse::<FunctionVersion>().is_err(), "{wrong}");
        }
    }
}
