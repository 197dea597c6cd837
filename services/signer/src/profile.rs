//! New signing profiles, for the API and for the command line.

use std::io;

use countersign_domain::{
    Platform, ProfileArn, ProfileName, ProfileVersionArn, Scope, Tags, UnixMillis, ValidityPeriod,
};
use countersign_ports::StoreError;
use countersign_ports::keys::{KeyError, SigningKeys};
use countersign_ports::profiles::{Profile, Profiles};
use countersign_runtime::random;

pub use countersign_ports::profiles::NewProfile;

/// Why there is no new profile.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name was used before.
    #[error("the profile name {0} was used before, and is never free again: choose another")]
    NameUsed(ProfileName),
    /// The custody made no key, and nothing was created.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The state did not take it.
    #[error(transparent)]
    Store(StoreError),
}

/// A profile in `scope` without tags, with a version that nobody can guess.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn new_profile(
    scope: &Scope,
    name: &ProfileName,
    platform: Platform,
    validity: ValidityPeriod,
    created_at: UnixMillis,
) -> io::Result<NewProfile> {
    let profile = ProfileArn::new(scope.clone(), name.clone());
    let version = random::text(VERSION_CHARACTERS, random::LETTERS_AND_DIGITS)?;
    let version = version.parse().expect("10 letters and digits are a profile version");
    let arn = ProfileVersionArn::new(profile, version);
    Ok(NewProfile { arn, platform, validity, tags: Tags::default(), created_at })
}

/// Creates the profile with its first key, so that the first package does not wait for it.
///
/// # Errors
/// [`CreateError`]; then there is no such profile, unless the state lost its answer.
pub async fn create(
    profiles: &dyn Profiles,
    keys: &dyn SigningKeys,
    new: &NewProfile,
) -> Result<Profile, CreateError> {
    let name = new.arn.profile().name();
    // Before a key is made for nothing, and to fail early: the store has the last word.
    if profiles.profile(name).await.map_err(CreateError::Store)?.is_some() {
        return Err(CreateError::NameUsed(name.clone()));
    }
    // The key first: a profile whose key cannot be made would take its name for ever. CRASH: the key of a version that
    // nobody knows runs out.
    keys.leaf(&new.arn, new.platform, new.created_at).await?;
    profiles.create_profile(new).await.map_err(|error| match error {
        StoreError::AlreadyExists(_) => CreateError::NameUsed(name.clone()),
        error @ (StoreError::Unavailable(_)
        | StoreError::Corrupt { .. }
        | StoreError::LeaseLost(_)
        | StoreError::NotFound(_)
        | StoreError::Conflict(_)) => CreateError::Store(error),
    })
}

/// The length of a profile version (Signer's `ProfileVersion`).
const VERSION_CHARACTERS: usize = 10;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use countersign_ports::fakes::{FaultPlan, MemoryStore};
    use countersign_ports::keys::{Leaf, LeafId, SigningDigest};

    use super::*;

    /// A custody that counts its keys, or makes none.
    #[derive(Default)]
    struct Custody {
        made: AtomicUsize,
        broken: bool,
    }

    #[async_trait]
    impl SigningKeys for Custody {
        async fn leaf(&self, _: &ProfileVersionArn, _: Platform, _: UnixMillis) -> Result<Leaf, KeyError> {
            if self.broken {
                return Err(KeyError::Unavailable("it is".into()));
            }
            self.made.fetch_add(1, Ordering::SeqCst);
            Ok(Leaf { id: LeafId("leaf".into()), certificates: Vec::new() })
        }

        async fn sign_digest(&self, id: &LeafId, _: &SigningDigest) -> Result<Vec<u8>, KeyError> {
            Err(KeyError::UnknownLeaf(id.0.clone()))
        }
    }

    fn new() -> NewProfile {
        let (scope, name) = (Scope::new("us-east-1", "000000000000").unwrap(), "name".parse().unwrap());
        let (platform, at) = (Platform::AwsLambdaSha384Ecdsa, UnixMillis::EPOCH);
        new_profile(&scope, &name, platform, ValidityPeriod::DEFAULT, at).unwrap()
    }

    #[test]
    fn two_profiles_of_one_name_have_different_versions() {
        assert_ne!(new().arn, new().arn);
        assert_eq!(new().arn.profile(), new().arn.profile());
    }

    #[tokio::test]
    async fn a_profile_whose_key_cannot_be_made_does_not_take_its_name() {
        let store = MemoryStore::new(FaultPlan::default());
        let broken = Custody { broken: true, ..Custody::default() };
        let failed = create(&store, &broken, &new()).await;
        assert!(matches!(failed, Err(CreateError::Keys(_))), "{failed:?}");
        let created = new();
        let profile = create(&store, &Custody::default(), &created).await.unwrap();
        assert_eq!(profile.arn, created.arn);
    }

    #[tokio::test]
    async fn no_key_is_made_for_a_name_that_was_used() {
        let (store, custody) = (MemoryStore::new(FaultPlan::default()), Custody::default());
        create(&store, &custody, &new()).await.unwrap();
        let again = create(&store, &custody, &new()).await;
        assert!(matches!(again, Err(CreateError::NameUsed(_))), "{again:?}");
        assert_eq!(custody.made.load(Ordering::SeqCst), 1);
    }
}
