//! The verifier against the signers of botocore and of AWS's SDK for Rust: what they sign is accepted, and nothing that
//! differs from it by a byte.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use aws_sigv4::http_request::{SignableBody, SignatureLocation};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_domain::UnixMillis;
use countersign_gateway::bind::bind;
use countersign_gateway::model::{Service, lambda, signer};
use countersign_gateway::route::route;
use countersign_gateway::sigv4::{Candidate, Claims, Endpoint, Refused};
use countersign_gateway::validate::validate;
use http::Request;
use proptest::prelude::*;
use serde::Deserialize;
use support::{Keys, REGION, now, require_success, signed, signed_over};

fn verified(request: &Request<Bytes>, now: UnixMillis) -> Result<String, Refused> {
    let (head, body) = request.clone().into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let endpoint = Endpoint { region: REGION, services: &["signer", "lambda"], now };
    let candidate = runtime.block_on(Candidate::admit(Claims::of(&head)?, endpoint, &Keys))?;
    Ok(candidate.verify(&head, &body)?.principal().name.clone())
}

/// A request as botocore signed it.
#[derive(Deserialize)]
struct Made {
    way: String,
    service: String,
    operation: String,
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: String,
    params: serde_json::Value,
}

impl Made {
    fn request(&self) -> Option<Request<Bytes>> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(STANDARD.decode(&self.body).unwrap())).ok()
    }

    fn service(&self) -> &'static Service {
        if self.service == "signer" { &signer::SERVICE } else { &lambda::SERVICE }
    }
}

fn made(seed: &str, rounds: u32) -> Vec<Made> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/signed.py");
    let output = std::process::Command::new("python3")
        .args(["-B", script, seed, &rounds.to_string()])
        .output()
        .unwrap();
    require_success(&output, "signed.py");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_botocore_signs_is_accepted_and_arrives_as_it_was_given() {
    let all = made("accepted", 8);
    assert!(all.len() > 8 * 55, "{}", all.len());
    for made in &all {
        let what = format!("{} {} {}", made.way, made.operation, made.uri);
        let request = made.request().unwrap();
        assert_eq!(verified(&request, now()).as_deref(), Ok("maria"), "{what}");
        let route = route(made.service(), request.method(), request.uri()).expect(&what);
        assert_eq!(route.operation.name, made.operation, "{what}");
        let members = bind(&route, request.uri().query().unwrap_or_default(), request.body());
        let members = members.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(serde_json::Value::Object(members.clone()), made.params, "{what}");
        let input = validate(made.service(), route.operation, members);
        assert!(input.is_ok(), "{what}: {:?}", input.err());
    }
}

#[test]
fn a_request_that_differs_by_a_byte_is_refused() {
    let mut count = 0;
    for made in made("changed", 1) {
        let request = made.request().unwrap();
        let now = now();
        assert!(verified(&request, now).is_ok());
        for changed in changes(&made, &request) {
            count += 1;
            assert!(verified(&changed, now).is_err(), "{changed:?} is not what was signed: {}", made.uri);
        }
    }
    assert!(count > 5000, "{count}");
}

/// The request with each byte of its path, query, signed headers and body changed in turn, and with another method.
fn changes(made: &Made, request: &Request<Bytes>) -> Vec<Request<Bytes>> {
    let mut changed = Vec::new();
    for at in 0..made.uri.len() {
        let uri = String::from_utf8(with_byte(made.uri.as_bytes(), at)).unwrap();
        let parsed = uri.parse().ok().filter(|_| uri.starts_with('/'));
        changed.extend(parsed.map(|uri| {
            let mut other = request.clone();
            *other.uri_mut() = uri;
            other
        }));
    }
    for at in 0..request.body().len() {
        let mut other = request.clone();
        *other.body_mut() = with_byte(request.body(), at).into();
        changed.push(other);
    }
    for (name, value) in request.headers() {
        let signed = !["user-agent", "content-length"].contains(&name.as_str());
        for at in (0..value.len()).filter(|_| signed && made.way == "header") {
            let mut other = request.clone();
            let value = with_byte(value.as_bytes(), at);
            // Blanks around a value, and how many in a row, are not signed.
            if request.headers()[name].as_bytes()[at] != b' ' {
                other.headers_mut().insert(name.clone(), value.as_slice().try_into().unwrap());
                changed.push(other);
            }
        }
    }
    let mut other = request.clone();
    *other.method_mut() = http::Method::PATCH;
    changed.push(other);
    changed
}

fn with_byte(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
    bytes
}

fn plain(uri: &str) -> Request<Bytes> {
    Request::builder()
        .method("POST")
        .uri(uri)
        .header("host", "gateway.test")
        .body(Bytes::from_static(b"{}"))
        .unwrap()
}

#[test]
fn a_signature_speaks_for_a_quarter_of_an_hour() {
    let at: UnixMillis = "2026-11-21T12:00:00Z".parse().unwrap();
    let header = signed(plain("/signing-jobs"), "signer", at, SignatureLocation::Headers);
    let query = signed(plain("/signing-jobs"), "signer", at, SignatureLocation::QueryParams);
    let minutes = |request: &Request<Bytes>, minutes: i64, millis: i64| {
        verified(request, at.plus_millis(minutes * 60_000 + millis)).map_err(|refused| refused.to_string())
    };
    assert!(minutes(&header, -15, 0).is_ok() && minutes(&header, 15, 0).is_ok());
    let late = minutes(&header, 15, 1).unwrap_err();
    assert!(late.starts_with("Signature expired: 20261121T120000Z is now earlier than 2026"), "{late}");
    let early = minutes(&header, -15, -1).unwrap_err();
    assert!(early.starts_with("Signature not yet current: 20261121T120000Z is still later"), "{early}");
    assert!(minutes(&query, -15, 0).is_ok() && minutes(&query, 10, 0).is_ok());
    assert!(minutes(&query, 10, 1).unwrap_err().starts_with("Signature expired"));
    assert!(minutes(&query, -15, -1).unwrap_err().starts_with("Signature not yet current"));
}

#[test]
fn a_body_that_is_not_signed_is_accepted_in_a_presigned_url_alone() {
    let at = now();
    let with_hash = |hash: &str| {
        let mut request = plain("/signing-jobs");
        request.headers_mut().insert("x-amz-content-sha256", hash.parse().unwrap());
        request
    };
    let empty_object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let header = |hash| verified(&signed(with_hash(hash), "signer", at, SignatureLocation::Headers), at);
    assert!(header(empty_object).is_ok());
    for hash in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &"0".repeat(64)] {
        assert!(matches!(header(hash), Err(Refused::Invalid(_))), "{hash}");
    }
    let unsigned = |location| {
        let body = SignableBody::UnsignedPayload;
        verified(&signed_over(plain("/signing-jobs"), "signer", at, location, body), at)
    };
    assert_eq!(unsigned(SignatureLocation::QueryParams), Ok("maria".to_owned()));
    assert!(matches!(unsigned(SignatureLocation::Headers), Err(Refused::Invalid(_))));
}

#[test]
fn an_amz_header_that_is_not_signed_is_refused() {
    let at = now();
    let mut request = signed(plain("/signing-jobs"), "signer", at, SignatureLocation::Headers);
    assert!(verified(&request, at).is_ok());
    request.headers_mut().insert("x-amz-target", "x".parse().unwrap());
    assert!(verified(&request, at).unwrap_err().to_string().contains("were not signed: x-amz-target"));
}

fn segment() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9_~-][a-zA-Z0-9._~-]{0,8}|arn%3Aaws%3Asigner%3A%2Fx|[:@!$'()*,;=a-z]{1,6}|%C3%A4|\\.\\.?)"
}

prop_compose! {
    fn request()(
        method in "GET|PUT|POST|DELETE",
        segments in prop::collection::vec(segment(), 0..5),
        slash in any::<bool>(),
        query in prop::collection::vec(("[a-z]{1,3}", "([a-zA-Z0-9._~-]|%2F|%20|%C3%A4|%2B|%3D|:|,){0,8}"), 0..5),
        headers in prop::collection::vec(("x-[a-z]{1,8}", "[ a-zA-Z0-9/;=]{0,20}"), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) -> Request<Bytes> {
        let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let end = if slash && !segments.is_empty() { "/" } else { "" };
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("/{}{end}{mark}{}", segments.join("/"), query.join("&"));
        let mut request = Request::builder().method(method.as_str()).uri(uri).header("host", "gateway.test:4566");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(body.into()).unwrap()
    }
}

proptest! {
    #[test]
    fn what_the_sdk_for_rust_signs_is_accepted(
        request in request(),
        in_query in any::<bool>(),
        seconds in 0..4_000_000_000_i64,
    ) {
        let at = UnixMillis::EPOCH.plus_millis(seconds * 1000);
        let location = if in_query { SignatureLocation::QueryParams } else { SignatureLocation::Headers };
        let request = signed(request, "lambda", at, location);
        prop_assert_eq!(verified(&request, at), Ok("maria".to_owned()), "{:?}", request);
        let mut other = request.clone();
        *other.body_mut() = [request.body().as_ref(), b" "].concat().into();
        prop_assert!(verified(&other, at).is_err());
    }
}
