use async_trait::async_trait;
use countersign_domain::{ProfileName, TagKey, Tags, UnixMillis};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::profiles::{NewProfile, Profile, ProfileFilter, ProfileStatus, Profiles};

#[async_trait]
impl Profiles for MemoryStore {
    async fn create_profile(&self, profile: &NewProfile) -> Result<Profile, StoreError> {
        self.call("create_profile", |state| {
            let name = profile.arn.profile().name();
            if state.profiles.contains_key(name) {
                return Err(StoreError::AlreadyExists(format!("signing profile {name}")));
            }
            let profile = profile.clone().created();
            state.profiles.insert(name.clone(), profile.clone());
            Ok(profile)
        })
    }

    async fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, StoreError> {
        self.call("profile", |state| Ok(state.profiles.get(name).cloned()))
    }

    async fn list_profiles(
        &self,
        filter: &ProfileFilter,
        after: Option<&ProfileName>,
        max: usize,
    ) -> Result<Vec<Profile>, StoreError> {
        self.call("list_profiles", |state| {
            let statuses = filter.wanted_statuses();
            let wanted = state.profiles.iter().filter(|(name, profile)| {
                statuses.contains(&profile.status)
                    && filter.platform.is_none_or(|platform| profile.platform == platform)
                    && after.is_none_or(|after| *name > after)
            });
            Ok(wanted.map(|(_, profile)| profile.clone()).take(max).collect())
        })
    }

    async fn cancel_profile(&self, name: &ProfileName, at: UnixMillis) -> Result<(), StoreError> {
        self.call("cancel_profile", |state| {
            let profile = state.profile_mut(name)?;
            match profile.status {
                ProfileStatus::Revoked => {
                    Err(StoreError::Conflict(format!("signing profile {name} is revoked")))
                }
                ProfileStatus::Canceled => Ok(()),
                ProfileStatus::Active => {
                    profile.status = ProfileStatus::Canceled;
                    profile.canceled_at = Some(at);
                    Ok(())
                }
            }
        })
    }

    async fn tag_profile(&self, name: &ProfileName, tags: &Tags) -> Result<(), StoreError> {
        self.call("tag_profile", |state| {
            let profile = state.profile_mut(name)?;
            profile.tags = profile
                .tags
                .with(tags)
                .map_err(|error| StoreError::Conflict(format!("signing profile {name}: {error}")))?;
            Ok(())
        })
    }

    async fn untag_profile(&self, name: &ProfileName, keys: &[TagKey]) -> Result<(), StoreError> {
        self.call("untag_profile", |state| {
            let profile = state.profile_mut(name)?;
            profile.tags = profile.tags.without(keys);
            Ok(())
        })
    }
}

impl State {
    fn profile_mut(&mut self, name: &ProfileName) -> Result<&mut Profile, StoreError> {
        let profile = self.profiles.get_mut(name);
        profile.ok_or_else(|| StoreError::NotFound(format!("signing profile {name}")))
    }
}
