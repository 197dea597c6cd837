//! Code signing configs: whom a function trusts, and what happens to what it does not trust.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::arn::{InvalidArn, ProfileArn, ProfileVersionArn, Scope, scoped};
use crate::digest::Sha256Digest;
use crate::name::{CodeSigningConfigName, name};
use crate::text::serde_as_text;

name!(
    /// The id of a code signing config: `csc-` and 17 lower-case letters or digits.
    CodeSigningConfigId, "code signing config id", broken_id_rule
);
name!(
    /// Whom a code signing config names as a publisher: any text of Lambda's `Arn` grammar, up to 2048 bytes. Whether it
    /// names a profile at all shows only when a package is to be admitted ([`PublisherArn::publisher`]).
    PublisherArn, "publisher ARN", broken_publisher_rule
);

impl CodeSigningConfigId {
    /// The id of the config that the configuration calls `name`.
    pub fn for_name(scope: &Scope, name: &CodeSigningConfigName) -> Self {
        let named = format!("{scope}\ncountersign.code-signing-config\n{name}");
        let [a, b, c, d, e, f, g, h, ..] = *Sha256Digest::of(named.as_bytes()).as_bytes();
        Self::from_random([a, b, c, d, e, f, g, h])
    }

    /// The id of the config that is kept as `name`: one that the API made has its id as its name.
    pub fn of(scope: &Scope, name: &CodeSigningConfigName) -> Self {
        name.as_str().parse().unwrap_or_else(|_| Self::for_name(scope, name))
    }

    /// An id of random bytes, in the form of AWS's own.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        format!("csc-0{}", hex::encode(bytes)).parse().expect("16 hexadecimal digits make an id")
    }

    /// The name under which a config that the API made is kept: its id.
    pub fn as_name(&self) -> CodeSigningConfigName {
        self.as_str().parse().expect("an id is a legal name")
    }
}

impl PublisherArn {
    /// The publisher, if it is one: a signing profile, with or without its version.
    pub fn publisher(&self) -> Option<AllowedPublisher> {
        self.as_str().parse().ok()
    }
}

impl From<&AllowedPublisher> for PublisherArn {
    fn from(publisher: &AllowedPublisher) -> Self {
        publisher.to_string().parse().expect("the ARN of a profile is an ARN")
    }
}

/// `arn:aws:lambda:REGION:ACCOUNT:code-signing-config:ID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeSigningConfigArn {
    scope: Scope,
    id: CodeSigningConfigId,
}

impl CodeSigningConfigArn {
    /// The ARN of the config `id` in `scope`.
    pub fn new(scope: Scope, id: CodeSigningConfigId) -> Self {
        Self { scope, id }
    }

    /// Where the config lives.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The config's id.
    pub fn id(&self) -> &CodeSigningConfigId {
        &self.id
    }
}

impl FromStr for CodeSigningConfigArn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let parsed = || {
            let (scope, resource) = scoped(text, "lambda")?;
            Some(Self { scope, id: resource.strip_prefix("code-signing-config:")?.parse().ok()? })
        };
        let expected = "a code signing config ARN (arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-ID)";
        parsed().ok_or_else(|| InvalidArn::new(text, expected))
    }
}

impl fmt::Display for CodeSigningConfigArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:code-signing-config:{}", self.scope.of_service("lambda"), self.id)
    }
}

serde_as_text!(CodeSigningConfigArn);

/// What is done with a package that fails expiry, mismatch or revocation. Integrity always blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UntrustedArtifact {
    /// Deploy and emit a warning. The API's default.
    Warn,
    /// Block.
    Enforce,
}

impl FromStr for UntrustedArtifact {
    type Err = UnknownUntrustedArtifact;

    fn from_str(text: &str) -> Result<Self, UnknownUntrustedArtifact> {
        match text {
            "Warn" => Ok(Self::Warn),
            "Enforce" => Ok(Self::Enforce),
            _ => Err(UnknownUntrustedArtifact(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for UntrustedArtifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warn => "Warn",
            Self::Enforce => "Enforce",
        })
    }
}

/// A text that is neither `Warn` nor `Enforce`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an untrusted-artifact policy: write Warn or Enforce")]
pub struct UnknownUntrustedArtifact(String);

/// An entry of a code signing config: a profile in any version, or one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AllowedPublisher {
    /// Every version of this profile.
    Profile(ProfileArn),
    /// This version alone.
    Version(ProfileVersionArn),
}

impl AllowedPublisher {
    /// True if a package signed as `signer` comes from this publisher.
    pub fn admits(&self, signer: &ProfileVersionArn) -> bool {
        match self {
            Self::Profile(profile) => profile == signer.profile(),
            Self::Version(version) => version == signer,
        }
    }
}

impl FromStr for AllowedPublisher {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        let version = text.parse().map(Self::Version);
        version.or_else(|_| text.parse().map(Self::Profile)).map_err(|error: InvalidArn| InvalidArn {
            expected: "an allowed publisher: a signing profile ARN, with or without /VERSION",
            ..error
        })
    }
}

impl fmt::Display for AllowedPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(profile) => profile.fmt(f),
            Self::Version(version) => version.fmt(f),
        }
    }
}

serde_as_text!(AllowedPublisher);

/// A code signing config (CSC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSigningConfig {
    /// Its name in the configuration.
    pub name: CodeSigningConfigName,
    /// 1 to [`MAX_ALLOWED_PUBLISHERS`] publishers.
    pub allowed_publishers: Vec<AllowedPublisher>,
    /// What is done with untrusted packages.
    pub untrusted_artifact: UntrustedArtifact,
}

fn broken_id_rule(text: &str) -> Option<&'static str> {
    let id = text.strip_prefix("csc-").filter(|id| id.len() == 17);
    let legal = id.is_some_and(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    (!legal).then_some("it is csc- and 17 lower-case letters or digits")
}

/// `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)` in Lambda's model, in which
/// the dot is every character but a line's end.
fn broken_publisher_rule(text: &str) -> Option<&'static str> {
    if text.len() > 2048 {
        return Some("use at most 2048 bytes");
    }
    let legal = || {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next();
        let (arn, partition, service, region, account) = (next()?, next()?, next()?, next()?, next()?);
        let rest = next()?;
        let words = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let legal = arn == "arn"
            && partition.strip_prefix("aws").is_some_and(words)
            && !service.is_empty()
            && words(service)
            && (region.is_empty() || is_region(region))
            && (account.is_empty() || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())))
            && !rest.contains(char::is_control);
        legal.then_some(())
    };
    legal()
        .is_none()
        .then_some("it is arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE, where region and account may be missing")
}

/// `[a-z]{2}(-gov)?-[a-z]+-\d{1}`.
fn is_region(text: &str) -> bool {
    let mut words: Vec<&str> = text.split('-').collect();
    if words.len() == 4 && words.get(1) == Some(&"gov") {
        words.remove(1);
    }
    let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
    match words.as_slice() {
        [country, place, number] => {
            country.len() == 2
                && letters(country)
                && letters(place)
                && number.len() == 1
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

/// The most publishers a config may allow, as on AWS.
pub const MAX_ALLOWED_PUBLISHERS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default";

    #[test]
    fn a_versionless_publisher_admits_every_version_of_that_profile_only() {
        let publisher: AllowedPublisher = PROFILE.parse().unwrap();
        assert!(publisher.admits(&format!("{PROFILE}/AbCdEfGhIj").parse().unwrap()));
        assert!(!publisher.admits(&format!("{PROFILE}2/AbCdEfGhIj").parse().unwrap()));
    }

    #[test]
    fn a_version_admits_itself() {
        let publisher: AllowedPublisher = format!("{PROFILE}/AbCdEfGhIj").parse().unwrap();
        assert!(publisher.admits(&format!("{PROFILE}/AbCdEfGhIj").parse().unwrap()));
        assert!(!publisher.admits(&format!("{PROFILE}/XbCdEfGhIj").parse().unwrap()));
    }

    #[test]
    fn an_id_is_a_function_of_scope_and_name() {
        let scope = |region| Scope::new(region, "000000000000").unwrap();
        let id = |region, name: &str| CodeSigningConfigId::for_name(&scope(region), &name.parse().unwrap());
        assert_eq!(id("us-east-1", "strict"), id("us-east-1", "strict"));
        assert_ne!(id("us-east-1", "strict"), id("us-east-1", "lenient"));
        assert_ne!(id("us-east-1", "strict"), id("us-west-1", "strict"));
        for wrong in [
            "csc-",
            "csc-0123456789abcdef",
            "csc-0123456789abcdefgh",
            "csc-0123456789ABCDEFG",
            "CSC-0123456789abcdefg",
        ] {
            assert!(wrong.parse::<CodeSigningConfigId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_config_arn_round_trips() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0";
        assert_eq!(arn.parse::<CodeSigningConfigArn>().unwrap().to_string(), arn);
        for (from, to) in
            [(":lambda:", ":signer:"), ("config:", "config/"), ("csc-", "cs-"), ("def0", "def0:1")]
        {
            assert!(arn.replace(from, to).parse::<CodeSigningConfigArn>().is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn whatever_looks_like_an_arn_is_a_publisher_and_only_a_profile_admits() {
        for arn in ["arn:aws:signer:us-east-1:123456789012:/signing-profiles/gone/AbCdEfGhIj", PROFILE] {
            assert!(arn.parse::<PublisherArn>().unwrap().publisher().is_some(), "{arn}");
        }
        for arn in [
            "arn:aws:s3:::bucket",
            "arn:aws-cn:x:us-gov-west-1::",
            "arn:aws:signer:us-east-1:123456789012:profile",
        ] {
            assert_eq!(arn.parse::<PublisherArn>().unwrap().publisher(), None, "{arn}");
        }
        for wrong in [
            "",
            "default",
            "arn:evil:s3:::b",
            "arn:aws::us-east-1::x",
            "arn:aws:s3:us-east-12::x",
            "arn:aws:s3::1:x",
            "arn:aws:s3:::a\nb",
        ] {
            assert!(wrong.parse::<PublisherArn>().is_err(), "{wrong}");
        }
    }
}
