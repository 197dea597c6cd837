//! Signing profiles.

use async_trait::async_trait;
use countersign_domain::{
    Platform, PrincipalArn, ProfileName, ProfileVersionArn, TagKey, Tags, UnixMillis, ValidityPeriod,
};

use crate::StoreError;

/// The signing profiles. A name is used once and for all: neither cancelling nor revoking frees it.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// Creates the profile.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] if the name was ever used, whatever the scope of its ARN.
    async fn create_profile(&self, profile: &NewProfile) -> Result<Profile, StoreError>;

    /// The profile of this name, whatever its status.
    async fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, StoreError>;

    /// Up to `max` of the profiles that `filter` wants, in the order of their names, from the one after `after` on.
    async fn list_profiles(
        &self,
        filter: &ProfileFilter,
        after: Option<&ProfileName>,
        max: usize,
    ) -> Result<Vec<Profile>, StoreError>;

    /// Ends signing with the profile at `at`; what it signed stays valid. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if the profile is revoked.
    async fn cancel_profile(&self, name: &ProfileName, at: UnixMillis) -> Result<(), StoreError>;

    /// Puts tags on the profile, whatever its status; a key that it has gets the new value.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if it would have more than
    /// [`MAX_TAGS`](countersign_domain::tag::MAX_TAGS).
    async fn tag_profile(&self, name: &ProfileName, tags: &Tags) -> Result<(), StoreError>;

    /// Takes tags off the profile, whatever its status; keys that it does not have change nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn untag_profile(&self, name: &ProfileName, keys: &[TagKey]) -> Result<(), StoreError>;
}

/// A profile to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProfile {
    /// Its ARN with the version that was minted for it.
    pub arn: ProfileVersionArn,
    /// What it signs with.
    pub platform: Platform,
    /// How long its signatures are valid.
    pub validity: ValidityPeriod,
    /// Its tags, at first.
    pub tags: Tags,
    /// When it is created.
    pub created_at: UnixMillis,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its ARN with its version.
    pub arn: ProfileVersionArn,
    /// What it signs with.
    pub platform: Platform,
    /// How long its signatures are valid.
    pub validity: ValidityPeriod,
    /// Whether it signs.
    pub status: ProfileStatus,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: UnixMillis,
    /// When it was canceled, if that is known. It stays when the profile is revoked later.
    pub canceled_at: Option<UnixMillis>,
    /// Its revocation; of a revoked profile alone.
    pub revocation: Option<ProfileRevocation>,
}

/// How a profile version was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRevocation {
    /// Signatures made strictly after this instant are not trusted.
    pub effective_from: UnixMillis,
    /// When somebody revoked it.
    pub revoked_at: UnixMillis,
    /// Who did it.
    pub revoked_by: PrincipalArn,
    /// Why, for people.
    pub reason: String,
}

/// Which profiles are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFilter {
    /// They sign with this.
    pub platform: Option<Platform>,
    /// They have one of these; with none named, they are active.
    pub statuses: Vec<ProfileStatus>,
    /// Canceled ones are wanted too.
    pub include_canceled: bool,
}

impl NewProfile {
    /// The profile as it is once it is created: active.
    pub fn created(self) -> Profile {
        let Self { arn, platform, validity, tags, created_at } = self;
        let (status, canceled_at, revocation) = (ProfileStatus::Active, None, None);
        Profile { arn, platform, validity, status, tags, created_at, canceled_at, revocation }
    }
}

impl ProfileFilter {
    /// Every profile there is.
    pub fn all() -> Self {
        Self { platform: None, statuses: ProfileStatus::ALL.to_vec(), include_canceled: true }
    }

    /// The statuses that are wanted, each once.
    pub fn wanted_statuses(&self) -> Vec<ProfileStatus> {
        let named = |status| match status {
            ProfileStatus::Active if self.statuses.is_empty() => true,
            ProfileStatus::Canceled if self.include_canceled => true,
            ProfileStatus::Active | ProfileStatus::Canceled | ProfileStatus::Revoked => {
                self.statuses.contains(&status)
            }
        };
        ProfileStatus::ALL.into_iter().filter(|status| named(*status)).collect()
    }
}

/// Signer's `SigningProfileStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileStatus {
    /// It signs.
    Active,
    /// It signs no more; its signatures stay valid.
    Canceled,
    /// It signs no more; its signatures made after the effective time are not trusted.
    Revoked,
}

impl ProfileStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Canceled, Self::Revoked];
}

impl std::fmt::Display for ProfileStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Active => "Active",
            Self::Canceled => "Canceled",
            Self::Revoked => "Revoked",
        })
    }
}
