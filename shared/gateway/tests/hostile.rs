//! What is not a request of AWS's clients: values of any type where the model has another, and any bytes at all.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::sync::Arc;

use aws_sigv4::http_request::SignatureLocation;
use bytes::Bytes;
use countersign_gateway::model::{Kind, Member, Operation, Place, Segment, Service, Shape, lambda, signer};
use countersign_gateway::{Gateway, Rate, credential_scope_service};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{Echo, gateway, now, signed};

/// How a request that is no more than wrong is refused.
const REFUSALS: &[&str] = &["ValidationException", "SerializationException", "AccessDeniedException"];

const HEADER: &str = "(authorization|x-amz-date|date|host|x-amz-content-sha256|x-[a-z]{1,5})";
const FIELD: &str = "([!-~]{0,30}|A/20261121/us-east-1/signer/aws4_request|host;x-amz-date|[0-9a-f]{64})";

const UNLIMITED: Rate = Rate { per_second: 1_000_000, burst: 1_000_000 };

fn answered(gateway: &Gateway, request: Request<Bytes>) -> Response<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (head, body) = gateway.handle(request.map(Full::new)).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Response::from_parts(head, body)
    })
}

fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        ".{0,20}",
        "[a-zA-Z0-9_-]{1,12}",
        Just("x".repeat(3000)),
        Just("arn:aws:lambda:us-east-1:111111111111:function:f".to_owned())
    ]
    .boxed()
}

fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A value of the shape's type most of the time, whether or not it satisfies the constraints.
fn value(shape: &'static Shape, depth: u32) -> BoxedStrategy<Value> {
    let typed = match &shape.kind {
        Kind::Structure(members) if depth < 5 => {
            structure(members.iter().collect(), depth + 1).prop_map(Value::from).boxed()
        }
        Kind::List { member, .. } if depth < 5 => {
            prop::collection::vec(value(member, depth + 1), 0..4).prop_map(Value::from).boxed()
        }
        Kind::Map { value: inner, .. } if depth < 5 => {
            let entries = prop::collection::vec((any_text(), value(inner, depth + 1)), 0..4);
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect())).boxed()
        }
        Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. } => Just(Value::Null).boxed(),
        Kind::String { values, .. } if !values.is_empty() => {
            prop::sample::select(*values).prop_map(Value::from).boxed()
        }
        Kind::String { .. } => any_text().prop_map(Value::from).boxed(),
        Kind::Blob { .. } => {
            prop_oneof!["[A-Za-z0-9+/]{0,8}", Just("AAEC".to_owned())].prop_map(Value::from).boxed()
        }
        Kind::Integer { .. } => prop_oneof![any::<i64>(), -5..200_i64].prop_map(Value::from).boxed(),
        Kind::Double { .. } | Kind::Timestamp => {
            prop_oneof![any::<f64>(), 0.0..5e9].prop_map(|number| json!(number)).boxed()
        }
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
    };
    prop_oneof![9 => typed, 1 => any_json()].boxed()
}

fn structure(members: Vec<&'static Member>, depth: u32) -> BoxedStrategy<Map<String, Value>> {
    let members: Vec<_> = members
        .into_iter()
        .map(|member| {
            let there = if member.required { 0.95 } else { 0.4 };
            prop::option::weighted(there, value(member.shape, depth))
                .prop_map(|value| value.map(|value| (member.name, value)))
        })
        .collect();
    members
        .prop_map(|members| {
            members.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect()
        })
        .boxed()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn query_values(name: &str, value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    values.iter().map(|value| format!("{name}={}", encoded(&text(value)))).collect()
}

/// A request for `operation` with random members.
fn request_for(
    service: &'static Service,
    operation: &'static Operation,
) -> BoxedStrategy<(&'static Service, Request<Bytes>)> {
    let input = structure(operation.input.iter().collect(), 0);
    let labels = prop::collection::vec("[a-zA-Z0-9:/_. -]{1,20}", 4);
    (input, labels)
        .prop_map(move |(mut members, labels)| {
            let mut labels = labels.into_iter();
            let segments: Vec<String> = operation
                .path
                .iter()
                .map(|segment| match segment {
                    Segment::Literal(literal) => (*literal).to_owned(),
                    Segment::Label(_) | Segment::Rest(_) => encoded(&labels.next().unwrap()),
                })
                .collect();
            let mut query: Vec<String> =
                operation.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            for member in operation.input {
                if let Place::Query(name) = member.place {
                    query.extend(
                        members
                            .remove(member.name)
                            .map(|value| query_values(name, &value))
                            .unwrap_or_default(),
                    );
                }
            }
            let uri = format!("/{}?{}", segments.join("/"), query.join("&"));
            let body = Value::Object(members).to_string();
            let request = Request::builder().method(operation.method.clone()).uri(uri).header("host", "h");
            (service, request.body(Bytes::from(body)).unwrap())
        })
        .boxed()
}

fn any_request() -> BoxedStrategy<(&'static Service, Request<Bytes>)> {
    let operations: Vec<_> = [&signer::SERVICE, &lambda::SERVICE]
        .into_iter()
        .flat_map(|service| service.operations.iter().map(move |operation| (service, *operation)))
        .collect();
    prop::sample::select(operations)
        .prop_flat_map(|(service, operation)| request_for(service, operation))
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_request_made_from_the_model_never_gets_a_failure((service, request) in any_request()) {
        let gateway = gateway(&Arc::new(Echo::default()), UNLIMITED);
        let at = now();
        let answer = answered(&gateway, signed(request, service.name, at, SignatureLocation::Headers));
        let class = answer.headers().get("x-amzn-errortype").map(|class| class.to_str().unwrap().to_owned());
        prop_assert!(answer.status().as_u16() < 500, "{:?}", answer);
        match answer.status().as_u16() {
            200..300 => prop_assert_eq!(class, None),
            _ => prop_assert!(class.is_some_and(|class| REFUSALS.contains(&class.as_str())), "{:?}", answer),
        }
    }

    #[test]
    fn any_bytes_get_an_answer(
        method in "[A-Z]{1,8}",
        uri in "/[!-~]{0,60}",
        headers in prop::collection::vec((HEADER, prop::collection::vec(32..=255_u8, 0..60)), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let gateway = gateway(&Arc::new(Echo::default()), UNLIMITED);
        let mut request = Request::builder().method(method.as_str()).uri(uri);
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value)) {
                request = request.header(name, value);
            }
        }
        if let Ok(request) = request.body(Bytes::from(body)) {
            let answer = answered(&gateway, request);
            prop_assert!(answer.status().is_client_error(), "{:?}", answer);
        }
    }

    #[test]
    fn any_credential_gets_an_answer(
        start in "(AWS4-HMAC-SHA256|AWS|Basic| )",
        fields in prop::collection::vec(("(Credential|SignedHeaders|Signature|.{0,4})", FIELD), 0..5),
        date in "([0-9TZ]{0,17}|20261121T120000Z|[A-Z][a-z]{2}, 21 Nov 2026 12:00:00 GMT)",
    ) {
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let authorization = format!("{start} {}", fields.join(", "));
        let query: Vec<String> =
            fields.iter().map(|field| format!("X-Amz-{}", encoded(field).replace("%3D", "="))).collect();
        let uri = format!("/?{}", query.join("&"));
        let request = Request::builder().uri(uri).header("x-amz-date", date);
        let Ok(value) = HeaderValue::from_bytes(authorization.as_bytes()) else { return Ok(()) };
        let request = request.header("authorization", value).body(Bytes::new()).unwrap();
        credential_scope_service(&request.clone().into_parts().0);
        let answer = answered(&gateway(&Arc::new(Echo::default()), UNLIMITED), request);
        prop_assert!(answer.status().is_client_error(), "{:?}", answer);
    }

    #[test]
    fn any_body_gets_an_answer(body in prop_oneof![".{0,100}", "[\\[\\]{}:,\"a0 ]{0,60}"]) {
        let request = Request::builder().method("POST").uri("/signing-jobs").header("host", "h");
        let request = request.body(Bytes::from(body)).unwrap();
        let request = signed(request, "signer", now(), SignatureLocation::Headers);
        let answer = answered(&gateway(&Arc::new(Echo::default()), UNLIMITED), request);
        prop_assert_eq!(answer.status().as_u16(), 400);
    }
}
