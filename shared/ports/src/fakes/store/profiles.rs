use async_trait::async_trait;
use countersign_domain::ProfileName;

use super::MemoryStore;
use crate::StoreError;
use crate::profiles::{NewProfile, Profile, ProfileStatus, Profiles};

#[async_trait]
impl Profiles for MemoryStore {
    async fn create_profile(&self, profile: &NewProfile) -> Result<Profile, StoreError> {
        self.call("create_profile", |state| {
            let name = profile.arn.profile().name();
            if state.profiles.contains_key(name) {
                return Err(StoreError::AlreadyExists(format!("signing profile {name}")));
            }
            let NewProfile { arn, platform, validity, created_at } = profile.clone();
            let profile = Profile { arn, platform, validity, status: ProfileStatus::Active, created_at };
            state.profiles.insert(name.clone(), profile.clone());
            Ok(profile)
        })
    }

    async fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, StoreError> {
        self.call("profile", |state| Ok(state.profiles.get(name).cloned()))
    }

    async fn profiles(&self) -> Result<Vec<Profile>, StoreError> {
        self.call("profiles", |state| Ok(state.profiles.values().cloned().collect()))
    }

    async fn cancel_profile(&self, name: &ProfileName) -> Result<(), StoreError> {
        self.call("cancel_profile", |state| {
            let profile = state
                .profiles
                .get_mut(name)
                .ok_or_else(|| StoreError::NotFound(format!("signing profile {name}")))?;
            if profile.status == ProfileStatus::Revoked {
                return Err(StoreError::Conflict(format!("signing profile {name} is revoked")));
            }
            profile.status = ProfileStatus::Canceled;
            Ok(())
        })
    }
}
