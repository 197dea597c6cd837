//! What is no request is a dead letter, before anything is looked up.

use countersign_domain::event::{DeploymentRequest, MAX_LAYERS};
use countersign_runtime::{Handled, Handler as _};
use serde_json::{Value, json};

use crate::support::{World, authority, body, deliver, delivery, principal, request};

/// A request that is well formed, to be spoilt.
fn asked(world: &World) -> Value {
    let object = world.upload("one.zip", b"bytes");
    serde_json::from_slice(&body("e1", &request("strict", &object))).unwrap()
}

async fn rejection(world: &World, body: Vec<u8>) -> String {
    let deployer = world.start();
    let before = world.faults.operations().len();
    let handled = deployer.handle(&delivery("m1", 1, body)).await;
    assert_eq!(world.faults.operations().len(), before, "something was asked of a port");
    let Handled::Reject { reason } = handled else { panic!("{handled:?}") };
    reason
}

#[tokio::test]
async fn malformed_events() {
    let world = World::new().await;
    let good = asked(&world);
    let spoilt = |pointer: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        event.to_string().into_bytes()
    };
    let with = |name: &str| {
        let mut event = good.clone();
        event["data"][name] = json!("Warn");
        event.to_string().into_bytes()
    };
    let twice = good.to_string().replacen(r#""functionName""#, r#""functionName":"other","functionName""#, 1);
    for body in [
        Vec::new(),
        b"{".to_vec(),
        b"\xff\xfe".to_vec(),
        vec![b'['; 100_000],
        vec![b' '; 2 * 1024 * 1024],
        spoilt("/specversion", json!("0.3")),
        spoilt("/type", json!("countersign.unknown")),
        spoilt("/id", json!("")),
        spoilt("/data/functionName", json!("../../etc")),
        spoilt("/data/code/s3ObjectVersion", json!("null")),
        spoilt("/data/code/s3Bucket", json!("169.254.169.254")),
        spoilt("/data/create/codeSigningConfig", json!("no such/name")),
        spoilt("/data/alias", json!("12")),
        with("untrustedArtifact"),
        with("publisher"),
        twice.into_bytes(),
        [good.to_string().as_bytes(), b" {}"].concat(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        let reason = rejection(&world, body).await;
        assert!(reason.starts_with("malformed_event: "), "{shown}: {reason}");
        assert!(reason.len() < 2000);
    }
}

#[tokio::test]
async fn too_many_layers() {
    let world = World::new().await;
    let mut event = asked(&world);
    let layer = event["data"]["code"].clone();
    event["data"]["layers"] = Value::Array(vec![layer; MAX_LAYERS + 1]);
    let reason = rejection(&world, event.to_string().into_bytes()).await;
    assert_eq!(reason, "malformed_event: 6 layers are more than 5");
}

#[tokio::test]
async fn an_event_that_asks_for_nothing() {
    let world = World::new().await;
    let mut event = asked(&world);
    event["type"] = json!("countersign.deployment.warning");
    event["data"] = json!({
        "deploymentId": "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97",
        "functionName": "hello",
        "finding": { "package": "function", "check": "expiry", "outcome": "passed" },
    });
    let reason = rejection(&world, event.to_string().into_bytes()).await;
    assert!(reason.starts_with("unexpected_event: countersign.deployment.warning"), "{reason}");
}

#[tokio::test]
async fn an_event_id_never_carries_a_second_request_in() {
    let world = World::new().await;
    let [one, two] = [world.signed("one").await, world.signed("two").await];
    let deployer = world.start();
    assert_eq!(deliver(&deployer, "e1", &request("strict", &one.object)).await, Handled::Done);
    let Handled::Reject { reason } = deliver(&deployer, "e1", &request("strict", &two.object)).await else {
        panic!("the id was used twice");
    };
    assert!(reason.starts_with("event_id_reused: "), "{reason}");
    let mut foreign = delivery("e1", 1, body("e1", &request("strict", &one.object)));
    foreign.publisher = Some("mallory".into());
    assert!(matches!(deployer.handle(&foreign).await, Handled::Reject { .. }));
    assert_eq!(world.live(), (vec![1], Some(1)));
}

#[tokio::test]
async fn only_who_is_named_is_heard() {
    let world = World::new().await;
    let object = world.upload("one.zip", b"bytes");
    let deployer = world.start();
    let before = world.faults.operations().len();
    for (publisher, code) in [
        (None, "unauthenticated_publisher: "),
        (Some("mallory".to_owned()), "unknown_publisher: \"mallory\""),
    ] {
        let mut message = delivery("m1", 1, body("e1", &request("strict", &object)));
        message.publisher = publisher;
        let Handled::Reject { reason } = deployer.handle(&message).await else { panic!("it was heard") };
        assert!(reason.starts_with(code), "{reason}");
    }
    assert_eq!(world.faults.operations().len(), before, "something was asked of a port");
    deployer.set_authority(authority(principal("ci").with_publishers(["mallory"]).with_all_rights()));
    let mut known = delivery("m1", 1, body("e1", &request("strict", &object)));
    known.publisher = Some("mallory".to_owned());
    assert_eq!(deployer.handle(&known).await, Handled::Done, "a reload takes effect at once");
}

#[tokio::test]
async fn two_principals_may_use_one_event_id() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let deployer = world.start();
    assert_eq!(deliver(&deployer, "e1", &request("strict", &one.object)).await, Handled::Done);
    deployer.set_authority(authority(principal("other").with_publishers(["other-bot"]).with_all_rights()));
    let mut message = delivery("m2", 1, body("e1", &request("strict", &one.object)));
    message.publisher = Some("other-bot".to_owned());
    assert_eq!(deployer.handle(&message).await, Handled::Done);
    assert_eq!(world.live(), (vec![1], Some(1)), "the same package is the same version");
}

#[tokio::test]
async fn a_target_that_nobody_declared_fails_the_deployment() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let asked =
        DeploymentRequest { target: Some("nowhere".parse().unwrap()), ..request("strict", &one.object) };
    assert_eq!(deliver(&world.start(), "e1", &asked).await, Handled::Done);
    let reason = world.failure("e1").await;
    assert!(reason.starts_with("unknown_target: there is no target nowhere"), "{reason}");
}
