use serde_json::json;

use super::*;
use crate::model::{lambda, signer};

fn refused(service: &'static Service, operation: &str, input: Value) -> String {
    let operation = service.operation(operation).unwrap();
    let Value::Object(members) = input else { panic!("an object") };
    let error = validate(service, operation, members).map(|_| ()).unwrap_err();
    assert_eq!((error.class().name, error.class().status), ("ValidationException", 400));
    error.message().to_owned()
}

fn lambda(operation: &str, input: Value) -> String {
    refused(&lambda::SERVICE, operation, input)
}

/// The text for one finding: a value (`'x'`), where it is, and the constraint.
fn one(value: &str, path: &str, constraint: &str) -> String {
    format!("1 validation error detected: {}", finding(value, path, constraint))
}

fn finding(value: &str, path: &str, constraint: &str) -> String {
    format!("Value{value} at '{path}' failed to satisfy constraint: {constraint}")
}

/// The texts of the real service, as recorded. Where today's model has another pattern or bound than the service had
/// then, the text is built around the model's.
#[test]
fn scalars_are_refused_in_the_recorded_words() {
    let function = |member: &str, value: Value| {
        let role = "arn:aws:iam::111111111111:role/r";
        let mut input = json!({"FunctionName": "f", "Role": role, "Code": {}});
        input[member] = value;
        lambda("CreateFunction", input)
    };
    let pattern = "Member must satisfy regular expression pattern: ";
    let role = format!(r"{pattern}arn:(aws[a-zA-Z-]*)?:iam::\d{{12}}:role/?[a-zA-Z_0-9+=,.@\-_/]+");
    assert_eq!(function("Role", json!("r1")), one(" 'r1'", "role", &role));
    let long = format!("arn:aws:lambda:us-east-1:111111111111:function:{}", "a".repeat(100));
    let length = "Member must have length less than or equal to 140";
    assert_eq!(function("FunctionName", json!(long)), one(&format!(" '{long}'"), "functionName", length));
    let values = "Member must satisfy enum value set: [PublishedVersions, None]";
    let snap_start = function("SnapStart", json!({"ApplyOn": "invalidOption"}));
    assert_eq!(snap_start, one(" 'invalidOption'", "snapStart.applyOn", values));
    let alias = lambda("CreateAlias", json!({"FunctionName": "f", "Name": "2024", "FunctionVersion": "1"}));
    assert_eq!(alias, one(" '2024'", "name", &format!("{pattern}(?!^[0-9]+$)([a-zA-Z0-9-_]+)")));
    let functions = lambda("ListFunctions", json!({"FunctionVersion": "invalid"}));
    assert_eq!(functions, one(" 'invalid'", "functionVersion", "Member must satisfy enum value set: [ALL]"));
    let layers = lambda("ListLayers", json!({"CompatibleArchitecture": "archdoesnotexist"}));
    let values = "Member must satisfy enum value set: [x86_64, arm64]";
    assert_eq!(layers, one(" 'archdoesnotexist'", "compatibleArchitecture", values));
    let permission =
        json!({"LayerName": "l", "VersionNumber": 1, "StatementId": "s", "Action": "*", "Principal": "*"});
    let permission = lambda("AddLayerVersionPermission", permission);
    assert_eq!(permission, one(" '*'", "action", &format!("{pattern}lambda:GetLayerVersion")));
}

#[test]
fn lists_are_refused_in_the_recorded_words() {
    let architectures =
        |values: Value| lambda("UpdateFunctionCode", json!({"FunctionName": "f", "Architectures": values}));
    let values = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must \
                  not be null]";
    assert_eq!(architectures(json!(["X86_64"])), one(" '[X86_64]'", "architectures", values));
    let length = "Member must have length less than or equal to 1";
    let two = architectures(json!(["x86_64", "arm64"]));
    assert_eq!(two, one(" '[x86_64, arm64]'", "architectures", length));
    let layer = "arn:aws:lambda:us-east-1:111111111111:layer:l";
    let pattern = r"arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+";
    let constraint = format!(
        "Member must satisfy constraint: [Member must have length less than or equal to 140, Member must have length \
         greater than or equal to 1, Member must satisfy regular expression pattern: {pattern}, Member must not be \
         null]"
    );
    let layers = lambda("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Layers": [layer]}));
    assert_eq!(layers, one(&format!(" '[{layer}]'"), "layers", &constraint));
    let untagged =
        lambda("UntagResource", json!({"Resource": "arn:aws:lambda:us-east-1:111111111111:function:f"}));
    assert_eq!(untagged, one(" null", "tagKeys", "Member must not be null"));
}

#[test]
fn maps_are_refused_in_the_recorded_words() {
    let weights = |weights: Value| {
        let routing = json!({"AdditionalVersionWeights": weights});
        lambda("UpdateAlias", json!({"FunctionName": "f", "Name": "a", "RoutingConfig": routing}))
    };
    let path = "routingConfig.additionalVersionWeights";
    let keys = "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must \
                have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]";
    assert_eq!(weights(json!({"$LATEST": 0.5})), one(" '{$LATEST=0.5}'", path, keys));
    let values = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must \
                  have value greater than or equal to 0.0, Member must not be null]";
    assert_eq!(weights(json!({"2": -1.0})), one(" '{2=-1.0}'", path, values));
    assert_eq!(weights(json!({"2": 2})), one(" '{2=2.0}'", path, values));
}

#[test]
fn every_finding_is_told() {
    let input = json!({"profileName": "a-", "source": {"s3": {"key": "k"}}});
    let absent = |path| finding(" null", path, "Member must not be null");
    let pattern = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9_]{2,}";
    let findings = [
        absent("source.s3.bucketName"),
        absent("source.s3.version"),
        absent("destination"),
        finding(" 'a-'", "profileName", pattern),
        absent("clientRequestToken"),
    ];
    let expected = format!("5 validation errors detected: {}", findings.join("; "));
    assert_eq!(refused(&signer::SERVICE, "StartSigningJob", input), expected);
}

#[test]
fn sensitive_values_are_not_repeated() {
    let variables = json!({"FunctionName": "f", "Environment": {"Variables": {"1SECRET": "hunter2"}}});
    let constraint = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: \
                      [a-zA-Z]([a-zA-Z0-9_])+]";
    let message = lambda("UpdateFunctionConfiguration", variables);
    assert_eq!(message, one("", "environment.variables", constraint));
}

#[test]
fn lengths_are_characters_and_bytes() {
    let reason = |length: usize| {
        let operation = signer::SERVICE.operation("RevokeSignature").unwrap();
        let members = json!({"jobId": "j", "reason": "ä".repeat(length)});
        validate(&signer::SERVICE, operation, members.as_object().unwrap().clone()).is_ok()
    };
    assert!(reason(500) && !reason(501) && !reason(0));
    let payload = |text: String| {
        let operation = signer::SERVICE.operation("SignPayload").unwrap();
        let members = json!({"profileName": "pp", "payload": text, "payloadFormat": "f"});
        validate(&signer::SERVICE, operation, members.as_object().unwrap().clone()).is_ok()
    };
    assert!(
        payload("A".repeat(5460) + "AA==") && !payload("A".repeat(5460) + "AAA=") && !payload(String::new())
    );
}

#[test]
fn a_null_in_a_list_is_a_finding() {
    let arn = "a".repeat(20);
    let input = json!({
        "signatureTimestamp": 1, "platformId": "p", "profileVersionArn": arn, "jobArn": arn,
        "certificateHashes": ["a", null],
    });
    let message = refused(&signer::SERVICE, "GetRevocationStatus", input);
    let constraint = "Member must satisfy constraint: [Member must not be null]";
    assert_eq!(message, one(" '[a, null]'", "certificateHashes", constraint));
}

#[test]
fn an_input_is_read_by_path() {
    let operation = signer::SERVICE.operation("RevokeSigningProfile").unwrap();
    let members = json!({
        "profileName": "pp", "profileVersion": "UqFTRcZGNs", "reason": "r", "effectiveTime": 1_700_000_000.25,
    });
    let input = validate(&signer::SERVICE, operation, members.as_object().unwrap().clone()).unwrap();
    assert_eq!(input.instant(&["effectiveTime"]).unwrap().to_string(), "2023-11-14T22:13:20.250Z");
    assert_eq!((input.text(&["reason"]), input.text(&["effectiveTime"])), (Some("r"), None));
    let operation = lambda::SERVICE.operation("PublishLayerVersion").unwrap();
    let members = json!({"LayerName": "l", "Content": {"ZipFile": "AAEC"}});
    let input = validate(&lambda::SERVICE, operation, members.as_object().unwrap().clone()).unwrap();
    assert_eq!(input.bytes(&["Content", "ZipFile"]), Some(vec![0, 1, 2]));
    assert_eq!(input.at(&["Content", "S3Key"]), None);
}
