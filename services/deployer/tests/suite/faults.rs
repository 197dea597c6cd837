//! The fault table: every call that the pipeline makes fails once, without effect and after it. Delivered again, to
//! the same process or to a new one, the end is the same. And what a restart finds at the worst moments.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    AliasName, EventData, FunctionName, FunctionVersion, Sha256Digest, UnixMillis, UntrustedArtifact,
};
use countersign_ports::Clock as _;
use countersign_ports::code_signing_configs::CodeSigningConfigs as _;
use countersign_ports::deployments::Finish;
use countersign_ports::fakes::{Fault, MemoryTarget};
use countersign_ports::functions::Weight;
use countersign_ports::revocations::RevocationRegistry as _;
use countersign_ports::targets::{DeployTarget, LocalPackages, TargetError, TargetVersion};
use countersign_runtime::{Handled, Handler as _};

use crate::support::{World, body, config, deliver, delivery, package, request, root, scope};

const FAULTS: [Fault; 2] = [Fault::WithoutEffect, Fault::AfterEffect];

/// Delivers until it is done, to one process or to a new one each time, whose predecessor's lease has run out.
async fn deliver_until_done(world: &World, id: &str, asked: &DeploymentRequest, restart: bool) {
    let mut deployer = world.start();
    for attempt in 1..=5 {
        match deployer.handle(&delivery(id, attempt, body(id, asked))).await {
            Handled::Done => return,
            Handled::Retry { .. } if restart => {
                world.clock.advance(Duration::from_secs(20));
                drop(deployer);
                deployer = world.start();
            }
            Handled::Retry { .. } => {}
            Handled::Reject { reason } => panic!("a passing fault rejected the message: {reason}"),
        }
    }
    panic!("not done after five deliveries");
}

#[tokio::test]
async fn a_deployment() {
    let world = World::new().await;
    let asked = request("strict", &world.signed("one").await.object);
    let before = world.faults.operations().len();
    deliver_until_done(&world, "e1", &asked, false).await;
    let calls = world.faults.operations()[before..].to_vec();
    let expected = [
        "begin",
        "basis",
        "fetch",
        "revocation_status",
        "record",
        "publish_version",
        "put_latest",
        "point_alias",
        "finish",
    ];
    assert_eq!(calls, expected);
    for operation in expected {
        for (fault, restart) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
            let world = World::new().await;
            let asked = request("strict", &world.signed("one").await.object);
            world.faults.fail_next(operation, fault);
            deliver_until_done(&world, "e1", &asked, restart).await;
            assert!(world.faults.is_spent(), "{operation} never came");
            let alias = Some("live".parse().unwrap());
            assert_eq!(
                world.finish("e1").await,
                Some(Finish::Succeeded { version: Some(1), alias }),
                "{operation}"
            );
            assert_eq!(world.live(), (vec![1], Some(1)), "{operation} {fault:?}");
            assert_eq!(world.told("e1"), ["succeeded"], "{operation} {fault:?}");
            world.assert_tidy();
        }
    }
}

#[tokio::test]
async fn a_blocked_and_a_warned_one() {
    for (operation, fault) in ["begin", "basis", "fetch", "record", "finish"]
        .into_iter()
        .flat_map(|call| FAULTS.map(|fault| (call, fault)))
    {
        for (config, told) in [("strict", vec!["blocked"]), ("lenient", vec!["succeeded", "warning/0"])] {
            let world = World::new().await;
            let asked = request(config, &world.upload("unsigned.zip", &package("one")));
            world.faults.fail_next(operation, fault);
            deliver_until_done(&world, "e1", &asked, true).await;
            assert!(world.faults.is_spent(), "{operation} never came");
            assert_eq!(world.told("e1"), told, "{operation} {fault:?}");
            assert_eq!(world.live().0.len(), told.len() - 1);
        }
    }
}

#[tokio::test]
async fn a_recorded_verdict_is_carried_out_as_it_was_recorded() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    let asked = request("lenient", &signed.object);
    world.faults.fail_next("publish_version", Fault::WithoutEffect);
    assert!(matches!(deliver(&world.start(), "e1", &asked).await, Handled::Retry { .. }));
    // Whatever happens now concerns the next decision.
    world.store.revoke_job(&signed.job, &root(), "leaked", world.clock.now()).await.unwrap();
    let strict = ["strict", "lenient"].map(|name| config(name, UntrustedArtifact::Enforce));
    world.store.declare(&scope(), &strict, UnixMillis::EPOCH).await.unwrap();
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(deliver(&world.start(), "e1", &asked).await, Handled::Done);
    assert_eq!(world.live(), (vec![1], Some(1)));
    assert_eq!(deliver(&world.start(), "e2", &asked).await, Handled::Done);
    assert_eq!(world.finish("e2").await, Some(Finish::Blocked));
}

#[tokio::test]
async fn a_recorded_block_needs_no_package_any_more() {
    let world = World::new().await;
    let object = world.upload("unsigned.zip", &package("one"));
    world.faults.fail_next("finish", Fault::WithoutEffect);
    assert!(matches!(
        deliver(&world.start(), "e1", &request("strict", &object)).await,
        Handled::Retry { .. }
    ));
    world.clock.advance(Duration::from_secs(20));
    world.faults.fail_next("fetch", Fault::WithoutEffect);
    assert_eq!(deliver(&world.start(), "e1", &request("strict", &object)).await, Handled::Done);
    assert_eq!(world.finish("e1").await, Some(Finish::Blocked));
    assert!(!world.faults.is_spent(), "it was fetched again");
}

#[tokio::test]
async fn other_bytes_under_the_version_that_was_decided_upon_are_never_deployed() {
    let world = World::new().await;
    let [signed, other] = [world.signed("one").await, world.signed("two").await];
    let asked = request("strict", &signed.object);
    world.faults.fail_next("publish_version", Fault::WithoutEffect);
    assert!(matches!(deliver(&world.start(), "e1", &asked).await, Handled::Retry { .. }));
    world.objects.tamper(&signed.object, &other.bytes);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(deliver(&world.start(), "e1", &asked).await, Handled::Done);
    assert!(world.failure("e1").await.starts_with("package_changed: "));
    let EventData::DeploymentFailed(report) = world.told_as("e1", "failed") else { panic!() };
    assert_eq!(report.findings.len(), 4, "what had been decided is told");
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_deployment_bars_its_function_until_its_lease_runs_out() {
    let world = World::new().await;
    let [one, two] = [world.signed("one").await, world.signed("two").await];
    world.faults.fail_next("record", Fault::WithoutEffect);
    let dead = deliver(&world.start(), "e1", &request("strict", &one.object)).await;
    assert!(matches!(dead, Handled::Retry { .. }));
    let next = world.start();
    for (id, signed) in [("e1", &one), ("e2", &two)] {
        let handled = deliver(&next, id, &request("strict", &signed.object)).await;
        let Handled::Retry { reason, .. } = handled else { panic!("a held deployment was taken") };
        assert!(reason.contains("in other hands"), "{reason}");
    }
    // The message waits in hand: this is one delivery.
    let (asked, clock) = (request("strict", &two.object), world.clock.clone());
    let waited = deliver(&next, "e2", &asked);
    let passed = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        clock.advance(Duration::from_secs(15));
    };
    assert_eq!(tokio::join!(waited, passed).0, Handled::Done);
    assert_eq!(deliver(&next, "e1", &request("strict", &one.object)).await, Handled::Done);
    assert_eq!(world.live(), (vec![1, 2], Some(2)));
}

#[tokio::test]
async fn a_full_target_is_tried_a_few_times_and_then_fails_the_deployment() {
    let world = World::new().await;
    let asked = request("strict", &world.signed("one").await.object);
    let full = Arc::new(FullTarget { standing: world.target.clone(), only_alias: false });
    let deployer = world.start_on(Arc::new(world.store.clone()), full);
    for attempt in 1..=2 {
        let handled = deployer.handle(&delivery("e1", attempt, body("e1", &asked))).await;
        assert!(matches!(handled, Handled::Retry { .. }), "{handled:?}");
    }
    assert_eq!(deployer.handle(&delivery("e1", 3, body("e1", &asked))).await, Handled::Done);
    let reason = world.failure("e1").await;
    assert!(reason.starts_with("target_full: "), "{reason}");
}

#[tokio::test]
async fn a_target_that_fills_up_before_the_alias_is_finished_once_there_is_room() {
    let world = World::new().await;
    let asked = request("strict", &world.signed("one").await.object);
    let full = Arc::new(FullTarget { standing: world.target.clone(), only_alias: true });
    let deployer = world.start_on(Arc::new(world.store.clone()), full);
    for attempt in 1..=4 {
        let handled = deployer.handle(&delivery("e1", attempt, body("e1", &asked))).await;
        assert!(matches!(handled, Handled::Retry { .. }), "{handled:?}");
    }
    drop(deployer);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.start().handle(&delivery("e1", 5, body("e1", &asked))).await, Handled::Done);
    assert_eq!(world.live(), (vec![1], Some(1)));
}

/// A target without room: for a version, or only for the alias after it.
struct FullTarget {
    standing: MemoryTarget,
    only_alias: bool,
}

#[async_trait]
impl DeployTarget for FullTarget {
    async fn publish_version(
        &self,
        function: &FunctionName,
        version: u64,
        packages: &LocalPackages,
    ) -> Result<TargetVersion, TargetError> {
        if self.only_alias {
            return self.standing.publish_version(function, version, packages).await;
        }
        Err(TargetError::Full("no space left on device".into()))
    }

    async fn put_latest(&self, function: &FunctionName, packages: &LocalPackages) -> Result<(), TargetError> {
        self.standing.put_latest(function, packages).await
    }

    async fn find_version(
        &self,
        function: &FunctionName,
        version: FunctionVersion,
        code: &Sha256Digest,
    ) -> Result<Option<TargetVersion>, TargetError> {
        self.standing.find_version(function, version, code).await
    }

    async fn point_alias(
        &self,
        _: &FunctionName,
        _: &AliasName,
        _: &TargetVersion,
    ) -> Result<(), TargetError> {
        Err(TargetError::Full("no space left on device".into()))
    }

    async fn split_alias(
        &self,
        _: &FunctionName,
        _: &AliasName,
        _: &TargetVersion,
        _: (&TargetVersion, Weight),
    ) -> Result<(), TargetError> {
        Err(TargetError::Full("no space left on device".into()))
    }

    async fn delete_alias(&self, function: &FunctionName, alias: &AliasName) -> Result<(), TargetError> {
        self.standing.delete_alias(function, alias).await
    }

    async fn delete_version(
        &self,
        function: &FunctionName,
        version: u64,
        in_use: &BTreeSet<Sha256Digest>,
    ) -> Result<(), TargetError> {
        self.standing.delete_version(function, version, in_use).await
    }

    async fn delete_function(&self, function: &FunctionName) -> Result<(), TargetError> {
        self.standing.delete_function(function).await
    }
}
