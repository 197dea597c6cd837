//! Functions as the API shows them: what stands, its versions and aliases. Code changes by deployments alone.

use async_trait::async_trait;
use countersign_domain::{
    AliasName, Code, CodeSigningConfigName, FunctionName, FunctionSettings, FunctionVersion, LayerCode,
    RevisionId, TagKey, Tags, UnixMillis,
};

use crate::StoreError;
use crate::change::Refusal;

/// The functions to which something was deployed. A revision id that is compared is compared in the transaction of the
/// change, and every change leaves the one that its caller gives.
#[async_trait]
pub trait Functions: Send + Sync {
    /// The function, once something was deployed to it.
    async fn function(&self, name: &FunctionName) -> Result<Option<Function>, StoreError>;

    /// Up to `max` functions in the order of their names, those after `after`.
    async fn list_functions(
        &self,
        after: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<Function>, StoreError>;

    /// Binds the function to a config, or to none. What stands stays; the next deployment is decided under it.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchConfig`], which is looked at first; [`FunctionError::NoSuchFunction`].
    async fn bind(
        &self,
        name: &FunctionName,
        config: Option<&CodeSigningConfigName>,
    ) -> Result<(), FunctionError>;

    /// Changes the settings of `$LATEST`, but not its layers: those are packages, and it takes a deployment to change them.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`], [`FunctionError::Refused`] if `$LATEST` is not at `expected`,
    /// [`FunctionError::Busy`], [`FunctionError::OtherLayers`].
    async fn update_settings(
        &self,
        name: &FunctionName,
        settings: &FunctionSettings,
        expected: Option<&RevisionId>,
        stamp: &Stamp,
    ) -> Result<StandingVersion, FunctionError>;

    /// `$LATEST` or a published version.
    async fn version(
        &self,
        name: &FunctionName,
        version: FunctionVersion,
    ) -> Result<Option<StandingVersion>, StoreError>;

    /// Up to `max` published versions in their order, those after `after`.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`].
    async fn versions(
        &self,
        name: &FunctionName,
        after: u64,
        max: u32,
    ) -> Result<Vec<StandingVersion>, FunctionError>;

    /// Deletes a published version; its number is not given again.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchVersion`], [`FunctionError::AliasPoints`].
    async fn delete_version(&self, name: &FunctionName, version: u64) -> Result<(), FunctionError>;

    /// Deletes the function with its versions and aliases, and ends what was left behind of its deployments.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`], [`FunctionError::Busy`].
    async fn delete_function(&self, name: &FunctionName, now: UnixMillis) -> Result<(), FunctionError>;

    /// Adds `tags` and removes those of `removed`.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`], [`FunctionError::TooManyTags`].
    async fn tag_function(
        &self,
        name: &FunctionName,
        tags: &Tags,
        removed: &[TagKey],
    ) -> Result<(), FunctionError>;

    /// Makes an alias.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`], [`FunctionError::AliasExists`], [`FunctionError::NoSuchVersion`],
    /// [`FunctionError::Routing`].
    async fn create_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        revision: &RevisionId,
    ) -> Result<Alias, FunctionError>;

    /// The alias, if there is one.
    async fn alias(&self, function: &FunctionName, name: &AliasName) -> Result<Option<Alias>, StoreError>;

    /// Makes an alias what `alias` says, if it is at the revision `expected`.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchAlias`], [`FunctionError::Refused`], [`FunctionError::NoSuchVersion`],
    /// [`FunctionError::Routing`].
    async fn update_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        expected: Option<&RevisionId>,
        revision: &RevisionId,
    ) -> Result<Alias, FunctionError>;

    /// Deletes an alias; one that is not there is no error.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`].
    async fn delete_alias(&self, function: &FunctionName, name: &AliasName) -> Result<(), FunctionError>;

    /// Up to `max` aliases in the order of their names, those after `after`; with `of` only those that point to it.
    ///
    /// # Errors
    /// [`FunctionError::NoSuchFunction`].
    async fn aliases(
        &self,
        function: &FunctionName,
        of: Option<FunctionVersion>,
        after: Option<&AliasName>,
        max: u32,
    ) -> Result<Vec<Alias>, FunctionError>;
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: FunctionName,
    /// The config it is bound to.
    pub code_signing_config: Option<CodeSigningConfigName>,
    /// Its tags.
    pub tags: Tags,
    /// `$LATEST`; none until a deployment succeeded.
    pub latest: Option<StandingVersion>,
}

/// What `$LATEST` or a published version is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingVersion {
    /// Which of them.
    pub version: FunctionVersion,
    /// Its code.
    pub code: Code,
    /// Its layers, in order.
    pub layers: Vec<LayerCode>,
    /// Its settings.
    pub settings: FunctionSettings,
    /// This state of it.
    pub revision: RevisionId,
    /// When it was changed last.
    pub last_modified: UnixMillis,
}

impl StandingVersion {
    /// True if packages and settings are those, wherever the packages lie.
    pub fn has(&self, code: &Code, layers: &[LayerCode], settings: &FunctionSettings) -> bool {
        let digests = |layers: &[LayerCode]| layers.iter().map(|layer| layer.code.sha256).collect::<Vec<_>>();
        self.code.sha256 == code.sha256
            && digests(&self.layers) == digests(layers)
            && self.settings == *settings
    }
}

/// What a change is marked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The revision id of what it leaves, random.
    pub revision: RevisionId,
    /// When it is made.
    pub at: UnixMillis,
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its name.
    pub name: AliasName,
    /// Where it points to.
    pub target: AliasTarget,
    /// This state of it.
    pub revision: RevisionId,
}

impl Alias {
    /// True if some of its calls go to `version`.
    pub fn points_to(&self, version: FunctionVersion) -> bool {
        let further = || self.target.further.map(|further| FunctionVersion::Published(further.version));
        self.target.version == version || further() == Some(version)
    }
}

/// Where an alias points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasTarget {
    /// The version.
    pub version: FunctionVersion,
    /// For people; empty if there is none.
    pub description: String,
    /// One further version that takes a part of the calls.
    pub further: Option<FurtherVersion>,
}

/// The second version of an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FurtherVersion {
    /// The version.
    pub version: u64,
    /// Its part of the calls.
    pub weight: Weight,
}

/// A part of the calls, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight(f64);

impl Eq for Weight {}

impl Weight {
    /// The weight, if it lies between 0 and 1.
    pub fn new(weight: f64) -> Option<Self> {
        // A zero has one sign here.
        (0.0..=1.0).contains(&weight).then_some(Self(weight + 0.0))
    }

    /// The part.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl AliasTarget {
    /// Demands what Lambda demands of a second version: the first one is a published one, and another.
    ///
    /// # Errors
    /// [`FunctionError::Routing`].
    pub fn check(&self) -> Result<(), FunctionError> {
        let Some(further) = &self.further else { return Ok(()) };
        match self.version {
            FunctionVersion::Latest => Err(FunctionError::Routing(Routing::OfLatest)),
            FunctionVersion::Published(version) if version == further.version => {
                Err(FunctionError::Routing(Routing::SameVersion(version)))
            }
            FunctionVersion::Published(_) => Ok(()),
        }
    }

    /// Every published version that it points to.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.version.number().into_iter().chain(self.further.map(|further| further.version))
    }
}

/// Why an alias cannot be split so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Routing {
    /// `$LATEST` is not one of two.
    #[error("$LATEST is not supported for an alias pointing to more than 1 version")]
    OfLatest,
    /// Both are the same.
    #[error("version {0} is the alias's first version already")]
    SameVersion(u64),
}

/// Why a function was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// There is no such function.
    #[error("function {0} does not exist")]
    NoSuchFunction(FunctionName),
    /// There is no such code signing config.
    #[error("code signing config {0} does not exist")]
    NoSuchConfig(CodeSigningConfigName),
    /// There is no such version.
    #[error("version {0} does not exist")]
    NoSuchVersion(u64),
    /// There is no such alias.
    #[error("alias {0} does not exist")]
    NoSuchAlias(AliasName),
    /// There is an alias of that name.
    #[error("alias {0} exists already")]
    AliasExists(AliasName),
    /// The alias cannot be split so.
    #[error(transparent)]
    Routing(Routing),
    /// The version cannot be deleted while an alias points to it.
    #[error("alias {0} points to this version; move or delete it first")]
    AliasPoints(AliasName),
    /// Another state stands than the caller saw.
    #[error(transparent)]
    Refused(Refusal),
    /// A deployment of the function is under way until then.
    #[error("a deployment of the function is under way until {0}")]
    Busy(UnixMillis),
    /// Other layers take a deployment.
    #[error("the layers would change; deploy them")]
    OtherLayers,
    /// It would have too many tags.
    #[error(transparent)]
    TooManyTags(#[from] countersign_domain::tag::TooManyTags),
    /// As every operation of a store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a deployment ends that was left behind when its function was deleted.
pub const FUNCTION_DELETED: &str = "function_deleted: the function was deleted";

/// Demands that what stands is what the caller saw.
///
/// # Errors
/// [`FunctionError::Refused`].
pub fn check_revision(expected: Option<&RevisionId>, standing: &RevisionId) -> Result<(), FunctionError> {
    let refused = crate::change::other_revision(expected, standing);
    refused.map_or(Ok(()), |refusal| Err(FunctionError::Refused(refusal)))
}
