//! Layers: numbered packages that functions put under their code. Publishing one checks nothing, as on AWS.

use async_trait::async_trait;
use countersign_domain::{Code, LayerName, LayerPermission, RevisionId, StatementId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::change::Refusal;

/// The layers.
#[async_trait]
pub trait Layers: Send + Sync {
    /// Publishes a version: always a new one, whatever stands. Numbers count up from 1 and are never given twice.
    async fn publish_layer(
        &self,
        layer: &LayerName,
        new: &NewLayerVersion,
    ) -> Result<LayerVersion, StoreError>;

    /// The version, unless it was deleted.
    async fn layer_version(
        &self,
        layer: &LayerName,
        version: u64,
    ) -> Result<Option<LayerVersion>, StoreError>;

    /// The newest version of up to `max` layers that have one, in the order of their names, those after `after`.
    async fn list_layers(&self, after: Option<&LayerName>, max: u32)
    -> Result<Vec<LayerVersion>, StoreError>;

    /// Up to `max` versions of a layer, newest first, those before `before`. A layer that never was has none.
    async fn layer_versions(
        &self,
        layer: &LayerName,
        before: Option<u64>,
        max: u32,
    ) -> Result<Vec<LayerVersion>, StoreError>;

    /// Deletes a version for new deployments; functions that have it keep it. One that is not there is no error.
    async fn delete_layer_version(&self, layer: &LayerName, version: u64) -> Result<(), StoreError>;

    /// To whom a version is permitted; `None` if to nobody, or if there is no such version.
    async fn layer_policy(&self, layer: &LayerName, version: u64) -> Result<Option<LayerPolicy>, StoreError>;

    /// Adds a statement, if the policy is at the revision `expected`; with `None`, at whichever it is.
    ///
    /// # Errors
    /// [`LayerError::NoSuchVersion`], [`LayerError::Refused`], [`LayerError::StatementExists`],
    /// [`LayerError::TooManyStatements`].
    async fn add_layer_permission(
        &self,
        layer: &LayerName,
        version: u64,
        permission: &LayerPermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), LayerError>;

    /// Removes a statement, if the policy is at the revision `expected`. With the last one the policy is gone.
    ///
    /// # Errors
    /// [`LayerError::NoSuchVersion`], [`LayerError::NoSuchStatement`], [`LayerError::Refused`].
    async fn remove_layer_permission(
        &self,
        layer: &LayerName,
        version: u64,
        statement: &StatementId,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), LayerError>;
}

/// A layer version to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLayerVersion {
    /// Its content.
    pub content: Code,
    /// What is told of it.
    pub about: AboutLayer,
    /// When it is published.
    pub created_at: UnixMillis,
}

/// What is told of a layer version, with Lambda's member names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct AboutLayer {
    /// For people; empty if there is none.
    pub description: String,
    /// Such as `python3.13`.
    pub compatible_runtimes: Vec<String>,
    /// Such as `arm64`.
    pub compatible_architectures: Vec<String>,
    /// Its license.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_info: Option<String>,
}

/// A layer version. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerVersion {
    /// The layer.
    pub layer: LayerName,
    /// Its number, from 1.
    pub version: u64,
    /// Its content.
    pub content: Code,
    /// What is told of it.
    pub about: AboutLayer,
    /// When it was published.
    pub created_at: UnixMillis,
}

/// To whom a layer version is permitted: at least one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPolicy {
    /// This state of it.
    pub revision: RevisionId,
    /// Its statements, in the order in which they were added.
    pub permissions: Vec<LayerPermission>,
}

impl LayerPolicy {
    /// The policy, or none, with one more statement.
    ///
    /// # Errors
    /// As [`Layers::add_layer_permission`].
    pub fn with(
        policy: Option<Self>,
        permission: &LayerPermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<Self, LayerError> {
        let mut permissions =
            at_revision(policy, expected)?.map(|policy| policy.permissions).unwrap_or_default();
        if permissions.iter().any(|standing| standing.statement_id == permission.statement_id) {
            return Err(LayerError::StatementExists(permission.statement_id.clone()));
        }
        if permissions.len() >= LAYER_PERMISSIONS_MAX {
            return Err(LayerError::TooManyStatements);
        }
        permissions.push(permission.clone());
        Ok(Self { revision: new.clone(), permissions })
    }

    /// The policy with one statement less; none with the last.
    ///
    /// # Errors
    /// As [`Layers::remove_layer_permission`].
    pub fn without(
        policy: Option<Self>,
        statement: &StatementId,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<Option<Self>, LayerError> {
        let missing = || LayerError::NoSuchStatement(statement.clone());
        let mut permissions = at_revision(policy, expected)?.ok_or_else(missing)?.permissions;
        let place = permissions.iter().position(|standing| standing.statement_id == *statement);
        permissions.remove(place.ok_or_else(missing)?);
        Ok((!permissions.is_empty()).then(|| Self { revision: new.clone(), permissions }))
    }
}

/// Why the policy of a layer version was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerError {
    /// There is no such version.
    #[error("version {version} of layer {layer} does not exist")]
    NoSuchVersion {
        /// The layer.
        layer: LayerName,
        /// The version.
        version: u64,
    },
    /// There is no such statement.
    #[error("statement {0} does not exist")]
    NoSuchStatement(StatementId),
    /// There is a statement of that id.
    #[error("statement {0} exists already")]
    StatementExists(StatementId),
    /// The policy would have more than [`LAYER_PERMISSIONS_MAX`] statements.
    #[error("the policy has {LAYER_PERMISSIONS_MAX} statements, which is the most")]
    TooManyStatements,
    /// The policy is in another state than the caller saw.
    #[error(transparent)]
    Refused(Refusal),
    /// As every operation of a store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A policy that is not there is at no revision that a caller could have seen.
fn at_revision(
    policy: Option<LayerPolicy>,
    expected: Option<&RevisionId>,
) -> Result<Option<LayerPolicy>, LayerError> {
    let standing = policy.as_ref().map(|policy| policy.revision.clone());
    let none = || "none".parse().expect("a word is a revision id");
    let refusal = crate::change::other_revision(expected, &standing.unwrap_or_else(none));
    refusal.map_or(Ok(policy), |refusal| Err(LayerError::Refused(refusal)))
}

/// Statements of one layer version's policy. Stops a policy from growing without end.
pub const LAYER_PERMISSIONS_MAX: usize = 100;
