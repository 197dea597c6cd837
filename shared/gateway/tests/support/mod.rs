//! An echo behind the gateway, a server for it, and requests signed by AWS's own signer.

#![allow(dead_code, reason = "each test uses its part")]

use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials as SigningCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use countersign_domain::UnixMillis;
use countersign_gateway::model::{lambda, signer};
use countersign_gateway::{
    AccessKey, Api, ApiError, Call, Credentials, CredentialsUnavailable, Gateway, Principal, Rate, Refusal,
    Reply, ResponseBody, Settings,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::process::Command;

pub(crate) const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "us-east-1";

/// The one key there is.
pub(crate) struct Keys;

#[async_trait::async_trait]
impl Credentials for Keys {
    async fn find(&self, access_key_id: &str) -> Result<Option<AccessKey>, CredentialsUnavailable> {
        if access_key_id != ACCESS_KEY_ID {
            return Ok(None);
        }
        let (name, account) = ("maria".to_owned(), "111111111111".to_owned());
        let principal = Principal { name, arn: format!("arn:aws:iam::{account}:user/maria"), account };
        Ok(Some(AccessKey::new(principal, SECRET_ACCESS_KEY.into())))
    }
}

/// Replies with what it was told to, and remembers what it heard.
#[derive(Default)]
pub(crate) struct Echo {
    pub(crate) heard: Mutex<Option<(&'static str, Map<String, Value>)>>,
    pub(crate) refused: Mutex<Vec<(Option<&'static str>, &'static str)>>,
    reply: Mutex<Map<String, Value>>,
    fail: Mutex<Option<String>>,
}

#[async_trait::async_trait]
impl Api for Echo {
    async fn call(&self, call: Call) -> Result<Reply, ApiError> {
        *self.heard.lock().unwrap() = Some((call.operation.name, call.input.into_members()));
        let fail = self.fail.lock().unwrap().take();
        match fail.as_deref() {
            None => Ok(Reply::new(self.reply.lock().unwrap().clone())),
            Some("panic") => panic!("as it was told to"),
            Some("sleep") => {
                tokio::time::sleep(Duration::from_secs(20)).await;
                Ok(Reply::default())
            }
            Some(_) => Err(lambda::RESOURCE_NOT_FOUND_ERROR.error("gone")),
        }
    }

    async fn refused(&self, refusal: Refusal<'_>) {
        let operation = refusal.operation.map(|operation| operation.name);
        self.refused.lock().unwrap().push((operation, refusal.error.class().name));
    }
}

impl Echo {
    /// What the tests in Python say beside the gateway.
    fn side(&self, path: &str, body: &Value) -> Value {
        match path {
            "/__heard" => {
                let heard = self.heard.lock().unwrap().clone();
                let (operation, input) = heard.expect("something was heard");
                return json!({"operation": operation, "input": input});
            }
            "/__reply" => *self.reply.lock().unwrap() = body.as_object().cloned().expect("a reply"),
            _ => *self.fail.lock().unwrap() = body["class"].as_str().map(str::to_owned),
        }
        Value::Null
    }
}

/// A gateway before `echo` for both services; a call may take two seconds.
pub(crate) fn gateway(echo: &Arc<Echo>, rate: Rate) -> Gateway {
    let settings = Settings {
        region: REGION.to_owned(),
        account: "111111111111".to_owned(),
        rate,
        timeout: Duration::from_secs(2),
    };
    let api: Arc<dyn Api> = Arc::clone(echo) as Arc<dyn Api>;
    let services = vec![(&signer::SERVICE, Arc::clone(&api)), (&lambda::SERVICE, api)];
    Gateway::new(settings, Arc::new(now), Arc::new(Keys), services)
}

#[expect(clippy::disallowed_methods, reason = "the test is the outside that brings the time")]
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis::new(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

/// Serves a gateway on a free port; gives its URL. It ends with the runtime.
pub(crate) async fn serve(rate: Rate) -> (String, Arc<Echo>) {
    let echo = Arc::new(Echo::default());
    let gateway = gateway(&echo, rate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn({
        let echo = Arc::clone(&echo);
        async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let (gateway, echo) = (gateway.clone(), Arc::clone(&echo));
                let service =
                    hyper::service::service_fn(move |mut request: Request<hyper::body::Incoming>| {
                        request.extensions_mut().insert(peer);
                        answer(gateway.clone(), Arc::clone(&echo), request)
                    });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        }
    });
    (url, echo)
}

async fn answer(
    gateway: Gateway,
    echo: Arc<Echo>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<ResponseBody>, std::convert::Infallible> {
    let path = request.uri().path().to_owned();
    if !path.starts_with("/__") {
        return Ok(gateway.handle(request).await);
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let told = echo.side(&path, &serde_json::from_slice(&body).unwrap_or_default());
    Ok(Response::new(Full::new(Bytes::from(told.to_string()))))
}

/// Signs as AWS's SDK for Rust does, `at` that time.
pub(crate) fn signed(
    request: Request<Bytes>,
    service: &str,
    at: UnixMillis,
    location: SignatureLocation,
) -> Request<Bytes> {
    let body = request.body().clone();
    signed_over(request, service, at, location, SignableBody::Bytes(&body))
}

/// Like [`signed`], with something else than its body for the signed one.
pub(crate) fn signed_over(
    request: Request<Bytes>,
    service: &str,
    at: UnixMillis,
    location: SignatureLocation,
    signed_body: SignableBody<'_>,
) -> Request<Bytes> {
    let identity = SigningCredentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = location;
    if matches!(location, SignatureLocation::QueryParams) {
        settings.expires_in = Some(Duration::from_secs(600));
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(UNIX_EPOCH + Duration::from_secs(at.as_secs()))
        .settings(settings)
        .build()
        .unwrap();
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let uri = format!("http://{}{}", head.headers["host"].to_str().unwrap(), head.uri);
    let signable = SignableRequest::new(head.method.as_str(), uri.clone(), headers, signed_body).unwrap();
    let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
    let mut request = Request::from_parts(head, body);
    *request.uri_mut() = uri.parse().unwrap();
    instructions.apply_to_request_http1x(&mut request);
    let uri = request.uri().path_and_query().unwrap().as_str().parse().unwrap();
    *request.uri_mut() = uri;
    request
}

/// Runs functions of `echo.py` against `url`, with nothing of the machine's configuration.
pub(crate) async fn python(url: &str, functions: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/echo.py");
    let mut command = Command::new("python3");
    command
        .arg("-B")
        .arg(script)
        .args(functions)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("AWS_SESSION_TOKEN")
        .env_remove("AWS_PROFILE")
        .kill_on_drop(true);
    let output = command.output().await.unwrap();
    require_success(&output, &format!("{functions:?}"));
}

pub(crate) fn require_success(output: &Output, what: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}\n{out}\n{err}");
}
