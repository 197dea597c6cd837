//! What changes of a function without a decision: aliases, and what is deleted. A version of what stands is published by the
//! pipeline, under the decision that brought it.
//!
//! The state changes first, and with it is noted that the targets have to follow; see `follow`.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    AliasName, EventId, FunctionName, FunctionVersion, RevisionId, Sha256Digest, TargetName,
};
use countersign_iam::Allowed;
use countersign_ports::StoreError;
use countersign_ports::change::{Change, Refusal, packages_of};
use countersign_ports::functions::{Alias, AliasTarget, FunctionError, StandingVersion};
use countersign_ports::targets::TargetError;
use countersign_runtime::Requester;

use crate::{Deployer, Outcome, Undecided};

/// Why a call did not change a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    /// Nothing was changed; where the store did not answer ([`FunctionError::Store`]) that is not known.
    #[error(transparent)]
    Refused(#[from] FunctionError),
    /// The change is durable, and a target has not followed it yet. It does as soon as it can.
    #[error("the change stands, and a target has not followed yet: {0}")]
    Pending(String),
}

/// How a version of what stands is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The version's description instead of that of `$LATEST`.
    pub description: Option<String>,
    /// What the caller takes `$LATEST` for.
    pub code_sha256: Option<Sha256Digest>,
    /// The state of `$LATEST` that the caller saw.
    pub revision: Option<RevisionId>,
}

impl Deployer {
    /// Publishes a version of what stands as `$LATEST`, under an id that no other call of `requester` has.
    ///
    /// # Errors
    /// As [`Deployer::deploy`].
    pub async fn publish_version(
        &self,
        call: EventId,
        requester: Requester,
        function: &FunctionName,
        publication: Publication,
        allowed: Allowed,
    ) -> Result<Outcome, Undecided> {
        let standing = self
            .ports
            .functions
            .function(function)
            .await
            .map_err(|error| Undecided::Later(error.to_string()))?;
        let latest = standing.and_then(|standing| standing.latest);
        let latest = latest.ok_or_else(|| Undecided::Refused(Refusal::UnknownFunction(function.clone())))?;
        let (code, layers) = packages_of(&latest);
        let request = DeploymentRequest {
            function_name: function.clone(),
            code,
            layers,
            alias: None,
            target: self.target_of(function, &latest).await?,
            create: None,
        };
        let Publication { description, code_sha256, revision } = publication;
        let change = Change::PublishVersion { description, code_sha256, revision };
        self.deploy(&self.asked(call, requester, request, change, allowed)).await
    }

    /// The target that holds `latest`, which is what stands as `$LATEST` of the function; `None` for the default one.
    ///
    /// # Errors
    /// [`Undecided::Later`] where a target does not answer.
    pub async fn target_of(
        &self,
        function: &FunctionName,
        latest: &StandingVersion,
    ) -> Result<Option<TargetName>, Undecided> {
        let targets = &self.ports.targets;
        let default = targets.all().filter(|(name, _)| targets.is_default(name));
        let others = targets.all().filter(|(name, _)| !targets.is_default(name));
        for (name, target) in default.chain(others) {
            let found = target.find_version(function, FunctionVersion::Latest, &latest.code.sha256).await;
            if found.map_err(|error| Undecided::Later(error.to_string()))?.is_some() {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }

    /// Makes an alias, which `_allowed` proves that its caller may.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn create_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        _allowed: &Allowed,
    ) -> Result<Alias, NotChanged> {
        let _turn = self.turns.take(function.clone()).await;
        let made = self.ports.functions.create_alias(function, name, alias, &revision()).await?;
        // CRASH: the alias is durable, and with it that the targets have to follow; the next start takes that up.
        self.follow(function).await?;
        Ok(made)
    }

    /// Makes an alias what `alias` says, if it is at the revision `expected`; `_allowed` proves that its caller may.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn update_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        expected: Option<&RevisionId>,
        _allowed: &Allowed,
    ) -> Result<Alias, NotChanged> {
        let _turn = self.turns.take(function.clone()).await;
        let functions = &self.ports.functions;
        let moved = functions.update_alias(function, name, alias, expected, &revision()).await?;
        // CRASH: as for a new one.
        self.follow(function).await?;
        Ok(moved)
    }

    /// Deletes an alias, which `_allowed` proves that its caller may; one that is not there is no error.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn delete_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        _allowed: &Allowed,
    ) -> Result<(), NotChanged> {
        let _turn = self.turns.take(function.clone()).await;
        self.ports.functions.delete_alias(function, name).await?;
        // CRASH: the alias is gone from the state, and the targets still have it until the next start follows.
        self.follow(function).await
    }

    /// Deletes a published version, which `_allowed` proves that its caller may.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn delete_version(
        &self,
        function: &FunctionName,
        version: u64,
        _allowed: &Allowed,
    ) -> Result<(), NotChanged> {
        let _turn = self.turns.take(function.clone()).await;
        self.ports.functions.delete_version(function, version).await?;
        // CRASH: as for an alias. The number is never given again, so whenever this is followed it means this version.
        self.follow(function).await
    }

    /// Deletes a function with all that it has, which `_allowed` proves that its caller may.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn delete_function(
        &self,
        function: &FunctionName,
        _allowed: &Allowed,
    ) -> Result<(), NotChanged> {
        let _turn = self.turns.take(function.clone()).await;
        self.ports.functions.delete_function(function, self.ports.clock.now()).await?;
        // CRASH: each alias and version is noted as gone, so that also a function that is made anew loses the old ones.
        self.follow(function).await
    }
}

fn revision() -> RevisionId {
    RevisionId::from_random(uuid::Uuid::new_v4().into_bytes())
}

impl From<StoreError> for NotChanged {
    /// A store that fails after the change.
    fn from(error: StoreError) -> Self {
        Self::Pending(error.to_string())
    }
}

impl From<TargetError> for NotChanged {
    fn from(error: TargetError) -> Self {
        Self::Pending(error.to_string())
    }
}
