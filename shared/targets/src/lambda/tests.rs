//! Against an endpoint that answers whatever a test wants. What Lambda itself does is seen in the conformance test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::{ObjectVersion, Sha256Digest};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The beginning of a request's first line, and the answers to such requests in turn; the last one stays.
type Route = (&'static str, Vec<(u16, Value)>);

struct Canned {
    target: LambdaTarget,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    async fn answering(routes: Vec<Route>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, routes, Arc::clone(&requests)));
        let mut target = LambdaTarget::connect(&settings(endpoint)).await;
        target.patience = Patience { polls: 3, interval: Duration::from_millis(1) };
        Self { target, requests }
    }

    async fn publish(&self) -> Result<TargetVersion, TargetError> {
        let packages = LocalPackages { code: package(), layers: Vec::new() };
        self.target.publish_version(&hello(), 3, &packages).await
    }

    async fn point(&self) -> Result<(), TargetError> {
        self.target.point_alias(&hello(), &"live".parse().unwrap(), &TargetVersion("7".to_owned())).await
    }

    /// The bodies of the requests that begin so.
    fn sent(&self, beginning: &str) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        let sent = requests.iter().filter(|request| request.starts_with(beginning));
        sent.map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()).collect()
    }

    fn count(&self, beginning: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| request.starts_with(beginning)).count()
    }
}

async fn serve(listener: TcpListener, mut routes: Vec<Route>, requests: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut connection, _)) = listener.accept().await {
        let request = read(&mut connection).await;
        let route = routes.iter_mut().filter(|(beginning, _)| request.starts_with(beginning));
        // The longest beginning is the one that means this request.
        let (status, body) = match route.max_by_key(|(beginning, _)| beginning.len()) {
            Some((_, answers)) if answers.len() > 1 => answers.remove(0),
            Some((_, answers)) => answers[0].clone(),
            None => panic!("nothing is canned for {request}"),
        };
        requests.lock().unwrap().push(request);
        let kind = body["kind"].as_str().unwrap_or_default();
        let body = body.to_string();
        let head = format!("content-length: {}\r\nx-amzn-errortype: {kind}\r\nconnection: close", body.len());
        let answer = format!("HTTP/1.1 {status} Canned\r\n{head}\r\n\r\n{body}");
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
    }
}

/// One request with its whole body.
async fn read(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            if body.len() >= length.map_or(0, |(_, length)| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        assert!(connection.read_buf(&mut request).await.unwrap() > 0, "the request ends early");
    }
}

fn settings(endpoint: String) -> LambdaSettings {
    let secret_access_key = SecretString::from("secret".to_owned());
    LambdaSettings {
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint),
        credentials: Some(StaticKeys { access_key_id: "AKIDEXAMPLE".to_owned(), secret_access_key }),
        create: Some(LambdaCreate {
            role: "arn:aws:iam::123456789012:role/fn".to_owned(),
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
        }),
    }
}

fn hello() -> FunctionName {
    "hello".parse().unwrap()
}

fn package() -> LocalPackage {
    let [bucket, key, version] = ["signed", "a.zip", "v1"];
    let object = ObjectVersion {
        bucket: bucket.parse().unwrap(),
        key: key.parse().unwrap(),
        version: version.parse().unwrap(),
    };
    LocalPackage { path: "a.zip".into(), sha256: Sha256Digest::of(b"package"), object }
}

fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256Digest::of(bytes).as_bytes())
}

const READ: &str = "GET /2015-03-31/functions/hello/configuration";
const READ_VERSION: &str = "GET /2015-03-31/functions/hello/configuration?Qualifier=7";
const READ_OTHER: &str = "GET /2015-03-31/functions/hello/configuration?Qualifier=8";
const READ_LATEST: &str = "GET /2015-03-31/functions/hello/configuration?Qualifier=%24LATEST";
const DELETE: &str = "DELETE /2015-03-31/functions/hello?Qualifier=1 ";
const LIST: &str = "GET /2015-03-31/functions/hello/versions";
const CREATE: &str = "POST /2015-03-31/functions ";
const UPDATE: &str = "PUT /2015-03-31/functions/hello/code";
const PUBLISH: &str = "POST /2015-03-31/functions/hello/versions";
const GET_ALIAS: &str = "GET /2015-03-31/functions/hello/aliases/live";
const MOVE_ALIAS: &str = "PUT /2015-03-31/functions/hello/aliases/live";
const CREATE_ALIAS: &str = "POST /2015-03-31/functions/hello/aliases";

/// `$LATEST` or a version that is as it should be, but for `changes`.
fn configuration(bytes: &[u8], changes: Value) -> Value {
    let mut whole = json!({
        "Version": "7", "CodeSha256": sha256(bytes), "RevisionId": "r1",
        "State": "Active", "LastUpdateStatus": "Successful",
    });
    let Value::Object(changes) = changes else { panic!("{changes} changes nothing") };
    whole.as_object_mut().unwrap().extend(changes);
    whole
}

fn ok(body: Value) -> Vec<(u16, Value)> {
    vec![(200, body)]
}

fn fault(status: u16, kind: &str) -> Vec<(u16, Value)> {
    vec![(status, json!({ "kind": kind, "Message": "so it is" }))]
}

/// A Lambda that does all that it should, but for `changes`.
async fn lambda(changes: Vec<Route>) -> Canned {
    let old = configuration(b"old", json!({}));
    let new = configuration(b"package", json!({ "RevisionId": "r2" }));
    let mut routes = vec![
        (READ, vec![(200, old), (200, new.clone())]),
        (READ_VERSION, ok(configuration(b"package", json!({})))),
        (LIST, ok(json!({ "Versions": [] }))),
        (UPDATE, ok(new)),
        (PUBLISH, ok(configuration(b"package", json!({})))),
    ];
    for change in changes {
        routes.retain(|(beginning, _)| *beginning != change.0);
        routes.push(change);
    }
    Canned::answering(routes).await
}

fn assert_refused<T: std::fmt::Debug>(outcome: &Result<T, TargetError>, expected: &str) {
    let Err(TargetError::Refused { code, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(code, expected);
}

fn assert_later<T: std::fmt::Debug>(outcome: &Result<T, TargetError>) {
    assert!(matches!(outcome, Err(TargetError::Unavailable(_))), "{outcome:?}");
}

fn version_7() -> Result<TargetVersion, TargetError> {
    Ok(TargetVersion("7".to_owned()))
}

#[tokio::test]
async fn every_step_is_pinned_to_what_was_decided_upon() {
    let lambda = lambda(vec![]).await;
    assert_eq!(lambda.publish().await, version_7());
    let pinned = json!({
        "S3Bucket": "signed", "S3Key": "a.zip", "S3ObjectVersion": "v1", "Publish": false, "RevisionId": "r1",
    });
    assert_eq!(lambda.sent(UPDATE), [pinned]);
    let published = json!({
        "CodeSha256": sha256(b"package"), "RevisionId": "r2", "Description": "countersign version 3",
    });
    assert_eq!(lambda.sent(PUBLISH), [published]);
}

#[tokio::test]
async fn other_bytes_are_never_published() {
    for fetched in [json!({}), json!({ "CodeSha256": sha256(b"other") }), json!({ "CodeSha256": "" })] {
        let lambda = lambda(vec![(UPDATE, ok(fetched))]).await;
        assert_refused(&lambda.publish().await, "package_changed");
        assert_eq!(lambda.count(PUBLISH), 0);
    }
}

#[tokio::test]
async fn code_that_somebody_else_sets_in_between_is_not_published() {
    let lambda = lambda(vec![(READ, ok(configuration(b"other", json!({}))))]).await;
    assert_later(&lambda.publish().await);
    assert_eq!(lambda.count(PUBLISH), 0);
}

#[tokio::test]
async fn a_publication_of_something_else_is_no_success() {
    let answers = [
        ok(json!({})),
        ok(configuration(b"other", json!({}))),
        ok(configuration(b"package", json!({ "Version": "$LATEST" }))),
        fault(412, "PreconditionFailedException"),
        fault(400, "InvalidParameterValueException"),
        fault(409, "ResourceConflictException"),
    ];
    for answer in answers {
        assert_later(&lambda(vec![(PUBLISH, answer)]).await.publish().await);
    }
}

#[tokio::test]
async fn a_lambda_that_stays_busy_or_says_nothing_is_asked_later() {
    let busy = [
        json!({ "LastUpdateStatus": "InProgress" }),
        json!({ "State": "Pending" }),
        json!({ "State": "NewState" }),
        json!({ "LastUpdateStatus": null }),
    ];
    for busy in busy {
        let lambda = lambda(vec![(READ, ok(configuration(b"package", busy.clone())))]).await;
        assert_later(&lambda.publish().await);
        assert_eq!((lambda.count(READ), lambda.count(UPDATE)), (3, 0));
        let lambda = self::lambda(vec![(READ_VERSION, ok(configuration(b"package", busy)))]).await;
        assert_later(&lambda.publish().await);
    }
}

#[tokio::test]
async fn an_update_that_fails_is_not_published() {
    let old = (200, configuration(b"old", json!({ "LastUpdateStatus": "Failed" })));
    let failed = |reason: &str| {
        let changes = json!({ "LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": reason });
        vec![(READ, vec![old.clone(), (200, configuration(b"package", changes))])]
    };
    let lambda_refuses = lambda(failed("InvalidSubnet")).await;
    assert_refused(&lambda_refuses.publish().await, "lambda_update_failed");
    assert_eq!(lambda_refuses.count(PUBLISH), 0);
    let lambda_stumbles = lambda(failed("InternalError")).await;
    assert_later(&lambda_stumbles.publish().await);
    assert_eq!(lambda_stumbles.count(PUBLISH), 0);
}

#[tokio::test]
async fn a_version_that_cannot_be_invoked_is_no_success() {
    let failed = configuration(b"package", json!({ "State": "Failed" }));
    let lambda = lambda(vec![(READ_VERSION, ok(failed))]).await;
    assert_refused(&lambda.publish().await, "lambda_update_failed");
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_now_and_then_later() {
    let lambda = lambda(vec![(UPDATE, fault(429, "TooManyRequestsException"))]).await;
    assert_later(&lambda.publish().await);
    assert_eq!(lambda.count(UPDATE), 3);
}

#[tokio::test]
async fn our_version_is_found_by_its_description_on_any_page() {
    let others = json!([
        configuration(b"old", json!({ "Version": "$LATEST", "Description": "countersign version 3" })),
        configuration(b"old", json!({ "Version": "1", "Description": "countersign version 33" })),
    ]);
    let ours = json!([configuration(b"package", json!({ "Description": "countersign version 3" }))]);
    let pages =
        vec![(200, json!({ "Versions": others, "NextMarker": "more" })), (200, json!({ "Versions": ours }))];
    let lambda = lambda(vec![(LIST, pages)]).await;
    assert_eq!(lambda.publish().await, version_7());
    assert_eq!((lambda.count(UPDATE), lambda.count(PUBLISH)), (0, 0));
    assert_eq!(lambda.count("GET /2015-03-31/functions/hello/versions?Marker=more"), 1);
}

#[tokio::test]
async fn our_version_with_anything_else_in_it_is_taken() {
    let description = "countersign version 3";
    let other = configuration(b"other", json!({ "Description": description }));
    let layered = json!({ "Description": description, "Layers": [{ "Arn": "arn:aws:lambda:::layer:x:1" }] });
    let layered = configuration(b"package", layered);
    let same = configuration(b"package", json!({ "Description": description }));
    for versions in [json!([other]), json!([layered]), json!([same, other])] {
        let lambda = lambda(vec![(LIST, ok(json!({ "Versions": versions })))]).await;
        let taken = Err(TargetError::VersionTaken { function: hello(), version: 3 });
        assert_eq!(lambda.publish().await, taken);
        assert_eq!((lambda.count(UPDATE), lambda.count(PUBLISH)), (0, 0));
    }
}

#[tokio::test]
async fn pages_are_counted() {
    let lambda = lambda(vec![(LIST, ok(json!({ "Versions": [], "NextMarker": "more" })))]).await;
    assert_refused(&lambda.publish().await, "too_many_lambda_versions");
    assert_eq!((lambda.count(LIST), lambda.count(UPDATE)), (200, 0));
}

#[tokio::test]
async fn a_missing_function_is_made_or_refused() {
    let missing = (404, json!({ "kind": "ResourceNotFoundException" }));
    let made = (200, configuration(b"package", json!({})));
    let created = configuration(b"package", json!({ "State": "Pending" }));
    let routes = |created| vec![(READ, vec![missing.clone(), made.clone()]), (CREATE, ok(created))];
    let lambda = lambda(routes(created)).await;
    assert_eq!(lambda.publish().await, version_7());
    let sent = json!({
        "FunctionName": "hello", "Role": "arn:aws:iam::123456789012:role/fn", "Runtime": "provided.al2023",
        "Handler": "bootstrap", "Publish": false,
        "Code": { "S3Bucket": "signed", "S3Key": "a.zip", "S3ObjectVersion": "v1" },
    });
    assert_eq!(lambda.sent(CREATE), [sent]);
    let other_bytes = self::lambda(routes(configuration(b"other", json!({})))).await;
    assert_refused(&other_bytes.publish().await, "package_changed");
    let mut not_made = self::lambda(routes(Value::Null)).await;
    not_made.target.create = None;
    assert_refused(&not_made.publish().await, "unknown_lambda_function");
    assert_eq!(not_made.count(CREATE), 0);
}

#[tokio::test]
async fn layers_that_nobody_verified_are_refused_wherever_they_come_from() {
    let layers = json!({ "Layers": [{ "Arn": "arn:aws:lambda:us-east-1:1:layer:x:1" }] });
    let before = lambda(vec![(READ, ok(configuration(b"old", layers.clone())))]).await;
    assert_refused(&before.publish().await, "unverified_layers");
    assert_eq!(before.count(UPDATE), 0);
    let old = (200, configuration(b"old", json!({})));
    let meanwhile = lambda(vec![(READ, vec![old, (200, configuration(b"package", layers))])]).await;
    assert_refused(&meanwhile.publish().await, "unverified_layers");
    assert_eq!(meanwhile.count(PUBLISH), 0);
    let asked = LocalPackages { code: package(), layers: vec![package()] };
    let refused = before.target.publish_version(&hello(), 3, &asked).await;
    assert_refused(&refused, "layers_unsupported");
}

#[tokio::test]
async fn an_alias_moves_with_all_its_traffic_unless_somebody_else_moved_it() {
    for standing in [
        json!({ "FunctionVersion": "6", "RevisionId": "r5" }),
        json!({ "FunctionVersion": "7", "RevisionId": "r5", "RoutingConfig": { "AdditionalVersionWeights": { "6": 0.5 } } }),
    ] {
        let lambda = lambda(vec![(GET_ALIAS, ok(standing)), (MOVE_ALIAS, ok(json!({})))]).await;
        assert_eq!(lambda.point().await, Ok(()));
        let moved = json!({
            "FunctionVersion": "7", "RevisionId": "r5", "RoutingConfig": { "AdditionalVersionWeights": {} },
        });
        assert_eq!(lambda.sent(MOVE_ALIAS), [moved]);
    }
    let standing = ok(json!({ "FunctionVersion": "6", "RevisionId": "r5" }));
    let raced = vec![(GET_ALIAS, standing), (MOVE_ALIAS, fault(412, "PreconditionFailedException"))];
    assert_later(&lambda(raced).await.point().await);
}

#[tokio::test]
async fn an_alias_that_points_there_stays_and_a_missing_one_is_made() {
    let there = lambda(vec![(GET_ALIAS, ok(json!({ "FunctionVersion": "7", "RevisionId": "r5" })))]).await;
    assert_eq!(there.point().await, Ok(()));
    assert_eq!(there.count(MOVE_ALIAS), 0);
    let missing = fault(404, "ResourceNotFoundException");
    let made = lambda(vec![(GET_ALIAS, missing.clone()), (CREATE_ALIAS, ok(json!({})))]).await;
    assert_eq!(made.point().await, Ok(()));
    assert_eq!(made.sent(CREATE_ALIAS), [json!({ "Name": "live", "FunctionVersion": "7" })]);
    let nothing = lambda(vec![(READ_VERSION, missing)]).await;
    assert!(matches!(nothing.point().await, Err(TargetError::NoSuchVersion { .. })));
    assert_eq!(nothing.count(GET_ALIAS), 0);
}

#[tokio::test]
async fn a_split_alias_passes_the_weight_on_unless_both_are_one_version() {
    let [seven, eight] = ["7", "8"].map(|version| TargetVersion(version.to_owned()));
    let split = async |lambda: &Canned, further: &TargetVersion| {
        let weight = Weight::new(0.25).unwrap();
        lambda.target.split_alias(&hello(), &"live".parse().unwrap(), &seven, (further, weight)).await
    };
    let routes = |weights: Value| {
        let standing = json!({ "FunctionVersion": "7", "RevisionId": "r5", "RoutingConfig": {
            "AdditionalVersionWeights": weights } });
        vec![
            (READ_OTHER, ok(configuration(b"package", json!({ "Version": "8" })))),
            (GET_ALIAS, ok(standing)),
            (MOVE_ALIAS, ok(json!({}))),
        ]
    };
    let weights = |sent: &[Value]| sent[0]["RoutingConfig"]["AdditionalVersionWeights"].clone();
    let moved = lambda(routes(json!({ "6": 0.5 }))).await;
    assert_eq!(split(&moved, &eight).await, Ok(()));
    assert_eq!(weights(&moved.sent(MOVE_ALIAS)), json!({ "8": 0.25 }));
    let one = lambda(routes(json!({ "6": 0.5 }))).await;
    assert_eq!(split(&one, &seven).await, Ok(()));
    assert_eq!(weights(&one.sent(MOVE_ALIAS)), json!({}));
    let there = lambda(routes(json!({ "8": 0.25 }))).await;
    assert_eq!(split(&there, &eight).await, Ok(()));
    assert_eq!(there.count(MOVE_ALIAS), 0);
}

#[tokio::test]
async fn latest_is_pinned_and_nothing_is_published() {
    let latest = (READ_LATEST, ok(configuration(b"package", json!({ "Version": "$LATEST" }))));
    let packages = LocalPackages { code: package(), layers: Vec::new() };
    let changed = lambda(vec![latest.clone()]).await;
    assert_eq!(changed.target.put_latest(&hello(), &packages).await, Ok(()));
    assert_eq!(
        (changed.sent(UPDATE)[0]["S3ObjectVersion"].as_str(), changed.count(PUBLISH)),
        (Some("v1"), 0)
    );
    let stands = lambda(vec![latest, (READ, ok(configuration(b"package", json!({}))))]).await;
    assert_eq!(stands.target.put_latest(&hello(), &packages).await, Ok(()));
    assert_eq!(stands.count(UPDATE), 0);
    let other = lambda(vec![(UPDATE, ok(json!({ "CodeSha256": sha256(b"other") })))]).await;
    assert_refused(&other.target.put_latest(&hello(), &packages).await, "package_changed");
}

#[tokio::test]
async fn a_version_that_stands_for_another_of_ours_is_found_and_not_deleted() {
    let versions = json!([
        configuration(b"package", json!({ "Version": "1", "Description": "countersign version 3" })),
        configuration(b"other", json!({ "Version": "2", "Description": "by hand" })),
    ]);
    let lambda = lambda(vec![(LIST, ok(json!({ "Versions": versions }))), (DELETE, ok(json!({})))]).await;
    let find = async |number, bytes: &[u8]| {
        let version = FunctionVersion::Published(number);
        lambda.target.find_version(&hello(), version, &Sha256Digest::of(bytes)).await.unwrap()
    };
    let one = Some(TargetVersion("1".to_owned()));
    assert_eq!((find(3, b"package").await, find(4, b"package").await), (one.clone(), one));
    assert_eq!(find(4, b"other").await, None, "nobody published it for us");
    let delete = async |used: &[u8]| {
        lambda.target.delete_version(&hello(), 3, &[Sha256Digest::of(used)].into()).await.unwrap();
        lambda.count(DELETE)
    };
    assert_eq!((delete(b"package").await, delete(b"other").await), (0, 1));
}
