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

fn one(finding: &str) -> String {
    format!("1 validation error detected: {finding}")
}

/// The texts of the real service, as recorded. Where today's model has another pattern or bound than the service had then,
/// the text is built around the model's.
#[test]
fn scalars_are_refused_in_the_recorded_words() {
    let function = |mut input: Value| {
        let base = json!({"FunctionName": "f", "Role": "arn:aws:iam::111111111111:role/r", "Code": {}});
        let (Value::Object(base), Value::Object(input)) = (base, input.take()) else { panic!("objects") };
        lambda("CreateFunction", Value::Object(base.into_iter().chain(input).collect()))
    };
    assert_eq!(
        function(json!({"Role": "r1"})),
        one(
            r"Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
        )
    );
    let long = format!("arn:aws:lambda:us-east-1:111111111111:function:{}", "a".repeat(100));
    assert_eq!(
        function(json!({"FunctionName": long})),
        one(&format!(
            "Value '{long}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140"
        ))
    );
    assert_eq!(
        function(json!({"SnapStart": {"ApplyOn": "invalidOption"}})),
        one(
            "Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]"
        )
    );
    assert_eq!(
        lambda("CreateAlias", json!({"FunctionName": "f", "Name": "2024", "FunctionVersion": "1"})),
        one(
            "Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
        )
    );
    assert_eq!(
        lambda("ListFunctions", json!({"FunctionVersion": "invalid"})),
        one(
            "Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]"
        )
    );
    assert_eq!(
        lambda("ListLayers", json!({"CompatibleArchitecture": "archdoesnotexist"})),
        one(
            "Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]"
        )
    );
    assert_eq!(
        lambda(
            "AddLayerVersionPermission",
            json!({"LayerName": "l", "VersionNumber": 1, "StatementId": "s", "Action": "*", "Principal": "*"})
        ),
        one(
            "Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion"
        )
    );
}

#[test]
fn lists_and_maps_are_refused_in_the_recorded_words() {
    let architectures =
        |values: Value| lambda("UpdateFunctionCode", json!({"FunctionName": "f", "Architectures": values}));
    assert_eq!(
        architectures(json!(["X86_64"])),
        one(
            "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        )
    );
    assert_eq!(
        architectures(json!(["x86_64", "arm64"])),
        one(
            "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1"
        )
    );
    assert_eq!(
        lambda(
            "UpdateFunctionConfiguration",
            json!({"FunctionName": "f", "Layers": ["arn:aws:lambda:us-east-1:111111111111:layer:l"]})
        ),
        one(
            "Value '[arn:aws:lambda:us-east-1:111111111111:layer:l]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 140, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+, Member must not be null]"
        )
    );
    let weights = |weights: Value| {
        let routing = json!({"AdditionalVersionWeights": weights});
        lambda("UpdateAlias", json!({"FunctionName": "f", "Name": "a", "RoutingConfig": routing}))
    };
    let at = "at 'routingConfig.additionalVersionWeights' failed to satisfy constraint:";
    assert_eq!(
        weights(json!({"$LATEST": 0.5})),
        one(&format!(
            "Value '{{$LATEST=0.5}}' {at} Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"
        ))
    );
    for (weight, shown) in [(-1.0, "-1.0"), (2.0, "2.0")] {
        assert_eq!(
            weights(json!({"2": weight})),
            one(&format!(
                "Value '{{2={shown}}}' {at} Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"
            ))
        );
    }
    assert_eq!(
        lambda("UntagResource", json!({"Resource": "arn:aws:lambda:us-east-1:111111111111:function:f"})),
        one("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")
    );
}

#[test]
fn every_finding_is_told() {
    let message = refused(
        &signer::SERVICE,
        "StartSigningJob",
        json!({"profileName": "a-", "source": {"s3": {"key": "k"}}}),
    );
    assert_eq!(
        message,
        "5 validation errors detected: Value null at 'source.s3.bucketName' failed to satisfy constraint: Member must not be null; \
         Value null at 'source.s3.version' failed to satisfy constraint: Member must not be null; \
         Value null at 'destination' failed to satisfy constraint: Member must not be null; \
         Value 'a-' at 'profileName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_]{2,}; \
         Value null at 'clientRequestToken' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn sensitive_values_are_not_repeated() {
    let message = lambda(
        "UpdateFunctionConfiguration",
        json!({"FunctionName": "f", "Environment": {"Variables": {"1SECRET": "hunter2"}}}),
    );
    assert_eq!(
        message,
        one(
            "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
        )
    );
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
    let message = refused(
        &signer::SERVICE,
        "GetRevocationStatus",
        json!({
            "signatureTimestamp": 1, "platformId": "p", "profileVersionArn": "a".repeat(20), "jobArn": "a".repeat(20),
            "certificateHashes": ["a", null],
        }),
    );
    assert_eq!(
        message,
        one(
            "Value '[a, null]' at 'certificateHashes' failed to satisfy constraint: Member must satisfy constraint: [Member must not be null]"
        )
    );
}
