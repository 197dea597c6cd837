//! What no notification told of.

use countersign_domain::JobStatus;
use countersign_ports::fakes::Fault;
use countersign_runtime::Handled;
use tokio_util::sync::CancellationToken;

use crate::support::{World, deliver, notification, package, route};

#[tokio::test]
async fn a_lost_notification_is_made_good_and_ended_jobs_are_left_alone() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let signer = world.start();
    assert_eq!(signer.sweep().await, 1);
    world.assert_signed_once(&source, &unsigned);
    assert_eq!(signer.sweep().await, 0);
    assert_eq!(deliver(&signer, "late", notification(&[&source])).await, Handled::Done);
    world.assert_signed_once(&source, &unsigned);
}

#[tokio::test]
async fn every_version_on_every_page_is_found() {
    let mut world = World::new().await;
    world.objects = world.objects.with_page_size(2);
    for number in 0..7 {
        world.drop_package(&format!("hello/fn{}.zip", number % 3), &package(&number.to_string()));
    }
    assert_eq!(world.start().sweep().await, 7);
    let jobs = world.store.jobs();
    assert_eq!(jobs.len(), 7);
    assert!(jobs.iter().all(|job| job.status == JobStatus::Succeeded));
}

#[tokio::test]
async fn a_version_belongs_to_the_route_with_the_longest_source() {
    let mut world = World::new().await;
    world.routes =
        vec![route("s3://unsigned/", "s3://signed/a/"), route("s3://unsigned/in/", "s3://signed/b/")];
    let source = world.drop_package("in/hello/fn.zip", &package("one"));
    assert_eq!(world.start().sweep().await, 1);
    let [job] = world.store.jobs().try_into().unwrap();
    assert_eq!((job.source, job.destination.to_string().as_str()), (source, "s3://signed/b/"));
}

#[tokio::test]
async fn one_route_that_cannot_be_swept_does_not_stop_the_others() {
    let mut world = World::new().await;
    world.objects.create_bucket(&"plain".parse().unwrap(), false);
    world.routes = vec![
        route("s3://nowhere/", "s3://signed/"),
        route("s3://plain/", "s3://signed/"),
        route("s3://unsigned/", "s3://signed/"),
    ];
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    assert_eq!(world.start().sweep().await, 1);
    world.assert_signed_once(&source, &unsigned);
}

#[tokio::test]
async fn a_sweep_that_failed_half_way_is_made_good_by_the_next() {
    for operation in ["keeps_versions", "list_versions", "unseen", "claim_job", "put_new", "succeed_job"] {
        for fault in [Fault::WithoutEffect, Fault::AfterEffect] {
            let world = World::new().await;
            let unsigned = package("one");
            let source = world.drop_package("hello/fn.zip", &unsigned);
            let signer = world.start();
            world.faults.fail_next(operation, fault);
            signer.sweep().await;
            assert!(world.faults.is_spent(), "{operation}");
            signer.sweep().await;
            world.assert_signed_once(&source, &unsigned);
        }
    }
}

#[tokio::test]
async fn the_loop_sweeps_at_once_and_ends_when_told() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let (signer, shutdown) = (world.start(), CancellationToken::new());
    let stop = async {
        while world.store.jobs().first().is_none_or(|job| job.status == JobStatus::InProgress) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        shutdown.cancel();
    };
    tokio::join!(signer.sweep_loop(shutdown.clone()), stop);
    world.assert_signed_once(&source, &unsigned);
}
