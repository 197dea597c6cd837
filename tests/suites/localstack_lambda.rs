//! The deploy target's contract, held by the Lambda target against LocalStack's Lambda; and what it owes beyond it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::{AliasName, FunctionName, ObjectLocation, Sha256Digest};
use countersign_objects::{S3Objects, S3Settings};
use countersign_ports::conformance::targets::{self, TargetUnderTest};
use countersign_ports::objects::ObjectStore;
use countersign_ports::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};
use countersign_targets::{LambdaCreate, LambdaSettings, LambdaTarget};
use countersign_tests::packages::package;
use countersign_tests::servers::{ACCESS_KEY_ID, LocalStack, REGION, SECRET_ACCESS_KEY};
use countersign_tests::tools;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

struct Served {
    server: LocalStack,
    target: LambdaTarget,
    packages: [LocalPackage; 3],
    _folder: TempDir,
}

impl Served {
    async fn new() -> Self {
        let (server, folder) = (LocalStack::start_empty(), tempfile::tempdir().unwrap());
        let store = S3Objects::new(&s3(&server)).await;
        store.create_bucket(&"signed".parse().unwrap(), true).await.unwrap();
        let mut packages = Vec::new();
        for name in ["a", "b", "c"] {
            packages.push(uploaded(&store, package(folder.path(), &format!("{name}.zip"), name)).await);
        }
        let target = LambdaTarget::connect(&lambda(&server)).await;
        Self { server, target, packages: packages.try_into().unwrap(), _folder: folder }
    }

    async fn publish(&self, version: u64, package: &LocalPackage) -> Result<TargetVersion, TargetError> {
        let packages = LocalPackages { code: package.clone(), layers: Vec::new() };
        self.target.publish_version(&hello(), version, &packages).await
    }

    /// What AWS's own client is told; `None` if it is told that there is no such thing.
    fn aws(&self, arguments: &[&str]) -> Option<Value> {
        let output = self.server.aws(&[&["lambda"], arguments].concat());
        if String::from_utf8_lossy(&output.stderr).contains("ResourceNotFoundException") {
            return None;
        }
        let told = tools::succeeded(&format!("aws lambda {arguments:?}"), &output);
        Some(if told.is_empty() { Value::Null } else { serde_json::from_str(&told).unwrap() })
    }

    /// Changes the configuration of the function, as its owner may.
    fn configure(&self, option: &str, value: &str) {
        let function = ["--function-name", "hello"];
        self.aws(&[&["update-function-configuration", option, value], &function[..]].concat()).unwrap();
        self.aws(&[&["wait", "function-updated"], &function[..]].concat()).unwrap();
    }

    /// The published versions as AWS's own client sees them, without `$LATEST`.
    fn published(&self, function: &FunctionName) -> Vec<Value> {
        let listed = self.aws(&["list-versions-by-function", "--function-name", function.as_str()]);
        let Some(mut listed) = listed else { return Vec::new() };
        let mut versions = listed["Versions"].as_array_mut().map(std::mem::take).unwrap();
        versions.retain(|version| version["Version"] != "$LATEST");
        versions
    }
}

/// Uploads the file under its own name.
async fn uploaded(store: &S3Objects, path: PathBuf) -> LocalPackage {
    let sha256 = Sha256Digest::of(&std::fs::read(&path).unwrap());
    let key = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let location = ObjectLocation { bucket: "signed".parse().unwrap(), key };
    let object = store.put_new(&location, &path, &sha256).await.unwrap();
    LocalPackage { path, sha256, object }
}

#[async_trait]
impl TargetUnderTest for Served {
    fn target(&self) -> &dyn DeployTarget {
        &self.target
    }

    fn packages(&self) -> [LocalPackage; 3] {
        self.packages.clone()
    }

    fn takes_layers(&self) -> bool {
        false
    }

    /// LocalStack compares the revision first and updates the code later, without a lock.
    fn settles_races(&self) -> bool {
        false
    }

    /// The pinned release answers UpdateAlias with weights with a failure of its own (HTTP 500, "missing 1 required
    /// positional argument"). The target's tests hold what is sent.
    fn splits_aliases(&self) -> bool {
        false
    }

    /// The pinned release deletes such a version; AWS answers ResourceConflictException.
    fn keeps_what_aliases_need(&self) -> bool {
        false
    }

    async fn versions(&self, function: &FunctionName) -> Vec<TargetVersion> {
        self.published(function).iter().map(|version| named(&version["Version"])).collect()
    }

    async fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<TargetVersion> {
        let told = self.aws(&["get-alias", "--function-name", function.as_str(), "--name", alias.as_str()]);
        told.map(|alias| named(&alias["FunctionVersion"]))
    }

    async fn latest(&self, function: &FunctionName) -> Option<Sha256Digest> {
        let told = self.aws(&["get-function-configuration", "--function-name", function.as_str()])?;
        let digest = |package: &LocalPackage| STANDARD.encode(package.sha256.as_bytes());
        let code = told["CodeSha256"].as_str().unwrap();
        Some(self.packages.iter().find(|package| digest(package) == code).unwrap().sha256)
    }
}

fn named(version: &Value) -> TargetVersion {
    TargetVersion(version.as_str().unwrap().to_owned())
}

fn hello() -> FunctionName {
    "hello".parse().unwrap()
}

fn assert_refused(outcome: &Result<TargetVersion, TargetError>, expected: &str) {
    let Err(TargetError::Refused { code, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(code, expected);
}

fn s3(server: &LocalStack) -> S3Settings {
    let secret_access_key = SecretString::from(SECRET_ACCESS_KEY.to_owned());
    let access_key_id = ACCESS_KEY_ID.to_owned();
    S3Settings {
        endpoint: Some(server.endpoint()),
        region: REGION.to_owned(),
        credentials: Some(countersign_objects::StaticKeys { access_key_id, secret_access_key }),
        path_style: true,
    }
}

fn lambda(server: &LocalStack) -> LambdaSettings {
    let secret_access_key = SecretString::from(SECRET_ACCESS_KEY.to_owned());
    let access_key_id = ACCESS_KEY_ID.to_owned();
    LambdaSettings {
        region: REGION.to_owned(),
        endpoint: Some(server.endpoint()),
        credentials: Some(countersign_targets::StaticKeys { access_key_id, secret_access_key }),
        create: Some(LambdaCreate {
            role: "arn:aws:iam::000000000000:role/fn".to_owned(),
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lambda_target_keeps_the_contract() {
    targets::check(&Served::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_number_is_the_description_of_the_version_and_its_code_is_the_object() {
    let served = Served::new().await;
    let [a, b, _] = &served.packages;
    for (version, package) in [(7, a), (8, b), (9, a)] {
        served.publish(version, package).await.unwrap();
    }
    let published = served.published(&hello());
    let seen: Vec<_> = published.iter().map(|version| version["Description"].as_str().unwrap()).collect();
    assert_eq!(seen, ["countersign version 7", "countersign version 8", "countersign version 9"]);
    assert_eq!(published[0]["CodeSha256"], published[2]["CodeSha256"]);
    assert_ne!(published[0]["CodeSha256"], published[1]["CodeSha256"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_object_of_the_same_name_changes_nothing() {
    let served = Served::new().await;
    let [a, b, _] = &served.packages;
    let store = S3Objects::new(&s3(&served.server)).await;
    store.put(&a.object.location(), &b.path, None).await.unwrap();
    served.publish(1, a).await.unwrap();
    let swapped = LocalPackage { sha256: b.sha256, ..a.clone() };
    let refused = served.publish(2, &swapped).await;
    assert_refused(&refused, "package_changed");
    assert_eq!(served.published(&hello()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_in_latest_does_no_harm() {
    let served = Served::new().await;
    let [a, b, _] = &served.packages;
    served.publish(1, a).await.unwrap();
    // As an attempt that died between the update and the publication.
    let (key, version) = (b.object.key.as_str(), b.object.version.as_str());
    let object = ["--s3-bucket", "signed", "--s3-key", key, "--s3-object-version", version];
    served.aws(&[&["update-function-code", "--function-name", "hello"][..], &object].concat()).unwrap();
    let second = served.publish(2, b).await.unwrap();
    assert_eq!(served.publish(2, b).await.unwrap(), second);
    assert_eq!(served.published(&hello()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_somebody_else_published_is_taken_and_their_layers_are_refused() {
    let served = Served::new().await;
    let [a, b, c] = &served.packages;
    served.publish(1, a).await.unwrap();
    served.configure("--memory-size", "256");
    let theirs = ["publish-version", "--function-name", "hello", "--description", "countersign version 2"];
    served.aws(&theirs).unwrap();
    let taken = TargetError::VersionTaken { function: hello(), version: 2 };
    assert_eq!(served.publish(2, b).await, Err(taken));
    let content = format!("S3Bucket=signed,S3Key={}", c.object.key);
    let layer = served.aws(&["publish-layer-version", "--layer-name", "x", "--content", &content]).unwrap();
    served.configure("--layers", layer["LayerVersionArn"].as_str().unwrap());
    let refused = served.publish(3, b).await;
    assert_refused(&refused, "unverified_layers");
    assert_eq!(served.published(&hello()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_settings_to_create_it_a_missing_function_is_refused() {
    let served = Served::new().await;
    let settings = LambdaSettings { create: None, ..lambda(&served.server) };
    let target = LambdaTarget::connect(&settings).await;
    let packages = LocalPackages { code: served.packages[0].clone(), layers: Vec::new() };
    let refused = target.publish_version(&hello(), 1, &packages).await;
    assert_refused(&refused, "unknown_lambda_function");
    assert!(served.published(&hello()).is_empty());
}
