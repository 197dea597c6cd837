//! The code of a function or of a layer: exact bytes, and who signed them.

use serde::{Deserialize, Serialize};

use crate::arn::{JobArn, ProfileVersionArn};
use crate::deployment::CodeVersion;
use crate::digest::Sha256Digest;
use crate::layer::LayerVersionArn;
use crate::time::UnixMillis;

/// A package that is deployed, or kept as a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Code {
    /// Where it came from, by version.
    pub object: CodeVersion,
    /// SHA-256 of the whole package.
    pub sha256: Sha256Digest,
    /// Its size in bytes; 0 where it was deployed before sizes were kept.
    pub size_bytes: u64,
    /// What its signature states, where that verified. It says nothing about expiry, publishers and revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<CodeSignature>,
}

/// What the verified signature of a package states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodeSignature {
    /// Who signed.
    pub profile_version_arn: ProfileVersionArn,
    /// In which job.
    pub job_arn: JobArn,
    /// When, by the signer's word: a profile is revoked for what it signed after an instant.
    pub signed_at: UnixMillis,
    /// The last instant at which it is valid.
    pub expires_at: UnixMillis,
}

/// A layer under a function's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayerCode {
    /// The layer version; none where an event named the package itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<LayerVersionArn>,
    /// Its content.
    pub code: Code,
}
