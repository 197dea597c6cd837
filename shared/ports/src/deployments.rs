//! Functions, code signing configs and the state of deployments, with the outbox that tells of it.

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    AliasName, CodeSigningConfig, CodeSigningConfigName, DeploymentId, Event, EventId, Finding, FunctionName,
    Sha256Digest, UnixMillis, Verdict,
};

use crate::{Lease, StoreError};

/// The deployments. The decision is durable before the effect, the outcome after it, and every change commits together
/// with the events that tell of it.
#[async_trait]
pub trait Deployments: Send + Sync {
    /// Creates the deployment, or takes over one whose lease ran out. At most one deployment of a function is under
    /// way: another one is `Busy` until that has ended.
    async fn begin(&self, deployment: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError>;

    /// Holds the deployment until `lease.until`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended.
    async fn renew(&self, deployment: DeploymentId, lease: &Lease) -> Result<(), StoreError>;

    /// What binds a deployment of `function` now.
    async fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError>;

    /// Makes the decision durable, on the condition that no policy, binding or revocation changed since its basis was
    /// read; a verdict to deploy also gives the version its number and creates the function where that was asked.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    async fn record(&self, decision: &Decision, lease: &Lease) -> Result<Recording, StoreError>;

    /// Ends the deployment: the version and alias stand (`Finish::Succeeded`), or nothing does.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended.
    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        events: &[Event],
    ) -> Result<(), StoreError>;

    /// The deployment, if there is one.
    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError>;
}

/// Code signing configs that the configuration declares.
#[async_trait]
pub trait CodeSigningConfigs: Send + Sync {
    /// Makes the stored configs equal to `configs`; a change of any counts as a change of policy.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a function is bound to one that is no longer declared.
    async fn declare(&self, configs: &[CodeSigningConfig]) -> Result<(), StoreError>;

    /// The config of this name.
    async fn code_signing_config(
        &self,
        name: &CodeSigningConfigName,
    ) -> Result<Option<CodeSigningConfig>, StoreError>;
}

/// A deployment to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// Its id.
    pub id: DeploymentId,
    /// The event that asks for it.
    pub event: EventId,
    /// Who published the event, as the broker authenticated it.
    pub publisher: Option<String>,
    /// What is asked.
    pub request: DeploymentRequest,
    /// When it was taken up.
    pub created_at: UnixMillis,
}

/// What came of `begin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentClaim {
    /// The deployment is this worker's. `recorded` is there if an earlier worker decided and did not finish: the same
    /// decision is then carried out.
    Begun {
        /// The decision that is durable already.
        recorded: Option<RecordedVerdict>,
    },
    /// The deployment ended before; nothing to do.
    Ended(Deployment),
    /// Another worker has it, or another deployment of the function is under way, until then.
    Busy(UnixMillis),
}

/// What binds a deployment: read before the decision, compared when it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The function, if it exists.
    pub function: Option<Function>,
    /// The code signing config that applies: of the function, or of the creation that was asked for.
    pub code_signing_config: Option<CodeSigningConfig>,
    /// The number of changes of policies, bindings and revocations so far.
    pub revision: u64,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: FunctionName,
    /// The config it is bound to.
    pub code_signing_config: Option<CodeSigningConfigName>,
}

/// A decision to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The deployment.
    pub deployment: DeploymentId,
    /// What was asked.
    pub request: DeploymentRequest,
    /// The revision of its basis.
    pub revision: u64,
    /// What was decided.
    pub verdict: Verdict,
    /// Every check of every package.
    pub findings: Vec<Finding>,
    /// Why, for people.
    pub reason: String,
    /// SHA-256 of the function's whole package.
    pub code_sha256: Sha256Digest,
    /// SHA-256 of each layer's whole package, in order.
    pub layer_sha256: Vec<Sha256Digest>,
}

/// What came of `record`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recording {
    /// The decision is durable.
    Recorded(RecordedVerdict),
    /// Policy, binding or revocation changed meanwhile: gather and decide again.
    Stale,
}

/// Proof that a verdict is durable: what `enact` demands. Only adapters of [`Deployments`] mint it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedVerdict {
    decision: Decision,
    version: Option<u64>,
}

impl RecordedVerdict {
    /// Asserts that `decision` has been committed, and with it `version` for a verdict to deploy. For adapters of
    /// [`Deployments`] only; `grep assertion` finds every place.
    pub fn assertion(decision: Decision, version: Option<u64>) -> Self {
        Self { decision, version }
    }

    /// The decision.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The version to be published; `None` when blocked.
    pub fn version(&self) -> Option<u64> {
        self.version
    }
}

/// How a deployment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The version stands, and `alias` points to it.
    Succeeded {
        /// The version.
        version: u64,
        /// The alias.
        alias: Option<AliasName>,
    },
    /// A check failed.
    Blocked,
    /// It could not be carried out.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// What was asked.
    pub request: DeploymentRequest,
    /// How it ended; `None` while it is under way.
    pub finish: Option<Finish>,
    /// Every check of every package, once decided.
    pub findings: Vec<Finding>,
}
