//! Deployments: what was asked, what was found, what was decided.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::EventId;
use crate::job::{canonical_uuid, named_uuid};
use crate::location::ObjectVersion;
use crate::name::{BucketName, ObjectKey, PrincipalName, VersionId};
use crate::text::serde_as_text;

/// The id of a deployment: a UUID that is a function of who asked for it and of the event that did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeploymentId(Uuid);

/// A text that is not a UUID in lower case with hyphens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a deployment id: write a UUID in lower case")]
pub struct InvalidDeploymentId(String);

impl DeploymentId {
    /// The deployment that `event` of `principal` asks for: delivered ten times, it is still one. Nobody can take the
    /// event id of another principal's deployment.
    pub fn for_event(principal: &PrincipalName, event: &EventId) -> Self {
        Self(named_uuid("countersign.deployment", &[principal.as_str(), event.as_str()]))
    }
}

impl FromStr for DeploymentId {
    type Err = InvalidDeploymentId;

    fn from_str(text: &str) -> Result<Self, InvalidDeploymentId> {
        canonical_uuid(text).map(Self).ok_or_else(|| InvalidDeploymentId(text.chars().take(80).collect()))
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

serde_as_text!(DeploymentId);

/// A package by bucket, key and version, with Lambda's member names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeVersion {
    /// The bucket.
    #[serde(rename = "s3Bucket")]
    pub bucket: BucketName,
    /// The key.
    #[serde(rename = "s3Key")]
    pub key: ObjectKey,
    /// The version. Required: without it the bytes could change between check and deployment.
    #[serde(rename = "s3ObjectVersion")]
    pub version: VersionId,
}

impl From<ObjectVersion> for CodeVersion {
    fn from(object: ObjectVersion) -> Self {
        Self { bucket: object.bucket, key: object.key, version: object.version }
    }
}

impl From<CodeVersion> for ObjectVersion {
    fn from(code: CodeVersion) -> Self {
        Self { bucket: code.bucket, key: code.key, version: code.version }
    }
}

/// Which of a deployment's packages is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PackageRole {
    /// The function's own code.
    Function,
    /// The layer at this position, counted from 1.
    Layer(u32),
}

impl fmt::Display for PackageRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function => f.write_str("function"),
            Self::Layer(position) => write!(f, "layer {position}"),
        }
    }
}

/// The four checks, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The package is what was signed, by a key under a trusted root.
    Integrity,
    /// The signature has not expired.
    Expiry,
    /// It is signed, by an allowed publisher.
    Mismatch,
    /// Neither the signing job nor the profile version is revoked.
    Revocation,
}

impl Check {
    /// All four, in their order.
    pub const ALL: [Self; 4] = [Self::Integrity, Self::Expiry, Self::Mismatch, Self::Revocation];
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integrity => "integrity",
            Self::Expiry => "expiry",
            Self::Mismatch => "mismatch",
            Self::Revocation => "revocation",
        })
    }
}

/// How one check of one package ended. There is no fourth way, and only `Passed` is success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold; both values that disagree are in the reason.
    Failed(String),
    /// It could not be checked; counts as failed.
    Inconclusive(String),
}

/// One check of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which package.
    pub package: PackageRole,
    /// Which check.
    pub check: Check,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Finding {
    /// True only if the check passed.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, check, outcome } = self;
        match outcome {
            Outcome::Passed => write!(f, "{package}: {check} passed"),
            Outcome::Failed(reason) => write!(f, "{package}: {check} failed: {reason}"),
            Outcome::Inconclusive(reason) => write!(f, "{package}: {check} inconclusive: {reason}"),
        }
    }
}

/// What the findings and the policy add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Every check passed, or the function has no code signing config.
    Deploy,
    /// A check failed that the policy lets pass with a warning.
    DeployWithWarning,
    /// Nothing is deployed.
    Block,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deploy => "deploy",
            Self::DeployWithWarning => "deploy with warning",
            Self::Block => "block",
        })
    }
}
