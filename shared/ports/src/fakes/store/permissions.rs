use async_trait::async_trait;
use countersign_domain::{ProfileName, ProfilePermission, RevisionId, StatementId};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::permissions::{PermissionError, ProfilePermissions, ProfilePolicy};

#[async_trait]
impl ProfilePermissions for MemoryStore {
    async fn permissions(&self, profile: &ProfileName) -> Result<Option<ProfilePolicy>, StoreError> {
        self.call("permissions", |state| Ok(state.policies.get(profile).cloned()))
    }

    async fn add_permission(
        &self,
        profile: &ProfileName,
        permission: &ProfilePermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), PermissionError> {
        self.change("add_permission", profile, |standing| {
            ProfilePolicy::adding(standing, profile, permission, expected, new).map(Some)
        })
    }

    async fn remove_permission(
        &self,
        profile: &ProfileName,
        statement: &StatementId,
        expected: &RevisionId,
        new: &RevisionId,
    ) -> Result<(), PermissionError> {
        self.change("remove_permission", profile, |standing| {
            ProfilePolicy::removing(standing, profile, statement, expected, new)
        })
    }
}

impl MemoryStore {
    fn change(
        &self,
        operation: &'static str,
        profile: &ProfileName,
        change: impl FnOnce(Option<ProfilePolicy>) -> Result<Option<ProfilePolicy>, PermissionError>,
    ) -> Result<(), PermissionError> {
        self.call(operation, |state| Ok(changed(state, profile, change)))?
    }
}

fn changed(
    state: &mut State,
    profile: &ProfileName,
    change: impl FnOnce(Option<ProfilePolicy>) -> Result<Option<ProfilePolicy>, PermissionError>,
) -> Result<(), PermissionError> {
    if !state.profiles.contains_key(profile) {
        return Err(PermissionError::NoSuchProfile(profile.clone()));
    }
    match change(state.policies.get(profile).cloned())? {
        Some(policy) => state.policies.insert(profile.clone(), policy),
        None => state.policies.remove(profile),
    };
    Ok(())
}
