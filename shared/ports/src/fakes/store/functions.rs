use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::{
    AliasName, CodeSigningConfigName, DeploymentId, FunctionName, FunctionSettings, FunctionVersion,
    RevisionId, TagKey, Tags, UnixMillis,
};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::functions::{
    Alias, AliasTarget, Function, FunctionError, Functions, Stamp, StandingVersion, check_revision,
};
use crate::target_changes::Changed;

pub(super) struct HeldFunction {
    pub(super) function: Function,
    pub(super) deleted: bool,
    pub(super) binding_changes: u64,
    pub(super) newest_version: u64,
    pub(super) versions: BTreeMap<u64, HeldVersion>,
    pub(super) aliases: BTreeMap<AliasName, Alias>,
    pub(super) brought_by: Option<DeploymentId>,
}

pub(super) struct HeldVersion {
    /// As `$LATEST` was.
    pub(super) standing: StandingVersion,
    /// Its own description.
    pub(super) description: Option<String>,
}

impl HeldFunction {
    pub(super) fn of(function: Function) -> Self {
        Self {
            function,
            deleted: true,
            binding_changes: 0,
            newest_version: 0,
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            brought_by: None,
        }
    }

    /// The function begins anew; its numbers go on.
    pub(super) fn revive(&mut self, function: Function) {
        let (binding_changes, newest_version) = (self.binding_changes + 1, self.newest_version);
        *self = Self { deleted: false, binding_changes, newest_version, ..Self::of(function) };
    }

    pub(super) fn is_bound_to(&self, config: &CodeSigningConfigName) -> bool {
        !self.deleted && self.function.code_signing_config.as_ref() == Some(config)
    }

    /// The description of an alias that is there.
    pub(super) fn described(&self, alias: &AliasName) -> String {
        self.aliases.get(alias).map(|alias| alias.target.description.clone()).unwrap_or_default()
    }

    fn check_target(&self, target: &AliasTarget) -> Result<(), FunctionError> {
        target.check()?;
        let missing = target.numbers().find(|number| !self.versions.contains_key(number));
        missing.map_or(Ok(()), |number| Err(FunctionError::NoSuchVersion(number)))
    }
}

impl HeldVersion {
    /// As `$LATEST` was.
    pub(super) fn as_latest(&self) -> &StandingVersion {
        &self.standing
    }

    fn shown(&self) -> StandingVersion {
        let mut shown = self.standing.clone();
        shown.settings.description = self.description.clone().unwrap_or(shown.settings.description);
        shown
    }
}

#[async_trait]
impl Functions for MemoryStore {
    async fn function(&self, name: &FunctionName) -> Result<Option<Function>, StoreError> {
        self.call("function", |state| Ok(state.shown_function(name).ok().map(|held| held.function.clone())))
    }

    async fn list_functions(
        &self,
        after: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<Function>, StoreError> {
        self.call("list_functions", |state| {
            let shown =
                state.functions.values().filter(|held| !held.deleted && held.function.latest.is_some());
            let page =
                shown.map(|held| &held.function).filter(|held| after.is_none_or(|after| held.name > *after));
            Ok(page.take(max as usize).cloned().collect())
        })
    }

    async fn bind(
        &self,
        name: &FunctionName,
        config: Option<&CodeSigningConfigName>,
    ) -> Result<(), FunctionError> {
        self.change_function("bind", |state| {
            if let Some(missing) = config.filter(|config| !state.configs.contains_key(*config)) {
                return Err(FunctionError::NoSuchConfig(missing.clone()));
            }
            let held = state.shown_mut(name)?;
            if held.function.code_signing_config.as_ref() != config {
                held.function.code_signing_config = config.cloned();
                held.binding_changes += 1;
            }
            Ok(())
        })
    }

    async fn update_settings(
        &self,
        name: &FunctionName,
        settings: &FunctionSettings,
        expected: Option<&RevisionId>,
        stamp: &Stamp,
    ) -> Result<StandingVersion, FunctionError> {
        self.change_function("update_settings", |state| {
            let busy = state.busy_until(name, stamp.at);
            let latest = state.shown_mut(name)?.function.latest.as_mut();
            let latest = latest.ok_or_else(|| FunctionError::NoSuchFunction(name.clone()))?;
            check_revision(expected, &latest.revision)?;
            if let Some(until) = busy {
                return Err(FunctionError::Busy(until));
            }
            if latest.settings.layers != settings.layers {
                return Err(FunctionError::OtherLayers);
            }
            latest.settings = settings.clone();
            latest.revision = stamp.revision.clone();
            latest.last_modified = stamp.at;
            Ok(latest.clone())
        })
    }

    async fn version(
        &self,
        name: &FunctionName,
        version: FunctionVersion,
    ) -> Result<Option<StandingVersion>, StoreError> {
        self.call("version", |state| {
            let Ok(held) = state.shown_function(name) else { return Ok(None) };
            Ok(match version {
                FunctionVersion::Latest => held.function.latest.clone(),
                FunctionVersion::Published(number) => held.versions.get(&number).map(HeldVersion::shown),
            })
        })
    }

    async fn versions(
        &self,
        name: &FunctionName,
        after: u64,
        max: u32,
    ) -> Result<Vec<StandingVersion>, FunctionError> {
        self.change_function("versions", |state| {
            let versions = state.shown_function(name)?.versions.iter();
            let page = versions.filter(|(number, _)| **number > after).take(max as usize);
            Ok(page.map(|(_, held)| held.shown()).collect())
        })
    }

    async fn delete_version(&self, name: &FunctionName, version: u64) -> Result<(), FunctionError> {
        self.change_function("delete_version", |state| {
            let held = state.shown_mut(name)?;
            let mut aliases = held.aliases.values();
            if let Some(alias) = aliases.find(|alias| alias.target.numbers().any(|number| number == version))
            {
                return Err(FunctionError::AliasPoints(alias.name.clone()));
            }
            held.versions.remove(&version).ok_or(FunctionError::NoSuchVersion(version))?;
            state.note(name, [Changed::Version(version)]);
            Ok(())
        })
    }

    async fn delete_function(&self, name: &FunctionName, now: UnixMillis) -> Result<(), FunctionError> {
        self.change_function("delete_function", |state| {
            let busy = state.busy_until(name, now);
            let held = state.shown_mut(name)?;
            if let Some(until) = busy {
                return Err(FunctionError::Busy(until));
            }
            let name = held.function.name.clone();
            let gone = Function {
                name: name.clone(),
                code_signing_config: None,
                tags: Tags::default(),
                latest: None,
            };
            let aliases: Vec<_> = held.aliases.keys().cloned().map(Changed::Alias).collect();
            let versions: Vec<_> = held.versions.keys().copied().map(Changed::Version).collect();
            held.revive(gone);
            held.deleted = true;
            state.end_deployments(&name);
            state.note(&name, aliases.into_iter().chain(versions).chain([Changed::Function]));
            Ok(())
        })
    }

    async fn tag_function(
        &self,
        name: &FunctionName,
        tags: &Tags,
        removed: &[TagKey],
    ) -> Result<(), FunctionError> {
        self.change_function("tag_function", |state| {
            let function = &mut state.shown_mut(name)?.function;
            function.tags = function.tags.without(removed).with(tags)?;
            Ok(())
        })
    }

    async fn create_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        revision: &RevisionId,
    ) -> Result<Alias, FunctionError> {
        self.change_function("create_alias", |state| {
            let held = state.shown_mut(function)?;
            if held.aliases.contains_key(name) {
                return Err(FunctionError::AliasExists(name.clone()));
            }
            held.check_target(alias)?;
            let alias = Alias { name: name.clone(), target: alias.clone(), revision: revision.clone() };
            held.aliases.insert(name.clone(), alias.clone());
            state.note(function, [Changed::Alias(name.clone())]);
            Ok(alias)
        })
    }

    async fn alias(&self, function: &FunctionName, name: &AliasName) -> Result<Option<Alias>, StoreError> {
        self.call("alias", |state| {
            let held = state.shown_function(function).ok();
            Ok(held.and_then(|held| held.aliases.get(name)).cloned())
        })
    }

    async fn update_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        expected: Option<&RevisionId>,
        revision: &RevisionId,
    ) -> Result<Alias, FunctionError> {
        self.change_function("update_alias", |state| {
            let held = state.shown_mut(function)?;
            let standing = held.aliases.get(name);
            let standing = standing.ok_or_else(|| FunctionError::NoSuchAlias(name.clone()))?;
            check_revision(expected, &standing.revision)?;
            held.check_target(alias)?;
            let alias = Alias { name: name.clone(), target: alias.clone(), revision: revision.clone() };
            held.aliases.insert(name.clone(), alias.clone());
            state.note(function, [Changed::Alias(name.clone())]);
            Ok(alias)
        })
    }

    async fn delete_alias(&self, function: &FunctionName, name: &AliasName) -> Result<(), FunctionError> {
        self.change_function("delete_alias", |state| {
            state.shown_mut(function)?.aliases.remove(name);
            state.note(function, [Changed::Alias(name.clone())]);
            Ok(())
        })
    }

    async fn aliases(
        &self,
        function: &FunctionName,
        of: Option<FunctionVersion>,
        after: Option<&AliasName>,
        max: u32,
    ) -> Result<Vec<Alias>, FunctionError> {
        self.change_function("aliases", |state| {
            let aliases = state.shown_function(function)?.aliases.values();
            let of = aliases.filter(|alias| of.is_none_or(|of| alias.points_to(of)));
            let page = of.filter(|alias| after.is_none_or(|after| alias.name > *after));
            Ok(page.take(max as usize).cloned().collect())
        })
    }
}

impl MemoryStore {
    fn change_function<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut State) -> Result<T, FunctionError>,
    ) -> Result<T, FunctionError> {
        self.call(operation, |state| Ok(effect(state)))?
    }
}

impl State {
    /// The function, unless it was deleted.
    pub(super) fn existing(&self, name: &FunctionName) -> Option<&HeldFunction> {
        self.functions.get(name).filter(|held| !held.deleted)
    }

    fn shown_function(&self, name: &FunctionName) -> Result<&HeldFunction, FunctionError> {
        let shown = self.existing(name).filter(|held| held.function.latest.is_some());
        shown.ok_or_else(|| FunctionError::NoSuchFunction(name.clone()))
    }

    fn shown_mut(&mut self, name: &FunctionName) -> Result<&mut HeldFunction, FunctionError> {
        let held = self.functions.get_mut(name);
        let shown = held.filter(|held| !held.deleted && held.function.latest.is_some());
        shown.ok_or_else(|| FunctionError::NoSuchFunction(name.clone()))
    }
}
