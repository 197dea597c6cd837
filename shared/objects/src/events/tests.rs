use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn object(bucket: &str, key: &str, version: &str) -> ObjectCreated {
    let object = ObjectVersion {
        bucket: bucket.parse().unwrap(),
        key: key.parse().unwrap(),
        version: version.parse().unwrap(),
    };
    ObjectCreated { object }
}

fn record() -> Value {
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": "unsigned" }, "object": { "key": "a.zip", "versionId": "v1" } }
    })
}

fn parsed(records: &[Value]) -> Vec<Result<ObjectCreated, EventRefusal>> {
    parse(json!({ "Records": records }).to_string().as_bytes()).unwrap()
}

#[test]
fn a_notification_of_aws() {
    let body = include_bytes!("fixtures/aws-put.json");
    assert_eq!(
        parse(body),
        Ok(vec![Ok(object("unsigned", "payments/fn a+b.zip", "096fKKXTRTtl3on89fVO.nfljtsv6qko"))])
    );
}

#[test]
fn a_notification_of_localstack_escapes_spaces() {
    let body = include_bytes!("fixtures/localstack-put.json");
    assert_eq!(
        parse(body),
        Ok(vec![Ok(object("unsigned", "fn a/x+1.zip", "AZqPrKP3xxbVsZ2QbSPVHzTnFqVVNlCg"))])
    );
}

#[test]
fn the_test_event_is_nothing() {
    assert_eq!(parse(include_bytes!("fixtures/aws-test-event.json")), Ok(Vec::new()));
}

#[test]
fn a_deletion_is_nothing() {
    assert_eq!(parse(include_bytes!("fixtures/aws-delete-marker.json")), Ok(Vec::new()));
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
    for (source, version) in [("ceph:s3", "2.2"), ("aws:s3", "3.0"), ("aws:s3", "2"), ("", "2.1")] {
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
    for body in [&b"{}"[..], br#"{"Event":"s3:Other"}"#] {
        assert_eq!(parse(body), Err(MalformedNotification::NoRecords));
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

proptest! {
    #[test]
    fn bytes_never_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = parse(&body);
    }

    #[test]
    fn a_legal_key_comes_through(key in "[^\\p{Cc}]{1,40}") {
        let mut record = record();
        record["s3"]["object"]["key"] =
            json!(percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string());
        prop_assert_eq!(parsed(&[record]), [Ok(object("unsigned", &key, "v1"))]);
    }
}
