use serde_json::{Map, Value, json};

use super::*;
use crate::deployment::{Check, Finding, Outcome, PackageRole};
use crate::event::EventId;

fn record() -> TrailRecord {
    let scope = Scope::new("us-east-1", "123456789012").unwrap();
    let id = TrailEventId::for_deployment(deployment(), "decided");
    let maria = UserIdentity::user("maria", "123456789012", "arn:aws:iam::123456789012:user/maria");
    let what = (EventSource::Lambda, EventName::lambda("UpdateFunctionCode", "2015-03-31").unwrap());
    TrailRecord::new(id, maria, what, "2026-11-21T08:30:00.125Z".parse().unwrap(), &scope)
}

fn deployment() -> crate::DeploymentId {
    let event: EventId = "e-1".parse().unwrap();
    crate::DeploymentId::for_event(&"maria".parse().unwrap(), &event)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("{value} is no object") };
    members
}

fn parameters(value: Value) -> Value {
    serde_json::to_value(Parameters::of(&object(value))).unwrap()
}

fn failed(package: PackageRole, check: Check) -> Finding {
    Finding { package, check, outcome: Outcome::Failed("no".to_owned()) }
}

#[test]
fn a_record_has_the_members_of_cloudtrail() {
    let finding = failed(PackageRole::Function, Check::Mismatch);
    let record = record()
        .sent_from(Some("203.0.113.9".parse().unwrap()), Some("aws-cli/2.31"))
        .in_request("c85aae70-b0a8-4fa4-abd9-3e39ade1ad97")
        .writing()
        .asking(Parameters::of(&object(
            json!({"FunctionName": "hello", "Publish": true, "ZipFile": "UEsDBA=="}),
        )))
        .failing("CodeVerificationFailedException", "Lambda cannot deploy the function.")
        .checked(AdditionalEventData::of(deployment(), &[finding]))
        .about("AWS::Lambda::Function", "arn:aws:lambda:us-east-1:123456789012:function:hello");
    let written = serde_json::to_value(&record).unwrap();
    let id = record.id().to_string();
    assert_eq!(
        written,
        json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": "maria",
                "arn": "arn:aws:iam::123456789012:user/maria",
                "accountId": "123456789012",
                "userName": "maria",
            },
            "eventTime": "2026-11-21T08:30:00Z",
            "eventSource": "lambda.amazonaws.com",
            "eventName": "UpdateFunctionCode20150331v2",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.9",
            "userAgent": "aws-cli/2.31",
            "errorCode": "CodeVerificationFailedException",
            "errorMessage": "Lambda cannot deploy the function.",
            "requestParameters": {"functionName": "hello", "publish": true},
            "responseElements": null,
            "additionalEventData": {
                "signatureStatus": "UNSIGNED",
                "findings": [
                    {"package": "function", "check": "mismatch", "outcome": "failed", "reason": "no"},
                ],
                "deploymentId": deployment().to_string(),
            },
            "requestID": "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97",
            "eventID": id,
            "readOnly": false,
            "resources": [{
                "accountId": "123456789012",
                "type": "AWS::Lambda::Function",
                "ARN": "arn:aws:lambda:us-east-1:123456789012:function:hello",
            }],
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management",
        })
    );
    assert_eq!(serde_json::from_value::<TrailRecord>(written).unwrap(), record);
}

#[test]
fn secrets_stay_out() {
    let shown = parameters(json!({
        "FunctionName": "hello",
        "Code": {"ZipFile": "UEsDBA=="},
        "Environment": {"Variables": {"PASSWORD": "hunter2"}, "Error": {"Message": "hunter2"}},
        "Payload": "hunter2",
        "Content": {"Location": "https://host/key?X-Amz-Credential=a&X-AMZ-Signature=hunter2", "CodeSize": 3},
        "Tags": {"Team": "Payments"},
        "SigningParameters": {"Key": "Value"},
        "Layers": [{"Variables": "hunter2"}],
        "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1",
    }));
    assert_eq!(
        shown,
        json!({
            "functionName": "hello",
            "code": {},
            "environment": {},
            "payload": "HIDDEN_DUE_TO_SECURITY_REASONS",
            "content": {"location": "HIDDEN_DUE_TO_SECURITY_REASONS", "codeSize": 3},
            "tags": {"Team": "Payments"},
            "signingParameters": {"Key": "Value"},
            "layers": [{"variables": {}}],
            "kMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1",
        })
    );
    assert_eq!(Parameters::of(&Map::new()), None);
}

#[test]
fn a_record_of_the_longest_parts_is_within_its_limit() {
    // Each character is six bytes of JSON.
    let long = "\u{1}".repeat(300_000);
    let large = Parameters::of(&object(json!({"description": "x".repeat(100 * 1024 - 40)})));
    let findings: Vec<Finding> = (0..99)
        .map(|_| Finding {
            package: PackageRole::Layer(4_000_000_000),
            check: Check::Revocation,
            outcome: Outcome::Inconclusive(long.clone()),
        })
        .collect();
    let mut record = record()
        .sent_from(None, Some(&long))
        .in_request(&long)
        .failing(&long, &long)
        .asking(large.clone())
        .answering(large)
        .checked(AdditionalEventData::of(deployment(), &findings));
    for _ in 0..99 {
        record = record.about(&long, &long);
    }
    let text = serde_json::to_string(&record).unwrap();
    assert!((240_000..=MAX_RECORD_BYTES).contains(&text.len()), "{}", text.len());
    assert_eq!(serde_json::from_str::<TrailRecord>(&text).unwrap(), record);
    assert!(record.error_message().unwrap().ends_with("(cut)"));
}

#[test]
fn what_is_too_large_says_so() {
    let shown = parameters(json!({"description": "x".repeat(200_000)}));
    assert_eq!(
        shown,
        json!({"omitted": true, "originalSize": 200_018, "reason": "larger than 102400 bytes"})
    );
}

#[test]
fn the_name_of_an_operation_has_the_version_of_its_api() {
    for (operation, version, name) in [
        ("CreateFunction", "2015-03-31", "CreateFunction20150331"),
        ("UpdateFunctionCode", "2015-03-31", "UpdateFunctionCode20150331v2"),
        ("PublishLayerVersion", "2018-10-31", "PublishLayerVersion20181031"),
    ] {
        let event = EventName::lambda(operation, version).unwrap();
        assert_eq!((event.as_str(), event.operation()), (name, operation));
    }
    for plain in ["PutSigningProfile", "20150331", "Sha256"] {
        assert_eq!(plain.parse::<EventName>().unwrap().operation(), plain);
    }
    for illegal in ["", "a b", "x\n", "größe"] {
        assert!(illegal.parse::<EventName>().is_err(), "{illegal:?}");
    }
}

#[test]
fn the_status_is_that_of_the_worst_package() {
    let passed = |check| Finding { package: PackageRole::Function, check, outcome: Outcome::Passed };
    let signed: Vec<Finding> = Check::ALL.map(passed).into();
    assert_eq!(SignatureStatus::of(&[]), None);
    assert_eq!(SignatureStatus::of(&signed), Some(SignatureStatus::Valid));
    for (check, status) in [
        (Check::Integrity, SignatureStatus::Corrupt),
        (Check::Expiry, SignatureStatus::Expired),
        (Check::Mismatch, SignatureStatus::Unsigned),
        (Check::Revocation, SignatureStatus::Revoked),
    ] {
        let worst = failed(PackageRole::Layer(1), check);
        let findings: Vec<Finding> = signed.iter().cloned().chain([worst]).collect();
        assert_eq!(SignatureStatus::of(&findings), Some(status));
    }
    let mut mismatch = signed.clone();
    mismatch[2] = failed(PackageRole::Function, Check::Mismatch);
    assert_eq!(SignatureStatus::of(&mismatch), Some(SignatureStatus::Mismatch));
    let mut unknown = signed;
    unknown[3].outcome = Outcome::Inconclusive("nobody answered".to_owned());
    assert_eq!(SignatureStatus::of(&unknown), Some(SignatureStatus::Inconclusive));
}

#[test]
fn what_is_not_understood_is_refused() {
    let written = serde_json::to_value(record()).unwrap();
    for (member, value) in [
        ("eventVersion", json!("1.05")),
        ("eventTime", json!("2026-11-21T08:30:00.125Z")),
        ("eventID", json!("C85AAE70-B0A8-4FA4-ABD9-3E39ADE1AD97")),
        ("eventSource", json!("s3.amazonaws.com")),
        ("eventName", json!("a\nb")),
        ("surprise", json!(1)),
    ] {
        let mut damaged = written.clone();
        damaged[member] = value;
        assert!(serde_json::from_value::<TrailRecord>(damaged).is_err(), "{member}");
    }
}
