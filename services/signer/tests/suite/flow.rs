//! What is dropped is signed, published and reported, once.

use countersign_domain::{EventData, JobStatus, Sha256Digest};
use countersign_ports::Clock as _;
use countersign_ports::jobs::Jobs as _;
use countersign_ports::revocations::RevocationRegistry as _;
use countersign_runtime::Handled;

use crate::support::{World, deliver, notification, package, profile, root, route};

#[tokio::test]
async fn a_dropped_package_is_signed_and_its_deployment_is_asked_for() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    let job = world.assert_signed_once(&source, &unsigned);
    let told = world.store.told();
    let EventData::SigningJobSucceeded(succeeded) = &told[1].data else { panic!("{:?}", told[1]) };
    assert_eq!((succeeded.job_id, &succeeded.source), (job.arn.job(), &source));
    let EventData::DeploymentRequested(request) = &told[2].data else { panic!("{:?}", told[2]) };
    assert_eq!(request.function_name.as_str(), "hello");
    assert_eq!(request.alias.as_ref().map(ToString::to_string).as_deref(), Some("live"));
    assert_eq!(request.create.as_ref().unwrap().code_signing_config.as_ref().unwrap().as_str(), "strict");
    assert_eq!(succeeded.signed_object.clone().unwrap(), request.code.clone().into());
}

#[tokio::test]
async fn a_route_without_deployment_asks_for_none() {
    let mut world = World::new().await;
    world.routes[0].deploy = None;
    let source = world.drop_package("fn.zip", &package("one"));
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.store.jobs()[0].status, JobStatus::Succeeded);
}

#[tokio::test]
async fn the_same_event_ten_times_is_one_job() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let signer = world.start();
    for time in 0..10 {
        let message = format!("m{}", time % 3);
        assert_eq!(deliver(&signer, &message, notification(&[&source])).await, Handled::Done);
    }
    world.assert_signed_once(&source, &unsigned);
}

#[tokio::test]
async fn the_same_package_dropped_twice_has_one_signed_object_and_two_deployments() {
    let world = World::new().await;
    let signer = world.start();
    let unsigned = package("one");
    let first = world.drop_package("hello/fn.zip", &unsigned);
    let second = world.drop_package("hello/fn.zip", &unsigned);
    assert_ne!(first.version, second.version);
    assert_eq!(deliver(&signer, "m1", notification(&[&first])).await, Handled::Done);
    assert_eq!(deliver(&signer, "m2", notification(&[&second])).await, Handled::Done);
    let jobs = world.store.jobs();
    let [one, two] = [&jobs[0], &jobs[1]].map(|job| job.signature.clone().unwrap());
    assert_eq!((&one.object, &one.signed_by), (&two.object, &two.signed_by));
    assert_eq!(world.signed_objects(), [one.object]);
    assert_eq!(world.told().len(), 6, "each job tells its three events");
}

#[tokio::test]
async fn two_drops_of_a_package_at_once_have_one_signed_object() {
    let world = World::new().await;
    let signer = world.start();
    let unsigned = package("one");
    let sources = [1, 2, 3].map(|_| world.drop_package("hello/fn.zip", &unsigned));
    let [one, two, three] = sources.each_ref().map(|source| notification(&[source]));
    let handled =
        tokio::join!(deliver(&signer, "m1", one), deliver(&signer, "m2", two), deliver(&signer, "m3", three));
    assert_eq!(handled, (Handled::Done, Handled::Done, Handled::Done));
    assert_eq!(world.signed_objects().len(), 1);
}

#[tokio::test]
async fn an_earlier_signature_is_reused_only_while_it_stands() {
    // Deleted, overwritten, revoked, soon to expire, elsewhere: each time it is signed anew.
    for change in ["deleted", "tampered", "revoked", "expiring", "elsewhere"] {
        let mut world = World::new().await;
        let unsigned = package("one");
        let first = world.drop_package("hello/fn.zip", &unsigned);
        assert_eq!(deliver(&world.start(), "m1", notification(&[&first])).await, Handled::Done);
        let earlier = world.store.jobs()[0].signature.clone().unwrap();
        match change {
            "deleted" => world.objects.tamper(&earlier.object, b""),
            "tampered" => world.objects.tamper(&earlier.object, &unsigned),
            "revoked" => {
                let job = world.job_of(&first);
                world.store.revoke_job(&job, &root(), "leaked", world.clock.now()).await.unwrap();
            }
            "expiring" => world.clock.set(earlier.expires_at.plus_millis(-60_000)),
            _ => world.routes[0] = route("s3://unsigned/", "s3://signed/other/"),
        }
        let second = world.drop_package("hello/fn.zip", &unsigned);
        assert_eq!(deliver(&world.start(), "m2", notification(&[&second])).await, Handled::Done, "{change}");
        let job = world.store.job(&world.job_of(&second)).await.unwrap().unwrap();
        let signature = job.signature.unwrap();
        assert_eq!(signature.signed_by, job.arn, "{change}");
        assert_eq!(world.verified(&signature.object).statement().job_arn, job.arn, "{change}");
    }
}

#[tokio::test]
async fn records_of_one_notification_are_handled_each_on_its_own() {
    let world = World::new().await;
    let good = world.drop_package("hello/fn.zip", &package("one"));
    let bad = world.drop_package("hello/broken.zip", b"no zip at all");
    let also_good = world.drop_package("hello/fn2.zip", &package("two"));
    let handled = deliver(&world.start(), "m1", notification(&[&good, &bad, &also_good])).await;
    assert_eq!(handled, Handled::Done);
    let ended = [&good, &bad, &also_good].map(|source| {
        let jobs = world.store.jobs();
        jobs.into_iter().find(|job| job.source == *source).unwrap().status
    });
    assert_eq!(ended, [JobStatus::Succeeded, JobStatus::Failed, JobStatus::Succeeded]);
}

#[tokio::test]
async fn what_no_route_wants_is_left_alone() {
    let mut world = World::new().await;
    world.routes = vec![route("s3://unsigned/in/", "s3://signed/")];
    let source = world.drop_package("elsewhere/fn.zip", &package("one"));
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    let test_event = br#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"unsigned"}"#.to_vec();
    assert_eq!(deliver(&world.start(), "m2", test_event).await, Handled::Done);
    assert!(world.store.jobs().is_empty());
}

#[tokio::test]
async fn another_version_of_the_key_is_another_job_and_each_job_signs_its_own_version() {
    let world = World::new().await;
    let (old, new) = (package("old"), package("new"));
    let first = world.drop_package("hello/fn.zip", &old);
    let _second = world.drop_package("hello/fn.zip", &new);
    assert_eq!(deliver(&world.start(), "m1", notification(&[&first])).await, Handled::Done);
    world.assert_signed_once(&first, &old);
}

#[tokio::test]
async fn the_profile_version_is_what_signs() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    let sha256 = Sha256Digest::of(&package("one"));
    let found =
        world.store.reusable_signature(&profile("default"), &sha256, world.clock.now()).await.unwrap();
    assert!(found.is_some());
    let none = world.store.reusable_signature(&profile("another"), &sha256, world.clock.now()).await.unwrap();
    assert!(none.is_none());
}
