//! What is asked for is deployed, once.

use countersign_domain::event::CreateFunction;
use countersign_domain::{EventData, PackageRole, Sha256Digest};
use countersign_ports::deployments::Finish;
use countersign_runtime::Handled;

use crate::support::{World, deliver, hello, package, request};

#[tokio::test]
async fn a_signed_package_is_deployed_and_told_of() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    assert_eq!(deliver(&world.start(), "e1", &request("strict", &signed.object)).await, Handled::Done);
    assert_eq!(world.live(), (vec![1], Some(1)));
    let sha256 = Sha256Digest::of(&signed.bytes);
    assert_eq!(world.target.published(&hello(), 1).unwrap().code_sha256, sha256);
    assert_eq!(world.told("e1"), ["succeeded"]);
    let EventData::DeploymentSucceeded(report) = world.told_as("e1", "succeeded") else { panic!() };
    assert_eq!((report.version, report.code_sha256, report.findings.len()), (Some(1), Some(sha256), 4));
    assert_eq!(report.code, signed.object.into());
    world.assert_tidy();
}

#[tokio::test]
async fn the_same_event_ten_times_is_one_deployment() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    let deployer = world.start();
    for _ in 0..10 {
        assert_eq!(deliver(&deployer, "e1", &request("strict", &signed.object)).await, Handled::Done);
    }
    assert_eq!(world.live(), (vec![1], Some(1)));
    let published = world.faults.operations().iter().filter(|call| **call == "publish_version").count();
    assert_eq!(published, 1);
}

#[tokio::test]
async fn the_same_package_again_is_the_same_version_and_another_one_the_next() {
    let world = World::new().await;
    let deployer = world.start();
    let (one, two) = (world.signed("one").await, world.signed("two").await);
    for (id, signed, version) in [("e1", &one, 1), ("e2", &one, 1), ("e3", &two, 2), ("e4", &one, 3)] {
        assert_eq!(deliver(&deployer, id, &request("strict", &signed.object)).await, Handled::Done);
        let finish = world.finish(id).await.unwrap();
        assert_eq!(
            finish,
            Finish::Succeeded { version: Some(version), alias: Some("live".parse().unwrap()) }
        );
        assert_eq!(world.live().1, Some(version));
    }
    assert_eq!(world.live().0, [1, 2, 3]);
}

#[tokio::test]
async fn an_unknown_function_fails_unless_its_creation_is_asked_for() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    let mut asked = request("strict", &signed.object);
    asked.create = None;
    assert_eq!(deliver(&world.start(), "e1", &asked).await, Handled::Done);
    assert!(world.failure("e1").await.starts_with("unknown_function: "));
    assert_eq!(deliver(&world.start(), "e2", &request("strict", &signed.object)).await, Handled::Done);
    assert_eq!(deliver(&world.start(), "e3", &asked).await, Handled::Done);
    assert_eq!(world.live(), (vec![1], Some(1)), "it exists now");
}

#[tokio::test]
async fn an_undeclared_code_signing_config_fails_and_is_never_taken_for_none() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    assert_eq!(deliver(&world.start(), "e1", &request("undeclared", &signed.object)).await, Handled::Done);
    assert!(world.failure("e1").await.starts_with("unknown_code_signing_config: "));
}

#[tokio::test]
async fn the_binding_of_a_function_that_exists_is_not_the_requests_to_change() {
    let world = World::new().await;
    let deployer = world.start();
    let signed = world.signed("one").await;
    assert_eq!(deliver(&deployer, "e1", &request("strict", &signed.object)).await, Handled::Done);
    let unsigned = world.upload("unsigned.zip", &package("evil"));
    for (id, config) in [("e2", Some("lenient")), ("e3", None)] {
        let mut asked = request("strict", &unsigned);
        let code_signing_config = config.map(|name| name.parse().unwrap());
        asked.create = Some(CreateFunction { code_signing_config });
        assert_eq!(deliver(&deployer, id, &asked).await, Handled::Done);
        assert_eq!(world.finish(id).await, Some(Finish::Blocked));
    }
    assert_eq!(world.live(), (vec![1], Some(1)));
}

#[tokio::test]
async fn without_a_code_signing_config_nothing_is_validated_unless_that_is_required() {
    let mut world = World::new().await;
    let unsigned = world.upload("unsigned.zip", &package("one"));
    let mut asked = request("strict", &unsigned);
    asked.create = Some(CreateFunction { code_signing_config: None });
    assert_eq!(deliver(&world.start(), "e1", &asked).await, Handled::Done);
    let EventData::DeploymentSucceeded(report) = world.told_as("e1", "succeeded") else { panic!() };
    assert!(report.findings.is_empty() && report.reason.starts_with("not validated"), "{}", report.reason);
    world.require_code_signing = true;
    assert_eq!(deliver(&world.start(), "e2", &asked).await, Handled::Done);
    assert_eq!(world.finish("e2").await, Some(Finish::Blocked));
}

#[tokio::test]
async fn every_layer_is_checked_and_deployed_with_the_function() {
    let world = World::new().await;
    let [code, layer] = [world.signed("code").await, world.signed("layer").await];
    let mut asked = request("strict", &code.object);
    asked.layers = vec![layer.object.clone().into(), layer.object.into()];
    asked.alias = None;
    assert_eq!(deliver(&world.start(), "e1", &asked).await, Handled::Done);
    let published = world.target.published(&hello(), 1).unwrap();
    assert_eq!(published.layer_sha256, [Sha256Digest::of(&layer.bytes), Sha256Digest::of(&layer.bytes)]);
    assert_eq!(world.live(), (vec![1], None));
    let unsigned = world.upload("unsigned.zip", &package("evil"));
    asked.layers[1] = unsigned.into();
    assert_eq!(deliver(&world.start(), "e2", &asked).await, Handled::Done);
    let EventData::DeploymentBlocked(report) = world.told_as("e2", "blocked") else { panic!() };
    let failed = report.findings.iter().find(|finding| !finding.passed()).unwrap();
    assert_eq!(failed.package, PackageRole::Layer(2));
    assert_eq!(world.live().0, [1]);
}

#[tokio::test]
async fn packages_that_cannot_be_fetched_fail_with_a_code() {
    for (key, limit, code) in [("gone.zip", None, "package_not_found"), ("", Some(10), "package_too_large")] {
        let mut world = World::new().await;
        world.package_limit_bytes = limit.unwrap_or(world.package_limit_bytes);
        let mut object = world.signed("one").await.object;
        object.key = if key.is_empty() { object.key } else { key.parse().unwrap() };
        assert_eq!(deliver(&world.start(), "e1", &request("strict", &object)).await, Handled::Done);
        let reason = world.failure("e1").await;
        assert!(reason.starts_with(&format!("{code}: ")), "{reason}");
    }
}

#[tokio::test]
async fn deployments_of_one_function_at_once_follow_each_other() {
    let world = World::new().await;
    let deployer = world.start();
    let packages = [world.signed("one").await, world.signed("two").await, world.signed("three").await];
    let [one, two, three] = packages.each_ref().map(|signed| request("strict", &signed.object));
    let handled = tokio::join!(
        deliver(&deployer, "e1", &one),
        deliver(&deployer, "e2", &two),
        deliver(&deployer, "e3", &three)
    );
    assert_eq!(handled, (Handled::Done, Handled::Done, Handled::Done));
    assert_eq!(world.live(), (vec![1, 2, 3], Some(3)));
}

#[tokio::test]
async fn a_target_that_refuses_fails_the_deployment() {
    // The version's number is taken by something that this store never deployed.
    let earlier = World::new().await;
    let [one, two] = [earlier.signed("one").await, earlier.signed("two").await];
    assert_eq!(deliver(&earlier.start(), "e1", &request("strict", &one.object)).await, Handled::Done);
    let mut world = World::new().await;
    world.target = earlier.target.clone();
    let object = world.upload("two.zip", &two.bytes);
    let mut asked = request("strict", &object);
    asked.create = Some(CreateFunction { code_signing_config: None });
    assert_eq!(deliver(&world.start(), "e2", &asked).await, Handled::Done);
    let Some(Finish::Failed { reason }) = world.finish("e2").await else { panic!() };
    assert!(reason.starts_with("version_taken: "), "{reason}");
    let EventData::DeploymentFailed(report) = world.told_as("e2", "failed") else { panic!() };
    assert_eq!(report.code_sha256, Some(Sha256Digest::of(&two.bytes)));
    assert_eq!(world.live(), (vec![1], Some(1)));
}
