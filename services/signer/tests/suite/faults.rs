//! The fault table: every call that the pipeline makes fails once, without effect and after it. Delivered again, to
//! the same process or to a new one, the end is the same.

use countersign_domain::JobStatus;
use countersign_ports::fakes::Fault;
use countersign_runtime::{Handled, Handler as _};
use std::time::Duration;

use crate::support::{World, deliver, delivery, notification, package};

const FAULTS: [Fault; 2] = [Fault::WithoutEffect, Fault::AfterEffect];

/// The calls of a run, each with the number of earlier calls of the same operation.
fn calls(operations: &[&'static str]) -> Vec<(&'static str, usize)> {
    let earlier =
        |index: usize| operations[..index].iter().filter(move |earlier| **earlier == operations[index]);
    (0..operations.len()).map(|index| (operations[index], earlier(index).count())).collect()
}

/// Delivers until it is done, to one process or to a new one each time, whose predecessor's lease has run out.
async fn deliver_until_done(world: &World, body: &[u8], restart: bool) {
    let mut signer = world.start();
    for attempt in 1..=5 {
        match signer.handle(&delivery("m1", attempt, body.to_vec())).await {
            Handled::Done => return,
            Handled::Retry { .. } if restart => {
                world.clock.advance(Duration::from_secs(20));
                drop(signer);
                signer = world.start();
            }
            Handled::Retry { .. } => {}
            Handled::Reject { reason } => panic!("a passing fault rejected the message: {reason}"),
        }
    }
    panic!("not done after five deliveries");
}

#[tokio::test]
async fn the_first_drop_of_a_package() {
    let world = World::new().await;
    let before = world.faults.operations().len();
    let source = world.drop_package("hello/fn.zip", &package("one"));
    deliver_until_done(&world, &notification(&[&source]), false).await;
    let calls = calls(&world.faults.operations()[before..]);
    let expected = [
        "facts",
        "profile",
        "claim_job",
        "keeps_versions",
        "fetch",
        "reusable_signature",
        "leaf",
        "sign_digest",
        "put_new",
        "fetch",
        "succeed_job",
    ];
    assert_eq!(calls.iter().map(|(operation, _)| *operation).collect::<Vec<_>>(), expected);
    for (operation, passes) in calls {
        for (fault, restart) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
            let world = World::new().await;
            let unsigned = package("one");
            let source = world.drop_package("hello/fn.zip", &unsigned);
            world.faults.fail_after(operation, passes, fault);
            deliver_until_done(&world, &notification(&[&source]), restart).await;
            assert!(world.faults.is_spent(), "{operation} {passes} never came");
            world.assert_signed_once(&source, &unsigned);
        }
    }
}

#[tokio::test]
async fn the_second_drop_of_a_package() {
    for (operation, passes) in [("reusable_signature", 0), ("fetch", 0), ("fetch", 1), ("succeed_job", 0)] {
        for fault in FAULTS {
            let world = World::new().await;
            let sources = [1, 2].map(|_| world.drop_package("hello/fn.zip", &package("one")));
            let [first, second] = sources.each_ref().map(|source| notification(&[source]));
            assert_eq!(deliver(&world.start(), "m0", first).await, Handled::Done);
            world.faults.fail_after(operation, passes, fault);
            deliver_until_done(&world, &second, true).await;
            assert!(world.faults.is_spent(), "{operation} {passes} never came");
            assert_eq!(world.signed_objects().len(), 1, "{operation} {fault:?}");
            assert!(world.store.jobs().iter().all(|job| job.status == JobStatus::Succeeded));
            assert_eq!(world.told().len(), 6);
        }
    }
}

#[tokio::test]
async fn an_object_whose_answer_got_lost_is_found_and_adopted() {
    for (operation, fault) in
        ["newest", "fetch"].into_iter().flat_map(|operation| FAULTS.map(|fault| (operation, fault)))
    {
        let world = World::new().await;
        let unsigned = package("one");
        let source = world.drop_package("hello/fn.zip", &unsigned);
        world.faults.fail_next("put_new", Fault::AfterEffect);
        // The first attempt fetches once; the second fetches the source, and then reads the object back.
        world.faults.fail_after(operation, if operation == "fetch" { 2 } else { 0 }, fault);
        deliver_until_done(&world, &notification(&[&source]), true).await;
        assert!(world.faults.is_spent(), "{operation} never came");
        world.assert_signed_once(&source, &unsigned);
    }
}

#[tokio::test]
async fn a_refusal_whose_report_failed() {
    for (operation, fault) in ["keeps_versions", "fetch", "leaf", "fail_job"]
        .into_iter()
        .flat_map(|call| FAULTS.map(|fault| (call, fault)))
    {
        let world = World::new().await;
        let source = world.drop_package("hello/fn.zip", b"no zip");
        world.faults.fail_next(operation, fault);
        deliver_until_done(&world, &notification(&[&source]), true).await;
        assert!(world.faults.is_spent(), "{operation} never came");
        assert!(world.refusal().starts_with("not_a_zip: "));
    }
}

#[tokio::test]
async fn an_outage_longer_than_the_deliveries_is_mended_by_the_sweep() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let signer = world.start();
    for attempt in 1..=5 {
        world.faults.fail_next("put_new", Fault::WithoutEffect);
        let handled = signer.handle(&delivery("m1", attempt, notification(&[&source]))).await;
        assert!(matches!(handled, Handled::Retry { .. }));
    }
    assert_eq!(world.store.jobs()[0].status, JobStatus::InProgress);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(signer.sweep().await, 1);
    world.assert_signed_once(&source, &unsigned);
}
