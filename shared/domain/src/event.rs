//! The events between the services: CloudEvents 1.0 in structured JSON (ARCHITECTURE.md, "Events").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::arn::{JobArn, ProfileVersionArn};
use crate::deployment::{CodeVersion, DeploymentId, Finding, PackageRole};
use crate::digest::Sha256Digest;
use crate::function::FunctionVersion;
use crate::job::{JobId, SignedObject};
use crate::location::ObjectVersion;
use crate::name::{AliasName, CodeSigningConfigName, FunctionName, TargetName};
use crate::text::serde_as_text;
use crate::time::UnixMillis;

/// The id of an event, unique for its source: 1 to 256 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(String);

/// A text that is not an event id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an event id: use 1 to 256 printable ASCII characters")]
pub struct InvalidEventId(String);

impl EventId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let legal = (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if legal { Ok(Self(text.to_owned())) } else { Err(InvalidEventId(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(EventId);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    specversion: SpecVersion,
    /// Unique for its source. Ours are functions of what they tell, so that a repeated step repeats the id.
    pub id: EventId,
    /// Who tells: a URI reference such as `/countersign/signer`.
    pub source: String,
    /// When it was told.
    pub time: UnixMillis,
    /// What is told; `type` and `data` of the envelope.
    #[serde(flatten)]
    pub data: EventData,
}

impl Event {
    /// An event of CloudEvents 1.0.
    pub fn new(id: EventId, source: impl Into<String>, time: UnixMillis, data: EventData) -> Self {
        Self { specversion: SpecVersion::V1, id, source: source.into(), time, data }
    }

    /// The routing key: the type without `countersign.`.
    pub fn routing_key(&self) -> &'static str {
        let kind = self.data.kind();
        kind.strip_prefix("countersign.").unwrap_or(kind)
    }
}

/// What an event tells, by its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum EventData {
    /// Somebody requested a job through the API. A hint: the store has the job.
    #[serde(rename = "countersign.signing-job.requested")]
    SigningJobRequested(RequestedSigningJob),
    /// A job was claimed for the first time.
    #[serde(rename = "countersign.signing-job.started")]
    SigningJobStarted(SigningJob),
    /// The signed object stands and was verified.
    #[serde(rename = "countersign.signing-job.succeeded")]
    SigningJobSucceeded(SigningJob),
    /// The package was refused.
    #[serde(rename = "countersign.signing-job.failed")]
    SigningJobFailed(SigningJob),
    /// Somebody asks for a deployment.
    #[serde(rename = "countersign.deployment.requested")]
    DeploymentRequested(DeploymentRequest),
    /// The version stands and the alias, if any, points to it.
    #[serde(rename = "countersign.deployment.succeeded")]
    DeploymentSucceeded(DeploymentReport),
    /// A check failed and nothing was deployed.
    #[serde(rename = "countersign.deployment.blocked")]
    DeploymentBlocked(DeploymentReport),
    /// The deployment could not be carried out; says nothing about trust.
    #[serde(rename = "countersign.deployment.failed")]
    DeploymentFailed(DeploymentReport),
    /// Deployed although a check failed, because the policy is Warn.
    #[serde(rename = "countersign.deployment.warning")]
    DeploymentWarning(DeploymentWarning),
    /// What was deployed runs on a signature that has expired or been revoked since.
    #[serde(rename = "countersign.function.exposed")]
    FunctionExposed(ExposedPackage),
}

impl EventData {
    /// The `type` attribute.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SigningJobRequested(_) => "countersign.signing-job.requested",
            Self::SigningJobStarted(_) => "countersign.signing-job.started",
            Self::SigningJobSucceeded(_) => "countersign.signing-job.succeeded",
            Self::SigningJobFailed(_) => "countersign.signing-job.failed",
            Self::DeploymentRequested(_) => "countersign.deployment.requested",
            Self::DeploymentSucceeded(_) => "countersign.deployment.succeeded",
            Self::DeploymentBlocked(_) => "countersign.deployment.blocked",
            Self::DeploymentFailed(_) => "countersign.deployment.failed",
            Self::DeploymentWarning(_) => "countersign.deployment.warning",
            Self::FunctionExposed(_) => "countersign.function.exposed",
        }
    }
}

/// A signing job that waits to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestedSigningJob {
    /// The job.
    pub job_id: JobId,
    /// Its ARN.
    pub job_arn: JobArn,
}

/// A signing job at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SigningJob {
    /// The job.
    pub job_id: JobId,
    /// Its ARN.
    pub job_arn: JobArn,
    /// Who signs.
    pub profile_version_arn: ProfileVersionArn,
    /// What was dropped.
    pub source: ObjectVersion,
    /// What came of it; only when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_object: Option<SignedObject>,
    /// Why it ended so, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// A deployment that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentRequest {
    /// The function.
    pub function_name: FunctionName,
    /// Its package, by version.
    pub code: CodeVersion,
    /// Its layers' packages, by version, in order; at most [`MAX_LAYERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<CodeVersion>,
    /// The alias that is to point to the new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasName>,
    /// Where it is deployed: a target that the deployer's configuration declares. Without it, the first one declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
    /// Make the function if there is none of this name. Without it, an unknown function fails the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<CreateFunction>,
}

/// How a function is made. It changes nothing for a function that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateFunction {
    /// The code signing config that the new function is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_signing_config: Option<CodeSigningConfigName>,
}

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentReport {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// The function.
    pub function_name: FunctionName,
    /// The package that was asked for.
    pub code: CodeVersion,
    /// The version that stands; only when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// SHA-256 of the whole signed package; only when it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_sha256: Option<Sha256Digest>,
    /// Every check of every package; empty for a function without a code signing config.
    pub findings: Vec<Finding>,
    /// Why it ended so, for people.
    pub reason: String,
}

/// One failed check that the policy let pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentWarning {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// The function.
    pub function_name: FunctionName,
    /// What failed.
    pub finding: Finding,
}

/// A package that runs on a signature that would not pass any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExposedPackage {
    /// The function.
    pub function_name: FunctionName,
    /// Which version of it runs the package.
    pub version: FunctionVersion,
    /// Which package of that version.
    pub package: PackageRole,
    /// Why its signature would not pass.
    pub cause: ExposureCause,
    /// Since when: the expiry, or the instant of the revocation.
    pub since: UnixMillis,
}

/// Why a signature would not pass any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExposureCause {
    /// It has expired.
    Expired,
    /// Its job was revoked.
    JobRevoked,
    /// The profile version that made it was revoked for what it signed after an earlier instant.
    ProfileRevoked,
}

impl ExposureCause {
    /// Every cause, in their order.
    pub const ALL: [Self; 3] = [Self::Expired, Self::JobRevoked, Self::ProfileRevoked];

    /// Its place among all, from 0.
    pub fn number(self) -> u64 {
        match self {
            Self::Expired => 0,
            Self::JobRevoked => 1,
            Self::ProfileRevoked => 2,
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::JobRevoked => "job revoked",
            Self::ProfileRevoked => "profile revoked",
        }
    }
}

/// The most layers of a function, as on AWS.
pub const MAX_LAYERS: usize = 5;

/// `specversion`, which is `1.0` or the event is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SpecVersion {
    #[serde(rename = "1.0")]
    V1,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn requested() -> Value {
        json!({
            "specversion": "1.0",
            "id": "e-1",
            "source": "/ci",
            "time": "2026-11-21T08:30:00.000Z",
            "type": "countersign.deployment.requested",
            "data": {
                "functionName": "hello",
                "code": {"s3Bucket": "signed", "s3Key": "a.zip", "s3ObjectVersion": "v1"},
                "alias": "live",
            },
        })
    }

    #[test]
    fn an_event_round_trips() {
        let event: Event = serde_json::from_value(requested()).unwrap();
        assert_eq!(event.routing_key(), "deployment.requested");
        assert_eq!(serde_json::to_value(&event).unwrap(), requested());
    }

    #[test]
    fn a_requested_job_is_named_and_nothing_else() {
        let id = "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";
        let mut event = requested();
        event["type"] = json!("countersign.signing-job.requested");
        event["data"] = json!({
            "jobId": id,
            "jobArn": format!("arn:aws:signer:us-east-1:000000000000:/signing-jobs/{id}"),
        });
        let parsed: Event = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(parsed.routing_key(), "signing-job.requested");
        assert_eq!(serde_json::to_value(&parsed).unwrap(), event);
        event["data"]["source"] = json!({});
        assert!(serde_json::from_value::<Event>(event).is_err(), "unknown data member");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (pointer, value) in [
            ("/specversion", json!("0.3")),
            ("/type", json!("countersign.unknown")),
            ("/data/code/s3ObjectVersion", json!("null")),
            ("/data/functionName", json!("../../etc")),
            ("/time", json!(12)),
        ] {
            let mut event = requested();
            *event.pointer_mut(pointer).unwrap() = value;
            assert!(serde_json::from_value::<Event>(event).is_err(), "{pointer}");
        }
        let mut event = requested();
        event["data"]["policy"] = json!("Warn");
        assert!(serde_json::from_value::<Event>(event).is_err(), "unknown data member");
    }
}
