//! What every adapter of [`Profiles`] has to do.

use countersign_domain::tag::MAX_TAGS;
use countersign_domain::{Platform, Tags};

use super::samples::{at, maria, new_profile, profile_arn, profile_name};
use crate::StoreError;
use crate::profiles::{NewProfile, Profile, ProfileFilter, ProfileStatus, Profiles};
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
    a_list_has_the_profiles_that_are_wanted(&make().await).await;
    tags_are_put_on_and_taken_off(&make().await).await;
    a_profile_never_has_more_tags_than_the_limit(&make().await).await;
    a_name_is_used_once(&make().await).await;
    a_canceled_profile_stays_so(&make().await).await;
    a_revoked_profile_is_never_canceled(&make().await).await;
}

async fn a_profile_is_kept_as_it_was_created(store: &impl Profiles) {
    assert_eq!(store.profile(&profile_name("one")).await, Ok(None));
    let validity = "30DAYS".parse().expect("a period");
    let tags = tags(r#"{"team":"a","note":"two words, ß and \u0000"}"#);
    let platform = Platform::AwsLambdaSha384Ecdsa;
    let new = NewProfile { platform, validity, tags: tags.clone(), ..new_profile("one") };
    let expected = Profile {
        arn: profile_arn("one"),
        platform,
        validity,
        status: ProfileStatus::Active,
        tags,
        created_at: new.created_at,
        canceled_at: None,
        revocation: None,
    };
    assert_eq!(store.create_profile(&new).await, Ok(expected.clone()));
    assert_eq!(store.profile(&profile_name("one")).await, Ok(Some(expected)));
}

async fn profiles_are_listed_by_name(store: &impl Profiles) {
    for name in ["two", "one", "three"] {
        create(store, name).await;
    }
    let all = ProfileFilter::all();
    assert_eq!(listed(store, &all, None, 9).await, ["one", "three", "two"]);
    assert_eq!(listed(store, &all, None, 2).await, ["one", "three"]);
    assert_eq!(listed(store, &all, Some("three"), 2).await, ["two"]);
    assert_eq!(listed(store, &all, Some("th"), 1).await, ["three"], "after a name that no profile has");
}

async fn a_list_has_the_profiles_that_are_wanted(store: &(impl Profiles + RevocationRegistry)) {
    for name in ["active", "canceled", "revoked"] {
        create(store, name).await;
    }
    let lambda = NewProfile { platform: Platform::AwsLambdaSha384Ecdsa, ..new_profile("lambda") };
    store.create_profile(&lambda).await.expect("it is created");
    assert_eq!(store.cancel_profile(&profile_name("canceled"), at(5)).await, Ok(()));
    assert_eq!(store.revoke_profile(&profile_arn("revoked"), at(1), &maria(), "stolen", at(2)).await, Ok(()));
    let default = ProfileFilter::default();
    assert_eq!(listed(store, &default, None, 9).await, ["active", "lambda"]);
    let canceled = ProfileFilter { include_canceled: true, ..default.clone() };
    assert_eq!(listed(store, &canceled, None, 9).await, ["active", "canceled", "lambda"]);
    let statuses = vec![ProfileStatus::Revoked, ProfileStatus::Active, ProfileStatus::Revoked];
    let named = ProfileFilter { statuses, ..default.clone() };
    assert_eq!(listed(store, &named, None, 9).await, ["active", "lambda", "revoked"]);
    let platform = ProfileFilter { platform: Some(lambda.platform), ..ProfileFilter::all() };
    assert_eq!(listed(store, &platform, None, 9).await, ["lambda"]);
    assert_eq!(listed(store, &platform, Some("lambda"), 9).await, [""; 0]);
}

async fn tags_are_put_on_and_taken_off(store: &impl Profiles) {
    create(store, "one").await;
    let (name, none) = (profile_name("one"), profile_name("none"));
    assert_eq!(store.tag_profile(&name, &tags(r#"{"team":"a","cost":"1"}"#)).await, Ok(()));
    assert_eq!(store.tag_profile(&name, &tags(r#"{"team":"b"}"#)).await, Ok(()));
    assert_eq!(kept_tags(store).await, tags(r#"{"team":"b","cost":"1"}"#));
    let keys = ["cost", "never"].map(|key| key.parse().expect("a key"));
    assert_eq!(store.untag_profile(&name, &keys).await, Ok(()));
    assert_eq!(kept_tags(store).await, tags(r#"{"team":"b"}"#));
    let missing = Err(StoreError::NotFound("signing profile none".to_owned()));
    assert_eq!(store.tag_profile(&none, &Tags::default()).await, missing);
    assert_eq!(store.untag_profile(&none, &keys).await, missing);
}

async fn a_profile_never_has_more_tags_than_the_limit(store: &impl Profiles) {
    create(store, "one").await;
    let name = profile_name("one");
    let numbered: Vec<_> = (0..MAX_TAGS).map(|number| format!(r#""k{number}":"v""#)).collect();
    let full = tags(&format!("{{{}}}", numbered.join(",")));
    assert_eq!(store.tag_profile(&name, &full).await, Ok(()));
    let refused = store.tag_profile(&name, &tags(r#"{"k0":"w","more":""}"#)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(kept_tags(store).await, full, "a refused change changes nothing");
    assert_eq!(store.tag_profile(&name, &tags(r#"{"k0":"w"}"#)).await, Ok(()), "a key that is there");
}

async fn a_name_is_used_once(store: &impl Profiles) {
    create(store, "one").await;
    let other_version = "arn:aws:signer:eu-west-1:000000000000:/signing-profiles/one/XXXXXXXXXX";
    let other = NewProfile { arn: other_version.parse().expect("an ARN"), ..new_profile("one") };
    let taken = Err(StoreError::AlreadyExists("signing profile one".to_owned()));
    assert_eq!(store.create_profile(&other).await, taken);
    assert_eq!(store.cancel_profile(&profile_name("one"), at(5)).await, Ok(()));
    assert_eq!(store.create_profile(&other).await, taken, "cancelling frees no name");
    let kept = store.profile(&profile_name("one")).await.expect("it is read").expect("it is there");
    assert_eq!(kept.arn, profile_arn("one"), "a refused creation changes nothing");
}

async fn a_canceled_profile_stays_so(store: &impl Profiles) {
    create(store, "one").await;
    for _repeated in 0..2 {
        assert_eq!(store.cancel_profile(&profile_name("one"), at(5)).await, Ok(()));
        assert_eq!(status(store, "one").await, ProfileStatus::Canceled);
    }
    assert_eq!(store.cancel_profile(&profile_name("one"), at(6)).await, Ok(()));
    let kept = store.profile(&profile_name("one")).await.expect("it is read").expect("it is there");
    assert_eq!(kept.canceled_at, Some(at(5)), "the first time counts");
    let missing = Err(StoreError::NotFound("signing profile two".to_owned()));
    assert_eq!(store.cancel_profile(&profile_name("two"), at(5)).await, missing);
}

async fn a_revoked_profile_is_never_canceled(store: &(impl Profiles + RevocationRegistry)) {
    create(store, "one").await;
    assert_eq!(store.revoke_profile(&profile_arn("one"), at(1), &maria(), "stolen", at(2)).await, Ok(()));
    let refused = store.cancel_profile(&profile_name("one"), at(5)).await;
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

async fn listed(
    store: &impl Profiles,
    filter: &ProfileFilter,
    after: Option<&str>,
    max: usize,
) -> Vec<String> {
    let after = after.map(profile_name);
    let listed = store.list_profiles(filter, after.as_ref(), max).await.expect("they are listed");
    listed.iter().map(|profile| profile.arn.profile().name().to_string()).collect()
}

async fn kept_tags(store: &impl Profiles) -> Tags {
    store.profile(&profile_name("one")).await.expect("it is read").expect("it is there").tags
}

fn tags(json: &str) -> Tags {
    serde_json::from_str(json).expect("tags")
}
