//! What every adapter of [`RevocationSource`] and [`RevocationRegistry`] has to do.

use countersign_domain::{JobArn, Sha256Digest, UnixMillis};

use super::samples::{at, lease, maria, new_job, new_profile, profile_arn, profile_name, signature, told};
use crate::StoreError;
use crate::jobs::{JobClaim, JobRevocation, Jobs, NewJob, Signature};
use crate::profiles::{Profile, ProfileRevocation, ProfileStatus, Profiles};
use crate::revocations::{Revocation, RevocationRegistry, RevocationSource, RevocationStatus};

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: RevocationRegistry + Jobs + Profiles,
{
    what_was_never_revoked_is_not(&make().await).await;
    a_job_is_revoked_once(&make().await).await;
    only_a_signature_can_be_revoked(&make().await).await;
    a_reused_signature_is_revoked_with_every_job_that_delivers_it(&make().await).await;
    a_profile_version_is_revoked_from_an_instant(&make().await).await;
    the_effective_time_only_moves_earlier(&make().await).await;
    only_the_version_that_exists_can_be_revoked(&make().await).await;
    a_canceled_profile_can_be_revoked(&make().await).await;
}

async fn what_was_never_revoked_is_not(store: &impl RevocationSource) {
    assert_eq!(status(store, &new_job("a.zip").arn).await, RevocationStatus::default());
}

async fn a_job_is_revoked_once(store: &(impl RevocationRegistry + Jobs)) {
    let job = signed(store, "a.zip", None).await;
    let other = signed(store, "b.zip", None).await;
    assert_eq!(store.revoke_job(&job.arn, &maria(), "bad", at(7)).await, Ok(()));
    assert_eq!(
        store.revoke_job(&job.arn, &maria(), "worse", at(8)).await,
        Ok(()),
        "repeating it is no error"
    );
    let first = RevocationStatus { job: Some(revoked(epoch(), 7, "bad")), profile: None };
    assert_eq!(status(store, &job.arn).await, first, "the first record stays");
    let shown = store.job(&job.arn).await.expect("it is read").expect("it is there").revocation;
    let record = JobRevocation { revoked_at: at(7), revoked_by: maria(), reason: "bad".to_owned() };
    assert_eq!(shown, Some(record), "the job shows who revoked it");
    assert_eq!(status(store, &other.arn).await, RevocationStatus::default(), "another job is untouched");
}

async fn only_a_signature_can_be_revoked(store: &(impl RevocationRegistry + Jobs)) {
    let begun = claimed(store, "begun.zip").await;
    let failed = claimed(store, "failed.zip").await;
    assert_eq!(store.fail_job(&failed.arn, &lease("w1", 5, 10), "no", &[]).await, Ok(()));
    for job in [new_job("never.zip"), begun, failed] {
        let refused = store.revoke_job(&job.arn, &maria(), "bad", at(7)).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
}

async fn a_reused_signature_is_revoked_with_every_job_that_delivers_it(
    store: &(impl RevocationRegistry + Jobs),
) {
    let first = signed(store, "a.zip", None).await;
    let second = signed(store, "b.zip", Some(&first)).await;
    let unsigned = Sha256Digest::of(b"u");
    let reusable = store.reusable_signature(&profile_arn("one"), &unsigned, at(5)).await;
    assert_eq!(reusable.map(|found| found.map(|found| found.signed_by)), Ok(Some(first.arn.clone())));
    assert_eq!(store.revoke_job(&second.arn, &maria(), "bad", at(7)).await, Ok(()));
    for job in [&first, &second] {
        let shown = store.job(&job.arn).await.expect("it is read").expect("it is there");
        assert!(shown.revocation.is_some(), "the job of {} shows none", shown.source);
        let status = status(store, &job.arn).await;
        assert_eq!(status.job, Some(revoked(epoch(), 7, "bad")), "what the package names is revoked");
    }
    let reusable = store.reusable_signature(&profile_arn("one"), &unsigned, at(5)).await;
    assert_eq!(reusable, Ok(None), "a revoked signature is not given out again");
}

async fn a_profile_version_is_revoked_from_an_instant(store: &(impl RevocationRegistry + Jobs + Profiles)) {
    store.create_profile(&new_profile("one")).await.expect("it is created");
    let job = signed(store, "a.zip", None).await;
    let future = store.revoke_profile(&job.profile, at(8), &maria(), "stolen", at(7)).await;
    assert!(matches!(future, Err(StoreError::Conflict(_))), "effective in the future: {future:?}");
    assert_eq!(profile_status(store).await, ProfileStatus::Active, "a refused revocation changes nothing");
    assert_eq!(store.revoke_profile(&job.profile, at(6), &maria(), "stolen", at(7)).await, Ok(()));
    let expected = RevocationStatus { job: None, profile: Some(revoked(at(6), 7, "stolen")) };
    assert_eq!(status(store, &job.arn).await, expected);
    let shown = profile(store).await;
    assert_eq!(shown.status, ProfileStatus::Revoked, "it signs no more");
    let (revoked_by, reason) = (maria(), "stolen".to_owned());
    let record = ProfileRevocation { effective_from: at(6), revoked_at: at(7), revoked_by, reason };
    assert_eq!(shown.revocation, Some(record));
    for (signed_at, trusted) in [(5, true), (6, true), (7, false)] {
        let status = expected.of_signature_made_at(at(signed_at));
        assert_eq!(status.profile.is_none(), trusted, "signed in second {signed_at}");
    }
    let reusable = store.reusable_signature(&job.profile, &Sha256Digest::of(b"u"), at(5)).await;
    assert_eq!(reusable, Ok(None), "nothing of a revoked profile is given out again");
}

async fn the_effective_time_only_moves_earlier(store: &(impl RevocationRegistry + Profiles)) {
    store.create_profile(&new_profile("one")).await.expect("it is created");
    let (profile, job) = (profile_arn("one"), new_job("a.zip").arn);
    assert_eq!(store.revoke_profile(&profile, at(6), &maria(), "stolen", at(7)).await, Ok(()));
    let later = store.revoke_profile(&profile, at(7), &maria(), "later", at(8)).await;
    assert!(matches!(later, Err(StoreError::Conflict(_))), "moved later: {later:?}");
    assert_eq!(status(store, &job).await.profile, Some(revoked(at(6), 7, "stolen")));
    assert_eq!(
        store.revoke_profile(&profile, at(6), &maria(), "again", at(8)).await,
        Ok(()),
        "repeating it is no error"
    );
    assert_eq!(store.revoke_profile(&profile, at(3), &maria(), "earlier", at(9)).await, Ok(()));
    assert_eq!(status(store, &job).await.profile, Some(revoked(at(3), 7, "stolen")));
}

async fn only_the_version_that_exists_can_be_revoked(store: &(impl RevocationRegistry + Profiles)) {
    store.create_profile(&new_profile("one")).await.expect("it is created");
    let other = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/one/XXXXXXXXXX";
    for profile in [other.parse().expect("an ARN"), profile_arn("two")] {
        let refused = store.revoke_profile(&profile, at(1), &maria(), "stolen", at(2)).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    assert_eq!(profile_status(store).await, ProfileStatus::Active);
}

async fn a_canceled_profile_can_be_revoked(store: &(impl RevocationRegistry + Profiles)) {
    store.create_profile(&new_profile("one")).await.expect("it is created");
    assert_eq!(store.cancel_profile(&profile_name("one"), at(1)).await, Ok(()));
    assert_eq!(store.revoke_profile(&profile_arn("one"), at(1), &maria(), "stolen", at(2)).await, Ok(()));
    let shown = profile(store).await;
    assert_eq!((shown.status, shown.canceled_at), (ProfileStatus::Revoked, Some(at(1))));
}

/// A job of `key` that delivers a signature of its own, or that of an earlier job.
async fn signed(store: &impl Jobs, key: &str, reused: Option<&NewJob>) -> NewJob {
    let job = claimed(store, key).await;
    let second = if reused.is_some() { 6 } else { 5 };
    let made = Signature { completed_at: at(second), ..signature(reused.unwrap_or(&job), b"u", second) };
    assert_eq!(store.succeed_job(&job.arn, &lease("w1", 5, 10), &made, &[]).await, Ok(()));
    job
}

async fn claimed(store: &impl Jobs, key: &str) -> NewJob {
    let job = new_job(key);
    let claim = store.claim_job(&job, &lease("w1", 0, 10), &told(key, &job)).await;
    assert!(matches!(claim, Ok(JobClaim::Claimed(_))), "a new job was not granted: {claim:?}");
    job
}

async fn status(store: &impl RevocationSource, job: &JobArn) -> RevocationStatus {
    store.revocation_status(job, &profile_arn("one")).await.expect("it is read")
}

async fn profile_status(store: &impl Profiles) -> ProfileStatus {
    profile(store).await.status
}

async fn profile(store: &impl Profiles) -> Profile {
    store.profile(&profile_name("one")).await.expect("it is read").expect("it is there")
}

fn revoked(effective_from: UnixMillis, second: i64, reason: &str) -> Revocation {
    Revocation { effective_from, revoked_at: at(second), reason: reason.to_owned() }
}

fn epoch() -> UnixMillis {
    UnixMillis::new(0).expect("the epoch")
}
