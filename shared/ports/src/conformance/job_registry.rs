//! What every adapter of [`JobRegistry`] has to do.

use countersign_domain::{JobStatus, Platform};

use super::samples::{
    SOURCE, at, lease, maria, new_job, object, profile_arn, requested_job, signature, told, told_request,
};
use crate::StoreError;
use crate::job_registry::{JobCursor, JobFilter, JobRegistry, Requested};
use crate::jobs::{Job, JobClaim, NewJob, Outbox, Signature};
use crate::revocations::RevocationRegistry;

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: JobRegistry + RevocationRegistry + Outbox + Clone + 'static,
{
    a_request_creates_one_job(&make().await).await;
    a_token_that_comes_again_asks_for_the_same(&make().await).await;
    of_many_requests_one_creates_the_job(&make().await).await;
    a_requested_job_is_started_with_its_first_claim(&make().await).await;
    nobody_ends_a_job_that_nobody_holds(&make().await).await;
    requested_jobs_that_nobody_holds_are_found(&make().await).await;
    a_requested_job_does_not_hide_a_drop(&make().await).await;
    pages_are_stable_while_jobs_are_added(&make().await).await;
    every_filter_gives_what_it_wants(&make().await).await;
}

async fn a_request_creates_one_job(store: &(impl JobRegistry + Outbox)) {
    let job = requested_job("t1", "a.zip");
    let requested = told_request("requested", &job);
    let created = job.clone().created();
    assert_eq!(store.request_job(&job, &requested).await, Ok(Requested::Created(created.clone())));
    assert_eq!((created.status, created.requested_by.clone()), (JobStatus::InProgress, maria()));
    assert_eq!(created.owner(), created.arn.scope().account());
    assert_eq!(store.job(&job.arn).await, Ok(Some(created.clone())), "a requested job is there");
    let again = NewJob { created_at: at(9), ..job.clone() };
    let repeated = store.request_job(&again, &told_request("again", &job)).await;
    assert_eq!(repeated, Ok(Requested::Exists(created)));
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![requested]), "told once");
}

async fn a_token_that_comes_again_asks_for_the_same(store: &(impl JobRegistry + Outbox)) {
    let job = requested_job("t1", "a.zip");
    store.request_job(&job, &told_request("requested", &job)).await.expect("it is created");
    let paul = "arn:aws:iam::000000000000:user/paul".parse().expect("a principal");
    for other in [
        NewJob { source: object("unsigned", "b.zip"), ..job.clone() },
        NewJob { profile: profile_arn("two"), ..job.clone() },
        NewJob { destination: "s3://elsewhere/".parse().expect("a prefix"), ..job.clone() },
        NewJob { requested_by: paul, ..job.clone() },
    ] {
        let refused = store.request_job(&other, &told_request("other", &other)).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?} for {other:?}");
    }
    assert_eq!(store.job(&job.arn).await, Ok(Some(job.created())), "a refused request changes nothing");
    assert_eq!(store.unpublished(SOURCE, 9).await.map(|events| events.len()), Ok(1), "or told");
}

async fn of_many_requests_one_creates_the_job(store: &(impl JobRegistry + Outbox + Clone + 'static)) {
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (store, job) = (store.clone(), requested_job("t1", "a.zip"));
        requests.spawn(async move {
            store.request_job(&job, &told_request(&format!("requested-{number}"), &job)).await
        });
    }
    let requests = requests.join_all().await;
    let created = requests.iter().filter(|request| matches!(request, Ok(Requested::Created(_)))).count();
    let found = requests.iter().filter(|request| matches!(request, Ok(Requested::Exists(_)))).count();
    assert_eq!((created, found), (1, 15), "{requests:?}");
    assert_eq!(store.unpublished(SOURCE, 99).await.map(|events| events.len()), Ok(1), "told once");
}

async fn a_requested_job_is_started_with_its_first_claim(store: &(impl JobRegistry + Outbox)) {
    let job = requested_job("t1", "a.zip");
    let (requested, started) = (told_request("requested", &job), told("started", &job));
    store.request_job(&job, &requested).await.expect("it is created");
    let claim = store.claim_job(&job, &lease("w1", 1, 11), &started).await;
    assert_eq!(claim, Ok(JobClaim::Claimed(job.clone().created())), "it was not granted");
    let busy = store.claim_job(&job, &lease("w2", 2, 12), &told("busy", &job)).await;
    assert_eq!(busy, Ok(JobClaim::Busy(at(11))));
    let taken = store.claim_job(&job, &lease("w2", 20, 30), &told("again", &job)).await;
    assert!(matches!(taken, Ok(JobClaim::Claimed(_))), "{taken:?}");
    let ended = store.succeed_job(&job.arn, &lease("w2", 21, 30), &signature(&job, b"u", 21), &[]).await;
    assert_eq!(ended, Ok(()));
    let late = store.claim_job(&job, &lease("w3", 40, 50), &told("late", &job)).await;
    assert!(matches!(late, Ok(JobClaim::Ended(_))), "{late:?}");
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![requested, started]), "`started` is told once");
    let found = store.request_job(&job, &told_request("requested-again", &job)).await;
    let Ok(Requested::Exists(found)) = found else { panic!("{found:?}") };
    assert_eq!(found.status, JobStatus::Succeeded, "the token finds the job as it is");
}

async fn nobody_ends_a_job_that_nobody_holds(store: &(impl JobRegistry + Outbox)) {
    let job = requested_job("t1", "a.zip");
    store.request_job(&job, &told_request("requested", &job)).await.expect("it is created");
    let (w1, lost) = (lease("w1", 1, 11), Err(StoreError::LeaseLost(format!("signing job {}", job.arn))));
    assert_eq!(store.renew_job(&job.arn, &w1).await, lost);
    assert_eq!(store.succeed_job(&job.arn, &w1, &signature(&job, b"u", 1), &[]).await, lost);
    assert_eq!(store.fail_job(&job.arn, &w1, "no", &[]).await, lost);
}

async fn requested_jobs_that_nobody_holds_are_found(store: &(impl JobRegistry + Outbox)) {
    let mut jobs = Vec::new();
    for (number, token) in (0..).zip(["t0", "t1", "t2", "t3"]) {
        let job = NewJob { created_at: at(number), ..requested_job(token, "a.zip") };
        store.request_job(&job, &told_request(token, &job)).await.expect("it is created");
        jobs.push(job);
    }
    let dropped = new_job("dropped.zip");
    store.claim_job(&dropped, &lease("w1", 0, 1), &told("dropped", &dropped)).await.expect("it is claimed");
    store.claim_job(&jobs[1], &lease("w1", 0, 10), &told("s1", &jobs[1])).await.expect("it is claimed");
    store.claim_job(&jobs[2], &lease("w1", 0, 10), &told("s2", &jobs[2])).await.expect("it is claimed");
    store.fail_job(&jobs[2].arn, &lease("w1", 0, 10), "no", &[]).await.expect("it is ended");
    let found = async |second, after: Option<&NewJob>, max| {
        let after = after.map(|job| JobCursor::of(&job.clone().created()));
        let jobs = store.left_behind(at(second), after.as_ref(), max).await.expect("they are found");
        jobs.into_iter().map(|job| job.arn).collect::<Vec<_>>()
    };
    let arns = |numbers: &[usize]| numbers.iter().map(|number| jobs[*number].arn.clone()).collect::<Vec<_>>();
    assert_eq!(found(9, None, 9).await, arns(&[0, 3]), "held, ended and dropped ones are left alone");
    assert_eq!(found(10, None, 9).await, arns(&[0, 1, 3]), "a lease that ran out holds nothing");
    assert_eq!(found(10, None, 2).await, arns(&[0, 1]));
    assert_eq!(found(10, Some(&jobs[1]), 2).await, arns(&[3]));
}

async fn a_requested_job_does_not_hide_a_drop(store: &(impl JobRegistry + Outbox)) {
    let job = requested_job("t1", "a.zip");
    store.request_job(&job, &told_request("requested", &job)).await.expect("it is created");
    store.claim_job(&job, &lease("w1", 0, 10), &told("started", &job)).await.expect("it is claimed");
    store.fail_job(&job.arn, &lease("w1", 0, 10), "no", &[]).await.expect("it is ended");
    let sources = [job.source];
    assert_eq!(store.unseen(&sources).await, Ok(sources.to_vec()));
}

async fn pages_are_stable_while_jobs_are_added(store: &(impl JobRegistry + Outbox)) {
    let request = async |token: &str, second| {
        let job = NewJob { created_at: at(second), ..requested_job(token, "a.zip") };
        store.request_job(&job, &told_request(token, &job)).await.expect("it is created");
        job.arn
    };
    let mut arns = Vec::new();
    for number in 0..7 {
        // Several are created at one instant.
        arns.push((at(number / 3), request(&format!("t{number}"), number / 3).await));
    }
    arns.sort();
    arns.reverse();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_jobs(&JobFilter::default(), after.as_ref(), 2).await.expect("they are listed");
        let Some(last) = page.last() else { break };
        after = Some(JobCursor::of(last));
        seen.extend(page.into_iter().map(|job| (job.created_at, job.arn)));
        request(&format!("later-{}", seen.len()), 9).await;
    }
    assert_eq!(seen, arns);
}

async fn every_filter_gives_what_it_wants(store: &(impl JobRegistry + RevocationRegistry + Outbox)) {
    let jobs = different_jobs(store).await;
    let mut shown = Vec::new();
    for job in &jobs {
        shown.push(store.job(&job.arn).await.expect("it is read").expect("it is there"));
    }
    shown.sort_by_key(|job| std::cmp::Reverse(JobCursor::of(job)));
    let all = store.list_jobs(&JobFilter::default(), None, 99).await;
    assert_eq!(all.as_ref(), Ok(&shown), "every row as the job itself is shown");
    let mut sizes = Vec::new();
    for filter in filters() {
        let wanted: Vec<Job> = shown.iter().filter(|job| filter.wants(job)).cloned().collect();
        let listed = store.list_jobs(&filter, None, 99).await.expect("they are listed");
        assert_eq!(listed, wanted, "{filter:?}");
        if let [first, .., last] = wanted.as_slice() {
            let rest = store.list_jobs(&filter, Some(&JobCursor::of(first)), 99).await;
            assert_eq!(rest.as_deref(), Ok(&wanted[1..]), "{filter:?}");
            assert_eq!(store.list_jobs(&filter, Some(&JobCursor::of(last)), 99).await, Ok(vec![]));
        }
        sizes.push(wanted.len());
    }
    assert!(sizes.iter().filter(|size| **size > 0).count() > 100, "the filters hit too little: {sizes:?}");
}

/// Jobs that differ in everything that a filter asks for.
async fn different_jobs(store: &(impl JobRegistry + RevocationRegistry + Outbox)) -> Vec<NewJob> {
    let mut jobs = Vec::new();
    for number in 0..24 {
        let (token, dropped) = (format!("t{number}"), number % 4 == 0);
        let mut job = if dropped { new_job(&format!("{token}.zip")) } else { requested_job(&token, "a.zip") };
        job.created_at = at(number / 2);
        if number % 3 == 0 {
            job.platform = Platform::AwsLambdaSha384Ecdsa;
        }
        if number % 5 == 1 {
            job.requested_by = "arn:aws:iam::111111111111:role/ci".parse().expect("a principal");
            job.invoker = job.requested_by.account().clone();
        }
        if !dropped {
            store.request_job(&job, &told_request(&token, &job)).await.expect("it is created");
        }
        let held = lease("w1", 0, 10);
        store.claim_job(&job, &held, &told(&format!("s{number}"), &job)).await.expect("it is claimed");
        let made = Signature { expires_at: at(100 + number % 7), ..signature(&job, b"u", number) };
        match number % 6 {
            0 => {}
            1 => store.fail_job(&job.arn, &held, "no", &[]).await.expect("it is ended"),
            _ => store.succeed_job(&job.arn, &held, &made, &[]).await.expect("it is ended"),
        }
        if number % 6 == 3 {
            store.revoke_job(&job.arn, &maria(), "bad", at(50)).await.expect("it is revoked");
        }
        jobs.push(job);
    }
    jobs
}

/// Each filter alone, and with others.
fn filters() -> Vec<JobFilter> {
    let statuses = [None, Some(JobStatus::InProgress), Some(JobStatus::Failed), Some(JobStatus::Succeeded)];
    let platforms = [None, Some(Platform::AwsLambdaSha384Ecdsa), Some(Platform::CountersignSha384Ecdsa)];
    let principals = [None, Some(maria())];
    let accounts = [None, Some("111111111111".parse().expect("an account"))];
    let expiries =
        [(None, None), (Some(at(104)), None), (None, Some(at(102))), (Some(at(104)), Some(at(102)))];
    let mut filters = Vec::new();
    for status in statuses {
        for platform in platforms {
            for requested_by in &principals {
                for invoker in &accounts {
                    for is_revoked in [None, Some(true), Some(false)] {
                        for (expires_before, expires_after) in expiries {
                            let (requested_by, invoker) = (requested_by.clone(), invoker.clone());
                            filters.push(JobFilter {
                                status,
                                platform,
                                requested_by,
                                invoker,
                                is_revoked,
                                expires_before,
                                expires_after,
                            });
                        }
                    }
                }
            }
        }
    }
    filters
}
