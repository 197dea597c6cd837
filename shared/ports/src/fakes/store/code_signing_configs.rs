use async_trait::async_trait;
use countersign_domain::{
    CodeSigningConfig, CodeSigningConfigId, CodeSigningConfigName, FunctionName, Scope, TagKey, Tags,
    UnixMillis,
};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::code_signing_configs::{
    CodeSigningConfigs, ConfigError, ConfigUpdate, KeptConfig, NewConfig, check_publishers, declared_by_name,
};

#[async_trait]
impl CodeSigningConfigs for MemoryStore {
    async fn declare(
        &self,
        scope: &Scope,
        configs: &[CodeSigningConfig],
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.call("declare", |state| {
            let declared = declared_by_name(scope, configs, at)?;
            let gone: Vec<_> = state.configs.values().filter(|kept| kept.declared).collect();
            for name in gone.iter().map(|kept| &kept.name).filter(|name| !declared.contains_key(name)) {
                if let Some(function) = state.bound_to(name) {
                    return Err(StoreError::Conflict(format!(
                        "function {function} is bound to code signing config {name}, which is no longer declared"
                    )));
                }
            }
            let demands = |kept: &KeptConfig| (kept.id.clone(), kept.demands());
            let before: Vec<_> = gone.into_iter().map(demands).collect();
            if before == declared.values().map(demands).collect::<Vec<_>>() {
                return Ok(());
            }
            state.configs.retain(|_, kept| !kept.declared);
            state.configs.extend(declared);
            state.revision += 1;
            Ok(())
        })
    }

    async fn code_signing_config(
        &self,
        name: &CodeSigningConfigName,
    ) -> Result<Option<CodeSigningConfig>, StoreError> {
        self.call("code_signing_config", |state| Ok(state.configs.get(name).map(KeptConfig::demands)))
    }

    async fn create_config(&self, config: &NewConfig) -> Result<KeptConfig, ConfigError> {
        check_publishers(&config.publishers)?;
        self.call("create_config", |state| {
            Ok(if state.config(&config.id).is_ok() {
                Err(ConfigError::Exists(config.id.clone()))
            } else {
                let kept = KeptConfig::from(config);
                state.configs.insert(kept.name.clone(), kept.clone());
                Ok(kept)
            })
        })?
    }

    async fn config(&self, id: &CodeSigningConfigId) -> Result<Option<KeptConfig>, StoreError> {
        self.call("config", |state| Ok(state.config(id).ok().cloned()))
    }

    async fn config_named(&self, name: &CodeSigningConfigName) -> Result<Option<KeptConfig>, StoreError> {
        self.call("config_named", |state| Ok(state.configs.get(name).cloned()))
    }

    async fn update_config(
        &self,
        id: &CodeSigningConfigId,
        update: &ConfigUpdate,
        at: UnixMillis,
    ) -> Result<KeptConfig, ConfigError> {
        update.publishers.as_deref().map_or(Ok(()), check_publishers)?;
        self.call("update_config", |state| Ok(state.update(id, update, at)))?
    }

    async fn delete_config(&self, id: &CodeSigningConfigId) -> Result<(), ConfigError> {
        self.call("delete_config", |state| Ok(state.delete(id)))?
    }

    async fn configs(
        &self,
        after: Option<&CodeSigningConfigId>,
        max: u32,
    ) -> Result<Vec<KeptConfig>, StoreError> {
        self.call("configs", |state| {
            let mut all: Vec<_> = state.configs.values().cloned().collect();
            all.sort_by(|one, other| one.id.cmp(&other.id));
            let page = all.into_iter().filter(|kept| after.is_none_or(|after| kept.id > *after));
            Ok(page.take(max as usize).collect())
        })
    }

    async fn functions_of_config(
        &self,
        id: &CodeSigningConfigId,
        after: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<FunctionName>, ConfigError> {
        self.call("functions_of_config", |state| {
            Ok(state.config(id).map(|config| {
                let bound = state.functions.values().filter(|held| held.is_bound_to(&config.name));
                let shown =
                    bound.filter(|held| held.function.latest.is_some()).map(|held| &held.function.name);
                let page = shown.filter(|name| after.is_none_or(|after| *name > after));
                page.take(max as usize).cloned().collect()
            }))
        })?
    }

    async fn tag_config(
        &self,
        id: &CodeSigningConfigId,
        tags: &Tags,
        removed: &[TagKey],
    ) -> Result<(), ConfigError> {
        self.call("tag_config", |state| Ok(state.tag(id, tags, removed)))?
    }
}

impl State {
    fn config(&self, id: &CodeSigningConfigId) -> Result<&KeptConfig, ConfigError> {
        let found = self.configs.values().find(|kept| kept.id == *id);
        found.ok_or_else(|| ConfigError::NoSuchConfig(id.clone()))
    }

    /// A config that the API made.
    fn made(&self, id: &CodeSigningConfigId) -> Result<KeptConfig, ConfigError> {
        let kept = self.config(id)?;
        if kept.declared { Err(ConfigError::Declared(kept.name.clone())) } else { Ok(kept.clone()) }
    }

    fn update(
        &mut self,
        id: &CodeSigningConfigId,
        update: &ConfigUpdate,
        at: UnixMillis,
    ) -> Result<KeptConfig, ConfigError> {
        let standing = self.made(id)?;
        if *update == ConfigUpdate::default() {
            return Ok(standing);
        }
        let updated = standing.updated(update, at);
        if updated.demands() != standing.demands() {
            self.revision += 1;
        }
        self.configs.insert(updated.name.clone(), updated.clone());
        Ok(updated)
    }

    fn delete(&mut self, id: &CodeSigningConfigId) -> Result<(), ConfigError> {
        let kept = self.made(id)?;
        if let Some(function) = self.bound_to(&kept.name) {
            return Err(ConfigError::Bound { id: id.clone(), function: function.clone() });
        }
        self.configs.remove(&kept.name);
        self.revision += 1;
        Ok(())
    }

    fn tag(&mut self, id: &CodeSigningConfigId, tags: &Tags, removed: &[TagKey]) -> Result<(), ConfigError> {
        let kept = self.made(id)?;
        let tags = kept.tags.without(removed).with(tags)?;
        self.configs.insert(kept.name.clone(), KeptConfig { tags, ..kept });
        Ok(())
    }

    fn bound_to(&self, config: &CodeSigningConfigName) -> Option<&FunctionName> {
        let bound = self.functions.values().find(|held| held.is_bound_to(config));
        bound.map(|held| &held.function.name)
    }
}
