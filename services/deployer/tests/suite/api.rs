//! The Lambda API, driven by boto3 through the gateway: `tests/clients/lambda_functions.py` against a deployer on parts in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_api::{Access, KeyRing, Recorded};
use countersign_deployer::api::{LambdaApi, LambdaApiPorts, LambdaApiSettings};
use countersign_domain::{
    Code, CodeSigningConfigArn, CodeSigningConfigId, LayerVersionArn, ObjectVersion, Sha256Digest,
    ValidityPeriod,
};
use countersign_gateway::model::lambda;
use countersign_gateway::{Gateway, Pages, Rate, Settings};
use countersign_iam::Policy;
use countersign_ports::Clock as _;
use countersign_ports::layers::{AboutLayer, Layers as _, NewLayerVersion};
use countersign_ports::objects::{ObjectError, PresignedReads};
use countersign_ports::trail::Trail;
use countersign_runtime::{Authority, Principal, SystemClock};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{World, package, scope, signed_elsewhere};

#[tokio::test(flavor = "multi_thread")]
async fn functions_versions_and_aliases_are_those_of_lambda_to_boto3() {
    let world = World::new().await;
    let given = given(&world).await;
    let url = serve(&world).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/lambda_functions.py");
    let mut command = Command::new("python3");
    command.args(["-B", "-W", "error"]).arg(script).env("GIVEN", given.to_string());
    for (name, value) in [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "ADMIN"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("NO_PROXY", "127.0.0.1"),
    ] {
        command.env(name, value);
    }
    let output = command.env_remove("AWS_SESSION_TOKEN").kill_on_drop(true).output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
}

/// What the script finds: packages in the bucket and as bytes, configs and layers.
async fn given(world: &World) -> Value {
    let [one, two, layered] =
        [world.signed("one").await, world.signed("two").await, world.signed("layer").await];
    let other = world.signed_by("other", "one", ValidityPeriod::DEFAULT).await;
    let foreign = signed_elsewhere(world, "one").await;
    let plain = package("one");
    let unsigned = world.upload("unsigned.zip", &plain);
    let mut given = json!({"packages": {}});
    for (name, object, bytes) in [
        ("one", one.object, &one.bytes),
        ("two", two.object, &two.bytes),
        ("other", other.object, &other.bytes),
        ("unsigned", unsigned.clone(), &plain),
        ("foreign", world.upload("foreign.zip", &foreign), &foreign),
        ("garbage", world.upload("garbage.zip", b"no zip at all"), &b"no zip at all".to_vec()),
    ] {
        given["packages"][name] = json!({
            "Bucket": object.bucket, "Key": object.key, "Version": object.version, "Hex": hex(bytes),
        });
    }
    for name in ["strict", "lenient"] {
        given["configs"][name] = config_arn(name).into();
    }
    for (name, object) in [("signed", layered.object), ("plain", unsigned)] {
        given["layers"][name] = layer(world, name, object).await.into();
    }
    given
}

fn config_arn(name: &str) -> String {
    let id = CodeSigningConfigId::for_name(&scope(), &name.parse().unwrap());
    CodeSigningConfigArn::new(scope(), id).to_string()
}

async fn layer(world: &World, name: &str, object: ObjectVersion) -> String {
    let content = Code {
        object: object.into(),
        sha256: Sha256Digest::of(name.as_bytes()),
        size_bytes: 1,
        signature: None,
    };
    let new = NewLayerVersion { content, about: AboutLayer::default(), created_at: world.clock.now() };
    let version = world.store.publish_layer(&name.parse().unwrap(), &new).await.unwrap().version;
    LayerVersionArn::new(scope(), name.parse().unwrap(), version).unwrap().to_string()
}

/// Serves the API on a free port; gives its URL. It ends with the runtime.
async fn serve(world: &World) -> String {
    let gateway = gateway(world);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let gateway = gateway.clone();
            let service = service_fn(move |request| {
                let gateway = gateway.clone();
                async move { Ok::<_, Infallible>(gateway.handle(request).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

fn gateway(world: &World) -> Gateway {
    let (authority, keys) = principals();
    let access = Access::new(authority, keys);
    let store = Arc::new(world.store.clone());
    let ports = LambdaApiPorts {
        functions: store.clone(),
        code_signing_configs: store.clone(),
        layers: store,
        objects: Arc::new(world.objects.clone()),
        links: Arc::new(Links),
        clock: Arc::new(world.clock.clone()),
    };
    let settings = LambdaApiSettings { scope: scope(), pages: Pages::new(vec![1; 32].into()) };
    let api = LambdaApi::new(access.clone(), Arc::new(world.start()), ports, settings);
    let trail: Arc<dyn Trail> = Arc::new(world.store.clone());
    let settings = Settings {
        region: scope().region().to_owned(),
        account: scope().account().to_string(),
        rate: Rate::DEFAULT,
        timeout: std::time::Duration::from_secs(30),
    };
    let services = vec![(&lambda::SERVICE, Arc::new(Recorded::new(api, trail, scope())) as Arc<_>)];
    Gateway::new(settings, Arc::new(|| SystemClock.now()), Arc::new(access), services)
}

/// Who may everything, and others whose policies are those of AWS's page on code signing.
fn principals() -> (Authority, KeyRing) {
    let principal =
        |name: &str| Principal::new(name.parse().unwrap(), scope().account().as_str().parse().unwrap());
    let under = |name: &str, statements: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        principal(name).with_policies([Policy::parse(&policy).unwrap()])
    };
    let admin = principal("admin").with_all_rights();
    let config = json!({"StringEquals": {"lambda:CodeSigningConfigArn": config_arn("strict")}});
    let creator = under(
        "creator",
        json!([
            {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "*", "Condition": config},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::signed/*"},
        ]),
    );
    let layerer = under(
        "layerer",
        json!([
            {"Effect": "Allow", "Action": ["lambda:*", "s3:*"], "Resource": "*"},
            {"Effect": "Deny", "Action": ["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"],
             "Resource": "*", "Condition": {"ForAnyValue:StringLike": {"lambda:Layer": "*:layer:plain:*"}}},
        ]),
    );
    let nobody =
        under("nobody", json!([{"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}]));
    let named =
        BTreeMap::from([("ADMIN", admin), ("CREATOR", creator), ("LAYERER", layerer), ("NOBODY", nobody)]);
    let mut both = (Authority::new(scope()), KeyRing::default());
    for (id, principal) in named {
        both.1 = both.1.with(Arc::new(principal.clone()), id, SECRET.into());
        both.0 = both.0.with(principal);
    }
    both
}

/// Links that nobody follows.
struct Links;

#[async_trait]
impl PresignedReads for Links {
    async fn presigned_read(
        &self,
        object: &ObjectVersion,
        _valid_for: std::time::Duration,
    ) -> Result<String, ObjectError> {
        Ok(format!("http://127.0.0.1/{}/{}?versionId={}", object.bucket, object.key, object.version))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
