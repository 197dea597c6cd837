//! Who may ask for what: an event is authorized like the calls that it stands for.

use std::time::Duration;

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{EventData, ObjectVersion};
use countersign_iam::Policy;
use countersign_ports::deployments::Finish;
use countersign_ports::fakes::Fault;
use countersign_runtime::{Handled, Principal};

use crate::support::{PUBLISHER, World, authority, deliver, principal, request};

/// What CI may do: bring new code, and nothing more.
const UPDATE: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Action":["lambda:UpdateFunctionCode","lambda:UpdateAlias"],
    "Resource":"arn:aws:lambda:us-east-1:000000000000:function:hello"}}"#;

/// AWS's own: functions are made only with this config, here the one that is declared as `strict`.
const CREATE_WITH_STRICT: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["lambda:CreateFunction"],"Resource":"*","Condition":{"StringEquals":{
        "lambda:CodeSigningConfigArn":"arn:aws:lambda:us-east-1:000000000000:code-signing-config:CSC"}}},
    {"Effect":"Allow","Action":"lambda:UpdateAlias","Resource":"*"}]}"#;

fn ci(policies: &[&str]) -> Principal {
    let policies = policies.iter().map(|json| Policy::parse(json).unwrap());
    principal("ci").with_publishers([PUBLISHER]).with_policies(policies)
}

/// How a deployment ends that `principal` asks for as the event `id`.
async fn asked_by(world: &World, principal: Principal, id: &str, request: &DeploymentRequest) -> Finish {
    let deployer = world.start();
    deployer.set_authority(authority(principal));
    assert_eq!(deliver(&deployer, id, request).await, Handled::Done, "it is never a dead letter");
    world.finish(id).await.unwrap()
}

fn succeeded(finish: &Finish) -> bool {
    matches!(finish, Finish::Succeeded { .. })
}

fn denied(action: &str) -> String {
    format!(
        "access_denied: User: arn:aws:iam::000000000000:user/ci is not authorized to perform: {action} on resource: \
         arn:aws:lambda:us-east-1:000000000000:function:hello because no identity-based policy allows the {action} \
         action"
    )
}

fn without_alias(request: DeploymentRequest) -> DeploymentRequest {
    DeploymentRequest { alias: None, ..request }
}

#[tokio::test]
async fn who_has_no_policy_is_refused_before_anything_is_fetched() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let before = world.faults.operations().len();
    asked_by(&world, ci(&[]), "e1", &request("strict", &one.object)).await;
    assert_eq!(world.faults.operations()[before..], ["begin", "basis", "finish", "deployment"]);
    assert_eq!(world.failure("e1").await, denied("lambda:CreateFunction"));
    let EventData::DeploymentFailed(report) = world.told_as("e1", "failed") else {
        panic!("nothing was told")
    };
    assert_eq!(report.reason, denied("lambda:CreateFunction"));
    assert_eq!((report.code_sha256, report.findings.len()), (None, 0));
}

#[tokio::test]
async fn what_is_denied_and_what_does_not_exist_look_alike() {
    let world = World::new().await;
    let nowhere: ObjectVersion = world.upload("one.zip", b"bytes");
    let no_function = DeploymentRequest { create: None, ..request("strict", &nowhere) };
    asked_by(&world, ci(&[]), "e1", &no_function).await;
    assert_eq!(world.failure("e1").await, denied("lambda:UpdateFunctionCode"));
    asked_by(&world, ci(&[]), "e2", &request("undeclared", &nowhere)).await;
    assert_eq!(world.failure("e2").await, denied("lambda:CreateFunction"));
    asked_by(&world, ci(&[UPDATE]), "e3", &no_function).await;
    assert!(world.failure("e3").await.starts_with("unknown_function: "));
}

#[tokio::test]
async fn making_a_function_and_changing_it_are_two_rights() {
    let world = World::new().await;
    let [one, two] = [world.signed("one").await, world.signed("two").await];
    asked_by(&world, ci(&[UPDATE]), "e1", &request("strict", &one.object)).await;
    assert_eq!(world.failure("e1").await, denied("lambda:CreateFunction"));
    let root = principal("ci").with_publishers([PUBLISHER]).with_all_rights();
    assert!(succeeded(&asked_by(&world, root, "e2", &request("strict", &one.object)).await));
    let update = asked_by(&world, ci(&[UPDATE]), "e3", &request("strict", &two.object)).await;
    assert!(succeeded(&update), "the function is there now: {update:?}");
    assert_eq!(world.live(), (vec![1, 2], Some(2)));
}

#[tokio::test]
async fn an_alias_is_a_right_of_its_own() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let no_alias = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"lambda:*","Resource":"*"},
        {"Sid":"KeepLive","Effect":"Deny","Action":"lambda:UpdateAlias","Resource":"*"}]}"#;
    asked_by(&world, ci(&[no_alias]), "e1", &request("strict", &one.object)).await;
    let reason = world.failure("e1").await;
    assert!(reason.contains("lambda:UpdateAlias"), "{reason}");
    assert!(reason.ends_with("with an explicit deny in an identity-based policy"), "{reason}");
    let without = without_alias(request("strict", &one.object));
    assert!(succeeded(&asked_by(&world, ci(&[no_alias]), "e2", &without).await));
}

#[tokio::test]
async fn a_function_is_made_only_with_the_config_that_the_policy_names() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let policy = CREATE_WITH_STRICT.replace("CSC", STRICT);
    asked_by(&world, ci(&[&policy]), "e1", &request("lenient", &one.object)).await;
    assert_eq!(world.failure("e1").await, denied("lambda:CreateFunction"));
    let mut unbound = request("strict", &one.object);
    unbound.create.as_mut().unwrap().code_signing_config = None;
    asked_by(&world, ci(&[&policy]), "e2", &unbound).await;
    assert_eq!(world.failure("e2").await, denied("lambda:CreateFunction"));
    assert!(succeeded(&asked_by(&world, ci(&[&policy]), "e3", &request("strict", &one.object)).await));
}

#[tokio::test]
async fn each_layer_counts() {
    let world = World::new().await;
    let [one, own, other] =
        [world.signed("one").await, world.signed("own").await, world.signed("other").await];
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"lambda:*","Resource":"*",
        "Condition":{{"ForAllValues:StringEquals":{{"lambda:Layer":"arn:aws:s3:::signed/{}"}}}}}}}}"#,
        own.object.key
    );
    let with = |layers: &[&ObjectVersion]| DeploymentRequest {
        layers: layers.iter().map(|layer| (*layer).clone().into()).collect(),
        ..request("strict", &one.object)
    };
    asked_by(&world, ci(&[&policy]), "e1", &with(&[&own.object, &other.object])).await;
    assert_eq!(world.failure("e1").await, denied("lambda:CreateFunction"));
    assert!(succeeded(&asked_by(&world, ci(&[&policy]), "e2", &with(&[&own.object])).await));
}

#[tokio::test]
async fn a_principal_of_another_account_may_nothing_here() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let foreign = Principal::new("ci".parse().unwrap(), "999999999999".parse().unwrap());
    let foreign = foreign.with_publishers([PUBLISHER]).with_all_rights();
    asked_by(&world, foreign, "e1", &request("strict", &one.object)).await;
    let reason = world.failure("e1").await;
    assert!(reason.starts_with("access_denied: User: arn:aws:iam::999999999999:user/ci"), "{reason}");
}

#[tokio::test]
async fn the_hour_of_the_request_counts() {
    let world = World::new().await;
    let one = world.signed("one").await;
    let until = |year: u32| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"lambda:*","Resource":"*",
            "Condition":{{"DateLessThan":{{"aws:CurrentTime":"{year}-01-01T00:00:00Z"}}}}}}}}"#
        )
    };
    asked_by(&world, ci(&[&until(1971)]), "e1", &request("strict", &one.object)).await;
    assert_eq!(world.failure("e1").await, denied("lambda:CreateFunction"));
    assert!(succeeded(&asked_by(&world, ci(&[&until(9999)]), "e2", &request("strict", &one.object)).await));
}

#[tokio::test]
async fn what_was_decided_is_carried_out_though_the_right_was_taken_away() {
    let world = World::new().await;
    let [one, two] = [world.signed("one").await, world.signed("two").await];
    world.faults.fail_next("publish_version", Fault::WithoutEffect);
    assert!(matches!(
        deliver(&world.start(), "e1", &request("strict", &one.object)).await,
        Handled::Retry { .. }
    ));
    world.clock.advance(Duration::from_secs(20));
    assert!(succeeded(&asked_by(&world, ci(&[]), "e1", &request("strict", &one.object)).await));
    let next = asked_by(&world, ci(&[]), "e2", &request("strict", &two.object)).await;
    assert_eq!(next, Finish::Failed { reason: denied("lambda:UpdateFunctionCode") });
    assert_eq!(world.live(), (vec![1], Some(1)));
}

/// The id of the config `strict` in the suite's scope.
const STRICT: &str = "csc-0d7cf944b80a2e722";
