//! Amazon resource names of signing profiles, profile versions and signing jobs.
//!
//! Grammar (Signer's service authorization reference):
//! `arn:PARTITION:signer:REGION:ACCOUNT:/signing-profiles/NAME[/VERSION]` and `…:/signing-jobs/JOB`.

use std::fmt;
use std::str::FromStr;

use crate::account::AccountId;
use crate::job::JobId;
use crate::name::{ProfileName, ProfileVersionId};
use crate::text::serde_as_text;

/// Where a resource lives: partition, region and account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    partition: String,
    region: String,
    account: AccountId,
}

/// A text that is not the ARN it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidArn {
    /// The text as it was given, cut to 160 characters.
    pub value: String,
    /// The form that was expected.
    pub expected: &'static str,
}

impl InvalidArn {
    pub(crate) fn new(value: &str, expected: &'static str) -> Self {
        Self { value: value.chars().take(160).collect(), expected }
    }
}

impl Scope {
    /// A scope of the `aws` partition.
    ///
    /// # Errors
    /// When `region` is not like `us-east-1` or `account` is not 12 digits.
    pub fn new(region: &str, account: &str) -> Result<Self, InvalidArn> {
        Self::parse("aws", region, account).ok_or_else(|| InvalidArn {
            value: format!("{region}:{account}").chars().take(160).collect(),
            expected: "a region such as us-east-1 and an account of 12 digits",
        })
    }

    /// The partition, such as `aws`.
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The region, such as `us-east-1`.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// What the ARNs of `service` in this scope begin with, up to and including the account.
    pub(crate) fn of_service(&self, service: &str) -> String {
        format!("arn:{}:{service}:{}:{}", self.partition, self.region, self.account)
    }

    fn parse(partition: &str, region: &str, account: &str) -> Option<Self> {
        let account = account.parse().ok()?;
        let legal = is_partition(partition) && is_word(region);
        legal.then(|| Self { partition: partition.into(), region: region.into(), account })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of_service("signer"))
    }
}

/// `arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME`: a profile, whatever its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileArn {
    scope: Scope,
    name: ProfileName,
}

impl ProfileArn {
    /// The ARN of profile `name` in `scope`.
    pub fn new(scope: Scope, name: ProfileName) -> Self {
        Self { scope, name }
    }

    /// Where the profile lives.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The profile's name.
    pub fn name(&self) -> &ProfileName {
        &self.name
    }
}

impl fmt::Display for ProfileArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:/signing-profiles/{}", self.scope, self.name)
    }
}

impl FromStr for ProfileArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        parse(
            text,
            "signing-profiles",
            "a signing profile ARN (arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME)",
            |scope, name| Some(Self { scope, name: name.parse().ok()? }),
        )
    }
}

/// `arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION`: who signed, exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileVersionArn {
    profile: ProfileArn,
    version: ProfileVersionId,
}

impl ProfileVersionArn {
    /// The ARN of version `version` of `profile`.
    pub fn new(profile: ProfileArn, version: ProfileVersionId) -> Self {
        Self { profile, version }
    }

    /// The profile this is a version of.
    pub fn profile(&self) -> &ProfileArn {
        &self.profile
    }

    /// The version.
    pub fn version(&self) -> &ProfileVersionId {
        &self.version
    }
}

impl fmt::Display for ProfileVersionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.profile, self.version)
    }
}

impl FromStr for ProfileVersionArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        parse(
            text,
            "signing-profiles",
            "a signing profile version ARN (arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION)",
            |scope, rest| {
                let (name, version) = rest.split_once('/')?;
                let profile = ProfileArn { scope, name: name.parse().ok()? };
                Some(Self { profile, version: version.parse().ok()? })
            },
        )
    }
}

/// `arn:aws:signer:REGION:ACCOUNT:/signing-jobs/JOB`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobArn {
    scope: Scope,
    job: JobId,
}

impl JobArn {
    /// The ARN of `job` in `scope`.
    pub fn new(scope: Scope, job: JobId) -> Self {
        Self { scope, job }
    }

    /// Where the job ran.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The job's id.
    pub fn job(&self) -> JobId {
        self.job
    }
}

impl fmt::Display for JobArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:/signing-jobs/{}", self.scope, self.job)
    }
}

impl FromStr for JobArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        parse(
            text,
            "signing-jobs",
            "a signing job ARN (arn:aws:signer:REGION:ACCOUNT:/signing-jobs/JOB)",
            |scope, job| Some(Self { scope, job: job.parse().ok()? }),
        )
    }
}

serde_as_text!(ProfileArn);
serde_as_text!(ProfileVersionArn);
serde_as_text!(JobArn);

/// True for `aws` and its siblings, such as `aws-cn`.
pub(crate) fn is_partition(text: &str) -> bool {
    is_word(text) && text.starts_with("aws")
}

fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn parse<T>(
    text: &str,
    collection: &str,
    expected: &'static str,
    build: impl FnOnce(Scope, &str) -> Option<T>,
) -> Result<T, InvalidArn> {
    let parsed = || {
        let (scope, resource) = scoped(text, "signer")?;
        build(scope, resource.strip_prefix('/')?.strip_prefix(collection)?.strip_prefix('/')?)
    };
    parsed().ok_or_else(|| InvalidArn::new(text, expected))
}

/// The scope of an ARN of `service`, and what follows it.
pub(crate) fn scoped<'a>(text: &'a str, service: &str) -> Option<(Scope, &'a str)> {
    let mut fields = text.splitn(6, ':');
    let mut next = || fields.next();
    let (arn, partition, named, region, account) = (next()?, next()?, next()?, next()?, next()?);
    let (scope, resource) = (Scope::parse(partition, region, account)?, next()?);
    (arn == "arn" && named == service).then_some((scope, resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str =
        "arn:aws:signer:us-west-2:292779133546:/signing-profiles/ADOTLambdaLayerSigningProfile/WlXrTjGnKQ";

    #[test]
    fn a_real_profile_version_arn_round_trips() {
        let arn: ProfileVersionArn = VERSION.parse().unwrap();
        assert_eq!(arn.to_string(), VERSION);
        assert_eq!(arn.profile().scope().account().as_str(), "292779133546");
    }

    #[test]
    fn a_version_is_not_a_profile_and_back() {
        assert!(VERSION.parse::<ProfileArn>().is_err());
        assert!(VERSION.rsplit_once('/').unwrap().0.parse::<ProfileVersionArn>().is_err());
    }

    #[test]
    fn near_misses_are_refused() {
        for (from, to) in [
            (":signer:", ":lambda:"),
            (":/signing", ":signing"),
            ("292779133546", "29277913354"),
            ("arn:aws", "arn:evil"),
        ] {
            assert!(VERSION.replace(from, to).parse::<ProfileVersionArn>().is_err(), "{from} -> {to}");
        }
    }
}
