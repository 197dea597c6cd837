//! What every adapter of [`Jobs`] has to do.

use countersign_domain::{JobStatus, Prefix, Sha256Digest};

use super::samples::{SOURCE, at, lease, new_job, object, profile_arn, signature, told};
use crate::StoreError;
use crate::jobs::{JobClaim, Jobs, NewJob, Outbox};

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: Jobs + Outbox + Clone + 'static,
{
    a_job_is_created_once(&make().await).await;
    a_lease_that_ran_out_is_taken_over_for_good(&make().await).await;
    a_renewal_holds_the_job(&make().await).await;
    an_expired_lease_that_nobody_took_still_ends_the_job(&make().await).await;
    success_is_final(&make().await).await;
    failure_is_final(&make().await).await;
    an_arn_is_never_used_for_another_source(&make().await).await;
    of_many_claims_one_is_granted(&make().await).await;
    a_signature_is_found_again_while_it_is_valid(&make().await).await;
    only_sources_of_ended_jobs_count_as_seen(&make().await).await;
}

async fn a_job_is_created_once(store: &(impl Jobs + Outbox)) {
    let (job, started) = (new_job("a.zip"), told("started", &new_job("a.zip")));
    assert_eq!(store.job(&job.arn).await, Ok(None), "an unknown job is none");
    let claim = store.claim_job(&job, &lease("w1", 0, 10), &started).await;
    let Ok(JobClaim::Claimed(created)) = claim else { panic!("a new job was not granted: {claim:?}") };
    assert_eq!((created.status, &created.source), (JobStatus::InProgress, &job.source));
    assert_eq!(store.job(&job.arn).await, Ok(Some(created.clone())), "a claimed job is there");
    let busy = store.claim_job(&job, &lease("w2", 9, 19), &started).await;
    assert_eq!(busy, Ok(JobClaim::Busy(at(10))), "another worker was granted a job under lease");
    let again = store.claim_job(&job, &lease("w1", 1, 11), &started).await;
    assert_eq!(again, Ok(JobClaim::Claimed(created)), "a worker that repeats its claim was refused");
    assert_eq!(
        store.unpublished(SOURCE, 9).await,
        Ok(vec![started]),
        "`started` is told once, at the creation"
    );
}

async fn a_lease_that_ran_out_is_taken_over_for_good(store: &(impl Jobs + Outbox)) {
    let job = claimed(store, "a.zip").await;
    store.mark_published(&["a.zip".parse().expect("an event id")]).await.expect("it is published");
    let taken = store.claim_job(&job, &lease("w2", 10, 20), &told("again", &job)).await;
    assert!(matches!(taken, Ok(JobClaim::Claimed(_))), "a lease that ran out bars its successor: {taken:?}");
    let late = lease("w1", 11, 21);
    let events = [told("late", &job)];
    let lost = Err(StoreError::LeaseLost(format!("signing job {}", job.arn)));
    assert_eq!(store.renew_job(&job.arn, &late).await, lost, "renewed by who lost it");
    let succeeded = store.succeed_job(&job.arn, &late, &signature(&job, b"u", 11), &events).await;
    assert_eq!(succeeded, lost, "ended by who lost it");
    assert_eq!(store.fail_job(&job.arn, &late, "late", &events).await, lost, "failed by who lost it");
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![]), "a refused change or a take-over was told");
}

async fn a_renewal_holds_the_job(store: &(impl Jobs + Outbox)) {
    let job = claimed(store, "a.zip").await;
    assert_eq!(store.renew_job(&job.arn, &lease("w1", 9, 30)).await, Ok(()));
    let claim = store.claim_job(&job, &lease("w2", 29, 39), &told("again", &job)).await;
    assert_eq!(claim, Ok(JobClaim::Busy(at(30))), "a renewed lease does not hold");
}

async fn an_expired_lease_that_nobody_took_still_ends_the_job(store: &(impl Jobs + Outbox)) {
    let job = claimed(store, "a.zip").await;
    let ended = store.succeed_job(&job.arn, &lease("w1", 99, 100), &signature(&job, b"u", 99), &[]).await;
    assert_eq!(ended, Ok(()), "the holder was refused although nobody else has the job");
}

async fn success_is_final(store: &(impl Jobs + Outbox)) {
    let job = claimed(store, "a.zip").await;
    let (w1, made, done) = (lease("w1", 5, 10), signature(&job, b"u", 5), told("done", &job));
    assert_eq!(store.succeed_job(&job.arn, &w1, &made, std::slice::from_ref(&done)).await, Ok(()));
    let ended = store.job(&job.arn).await.expect("it is read").expect("it is there");
    assert_eq!((ended.status, ended.completed_at), (JobStatus::Succeeded, Some(at(5))));
    assert_eq!((&ended.signature, &ended.status_reason), (&Some(made.clone()), &None));
    assert_eq!(
        store.unpublished(SOURCE, 9).await,
        Ok(vec![told("a.zip", &job), done.clone()]),
        "not told with it"
    );
    let claim = store.claim_job(&job, &w1, &done).await;
    assert_eq!(claim, Ok(JobClaim::Ended(ended)), "an ended job was granted");
    let lost = Err(StoreError::LeaseLost(format!("signing job {}", job.arn)));
    assert_eq!(store.succeed_job(&job.arn, &w1, &made, &[]).await, lost, "ended twice");
    assert_eq!(store.fail_job(&job.arn, &w1, "no", &[]).await, lost, "failed after success");
    assert_eq!(store.renew_job(&job.arn, &w1).await, lost, "renewed after its end");
}

async fn failure_is_final(store: &(impl Jobs + Outbox)) {
    let job = claimed(store, "a.zip").await;
    let (w1, done) = (lease("w1", 5, 10), told("done", &job));
    assert_eq!(store.fail_job(&job.arn, &w1, "not a zip", std::slice::from_ref(&done)).await, Ok(()));
    let ended = store.job(&job.arn).await.expect("it is read").expect("it is there");
    assert_eq!((ended.status, ended.completed_at), (JobStatus::Failed, Some(at(5))));
    assert_eq!((&ended.signature, ended.status_reason.as_deref()), (&None, Some("not a zip")));
    assert_eq!(
        store.unpublished(SOURCE, 9).await,
        Ok(vec![told("a.zip", &job), done.clone()]),
        "not told with it"
    );
    assert_eq!(
        store.claim_job(&job, &w1, &done).await,
        Ok(JobClaim::Ended(ended)),
        "a failed job was granted"
    );
}

async fn an_arn_is_never_used_for_another_source(store: &(impl Jobs + Outbox)) {
    let job = claimed(store, "a.zip").await;
    for other in [
        NewJob { source: object("unsigned", "b.zip"), ..job.clone() },
        NewJob { profile: profile_arn("two"), ..job.clone() },
    ] {
        let claim = store.claim_job(&other, &lease("w1", 1, 11), &told("x", &job)).await;
        assert!(matches!(claim, Err(StoreError::Conflict(_))), "{claim:?} for {other:?}");
    }
    let elsewhere: Prefix = "s3://elsewhere/".parse().expect("a prefix");
    let moved = NewJob { destination: elsewhere, ..job.clone() };
    let claim = store.claim_job(&moved, &lease("w1", 1, 11), &told("x", &job)).await;
    let Ok(JobClaim::Claimed(kept)) = claim else { panic!("a route was changed meanwhile: {claim:?}") };
    assert_eq!(kept.destination, job.destination, "a job keeps its destination");
    assert_eq!(kept, job.created(), "a job keeps what it was created with");
}

async fn of_many_claims_one_is_granted(store: &(impl Jobs + Outbox + Clone + 'static)) {
    let mut claims = tokio::task::JoinSet::new();
    for worker in 0..16 {
        let (store, job) = (store.clone(), new_job("a.zip"));
        claims.spawn(async move {
            store.claim_job(&job, &lease(&format!("w{worker}"), 0, 10), &told("started", &job)).await
        });
    }
    let claims = claims.join_all().await;
    let granted = claims.iter().filter(|claim| matches!(claim, Ok(JobClaim::Claimed(_)))).count();
    let busy = claims.iter().filter(|claim| **claim == Ok(JobClaim::Busy(at(10)))).count();
    assert_eq!((granted, busy), (1, 15), "{claims:?}");
    assert_eq!(store.unpublished(SOURCE, 99).await.map(|events| events.len()), Ok(1), "told once");
}

async fn a_signature_is_found_again_while_it_is_valid(store: &(impl Jobs + Outbox)) {
    let (profile, unsigned) = (profile_arn("one"), Sha256Digest::of(b"u"));
    assert_eq!(store.reusable_signature(&profile, &unsigned, at(5)).await, Ok(None));
    let [first, second] = [("a.zip", 5), ("b.zip", 6)];
    for (key, second) in [first, second] {
        let job = claimed(store, key).await;
        let ended =
            store.succeed_job(&job.arn, &lease("w1", 5, 10), &signature(&job, b"u", second), &[]).await;
        assert_eq!(ended, Ok(()));
    }
    let newest = signature(&new_job("b.zip"), b"u", 6);
    assert_eq!(store.reusable_signature(&profile, &unsigned, at(999)).await, Ok(Some(newest)), "the newest");
    assert_eq!(store.reusable_signature(&profile, &unsigned, at(1000)).await, Ok(None), "expired by then");
    let other = Sha256Digest::of(b"v");
    assert_eq!(store.reusable_signature(&profile, &other, at(5)).await, Ok(None), "another package");
    let other = profile_arn("two");
    assert_eq!(store.reusable_signature(&other, &unsigned, at(5)).await, Ok(None), "another profile");
}

async fn only_sources_of_ended_jobs_count_as_seen(store: &(impl Jobs + Outbox)) {
    let sources = ["new.zip", "begun.zip", "failed.zip", "signed.zip"].map(|key| object("unsigned", key));
    claimed(store, "begun.zip").await;
    let failed = claimed(store, "failed.zip").await;
    assert_eq!(store.fail_job(&failed.arn, &lease("w1", 5, 10), "no", &[]).await, Ok(()));
    let signed = claimed(store, "signed.zip").await;
    let made = signature(&signed, b"u", 5);
    assert_eq!(store.succeed_job(&signed.arn, &lease("w1", 5, 10), &made, &[]).await, Ok(()));
    assert_eq!(store.unseen(&sources).await, Ok(sources[..2].to_vec()));
    assert_eq!(store.unseen(&[]).await, Ok(vec![]));
    let many: Vec<_> = (0..1100).map(|number| object("unsigned", &format!("{number}.zip"))).collect();
    let many = [many, sources[2..].to_vec()].concat();
    assert_eq!(store.unseen(&many).await, Ok(many[..1100].to_vec()), "a long page, in its order");
}

/// A job of worker `w1` from second 0 to 10, told as the event `key`.
async fn claimed(store: &impl Jobs, key: &str) -> NewJob {
    let job = new_job(key);
    let claim = store.claim_job(&job, &lease("w1", 0, 10), &told(key, &job)).await;
    assert!(matches!(claim, Ok(JobClaim::Claimed(_))), "a new job was not granted: {claim:?}");
    job
}
