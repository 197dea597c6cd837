//! Code signing configs: whom a function trusts, and what happens to what it does not trust.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::arn::{InvalidArn, ProfileArn, ProfileVersionArn};
use crate::name::CodeSigningConfigName;
use crate::text::serde_as_text;

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
}
