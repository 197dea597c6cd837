//! The AWS SDKs for Rust against a running `countersign up`, with nothing changed but the endpoint: what they send is
//! understood, and every member that they read is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    AllowedPublishers, CodeSigningPolicies, CodeSigningPolicy, FunctionCode, Runtime,
};
use aws_sdk_signer::types::{Destination, S3Destination, S3Source, SigningStatus, Source};
use countersign_tests::packages;
use countersign_tests::up::Up;

/// What both SDKs are told.
struct Clients {
    signer: aws_sdk_signer::Client,
    lambda: aws_sdk_lambda::Client,
}

impl Clients {
    fn of(up: &Up) -> Self {
        let endpoint = up.export("AWS_ENDPOINT_URL");
        let (id, secret) = (up.export("AWS_ACCESS_KEY_ID"), up.export("AWS_SECRET_ACCESS_KEY"));
        let region = up.export("AWS_DEFAULT_REGION").to_owned();
        let signer = aws_sdk_signer::Config::builder()
            .behavior_version_latest()
            .endpoint_url(endpoint)
            .region(aws_sdk_signer::config::Region::new(region.clone()))
            .credentials_provider(aws_sdk_signer::config::Credentials::new(id, secret, None, None, "test"))
            .build();
        let lambda = aws_sdk_lambda::Config::builder()
            .behavior_version_latest()
            .endpoint_url(endpoint)
            .region(aws_sdk_lambda::config::Region::new(region))
            .credentials_provider(aws_sdk_lambda::config::Credentials::new(id, secret, None, None, "test"))
            .build();
        Self {
            signer: aws_sdk_signer::Client::from_conf(signer),
            lambda: aws_sdk_lambda::Client::from_conf(lambda),
        }
    }
}

/// Signs a package by a job: the profile version's ARN, and the signed object's bucket and key.
async fn signed(up: &Up, clients: &Clients) -> (String, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let package = packages::package(folder.path(), "hello.zip", "hello");
    up.drop_package(&package, "build/hello.zip");
    let version = up.versions("unsigned").into_iter().find(|(key, _)| key == "build/hello.zip").unwrap().1;
    let profile = clients
        .signer
        .put_signing_profile()
        .profile_name("sdk")
        .platform_id("AWSLambda-SHA384-ECDSA")
        .send()
        .await
        .unwrap();
    let source =
        S3Source::builder().bucket_name("unsigned").key("build/hello.zip").version(version).build().unwrap();
    let destination = S3Destination::builder().bucket_name("signed").prefix("sdk/").build();
    let job = clients
        .signer
        .start_signing_job()
        .profile_name("sdk")
        .source(Source::builder().s3(source).build())
        .destination(Destination::builder().s3(destination).build())
        .send()
        .await
        .unwrap();
    let id = job.job_id().unwrap();
    for _ in 0..200 {
        let told = clients.signer.describe_signing_job().job_id(id).send().await.unwrap();
        match told.status() {
            Some(SigningStatus::Succeeded) => {
                assert!(told.signature_expires_at().is_some() && told.completed_at().is_some());
                let object = told.signed_object().and_then(|object| object.s3()).unwrap();
                let (bucket, key) = (object.bucket_name().unwrap(), object.key().unwrap());
                return (
                    profile.profile_version_arn().unwrap().to_owned(),
                    bucket.to_owned(),
                    key.to_owned(),
                );
            }
            Some(SigningStatus::Failed) => panic!("{:?}", told.status_reason()),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("the job does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_created_from_what_was_signed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(&folder.path().join("data"));
    let clients = Clients::of(&up);
    let (publisher, bucket, key) = signed(&up, &clients).await;
    let enforce =
        CodeSigningPolicies::builder().untrusted_artifact_on_deployment(CodeSigningPolicy::Enforce).build();
    let config = clients
        .lambda
        .create_code_signing_config()
        .allowed_publishers(
            AllowedPublishers::builder().signing_profile_version_arns(publisher.as_str()).build().unwrap(),
        )
        .code_signing_policies(enforce)
        .send()
        .await
        .unwrap();
    let config = config.code_signing_config().unwrap().code_signing_config_arn().to_owned();
    let create = |name: &str, code: FunctionCode| {
        clients
            .lambda
            .create_function()
            .function_name(name)
            .role("arn:aws:iam::000000000000:role/fn")
            .runtime(Runtime::Python312)
            .handler("handler.handler")
            .code(code)
            .code_signing_config_arn(config.as_str())
            .publish(true)
            .send()
    };
    let created = create("sdk", FunctionCode::builder().s3_bucket(bucket).s3_key(key).build()).await.unwrap();
    assert_eq!(created.signing_profile_version_arn(), Some(publisher.as_str()));
    assert_eq!(created.version(), Some("1"));
    assert!(created.signing_job_arn().is_some() && created.code_sha256().is_some());
    let told = clients.lambda.get_function().function_name("sdk").send().await.unwrap();
    assert!(told.code().and_then(|code| code.location()).is_some());
    let unsigned = std::fs::read(packages::package(folder.path(), "other.zip", "other")).unwrap();
    let refused =
        create("other", FunctionCode::builder().zip_file(Blob::new(unsigned)).build()).await.unwrap_err();
    assert!(refused.into_service_error().is_code_verification_failed_exception());
    let missing = clients.lambda.get_function().function_name("other").send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());
    let unknown = clients.signer.get_signing_profile().profile_name("none").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
}
