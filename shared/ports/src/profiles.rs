//! Signing profiles.

use async_trait::async_trait;
use countersign_domain::{Platform, ProfileName, ProfileVersionArn, UnixMillis, ValidityPeriod};

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

    /// Every profile, in the order of their names.
    async fn profiles(&self) -> Result<Vec<Profile>, StoreError>;

    /// Ends signing with the profile; what it signed stays valid. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if the profile is revoked.
    async fn cancel_profile(&self, name: &ProfileName) -> Result<(), StoreError>;
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
    /// When it was created.
    pub created_at: UnixMillis,
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

impl std::fmt::Display for ProfileStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Active => "Active",
            Self::Canceled => "Canceled",
            Self::Revoked => "Revoked",
        })
    }
}
