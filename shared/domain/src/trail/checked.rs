//! What was found of the packages of a deployment.

use serde::{Deserialize, Serialize};

use crate::arn::{JobArn, ProfileVersionArn};
use crate::deployment::{Check, DeploymentId, Finding, Outcome};
use crate::text::cut;

/// `additionalEventData` of a deployment. Lambda writes the first three and, of a deployment that it blocked, nothing;
/// which check of which package failed is ours to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdditionalEventData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature_status: Option<SignatureStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signing_profile_version_arn: Option<ProfileVersionArn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signing_job_arn: Option<JobArn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deployment_id: Option<DeploymentId>,
}

impl AdditionalEventData {
    /// What a deployment found. The first [`MAX_FINDINGS`] are kept, each with a reason of at most [`MAX_REASON_BYTES`].
    pub fn of(deployment: DeploymentId, findings: &[Finding]) -> Self {
        Self {
            signature_status: SignatureStatus::of(findings),
            findings: findings.iter().take(MAX_FINDINGS).map(short).collect(),
            deployment_id: Some(deployment),
            ..Self::default()
        }
    }

    /// Who signed the function's package, and in which job.
    #[must_use]
    pub fn signed(mut self, profile: ProfileVersionArn, job: JobArn) -> Self {
        self.signing_profile_version_arn = Some(profile);
        self.signing_job_arn = Some(job);
        self
    }

    /// What the signatures are worth together; `None` where nothing was checked.
    pub fn signature_status(&self) -> Option<SignatureStatus> {
        self.signature_status
    }

    /// Every check of every package.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// What the signatures of a deployment are worth: the worst of its packages, in this order. `VALID` and `MISMATCH` were
/// observed on Lambda; the others are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SignatureStatus {
    /// Every check of every package passed.
    Valid,
    /// A check could not be made, and none failed.
    Inconclusive,
    /// A signature has expired.
    Expired,
    /// A package has no signature.
    Unsigned,
    /// A package is signed by nobody whom the code signing config allows.
    Mismatch,
    /// A signing job or profile version is revoked.
    Revoked,
    /// A package is not what was signed.
    Corrupt,
}

impl SignatureStatus {
    /// What the findings add up to; `None` where there are none, because nothing is demanded of the function.
    pub fn of(findings: &[Finding]) -> Option<Self> {
        findings.iter().map(|finding| Self::of_one(finding, findings)).max()
    }

    fn of_one(finding: &Finding, all: &[Finding]) -> Self {
        match (&finding.outcome, finding.check) {
            (Outcome::Passed, _) => Self::Valid,
            (Outcome::Inconclusive(_), _) => Self::Inconclusive,
            (Outcome::Failed(_), Check::Integrity) => Self::Corrupt,
            (Outcome::Failed(_), Check::Expiry) => Self::Expired,
            (Outcome::Failed(_), Check::Revocation) => Self::Revoked,
            // Of a package without a signature nothing else can be checked.
            (Outcome::Failed(_), Check::Mismatch) => {
                let of_package = all.iter().filter(|other| other.package == finding.package);
                if of_package.count() == 1 { Self::Unsigned } else { Self::Mismatch }
            }
        }
    }

    /// The status as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Expired => "EXPIRED",
            Self::Unsigned => "UNSIGNED",
            Self::Mismatch => "MISMATCH",
            Self::Revoked => "REVOKED",
            Self::Corrupt => "CORRUPT",
        }
    }
}

fn short(finding: &Finding) -> Finding {
    let outcome = match &finding.outcome {
        Outcome::Passed => Outcome::Passed,
        Outcome::Failed(reason) => Outcome::Failed(cut(reason, MAX_REASON_BYTES)),
        Outcome::Inconclusive(reason) => Outcome::Inconclusive(cut(reason, MAX_REASON_BYTES)),
    };
    Finding { package: finding.package.clone(), check: finding.check, outcome }
}

/// The most findings: four checks of a function and its five layers.
pub const MAX_FINDINGS: usize = 24;

/// The longest reason, in bytes of JSON. CloudTrail's limit for all of `additionalEventData` is 28 KiB.
pub const MAX_REASON_BYTES: usize = 512;
