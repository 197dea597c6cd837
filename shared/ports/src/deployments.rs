//! The state of deployments, with the outbox that tells of it.

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    AliasName, Code, CodeSigningConfig, CodeSigningConfigName, DeploymentId, Event, EventId, Finding,
    PrincipalName, TrailRecord, UnixMillis, Verdict,
};

use crate::change::{Change, Refusal};
use crate::functions::{Function, Stamp};
use crate::{Lease, StoreError};

/// The deployments. The decision is durable before the effect, the outcome after it, and every change commits together
/// with the events that tell of it.
#[async_trait]
pub trait Deployments: Send + Sync {
    /// Creates the deployment, or takes over one whose lease ran out; begun again by its own worker, it is `Begun`
    /// again. At most one deployment of a function is under way: another one is `Busy` until that has ended.
    ///
    /// A deployment that was left behind (unfinished, its lease run out) does not bar the next one of its function for
    /// ever: that one takes the function, and the one left behind loses its lease for good, so that its worker, should
    /// it wake, finds every write refused. Its own message brings it back, and it then waits its turn like any other:
    /// deployments of a function are carried out in the order of their last `Begun`, never two at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id was begun for another event, publisher or request: an event id that was used
    /// twice never carries a second request in under the first one's record.
    async fn begin(&self, deployment: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError>;

    /// Holds the deployment until `lease.until`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended.
    async fn renew(&self, deployment: DeploymentId, lease: &Lease) -> Result<(), StoreError>;

    /// What binds a deployment as `request` asks for it, now. A function that was deleted does not exist.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the function is to be made under a code signing config that is not declared: a
    /// missing config is never taken for none.
    async fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError>;

    /// Makes the decision durable, on the condition that the change may still be made ([`Change::refusal`]) and that no
    /// policy, binding or revocation changed since its basis was read; a verdict to deploy also creates the function where
    /// that was asked, and gives the version its number where one is to be published. Repeating it with the same decision
    /// gives the same answer again. `trail`, which tells of the decision, commits with it.
    ///
    /// Numbers count up from 1 for each function and are never given twice, not even after the function was deleted, except
    /// that the newest version that stands is given again when packages and settings are the same (as AWS's
    /// `PublishVersion` does). A deployment that fails leaves a gap.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended; [`StoreError::NotFound`] if the verdict is to
    /// deploy to a function that does not exist and is not to be made; [`StoreError::Conflict`] if the decision's request
    /// is not the deployment's, or another decision was recorded before.
    async fn record(
        &self,
        decision: &Decision,
        lease: &Lease,
        trail: &[TrailRecord],
    ) -> Result<Recording, StoreError>;

    /// Makes a version of what stands durable, for a deployment whose change is [`Change::PublishVersion`]: the verdict,
    /// findings and packages are those of the deployment that brought `$LATEST`, and nothing is decided anew, as on AWS.
    /// Otherwise as [`Deployments::record`]. The answer is never [`Recording::Stale`].
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended; [`StoreError::Conflict`] if the deployment is for
    /// another change; [`StoreError::NotFound`] if what brought `$LATEST` is not on record.
    async fn publish(&self, deployment: DeploymentId, lease: &Lease) -> Result<Recording, StoreError>;

    /// Ends the deployment. With `Finish::Succeeded` what it changed stands from this commit on, marked with `stamp`:
    /// `$LATEST` with its code, layers and settings, the version and the alias. Otherwise nothing changed, and a function
    /// that was made for [`Change::Create`] is gone. `events` and `trail` commit with it.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has it, or it has ended; [`StoreError::Conflict`] if it cannot end so
    /// after what was recorded ([`Finish::follows`]).
    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        stamp: &Stamp,
        events: &[Event],
        trail: &[TrailRecord],
    ) -> Result<(), StoreError>;

    /// The deployment, if there is one.
    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError>;
}

/// A deployment to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// Its id.
    pub id: DeploymentId,
    /// The event that asks for it.
    pub event: EventId,
    /// Who published the event, as the broker authenticated it.
    pub publisher: String,
    /// Who that is to us.
    pub principal: PrincipalName,
    /// What is asked: the function and every package of it, those included that stand already.
    pub request: DeploymentRequest,
    /// What is to change.
    pub change: Change,
    /// When it was taken up.
    pub created_at: UnixMillis,
}

/// What came of `begin`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
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
    /// The number of changes of policies, revocations and this function's binding so far, its making included.
    pub revision: u64,
}

/// The name of the code signing config that applies to `request`: the function's own if there is one, bound or not, else
/// the one it is to be made with.
pub fn applicable_config<'a>(
    function: Option<&'a Function>,
    request: &'a DeploymentRequest,
) -> Option<&'a CodeSigningConfigName> {
    match function {
        Some(function) => function.code_signing_config.as_ref(),
        None => request.create.as_ref()?.code_signing_config.as_ref(),
    }
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
    /// The function's package, as it was decided upon.
    pub code: Code,
    /// Each layer's package, in order.
    pub layers: Vec<Code>,
}

impl Decision {
    /// True if `code` and `layers` are the very bytes that were decided upon, wherever they lie.
    pub fn is_about<'a>(&self, code: &Code, layers: impl IntoIterator<Item = &'a Code>) -> bool {
        let layers = layers.into_iter().map(|layer| layer.sha256);
        self.code.sha256 == code.sha256 && layers.eq(self.layers.iter().map(|layer| layer.sha256))
    }
}

/// What came of `record`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
pub enum Recording {
    /// The decision is durable.
    Recorded(RecordedVerdict),
    /// Policy, binding or revocation changed meanwhile: gather and decide again.
    Stale,
    /// The change cannot be made of what stands. Nothing was recorded.
    Refused(Refusal),
}

/// Proof that a verdict is durable: what `enact` demands. Only adapters of [`Deployments`] mint it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedVerdict {
    decision: Decision,
    version: Option<u64>,
}

impl RecordedVerdict {
    /// Asserts that `decision` has been committed, and with it `version` where one is to be published. For adapters of
    /// [`Deployments`] only; `grep assertion` finds every place.
    pub fn assertion(decision: Decision, version: Option<u64>) -> Self {
        Self { decision, version }
    }

    /// The decision.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The version to be published; `None` when blocked, or where none is asked for.
    pub fn version(&self) -> Option<u64> {
        self.version
    }
}

/// How a deployment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// What was to change stands.
    Succeeded {
        /// The version that was published.
        version: Option<u64>,
        /// The alias that points to it.
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

impl Finish {
    /// True if a deployment may end so after what was recorded: it succeeds only with a verdict to deploy and the version
    /// that this gave, is blocked only by a verdict to block, and can fail at any time.
    pub fn follows(&self, recorded: Option<&RecordedVerdict>) -> bool {
        match self {
            Self::Succeeded { version, .. } => recorded.is_some_and(|recorded| {
                recorded.decision().verdict != Verdict::Block && recorded.version() == *version
            }),
            Self::Blocked => recorded.is_some_and(|recorded| recorded.decision().verdict == Verdict::Block),
            Self::Failed { .. } => true,
        }
    }
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Who published the event that asked for it, as the broker authenticated it.
    pub publisher: String,
    /// Who that is to us.
    pub principal: PrincipalName,
    /// What was asked.
    pub request: DeploymentRequest,
    /// What was to change.
    pub change: Change,
    /// How it ended; `None` while it is under way.
    pub finish: Option<Finish>,
    /// Every check of every package, once decided.
    pub findings: Vec<Finding>,
}
