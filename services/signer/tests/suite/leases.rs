//! Who works on a job, while it lives and after it died.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{BucketName, ObjectLocation, ObjectVersion, Prefix, Sha256Digest};
use countersign_ports::fakes::{Fault, MemoryObjects};
use countersign_ports::objects::{Fetched, ObjectError, ObjectFacts, ObjectStore, PageMarker, VersionPage};
use countersign_runtime::Handled;

use crate::support::{World, deliver, notification, package};

#[tokio::test]
async fn an_abandoned_job_is_busy_until_its_lease_runs_out_and_then_taken_over() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    world.faults.fail_next("put_new", Fault::AfterEffect);
    let dead = deliver(&world.start(), "m1", notification(&[&source])).await;
    assert!(matches!(dead, Handled::Retry { .. }));
    let next = world.start();
    let Handled::Retry { after, reason } = deliver(&next, "m1", notification(&[&source])).await else {
        panic!("a held job was taken");
    };
    assert!(after > Duration::from_secs(5) && after <= Duration::from_secs(15), "{after:?}");
    assert!(reason.contains("another worker"), "{reason}");
    world.clock.advance(after);
    assert_eq!(deliver(&next, "m1", notification(&[&source])).await, Handled::Done);
    world.assert_signed_once(&source, &unsigned);
}

#[tokio::test]
async fn a_handler_that_is_dropped_half_way_leaves_nothing_that_hinders_the_next() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let signer = world.start();
    {
        let mut handling = Box::pin(deliver(&signer, "m1", notification(&[&source])));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(handling.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "it was done at once");
    }
    drop(signer);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    world.assert_signed_once(&source, &unsigned);
}

#[tokio::test(start_paused = true)]
async fn a_long_job_keeps_its_lease() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    let signer = world.start_on(Arc::new(SlowObjects(world.objects.clone())));
    assert_eq!(deliver(&signer, "m1", notification(&[&source])).await, Handled::Done);
    let operations = world.faults.operations();
    let renewals = operations.iter().filter(|operation| **operation == "renew_job").count();
    assert!(renewals >= 12, "{renewals} renewals in two slow fetches");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_stops_and_hands_over() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let slow = world.start_on(Arc::new(SlowObjects(world.objects.clone())));
    let body = notification(&[&source]);
    let mut lost = Box::pin(deliver(&slow, "m1", body.clone()));
    tokio::select! {
        biased;
        _ = &mut lost => panic!("a slow fetch was fast"),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(deliver(&world.start_beside(), "m1", body).await, Handled::Done);
    let Handled::Retry { reason, .. } = lost.await else { panic!("a lost lease was not noticed") };
    assert!(reason.contains("no longer holds the lease"), "{reason}");
    world.assert_signed_once(&source, &unsigned);
}

/// A store that takes half a minute for every object.
struct SlowObjects(MemoryObjects);

#[async_trait]
impl ObjectStore for SlowObjects {
    async fn keeps_versions(&self, bucket: &BucketName) -> Result<bool, ObjectError> {
        self.0.keeps_versions(bucket).await
    }

    async fn newest(&self, object: &ObjectLocation) -> Result<Option<ObjectFacts>, ObjectError> {
        self.0.newest(object).await
    }

    async fn facts(&self, object: &ObjectVersion) -> Result<Option<ObjectFacts>, ObjectError> {
        self.0.facts(object).await
    }

    async fn fetch(&self, object: &ObjectVersion, limit: u64, into: &Path) -> Result<Fetched, ObjectError> {
        tokio::time::sleep(Duration::from_secs(32)).await;
        self.0.fetch(object, limit, into).await
    }

    async fn put_new(
        &self,
        object: &ObjectLocation,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<ObjectVersion, ObjectError> {
        self.0.put_new(object, from, sha256).await
    }

    async fn list_versions(
        &self,
        prefix: &Prefix,
        from: Option<&PageMarker>,
    ) -> Result<VersionPage, ObjectError> {
        self.0.list_versions(prefix, from).await
    }
}
