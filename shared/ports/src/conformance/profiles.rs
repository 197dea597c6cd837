//! What every adapter of [`Profiles`] has to do.

use countersign_domain::Platform;

use super::samples::{at, new_profile, profile_arn, profile_name};
use crate::StoreError;
use crate::profiles::{NewProfile, Profile, ProfileStatus, Profiles};
use crate::revocations::RevocationRegistry;

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: Profiles + RevocationRegistry,
{
    a_profile_is_kept_as_it_was_created(&make().await).await;
    profiles_are_listed_by_name(&make().await).await;
    a_name_is_used_once(&make().await).await;
    a_canceled_profile_stays_so(&make().await).await;
    a_revoked_profile_is_never_canceled(&make().await).await;
}

async fn a_profile_is_kept_as_it_was_created(store: &impl Profiles) {
    assert_eq!(store.profile(&profile_name("one")).await, Ok(None));
    let validity = "30DAYS".parse().expect("a period");
    let new = NewProfile { platform: Platform::AwsLambdaSha384Ecdsa, validity, ..new_profile("one") };
    let NewProfile { arn, platform, validity, created_at } = new.clone();
    let expected = Profile { arn, platform, validity, status: ProfileStatus::Active, created_at };
    assert_eq!(store.create_profile(&new).await, Ok(expected.clone()));
    assert_eq!(store.profile(&profile_name("one")).await, Ok(Some(expected)));
}

async fn profiles_are_listed_by_name(store: &impl Profiles) {
    for name in ["two", "one", "three"] {
        create(store, name).await;
    }
    let listed = store.profiles().await.expect("they are listed");
    let names: Vec<_> = listed.iter().map(|profile| profile.arn.profile().name().as_str()).collect();
    assert_eq!(names, ["one", "three", "two"]);
}

async fn a_name_is_used_once(store: &impl Profiles) {
    create(store, "one").await;
    let other_version = "arn:aws:signer:eu-west-1:000000000000:/signing-profiles/one/XXXXXXXXXX";
    let other = NewProfile { arn: other_version.parse().expect("an ARN"), ..new_profile("one") };
    let taken = Err(StoreError::AlreadyExists("signing profile one".to_owned()));
    assert_eq!(store.create_profile(&other).await, taken);
    assert_eq!(store.cancel_profile(&profile_name("one")).await, Ok(()));
    assert_eq!(store.create_profile(&other).await, taken, "cancelling frees no name");
    let kept = store.profile(&profile_name("one")).await.expect("it is read").expect("it is there");
    assert_eq!(kept.arn, profile_arn("one"), "a refused creation changes nothing");
}

async fn a_canceled_profile_stays_so(store: &impl Profiles) {
    create(store, "one").await;
    for _repeated in 0..2 {
        assert_eq!(store.cancel_profile(&profile_name("one")).await, Ok(()));
        assert_eq!(status(store, "one").await, ProfileStatus::Canceled);
    }
    let missing = Err(StoreError::NotFound("signing profile two".to_owned()));
    assert_eq!(store.cancel_profile(&profile_name("two")).await, missing);
}

async fn a_revoked_profile_is_never_canceled(store: &(impl Profiles + RevocationRegistry)) {
    create(store, "one").await;
    assert_eq!(store.revoke_profile(&profile_arn("one"), at(1), "stolen", at(2)).await, Ok(()));
    let refused = store.cancel_profile(&profile_name("one")).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(status(store, "one").await, ProfileStatus::Revoked);
    let taken = store.create_profile(&new_profile("one")).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists(_))), "revoking frees no name: {taken:?}");
}

async fn create(store: &impl Profiles, name: &str) {
    store.create_profile(&new_profile(name)).await.expect("it is created");
}

async fn status(store: &impl Profiles, name: &str) -> ProfileStatus {
    store.profile(&profile_name(name)).await.expect("it is read").expect("it is there").status
}
