//! Jobs that somebody requested: they stand in the store, and a message or the sweep has them signed.

use std::time::Duration;

use countersign_domain::event::RequestedSigningJob;
use countersign_domain::{
    Event, EventData, JobArn, JobId, JobStatus, ObjectVersion, Platform, PrincipalArn, Sha256Digest,
};
use countersign_ports::Clock as _;
use countersign_ports::fakes::Fault;
use countersign_ports::job_registry::{JobRegistry as _, Requested};
use countersign_ports::jobs::{Job, Jobs as _, NewJob};
use countersign_runtime::Handled;
use countersign_signer::EVENT_SOURCE;

use crate::support::{World, deliver, notification, package, profile, reason, scope};

/// What the API does with a request: the job, and the event that is told with it.
async fn request(world: &World, token: &str, source: &ObjectVersion) -> (JobArn, Vec<u8>) {
    let maria: PrincipalArn = "arn:aws:iam::000000000000:user/maria".parse().unwrap();
    let new = NewJob {
        arn: JobArn::new(scope(), JobId::for_token(maria.account(), token)),
        source: source.clone(),
        profile: profile("default"),
        platform: Platform::CountersignSha384Ecdsa,
        destination: "s3://signed/requested_".parse().unwrap(),
        invoker: maria.account().clone(),
        requested_by: maria,
        created_at: world.clock.now(),
    };
    let event = event(&new.arn);
    let requested = world.store.request_job(&new, &event).await.unwrap();
    assert!(matches!(requested, Requested::Created(_)), "{requested:?}");
    (new.arn, serde_json::to_vec(&event).unwrap())
}

fn event(job: &JobArn) -> Event {
    let data = RequestedSigningJob { job_id: job.job(), job_arn: job.clone() };
    let id = format!("{}/requested", job.job()).parse().unwrap();
    let time = "2026-11-21T08:30:00Z".parse().unwrap();
    Event::new(id, EVENT_SOURCE, time, EventData::SigningJobRequested(data))
}

async fn job(world: &World, arn: &JobArn) -> Job {
    world.store.job(arn).await.unwrap().unwrap()
}

/// The requested job has succeeded with an object of its own, and told its three events once.
async fn assert_signed(world: &World, arn: &JobArn, unsigned: &[u8]) {
    let job = job(world, arn).await;
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.status_reason);
    let signature = job.signature.unwrap();
    let key = format!("requested_{}.zip", arn.job());
    assert_eq!((signature.object.key.as_str(), &signature.signed_by), (key.as_str(), arn));
    let package = world.verified(&signature.object);
    assert_eq!(package.statement().job_arn, *arn);
    assert_eq!(package.unsigned_digest(), Some(Sha256Digest::of(unsigned)));
    let told = world.told();
    let told: Vec<_> = told.iter().map(|id| id.as_str().to_owned()).collect();
    let told: Vec<_> = told.iter().filter_map(|id| id.strip_prefix(&arn.job().to_string())).collect();
    assert_eq!(told, ["/requested", "/started", "/succeeded"], "nothing is deployed");
}

#[tokio::test]
async fn a_requested_job_is_signed_to_its_own_destination_and_deployed_by_nobody() {
    let world = World::new().await;
    let unsigned = package("one");
    // The route of this source deploys what is dropped there; the request says nothing of that.
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let (arn, body) = request(&world, "t1", &source).await;
    let signer = world.start();
    for message in ["m1", "m1", "m2"] {
        assert_eq!(deliver(&signer, message, body.clone()).await, Handled::Done);
    }
    assert_signed(&world, &arn, &unsigned).await;
}

#[tokio::test]
async fn a_requested_job_needs_no_route() {
    let mut world = World::new().await;
    world.routes.clear();
    let unsigned = package("one");
    let source = world.drop_package("fn.zip", &unsigned);
    let (arn, body) = request(&world, "t1", &source).await;
    assert_eq!(deliver(&world.start(), "m1", body).await, Handled::Done);
    assert_signed(&world, &arn, &unsigned).await;
}

#[tokio::test]
async fn each_requested_job_has_an_object_of_its_own() {
    let mut world = World::new().await;
    world.routes[0].destination = "s3://signed/requested_".parse().unwrap();
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let signer = world.start();
    assert_eq!(deliver(&signer, "drop", notification(&[&source])).await, Handled::Done);
    for token in ["t1", "t2"] {
        let (arn, body) = request(&world, token, &source).await;
        assert_eq!(deliver(&signer, token, body).await, Handled::Done);
        assert_signed(&world, &arn, &unsigned).await;
    }
    assert_eq!(world.signed_objects().len(), 3);
}

#[tokio::test]
async fn a_drop_is_signed_although_a_request_for_it_has_ended() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    let (_, body) = request(&world, "t1", &source).await;
    let signer = world.start();
    assert_eq!(deliver(&signer, "m1", body).await, Handled::Done);
    assert_eq!(signer.sweep().await, 1);
    assert_eq!(job(&world, &world.job_of(&source)).await.status, JobStatus::Succeeded);
}

#[tokio::test]
async fn the_sweep_finds_a_requested_job_that_nobody_tells_of() {
    let mut world = World::new().await;
    world.routes.clear();
    let unsigned = package("one");
    let source = world.drop_package("fn.zip", &unsigned);
    let (arn, _lost) = request(&world, "t1", &source).await;
    let signer = world.start();
    assert_eq!(signer.sweep().await, 1);
    assert_signed(&world, &arn, &unsigned).await;
    assert_eq!(signer.sweep().await, 0);
}

#[tokio::test]
async fn a_requested_job_whose_worker_died_is_taken_up_again() {
    let mut world = World::new().await;
    world.routes.clear();
    let unsigned = package("one");
    let source = world.drop_package("fn.zip", &unsigned);
    let (arn, body) = request(&world, "t1", &source).await;
    world.faults.fail_next("put_new", Fault::AfterEffect);
    assert!(matches!(deliver(&world.start(), "m1", body).await, Handled::Retry { .. }));
    let next = world.start();
    assert_eq!(next.sweep().await, 0, "its lease holds it");
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(next.sweep().await, 1);
    assert_signed(&world, &arn, &unsigned).await;
}

#[tokio::test]
async fn a_lost_answer_of_the_store_costs_nothing_but_time() {
    for operation in ["job", "profile", "claim_job", "left_behind", "succeed_job"] {
        for fault in [Fault::WithoutEffect, Fault::AfterEffect] {
            let mut world = World::new().await;
            world.routes.clear();
            let unsigned = package("one");
            let source = world.drop_package("fn.zip", &unsigned);
            let (arn, body) = request(&world, "t1", &source).await;
            let signer = world.start();
            world.faults.fail_next(operation, fault);
            deliver(&signer, "m1", body.clone()).await;
            signer.sweep().await;
            assert!(world.faults.is_spent(), "{operation}");
            world.clock.advance(Duration::from_secs(20));
            assert_eq!(deliver(&signer, "m1", body).await, Handled::Done, "{operation} {fault:?}");
            assert_signed(&world, &arn, &unsigned).await;
        }
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_fails_with_its_reason() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", b"no zip at all");
    let (arn, body) = request(&world, "t1", &source).await;
    assert_eq!(deliver(&world.start(), "m1", body).await, Handled::Done);
    let job = job(&world, &arn).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert!(job.status_reason.unwrap().starts_with("not_a_zip"), "the gate's own code");
}

#[tokio::test]
async fn an_event_that_requests_nothing_is_a_dead_letter() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    let signer = world.start();
    let never = JobArn::new(scope(), JobId::from_random([1; 16]));
    let answer = deliver(&signer, "m1", serde_json::to_vec(&event(&never)).unwrap()).await;
    assert!(reason(answer).starts_with("reject: unknown_job"));
    world.faults.fail_next("put_new", Fault::WithoutEffect);
    assert!(matches!(deliver(&signer, "m2", notification(&[&source])).await, Handled::Retry { .. }));
    let dropped = serde_json::to_vec(&event(&world.job_of(&source))).unwrap();
    assert!(reason(deliver(&signer, "m3", dropped).await).starts_with("reject: not_requested"));
    let started = serde_json::to_vec(&world.store.told()[0]).unwrap();
    assert!(reason(deliver(&signer, "m4", started).await).starts_with("reject: unexpected_event"));
    let other = br#"{"specversion":"1.0","type":"somebody.else"}"#.to_vec();
    assert!(reason(deliver(&signer, "m5", other).await).starts_with("reject: malformed_request"));
}
