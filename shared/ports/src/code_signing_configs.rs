//! Code signing configs: those that the configuration declares, and those that the API makes.

use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::code_signing::MAX_ALLOWED_PUBLISHERS;
use countersign_domain::{
    CodeSigningConfig, CodeSigningConfigId, CodeSigningConfigName, FunctionName, PublisherArn, Scope, TagKey,
    Tags, UnixMillis, UntrustedArtifact,
};

use crate::StoreError;

/// The code signing configs. Every change of publishers or policy counts as a change of policy: no decision that was
/// based on the state before it is recorded.
#[async_trait]
pub trait CodeSigningConfigs: Send + Sync {
    /// Makes the declared configs equal to `configs`, changed at `at` where they differ; a change of any counts as a change
    /// of policy, none counts as none. A declared config's id is a function of `scope` and its name.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a function is bound to one that is no longer declared, if two have the same name, if
    /// one allows no publisher or more than [`MAX_ALLOWED_PUBLISHERS`], or if one has a name that reads as an id.
    async fn declare(
        &self,
        scope: &Scope,
        configs: &[CodeSigningConfig],
        at: UnixMillis,
    ) -> Result<(), StoreError>;

    /// What the config of this name demands; a config that the API made has its id as its name.
    async fn code_signing_config(
        &self,
        name: &CodeSigningConfigName,
    ) -> Result<Option<CodeSigningConfig>, StoreError>;

    /// Makes a config.
    ///
    /// # Errors
    /// [`ConfigError::Exists`], [`ConfigError::Publishers`].
    async fn create_config(&self, config: &NewConfig) -> Result<KeptConfig, ConfigError>;

    /// The config of this id.
    async fn config(&self, id: &CodeSigningConfigId) -> Result<Option<KeptConfig>, StoreError>;

    /// The config of this name.
    async fn config_named(&self, name: &CodeSigningConfigName) -> Result<Option<KeptConfig>, StoreError>;

    /// Changes what `update` names of a config.
    ///
    /// # Errors
    /// [`ConfigError::NoSuchConfig`], [`ConfigError::Declared`], [`ConfigError::Publishers`].
    async fn update_config(
        &self,
        id: &CodeSigningConfigId,
        update: &ConfigUpdate,
        at: UnixMillis,
    ) -> Result<KeptConfig, ConfigError>;

    /// Deletes a config.
    ///
    /// # Errors
    /// [`ConfigError::NoSuchConfig`], [`ConfigError::Declared`], [`ConfigError::Bound`].
    async fn delete_config(&self, id: &CodeSigningConfigId) -> Result<(), ConfigError>;

    /// Up to `max` configs in the order of their ids, those after `after`.
    async fn configs(
        &self,
        after: Option<&CodeSigningConfigId>,
        max: u32,
    ) -> Result<Vec<KeptConfig>, StoreError>;

    /// Up to `max` functions that are bound to the config, in the order of their names, those after `after`.
    ///
    /// # Errors
    /// [`ConfigError::NoSuchConfig`].
    async fn functions_of_config(
        &self,
        id: &CodeSigningConfigId,
        after: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<FunctionName>, ConfigError>;

    /// Adds `tags` and removes those of `removed`.
    ///
    /// # Errors
    /// [`ConfigError::NoSuchConfig`], [`ConfigError::Declared`], [`ConfigError::TooManyTags`].
    async fn tag_config(
        &self,
        id: &CodeSigningConfigId,
        tags: &Tags,
        removed: &[TagKey],
    ) -> Result<(), ConfigError>;
}

/// A config to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConfig {
    /// Its id.
    pub id: CodeSigningConfigId,
    /// For people.
    pub description: Option<String>,
    /// 1 to [`MAX_ALLOWED_PUBLISHERS`] of them.
    pub publishers: Vec<PublisherArn>,
    /// What is done with untrusted packages.
    pub untrusted_artifact: UntrustedArtifact,
    /// Its tags.
    pub tags: Tags,
    /// When it is made.
    pub created_at: UnixMillis,
}

/// What is to change of a config; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigUpdate {
    /// For people.
    pub description: Option<String>,
    /// 1 to [`MAX_ALLOWED_PUBLISHERS`] of them.
    pub publishers: Option<Vec<PublisherArn>>,
    /// What is done with untrusted packages.
    pub untrusted_artifact: Option<UntrustedArtifact>,
}

/// A config as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptConfig {
    /// Its id.
    pub id: CodeSigningConfigId,
    /// Its name: of the configuration, or its id.
    pub name: CodeSigningConfigName,
    /// True if the configuration declares it: then nothing else changes it.
    pub declared: bool,
    /// For people.
    pub description: Option<String>,
    /// Whom it names as publishers.
    pub publishers: Vec<PublisherArn>,
    /// What is done with untrusted packages.
    pub untrusted_artifact: UntrustedArtifact,
    /// Its tags.
    pub tags: Tags,
    /// When it was changed last.
    pub last_modified: UnixMillis,
}

impl KeptConfig {
    /// What it demands of a package: of its publishers only profiles can admit one.
    pub fn demands(&self) -> CodeSigningConfig {
        CodeSigningConfig {
            name: self.name.clone(),
            allowed_publishers: self.publishers.iter().filter_map(PublisherArn::publisher).collect(),
            untrusted_artifact: self.untrusted_artifact,
        }
    }

    /// The config after `update`.
    #[must_use]
    pub fn updated(&self, update: &ConfigUpdate, at: UnixMillis) -> Self {
        let ConfigUpdate { description, publishers, untrusted_artifact } = update.clone();
        Self {
            // Lambda shows an empty description once anything was updated.
            description: description.or_else(|| Some(self.description.clone().unwrap_or_default())),
            publishers: publishers.unwrap_or_else(|| self.publishers.clone()),
            untrusted_artifact: untrusted_artifact.unwrap_or(self.untrusted_artifact),
            last_modified: at,
            ..self.clone()
        }
    }
}

impl From<&NewConfig> for KeptConfig {
    fn from(new: &NewConfig) -> Self {
        let NewConfig { id, description, publishers, untrusted_artifact, tags, created_at } = new.clone();
        Self {
            name: id.as_name(),
            declared: false,
            last_modified: created_at,
            id,
            description,
            publishers,
            untrusted_artifact,
            tags,
        }
    }
}

/// Why a config was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such config.
    #[error("code signing config {0} does not exist")]
    NoSuchConfig(CodeSigningConfigId),
    /// There is one of that id.
    #[error("code signing config {0} exists already")]
    Exists(CodeSigningConfigId),
    /// The configuration declares it.
    #[error("code signing config {0} is declared in the configuration; change it there")]
    Declared(CodeSigningConfigName),
    /// A function is bound to it.
    #[error("function {function} is bound to code signing config {id}; unbind it first")]
    Bound {
        /// The config.
        id: CodeSigningConfigId,
        /// One of the functions.
        function: FunctionName,
    },
    /// It would name no publisher, or too many.
    #[error("{0} publishers are named; 1 to {MAX_ALLOWED_PUBLISHERS} are possible")]
    Publishers(usize),
    /// It would have too many tags.
    #[error(transparent)]
    TooManyTags(#[from] countersign_domain::tag::TooManyTags),
    /// As every operation of a store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Demands 1 to [`MAX_ALLOWED_PUBLISHERS`] publishers.
///
/// # Errors
/// [`ConfigError::Publishers`].
pub fn check_publishers(publishers: &[PublisherArn]) -> Result<(), ConfigError> {
    let count = publishers.len();
    if (1..=MAX_ALLOWED_PUBLISHERS).contains(&count) { Ok(()) } else { Err(ConfigError::Publishers(count)) }
}

/// The declared configs by their names, as they are kept.
///
/// # Errors
/// [`StoreError::Conflict`] as [`CodeSigningConfigs::declare`] demands of its configs.
pub fn declared_by_name(
    scope: &Scope,
    configs: &[CodeSigningConfig],
    at: UnixMillis,
) -> Result<BTreeMap<CodeSigningConfigName, KeptConfig>, StoreError> {
    let mut by_name = BTreeMap::new();
    for config in configs {
        let CodeSigningConfig { name, allowed_publishers, untrusted_artifact } = config;
        let conflict = |what: String| Err(StoreError::Conflict(format!("code signing config {name} {what}")));
        if !(1..=MAX_ALLOWED_PUBLISHERS).contains(&allowed_publishers.len()) {
            let count = allowed_publishers.len();
            return conflict(format!(
                "allows {count} publishers; 1 to {MAX_ALLOWED_PUBLISHERS} are possible"
            ));
        }
        if name.as_str().parse::<CodeSigningConfigId>().is_ok() {
            return conflict("has a name that reads as an id of the API; choose another".to_owned());
        }
        let kept = KeptConfig {
            id: CodeSigningConfigId::for_name(scope, name),
            name: name.clone(),
            declared: true,
            description: None,
            publishers: allowed_publishers.iter().map(PublisherArn::from).collect(),
            untrusted_artifact: *untrusted_artifact,
            tags: Tags::default(),
            last_modified: at,
        };
        if by_name.insert(name.clone(), kept).is_some() {
            return conflict("is declared twice".to_owned());
        }
    }
    Ok(by_name)
}
