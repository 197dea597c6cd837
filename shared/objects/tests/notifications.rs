//! Notifications of every store, and what strangers may send in their place.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use countersign_domain::ObjectVersion;
use countersign_objects::events::{EventRefusal, MalformedNotification, ObjectCreated, RECORDS_MAX, parse};
use countersign_ports::queue::BODY_LIMIT_BYTES;
use proptest::prelude::*;
use serde_json::{Value, json};

fn object(bucket: &str, key: &str, version: &str) -> ObjectCreated {
    let object = ObjectVersion {
        bucket: bucket.parse().unwrap(),
        key: key.parse().unwrap(),
        version: version.parse().unwrap(),
    };
    ObjectCreated { candidates: vec![object] }
}

fn record() -> Value {
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": "unsigned" }, "object": { "key": "a.zip", "versionId": "v1" } }
    })
}

fn bridged() -> Value {
    serde_json::from_str(include_str!("fixtures/event-bridge-created-aws.json")).unwrap()
}

fn parsed(records: &[Value]) -> Vec<Result<ObjectCreated, EventRefusal>> {
    parse(json!({ "Records": records }).to_string().as_bytes()).unwrap()
}

#[test]
fn a_notification_of_aws() {
    let body = include_bytes!("fixtures/aws-put.json");
    let dropped = object("unsigned", "payments/fn a+b.zip", "096fKKXTRTtl3on89fVO.nfljtsv6qko");
    assert_eq!(parse(body), Ok(vec![Ok(dropped)]));
}

#[test]
fn a_notification_of_localstack_escapes_spaces() {
    let body = include_bytes!("fixtures/localstack-put.json");
    let dropped = object("unsigned", "fn a/x+1.zip", "AZqPrKP3xxbVsZ2QbSPVHzTnFqVVNlCg");
    assert_eq!(parse(body), Ok(vec![Ok(dropped)]));
}

#[test]
fn a_notification_of_moto_names_no_version() {
    let outcomes = parse(include_bytes!("fixtures/moto-put.json")).unwrap();
    assert!(
        matches!(&outcomes[..], [Err(EventRefusal::Unversioned { key, .. })] if key == "fn a/x+1.zip"),
        "{outcomes:?}"
    );
}

#[test]
fn a_notification_of_ceph_has_its_key_as_it_is() {
    let body = include_str!("fixtures/ceph-put.json");
    let dropped = object("unsigned", "fn a/x+1%20.zip", "5AjkIRnz8rzDFjTzYd8PNbPWEbZjhHl");
    assert_eq!(parse(body.as_bytes()), Ok(vec![Ok(dropped.clone())]));
    let early = body.replace("\"ObjectCreated:Put\"", "\"s3:ObjectCreated:Put\"");
    assert_eq!(parse(early.as_bytes()), Ok(vec![Ok(dropped)]), "as its first releases wrote it");
}

#[test]
fn a_notification_of_minio_escapes_slashes() {
    let body = include_bytes!("fixtures/minio-put.json");
    let dropped = object("unsigned", "fn a/x+1.zip", "4d9b2f2e-6a8b-4f0f-9f5c-7a1e2d3c4b5a");
    assert_eq!(parse(body), Ok(vec![Ok(dropped)]));
}

#[test]
fn an_unversioned_bucket_of_minio_is_refused_by_name() {
    let body = include_str!("fixtures/minio-put.json");
    let body = body.replace(r#""versionId":"4d9b2f2e-6a8b-4f0f-9f5c-7a1e2d3c4b5a","#, "");
    let outcomes = parse(body.as_bytes()).unwrap();
    assert!(matches!(outcomes[..], [Err(EventRefusal::Unversioned { .. })]), "{outcomes:?}");
}

#[test]
fn an_event_of_event_bridge_has_its_key_as_it_is() {
    let body = include_bytes!("fixtures/event-bridge-created-aws.json");
    let dropped = object("unsigned", "fn a/x+1.zip", "096fKKXTRTtl3on89fVO.nfljtsv6qko");
    assert_eq!(parse(body), Ok(vec![Ok(dropped)]), "a plus is a plus, and there is nothing to unescape");
}

#[test]
fn an_event_of_event_bridge_that_may_be_escaped_has_two_candidates() {
    let body = include_bytes!("fixtures/event-bridge-created-localstack.json");
    let [Ok(created)] = &parse(body).unwrap()[..] else { panic!("one event") };
    let keys: Vec<_> = created.candidates.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["fn%20a/x%2B1.zip", "fn a/x+1.zip"], "as it stands first");
}

#[test]
fn an_event_of_event_bridge_keeps_the_reading_that_is_legal() {
    for (key, expected) in [
        ("100%.zip".to_owned(), vec!["100%.zip".to_owned()]),
        ("a%0Ab.zip".to_owned(), vec!["a%0Ab.zip".to_owned()]),
        ("%c3%a4".repeat(500), vec!["ä".repeat(500)]),
    ] {
        let mut event = bridged();
        event["detail"]["object"]["key"] = json!(key);
        let [Ok(created)] = &parse(event.to_string().as_bytes()).unwrap()[..] else { panic!("one event") };
        let keys: Vec<_> = created.candidates.iter().map(|object| object.key.as_str().to_owned()).collect();
        assert_eq!(keys, expected);
    }
    let mut event = bridged();
    event["detail"]["object"]["key"] = json!("a\u{1b}b%1b");
    assert!(matches!(parse(event.to_string().as_bytes()).unwrap()[..], [Err(EventRefusal::Name(_))]));
}

#[test]
fn an_event_of_event_bridge_is_as_strictly_read() {
    let refusal = |change: &dyn Fn(&mut Value)| {
        let mut event = bridged();
        change(&mut event);
        let outcomes = parse(event.to_string().as_bytes()).unwrap();
        let [Err(refusal)] = &outcomes[..] else { panic!("{outcomes:?}") };
        refusal.clone()
    };
    for version in [json!("null"), json!(""), Value::Null] {
        let unversioned = refusal(&|event| event["detail"]["object"]["version-id"] = version.clone());
        assert!(matches!(unversioned, EventRefusal::Unversioned { .. }), "{unversioned}");
    }
    for (field, other) in [("source", "aws.ec2"), ("version", "1")] {
        let unknown = refusal(&|event| event[field] = json!(other));
        assert!(matches!(unknown, EventRefusal::UnknownSource { .. }), "{unknown}");
    }
    for field in ["source", "version", "detail-type", "detail"] {
        let malformed = refusal(&|event| event[field] = json!(17));
        assert!(matches!(malformed, EventRefusal::Malformed(_)), "{malformed}");
    }
}

#[test]
fn test_events_are_nothing() {
    assert_eq!(parse(include_bytes!("fixtures/aws-test-event.json")), Ok(Vec::new()));
}

#[test]
fn deletions_are_nothing() {
    for body in [
        &include_bytes!("fixtures/aws-delete-marker.json")[..],
        include_bytes!("fixtures/ceph-delete-marker.json"),
        include_bytes!("fixtures/minio-delete.json"),
        include_bytes!("fixtures/event-bridge-deleted.json"),
    ] {
        assert_eq!(parse(body), Ok(Vec::new()));
    }
}

#[test]
fn every_way_of_creation_counts() {
    for name in ["Put", "Post", "Copy", "CompleteMultipartUpload"] {
        let mut record = record();
        record["eventName"] = json!(format!("ObjectCreated:{name}"));
        assert_eq!(parsed(&[record]), [Ok(object("unsigned", "a.zip", "v1"))]);
    }
}

#[test]
fn one_bad_record_does_not_take_the_others_along() {
    let mut bad = record();
    bad["s3"]["bucket"]["name"] = json!("../etc");
    let mut deleted = record();
    deleted["eventName"] = json!("ObjectRemoved:Delete");
    let outcomes = parsed(&[record(), bad, json!(17), deleted, record()]);
    assert_eq!(outcomes.len(), 4);
    assert!(outcomes[0].is_ok() && outcomes[3].is_ok());
    assert!(matches!(outcomes[1], Err(EventRefusal::Name(_))));
    assert!(matches!(outcomes[2], Err(EventRefusal::Malformed(_))));
}

#[test]
fn an_unversioned_bucket_is_refused_by_name() {
    for version in [json!("null"), json!(""), Value::Null] {
        let mut record = record();
        record["s3"]["object"]["versionId"] = version;
        let refusal = parsed(&[record])[0].clone().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "\"a.zip\" lies in the unversioned bucket unsigned: turn on bucket versioning and upload again"
        );
    }
}

#[test]
fn a_source_that_may_encode_otherwise_is_refused() {
    for (source, version) in [
        ("swift:s3", "2.2"),
        ("aws:s3", "3.0"),
        ("ceph:s3", "3.0"),
        ("minio:s3", "1.0"),
        ("aws:s3", "2"),
        ("", "2.1"),
    ] {
        let mut record = record();
        record["eventSource"] = json!(source);
        record["eventVersion"] = json!(version);
        assert!(
            matches!(parsed(&[record])[0], Err(EventRefusal::UnknownSource { .. })),
            "{source} {version}"
        );
    }
}

#[test]
fn keys_that_forge_log_lines_are_refused() {
    for key in ["a%0Ab.zip", "%1b[2J.zip", "a%00.zip", "%c2%9b.zip", ""] {
        let mut record = record();
        record["s3"]["object"]["key"] = json!(key);
        assert!(matches!(parsed(&[record])[0], Err(EventRefusal::Name(_))), "{key}");
    }
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    let body = record().to_string().replace(r#""key":"a.zip""#, r#""key":"a.zip","key":"b.zip""#);
    let outcomes = parse(format!(r#"{{"Records":[{body}]}}"#).as_bytes()).unwrap();
    assert!(matches!(outcomes[..], [Err(EventRefusal::Malformed(_))]));
}

#[test]
fn what_is_no_notification_is_malformed_as_a_whole() {
    let not_json: [&[u8]; 6] = [b"", b"{", b"[]", b"\xff", br#"{"Records":{}}"#, br#"{"Records":[]} x"#];
    for body in not_json {
        assert!(matches!(parse(body), Err(MalformedNotification::NotJson(_))));
    }
    for body in [
        &b"{}"[..],
        br#"{"Event":"s3:Other"}"#,
        br#"{"Records":[],"detail":{}}"#,
        br#"{"EventName":"s3:ObjectCreated:Put","Key":"unsigned/a.zip"}"#,
    ] {
        assert_eq!(parse(body), Err(MalformedNotification::UnknownKind));
    }
    assert_eq!(parse(br#"{"Records":[]}"#), Ok(Vec::new()));
}

#[test]
fn limits_hold() {
    let body = format!(r#"{{"Records":[{}0]}}"#, "0,".repeat(RECORDS_MAX));
    assert_eq!(parse(body.as_bytes()), Err(MalformedNotification::TooManyRecords { count: RECORDS_MAX + 1 }));
    let body = vec![b' '; BODY_LIMIT_BYTES + 1];
    let too_large = MalformedNotification::TooLarge { size_bytes: BODY_LIMIT_BYTES + 1 };
    assert_eq!(parse(&body), Err(too_large));
    let deep = format!(r#"{{"Records":[{}]}}"#, "[".repeat(100_000));
    assert!(matches!(parse(deep.as_bytes()), Err(MalformedNotification::NotJson(_))));
}

fn sources() -> impl Strategy<Value = Value> {
    let messages = [
        include_str!("fixtures/aws-put.json"),
        include_str!("fixtures/ceph-put.json"),
        include_str!("fixtures/minio-put.json"),
        include_str!("fixtures/event-bridge-created-localstack.json"),
    ];
    prop::sample::select(messages.map(|text| serde_json::from_str(text).unwrap()).to_vec())
}

proptest! {
    #[test]
    fn bytes_never_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = parse(&body);
    }

    #[test]
    fn broken_messages_never_make_it_panic(
        message in sources(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut body = message.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        body.truncate(if cut { at } else { body.len() });
        let _outcome = parse(&body);
    }

    #[test]
    fn no_key_makes_it_panic(message in sources(), key in any::<String>(), version in any::<Option<String>>()) {
        let mut message = message;
        let (object, version_id) = match message.get_mut("detail") {
            Some(detail) => (&mut detail["object"], "version-id"),
            None => (&mut message["Records"][0]["s3"]["object"], "versionId"),
        };
        object["key"] = json!(key);
        object[version_id] = json!(version);
        for created in parse(message.to_string().as_bytes()).unwrap().into_iter().flatten() {
            prop_assert!(!created.candidates.is_empty());
        }
    }

    #[test]
    fn a_legal_key_comes_through(key in "[^\\p{Cc}]{1,40}") {
        let mut record = record();
        record["s3"]["object"]["key"] =
            json!(percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string());
        prop_assert_eq!(parsed(&[record]), [Ok(object("unsigned", &key, "v1"))]);
    }
}
