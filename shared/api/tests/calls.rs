//! Signed calls through the gateway: who is behind a key, what they may, and the record that each call leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use countersign_api::{Access, Asks, Handlers, KeyRing, Notes, Recorded};
use countersign_domain::{Scope, TrailRecord, UnixMillis};
use countersign_gateway::model::signer::{self, SERVICE};
use countersign_gateway::{Api, ApiError, Call, Gateway, Rate, Reply, Settings};
use countersign_iam::Policy;
use countersign_ports::StoreError;
use countersign_ports::fakes::{FaultPlan, MemoryStore};
use countersign_ports::trail::{PAGE_MAX, Position, Trail, TrailFilter, TrailPage};
use countersign_runtime::{Authority, Principal};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

const PROFILE: &str = "arn:aws:signer:us-east-1:111122223333:/signing-profiles/releases";

/// Says what it was asked for, to whoever may ask.
struct Profiles(Access);

#[async_trait]
impl Handlers for Profiles {
    async fn answer(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        notes.about("AWS::Signer::SigningProfile", PROFILE);
        self.0.authorize(call, Asks::of(call).on(PROFILE))?;
        if call.input.text(&["profileName"]) == Some("none") {
            return Err(signer::RESOURCE_NOT_FOUND_ERROR.error("there is none"));
        }
        let members = json!({"profileName": "releases"});
        Ok(Reply::new(members.as_object().unwrap().clone()))
    }
}

/// A trail that takes nothing while it is told so.
struct Failing {
    store: MemoryStore,
    fails: Mutex<bool>,
}

#[async_trait]
impl Trail for Failing {
    async fn append(&self, records: &[TrailRecord]) -> Result<(), StoreError> {
        if *self.fails.lock().unwrap() {
            return Err(StoreError::Unavailable("the disk is full".to_owned()));
        }
        self.store.append(records).await
    }

    async fn page(&self, filter: &TrailFilter, after: Position, max: usize) -> Result<TrailPage, StoreError> {
        self.store.page(filter, after, max).await
    }

    async fn newest(&self, filter: &TrailFilter, max: usize) -> Result<TrailPage, StoreError> {
        self.store.newest(filter, max).await
    }

    async fn wait(&self) {
        self.store.wait().await;
    }
}

struct World {
    gateway: Gateway,
    access: Access,
    trail: Arc<Failing>,
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Action": ["signer:GetSigningProfile", "signer:CancelSigningProfile"], "Resource": "*"}]}"#;

impl World {
    fn new() -> Self {
        let (authority, keys) = holders(&["maria"]);
        let access = Access::new(authority, keys);
        let trail =
            Arc::new(Failing { store: MemoryStore::new(FaultPlan::default()), fails: Mutex::new(false) });
        let api: Arc<dyn Api> = Arc::new(Recorded::new(Profiles(access.clone()), trail.clone(), scope()));
        let settings = Settings {
            region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            rate: Rate::DEFAULT,
            timeout: Duration::from_secs(5),
        };
        let gateway = Gateway::new(settings, Arc::new(now), Arc::new(access.clone()), vec![(&SERVICE, api)]);
        Self { gateway, access, trail }
    }

    /// Status and body of the answer to a request that the holder of the key signed.
    async fn asks(&self, holder: &str, method: &str, path: &str) -> (StatusCode, Value) {
        let answer = self.gateway.handle(signed(holder, method, path)).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn recorded(&self) -> Vec<Value> {
        let page = self.trail.page(&TrailFilter::default(), Position::START, PAGE_MAX).await.unwrap();
        page.records.iter().map(|(_, record)| serde_json::to_value(record).unwrap()).collect()
    }
}

/// The principals of those names, each with a key of its name and the same policy.
fn holders(names: &[&str]) -> (Authority, KeyRing) {
    let (mut authority, mut keys) = (Authority::new(scope()), KeyRing::default());
    for name in names {
        let principal = Principal::new(name.parse().unwrap(), "111122223333".parse().unwrap())
            .with_policies([Policy::parse(POLICY).unwrap()]);
        authority = authority.with(principal);
        let known = authority.principals().last().unwrap().clone();
        keys = keys.with(known, &key_of(name), secret_of(name).into());
    }
    (authority, keys)
}

fn scope() -> Scope {
    Scope::new("us-east-1", "111122223333").unwrap()
}

fn now() -> UnixMillis {
    "2026-11-21T08:30:00Z".parse().unwrap()
}

fn key_of(name: &str) -> String {
    format!("AKIA{:X<16}", name.to_uppercase())
}

fn secret_of(name: &str) -> String {
    format!("the secret of {name}")
}

fn signed(holder: &str, method: &str, path: &str) -> Request<Full<bytes::Bytes>> {
    let (id, secret) = (key_of(holder), secret_of(holder));
    let identity = aws_credential_types::Credentials::new(id, secret, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("signer")
        .time(UNIX_EPOCH + Duration::from_secs(now().as_secs()))
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let uri = format!("http://localhost{path}");
    let headers = [("host", "localhost")].into_iter();
    let signable = SignableRequest::new(method, uri, headers, SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let mut request = request.body(Full::default()).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request
}

#[tokio::test]
async fn a_call_leaves_a_record_of_who_asked_for_what() {
    let world = World::new();
    let (status, body) = world.asks("maria", "GET", "/signing-profiles/releases").await;
    assert_eq!((status, &body["profileName"]), (StatusCode::OK, &json!("releases")));
    let [record] = &world.recorded().await[..] else { panic!("one call, one record") };
    assert_eq!(record["eventName"], "GetSigningProfile");
    assert_eq!(record["eventSource"], "signer.amazonaws.com");
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/maria");
    assert_eq!(record["userIdentity"]["accessKeyId"], key_of("maria"));
    assert_eq!(record["requestParameters"], json!({"profileName": "releases"}));
    assert_eq!(record["responseElements"], Value::Null, "nothing was changed");
    assert_eq!((&record["readOnly"], record.get("errorCode")), (&json!(true), None));
    assert_eq!(record["resources"][0]["ARN"], PROFILE);
}

#[tokio::test]
async fn a_change_tells_its_answer_and_a_failure_its_error() {
    let world = World::new();
    world.asks("maria", "DELETE", "/signing-profiles/releases").await;
    world.asks("maria", "GET", "/signing-profiles/none").await;
    let (status, _) = world.asks("maria", "GET", "/signing-platforms").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let recorded = world.recorded().await;
    assert_eq!(
        (&recorded[0]["readOnly"], &recorded[0]["responseElements"]["profileName"]),
        (&json!(false), &json!("releases"))
    );
    assert_eq!(recorded[1]["errorCode"], "ResourceNotFoundException");
    assert_eq!(recorded[2]["errorCode"], "AccessDenied");
    let message = recorded[2]["errorMessage"].as_str().unwrap();
    assert!(message.contains("is not authorized to perform: signer:ListSigningPlatforms"), "{message}");
}

#[tokio::test]
async fn a_request_that_reaches_no_handler_leaves_a_record_too() {
    let world = World::new();
    world.asks("maria", "GET", "/no-such-path").await;
    world.asks("maria", "GET", "/signing-profiles/x").await;
    let recorded = world.recorded().await;
    assert_eq!(
        (&recorded[0]["eventName"], &recorded[0]["errorCode"]),
        (&json!("UnknownOperation"), &json!("AccessDenied"))
    );
    assert_eq!(
        (&recorded[1]["eventName"], &recorded[1]["errorCode"]),
        (&json!("GetSigningProfile"), &json!("ValidationException"))
    );
    let (status, _) = world.asks("nobody", "GET", "/signing-profiles/releases").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(world.recorded().await.len(), 2, "whoever it was is not known, and is recorded nowhere");
}

#[tokio::test]
async fn an_answer_whose_record_could_not_be_written_is_a_failure() {
    let world = World::new();
    *world.trail.fails.lock().unwrap() = true;
    let (status, body) = world.asks("maria", "GET", "/signing-profiles/releases").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.get("profileName").is_none(), "{body}");
    *world.trail.fails.lock().unwrap() = false;
    assert_eq!(world.asks("maria", "GET", "/signing-profiles/releases").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_key_that_is_taken_away_opens_nothing_from_then_on() {
    let world = World::new();
    let (authority, keys) = holders(&["paul"]);
    world.access.replace(authority, keys);
    assert_eq!(world.asks("maria", "GET", "/signing-profiles/releases").await.0, StatusCode::FORBIDDEN);
    assert_eq!(world.asks("paul", "GET", "/signing-profiles/releases").await.0, StatusCode::OK);
}

#[test]
fn page_tokens_are_sealed_alike_where_the_keys_are_the_same() {
    let token = |names: &[&str]| {
        let (authority, keys) = holders(names);
        let pages = Access::new(authority, keys).pages();
        pages.token(&signer::LIST_SIGNING_JOBS, &serde_json::Map::new(), "7")
    };
    assert_eq!(token(&["maria", "paul"]), token(&["paul", "maria"]));
    assert_ne!(token(&["maria"]), token(&["paul"]));
}
