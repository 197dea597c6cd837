use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::{LayerName, LayerPermission, RevisionId, StatementId};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::layers::{LayerError, LayerPolicy, LayerVersion, Layers, NewLayerVersion};

#[derive(Default)]
pub(super) struct HeldLayer {
    newest_version: u64,
    versions: BTreeMap<u64, LayerVersion>,
    policies: BTreeMap<u64, LayerPolicy>,
}

#[async_trait]
impl Layers for MemoryStore {
    async fn publish_layer(
        &self,
        layer: &LayerName,
        new: &NewLayerVersion,
    ) -> Result<LayerVersion, StoreError> {
        self.call("publish_layer", |state| {
            let held = state.layers.entry(layer.clone()).or_default();
            held.newest_version += 1;
            let NewLayerVersion { content, about, created_at } = new.clone();
            let version = held.newest_version;
            let published = LayerVersion { layer: layer.clone(), version, content, about, created_at };
            held.versions.insert(version, published.clone());
            Ok(published)
        })
    }

    async fn layer_version(
        &self,
        layer: &LayerName,
        version: u64,
    ) -> Result<Option<LayerVersion>, StoreError> {
        self.call("layer_version", |state| {
            let held = state.layers.get(layer);
            Ok(held.and_then(|held| held.versions.get(&version)).cloned())
        })
    }

    async fn list_layers(
        &self,
        after: Option<&LayerName>,
        max: u32,
    ) -> Result<Vec<LayerVersion>, StoreError> {
        self.call("list_layers", |state| {
            let page = state.layers.iter().filter(|(name, _)| after.is_none_or(|after| *name > after));
            let newest = page.filter_map(|(_, held)| held.versions.values().next_back());
            Ok(newest.take(max as usize).cloned().collect())
        })
    }

    async fn layer_versions(
        &self,
        layer: &LayerName,
        before: Option<u64>,
        max: u32,
    ) -> Result<Vec<LayerVersion>, StoreError> {
        self.call("layer_versions", |state| {
            let versions = state.layers.get(layer).into_iter().flat_map(|held| held.versions.values().rev());
            let page = versions.filter(|version| before.is_none_or(|before| version.version < before));
            Ok(page.take(max as usize).cloned().collect())
        })
    }

    async fn delete_layer_version(&self, layer: &LayerName, version: u64) -> Result<(), StoreError> {
        self.call("delete_layer_version", |state| {
            if let Some(held) = state.layers.get_mut(layer) {
                held.versions.remove(&version);
                held.policies.remove(&version);
            }
            Ok(())
        })
    }

    async fn layer_policy(&self, layer: &LayerName, version: u64) -> Result<Option<LayerPolicy>, StoreError> {
        self.call("layer_policy", |state| {
            let held = state.layers.get(layer);
            Ok(held.and_then(|held| held.policies.get(&version)).cloned())
        })
    }

    async fn add_layer_permission(
        &self,
        layer: &LayerName,
        version: u64,
        permission: &LayerPermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), LayerError> {
        self.call("add_layer_permission", |state| {
            Ok(state.change_policy(layer, version, |policy| {
                LayerPolicy::with(policy, permission, expected, new).map(Some)
            }))
        })?
    }

    async fn remove_layer_permission(
        &self,
        layer: &LayerName,
        version: u64,
        statement: &StatementId,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), LayerError> {
        self.call("remove_layer_permission", |state| {
            Ok(state.change_policy(layer, version, |policy| {
                LayerPolicy::without(policy, statement, expected, new)
            }))
        })?
    }
}

impl State {
    fn change_policy(
        &mut self,
        layer: &LayerName,
        version: u64,
        change: impl FnOnce(Option<LayerPolicy>) -> Result<Option<LayerPolicy>, LayerError>,
    ) -> Result<(), LayerError> {
        let held = self.layers.get_mut(layer).filter(|held| held.versions.contains_key(&version));
        let missing = || LayerError::NoSuchVersion { layer: layer.clone(), version };
        let policies = &mut held.ok_or_else(missing)?.policies;
        match change(policies.get(&version).cloned())? {
            Some(policy) => policies.insert(version, policy),
            None => policies.remove(&version),
        };
        Ok(())
    }
}
