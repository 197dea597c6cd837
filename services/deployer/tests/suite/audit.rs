//! What is told of a deployment for good: the trail, and what is counted.

use countersign_domain::trail::SignatureStatus;
use countersign_domain::{ObjectVersion, TrailRecord};
use countersign_ports::fakes::Fault;
use countersign_ports::trail::{Position, Trail as _, TrailFilter};
use countersign_runtime::Handled;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::support::{PUBLISHER, World, authority, deliver, package, principal, profile, request};

async fn records(world: &World) -> Vec<TrailRecord> {
    let page = world.store.page(&TrailFilter::default(), Position::START, 99).await.unwrap();
    page.records.into_iter().map(|(_, record)| record).collect()
}

async fn deployed(world: &World, config: &str, code: &ObjectVersion) -> [TrailRecord; 2] {
    assert_eq!(deliver(&world.start(), "e1", &request(config, code)).await, Handled::Done);
    records(world).await.try_into().expect("a decision and an end")
}

#[tokio::test]
async fn a_deployment_leaves_its_decision_and_its_end() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    let [decided, ended] = deployed(&world, "strict", &signed.object).await;
    assert_eq!((decided.name().as_str(), ended.name().as_str()), ("ValidateCodeSignature", "EndDeployment"));
    for record in [&decided, &ended] {
        let told = serde_json::to_value(record).unwrap();
        assert_eq!(told["eventType"], "AwsServiceEvent");
        assert_eq!(told["eventSource"], "lambda.amazonaws.com");
        assert_eq!(told["userIdentity"]["arn"], "arn:aws:iam::000000000000:user/ci");
        assert_eq!(told["requestParameters"]["functionName"], "hello");
        assert_eq!(told["requestParameters"]["code"]["s3Key"], signed.object.key.as_str());
        assert_eq!(told["additionalEventData"]["signatureStatus"], "VALID");
        let signer = profile("default").to_string();
        assert_eq!(told["additionalEventData"]["signingProfileVersionArn"], signer);
        assert_eq!(told["additionalEventData"]["signingJobArn"], signed.job.to_string());
        assert_eq!((record.error_code(), &told["readOnly"]), (None, &json!(false)));
        assert_eq!(record.resources()[0].arn(), "arn:aws:lambda:us-east-1:000000000000:function:hello");
    }
    assert!(decided.resources()[1].arn().contains(":code-signing-config:csc-"));
    let answer = serde_json::to_value(&ended).unwrap()["responseElements"].clone();
    assert_eq!((&answer["version"], &answer["functionName"]), (&json!("1"), &json!("hello")));
}

#[tokio::test]
async fn a_block_names_the_check_and_a_warning_passes_with_its_status() {
    for (config, code) in [("strict", Some("CodeVerificationFailedException")), ("lenient", None)] {
        let world = World::new().await;
        let unsigned = world.upload("unsigned.zip", &package("one"));
        for record in deployed(&world, config, &unsigned).await {
            assert_eq!(record.error_code(), code, "{config}");
            let data = record.additional().unwrap();
            assert_eq!(data.signature_status(), Some(SignatureStatus::Unsigned));
            assert_eq!(data.findings().len(), 1);
        }
    }
}

#[tokio::test]
async fn who_is_denied_leaves_one_record_without_a_decision() {
    let world = World::new().await;
    let deployer = world.start();
    deployer.set_authority(authority(principal("ci").with_publishers([PUBLISHER])));
    let signed = world.signed("one").await;
    assert_eq!(deliver(&deployer, "e1", &request("strict", &signed.object)).await, Handled::Done);
    let [ended] = records(&world).await.try_into().expect("an end");
    assert_eq!(ended.error_code(), Some("AccessDenied"));
    assert_eq!(ended.additional(), None);
}

#[tokio::test]
async fn a_repetition_tells_nothing_twice() {
    for operation in ["record", "publish_version", "finish"] {
        for fault in [Fault::WithoutEffect, Fault::AfterEffect] {
            let world = World::new().await;
            let asked = request("strict", &world.signed("one").await.object);
            world.faults.fail_next(operation, fault);
            let deployer = world.start();
            assert!(matches!(deliver(&deployer, "e1", &asked).await, Handled::Retry { .. }));
            assert_eq!(deliver(&deployer, "e1", &asked).await, Handled::Done);
            assert_eq!(records(&world).await.len(), 2, "{operation} {fault:?}");
        }
    }
}

#[tokio::test]
async fn each_failed_check_is_counted_once_whether_it_blocks_or_warns() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let deployer = world.start();
    let unsigned = world.upload("unsigned.zip", &package("one"));
    let signed = world.signed("one").await;
    for (id, config, code) in [("e1", "lenient", &unsigned), ("e2", "lenient", &signed.object)] {
        assert_eq!(deliver(&deployer, id, &request(config, code)).await, Handled::Done);
        assert_eq!(deliver(&deployer, id, &request(config, code)).await, Handled::Done, "told twice");
    }
    let counted: Vec<String> = handle
        .render()
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(String::from)
        .collect();
    assert_eq!(counted, [r#"SignatureValidationErrors{function="hello",check="Mismatch"} 1"#]);
}
