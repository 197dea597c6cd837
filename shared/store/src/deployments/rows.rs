//! The row of a deployment, and the JSON of its decision and its end.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{AliasName, Code, Finding, Sha256Digest, UnixMillis, Verdict};
use countersign_ports::change::Change;
use countersign_ports::deployments::{Decision, Deployment, Finish, NewDeployment, RecordedVerdict};
use countersign_ports::{Lease, StoreError};
use serde::{Deserialize, Serialize};

use crate::columns::{corrupt, count, from_json, instant, parse};
use crate::statement::{Statement, sql};

#[derive(sqlx::FromRow)]
pub(crate) struct DeploymentRow {
    id: String,
    event_id: String,
    publisher: String,
    principal: String,
    function_name: String,
    request: String,
    lease_worker: Option<String>,
    lease_until: Option<i64>,
    decision: Option<String>,
    version: Option<i64>,
    finish: Option<String>,
    change: Option<String>,
}

impl DeploymentRow {
    /// Asks for deployments. It names the columns, because a `*` would mean others once a newer release has added some.
    pub(crate) fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT id, event_id, publisher, principal, function_name, request, lease_worker, lease_until, decision,
                 version, finish, change
             FROM deployments {which}"
        ))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.finish.is_some()
    }

    /// True if it was begun for what `new` asks.
    pub(super) fn asks_for(&self, new: &NewDeployment) -> Result<bool, StoreError> {
        let same_event = self.event_id == new.event.as_str();
        let same_publisher = self.publisher == new.publisher && self.principal == new.principal.as_str();
        Ok(same_event && same_publisher && self.request()? == new.request && self.change()? == new.change)
    }

    pub(super) fn is_held_by(&self, lease: &Lease) -> bool {
        !self.has_ended() && self.lease_worker.as_deref() == Some(lease.worker.as_str())
    }

    /// Until when another worker has it.
    pub(super) fn barred_until(&self, lease: &Lease) -> Result<Option<UnixMillis>, StoreError> {
        let until = self.lease_until.map(|until| instant("deployments.lease_until", until)).transpose()?;
        Ok(until.filter(|until| *until > lease.now && !self.is_held_by(lease)))
    }

    pub(super) fn request(&self) -> Result<DeploymentRequest, StoreError> {
        let request: DeploymentRequest = from_json("deployments.request", &self.request)?;
        if request.function_name.as_str() == self.function_name {
            Ok(request)
        } else {
            Err(corrupt("deployments.request", format!("it is not for function {}", self.function_name)))
        }
    }

    /// What is to change; what earlier releases began, an event asked for.
    pub(super) fn change(&self) -> Result<Change, StoreError> {
        let change = self.change.as_deref().map(|json| from_json("deployments.change", json)).transpose()?;
        Ok(change.unwrap_or(Change::Publish))
    }

    /// The decision that is durable, if one is.
    pub(super) fn recorded(&self) -> Result<Option<RecordedVerdict>, StoreError> {
        let Some(json) = &self.decision else { return Ok(None) };
        let stored: StoredDecision = from_json("deployments.decision", json)?;
        let version = self.version.map(|version| count("deployments.version", version)).transpose()?;
        let publishes = stored.verdict != Verdict::Block && self.change()?.publishes();
        if publishes == version.is_none() {
            return Err(corrupt("deployments.version", format!("{version:?} to {}", stored.verdict)));
        }
        let decision = stored.decision(parse("deployments.id", &self.id)?, self.request()?)?;
        Ok(Some(RecordedVerdict::assertion(decision, version)))
    }

    pub(super) fn deployment(&self) -> Result<Deployment, StoreError> {
        let finish = self.finish.as_deref();
        let finish = finish.map(|json| from_json::<StoredFinish>("deployments.finish", json)).transpose()?;
        let findings = self.recorded()?.map(|recorded| recorded.decision().findings.clone());
        Ok(Deployment {
            id: parse("deployments.id", &self.id)?,
            publisher: self.publisher.clone(),
            principal: parse("deployments.principal", &self.principal)?,
            request: self.request()?,
            change: self.change()?,
            finish: finish.map(Finish::from),
            findings: findings.unwrap_or_default(),
        })
    }
}

impl TryFrom<DeploymentRow> for Deployment {
    type Error = StoreError;

    fn try_from(row: DeploymentRow) -> Result<Self, StoreError> {
        row.deployment()
    }
}

/// What `deployments.decision` holds; the request stands in a column of its own. Earlier releases kept the digests of the
/// packages alone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredDecision {
    revision: u64,
    verdict: Verdict,
    findings: Vec<Finding>,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_sha256: Option<Sha256Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layer_sha256: Vec<Sha256Digest>,
}

impl StoredDecision {
    fn decision(
        self,
        deployment: countersign_domain::DeploymentId,
        request: DeploymentRequest,
    ) -> Result<Decision, StoreError> {
        let of_digest = |(object, sha256): (&countersign_domain::CodeVersion, Sha256Digest)| Code {
            object: object.clone(),
            sha256,
            size_bytes: 0,
            signature: None,
        };
        let (code, layers) = match (self.code, self.code_sha256) {
            (Some(code), None) => (code, self.layers),
            (None, Some(sha256)) => {
                let layers = request.layers.iter().zip(self.layer_sha256).map(of_digest).collect();
                (of_digest((&request.code, sha256)), layers)
            }
            _ => return Err(corrupt("deployments.decision", "it names its package twice or not at all")),
        };
        let Self { revision, verdict, findings, reason, .. } = self;
        Ok(Decision { deployment, request, revision, verdict, findings, reason, code, layers })
    }
}

impl From<&Decision> for StoredDecision {
    fn from(decision: &Decision) -> Self {
        let Decision { revision, verdict, findings, reason, code, layers, .. } = decision.clone();
        let (code, code_sha256, layer_sha256) = (Some(code), None, Vec::new());
        Self { revision, verdict, findings, reason, code, layers, code_sha256, layer_sha256 }
    }
}

/// What `deployments.finish` holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum StoredFinish {
    Succeeded { version: Option<u64>, alias: Option<AliasName> },
    Blocked,
    Failed { reason: String },
}

impl From<&Finish> for StoredFinish {
    fn from(finish: &Finish) -> Self {
        match finish.clone() {
            Finish::Succeeded { version, alias } => Self::Succeeded { version, alias },
            Finish::Blocked => Self::Blocked,
            Finish::Failed { reason } => Self::Failed { reason },
        }
    }
}

impl From<StoredFinish> for Finish {
    fn from(finish: StoredFinish) -> Self {
        match finish {
            StoredFinish::Succeeded { version, alias } => Self::Succeeded { version, alias },
            StoredFinish::Blocked => Self::Blocked,
            StoredFinish::Failed { reason } => Self::Failed { reason },
        }
    }
}
