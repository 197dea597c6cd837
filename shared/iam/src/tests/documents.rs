//! What is taken as a policy, what is not, and what an error says.

use super::{policy, resource_policy, statements};
use crate::{MAX_POLICY_BYTES, Policy, PolicyErrorCode as Code, ResourcePolicy};

/// A statement with `{}` replaced; what is wrong with it stands behind its place in the statement.
const BROKEN: &[(&str, &str, Code)] = &[
    (r#""Effect":"Allow","Resource":"*""#, "", Code::MissingElement),
    (r#""Effect":"Allow","Action":"*""#, "", Code::MissingElement),
    (r#""Action":"*","Resource":"*""#, "", Code::MissingElement),
    (r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#, "", Code::ConflictingElements),
    (r#""Effect":"Allow","Action":"*","Resource":"*","NotResource":"*""#, "", Code::ConflictingElements),
    (r#""Effect":"allow","Action":"*","Resource":"*""#, ".Effect", Code::InvalidEffect),
    (r#""Effect":true,"Action":"*","Resource":"*""#, ".Effect", Code::WrongType),
    (r#""Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*""#, ".Effect", Code::DuplicateMember),
    (r#""Effect":"Allow","action":"*","Resource":"*""#, ".action", Code::UnknownMember),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Principal":"*""#, ".Principal", Code::UnknownMember),
    (r#""Effect":"Allow","Action":[],"Resource":"*""#, ".Action", Code::EmptyList),
    (r#""Effect":"Allow","Action":"*","Resource":[]"#, ".Resource", Code::EmptyList),
    (r#""Effect":"Allow","Action":["a:B",1],"Resource":"*""#, ".Action[1]", Code::WrongType),
    (r#""Effect":"Allow","Action":null,"Resource":"*""#, ".Action", Code::WrongType),
    (r#""Effect":"Allow","Action":"","Resource":"*""#, ".Action", Code::InvalidAction),
    (r#""Effect":"Allow","Action":"GetObject","Resource":"*""#, ".Action", Code::InvalidAction),
    (r#""Effect":"Allow","Action":"s*:Get","Resource":"*""#, ".Action", Code::InvalidAction),
    (r#""Effect":"Allow","Action":"s3:${aws:username}","Resource":"*""#, ".Action", Code::InvalidAction),
    (r#""Effect":"Allow","Action":"*","Resource":"bucket""#, ".Resource", Code::InvalidResource),
    (
        r#""Effect":"Allow","Action":"*","Resource":["*","arn:aws:*:::x"]"#,
        ".Resource[1]",
        Code::InvalidResource,
    ),
    (r#""Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws}""#, ".Resource", Code::InvalidVariable),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Sid":"not ok""#, ".Sid", Code::InvalidSid),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{}"#, ".Condition", Code::EmptyList),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Condition":"#, "", Code::InvalidJson),
];

/// A condition block, and what is wrong with it.
const BROKEN_CONDITIONS: &[(&str, &str, Code)] = &[
    (r#"{"StringLikes":{"a:b":"c"}}"#, ".StringLikes", Code::UnknownOperator),
    (r#"{"NullIfExists":{"a:b":"true"}}"#, ".NullIfExists", Code::UnknownOperator),
    (r#"{"ForAllValues:Null":{"a:b":"true"}}"#, ".ForAllValues:Null", Code::UnknownOperator),
    (r#"{"StringEquals":{}}"#, ".StringEquals", Code::EmptyList),
    (r#"{"StringEquals":["a:b"]}"#, ".StringEquals", Code::WrongType),
    (r#"{"StringEquals":{"a:b":[]}}"#, ".StringEquals.a:b", Code::EmptyList),
    (r#"{"StringEquals":{"a:b":{"c":"d"}}}"#, ".StringEquals.a:b", Code::WrongType),
    (r#"{"StringEquals":{"a:b":["c",null]}}"#, ".StringEquals.a:b[1]", Code::WrongType),
    (r#"{"StringEquals":{"a:b":12}}"#, ".StringEquals.a:b", Code::WrongType),
    (r#"{"StringEquals":{"username":"c"}}"#, ".StringEquals.username", Code::InvalidConditionKey),
    (r#"{"StringEquals":{"a:b":"c","A:B":"d"}}"#, ".StringEquals.A:B", Code::DuplicateMember),
    (r#"{"StringEquals":{"a:b":"c","a:b":"d"}}"#, ".StringEquals.a:b", Code::DuplicateMember),
    (r#"{"Bool":{"a:b":"true"},"Bool":{"a:c":"true"}}"#, ".Bool", Code::DuplicateMember),
    (r#"{"StringEquals":{"a:b":"${"}}"#, ".StringEquals.a:b", Code::InvalidVariable),
    (r#"{"StringEquals":{"aws:TagKeys":"a"}}"#, ".StringEquals.aws:TagKeys", Code::MissingSetOperator),
    (r#"{"StringLike":{"lambda:layer":"a"}}"#, ".StringLike.lambda:layer", Code::MissingSetOperator),
    (r#"{"NumericEquals":{"a:b":"ten"}}"#, ".NumericEquals.a:b", Code::InvalidConditionValue),
    (r#"{"NumericEquals":{"a:b":0.1}}"#, ".NumericEquals.a:b", Code::InvalidConditionValue),
    (r#"{"NumericEquals":{"a:b":"${a:c}"}}"#, ".NumericEquals.a:b", Code::InvalidConditionValue),
    (r#"{"DateEquals":{"a:b":"2026"}}"#, ".DateEquals.a:b", Code::InvalidConditionValue),
    (r#"{"Bool":{"a:b":"True"}}"#, ".Bool.a:b", Code::InvalidConditionValue),
    (r#"{"Bool":{"a:b":[true,false]}}"#, ".Bool.a:b", Code::InvalidConditionValue),
    (r#"{"Null":{"a:b":1}}"#, ".Null.a:b", Code::InvalidConditionValue),
    (
        r#"{"StringEquals":{"aws:ResourceTag/*":"c"}}"#,
        ".StringEquals.aws:ResourceTag/*",
        Code::InvalidConditionKey,
    ),
    (r#"{"Bool":{"a:b":1}}"#, ".Bool.a:b", Code::InvalidConditionValue),
    (r#"{"DateEquals":{"a:b":true}}"#, ".DateEquals.a:b", Code::InvalidConditionValue),
    (r#"{"BinaryEquals":{"a:b":true}}"#, ".BinaryEquals.a:b", Code::InvalidConditionValue),
    (r#"{"BinaryEquals":{"a:b":1234}}"#, ".BinaryEquals.a:b", Code::InvalidConditionValue),
    (r#"{"BinaryEquals":{"a:b":"?"}}"#, ".BinaryEquals.a:b", Code::InvalidConditionValue),
    (
        r#"{"IpAddress":{"a:b":["10.0.0.0/8","10.0.0.0/33"]}}"#,
        ".IpAddress.a:b[1]",
        Code::InvalidConditionValue,
    ),
    (r#"{"IpAddress":{"a:b":"::ffff:10.0.0.0/104"}}"#, ".IpAddress.a:b", Code::InvalidConditionValue),
    (r#"{"ArnLike":{"a:b":"*:aws:s3:::b"}}"#, ".ArnLike.a:b", Code::InvalidConditionValue),
    (r#"{"ArnLike":{"a:b":"*"}}"#, ".ArnLike.a:b", Code::InvalidConditionValue),
    (
        r#"{"ArnEquals":{"a:b":["arn:aws:s3:::b","arn:aws:s3"]}}"#,
        ".ArnEquals.a:b[1]",
        Code::InvalidConditionValue,
    ),
];

#[test]
fn a_mistake_in_a_statement_is_named_with_its_place() {
    let fine = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (statement, place, code) in BROKEN {
        let error = Policy::parse(&statements(&format!("{fine},{{{statement}}}"))).unwrap_err();
        let expected =
            if *code == Code::InvalidJson { "policy".to_owned() } else { format!("Statement[1]{place}") };
        assert_eq!((error.place(), error.code()), (expected.as_str(), *code), "{statement}: {error}");
    }
}

#[test]
fn a_mistake_in_a_condition_is_named_with_its_place() {
    for (block, place, code) in BROKEN_CONDITIONS {
        let json = format!(r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{block}"#);
        let error =
            Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{{{json}}}}}"#)).unwrap_err();
        let expected = format!("Statement.Condition{place}");
        assert_eq!((error.place(), error.code()), (expected.as_str(), *code), "{block}: {error}");
    }
}

#[test]
fn an_error_reads_as_a_sentence_with_its_code() {
    let block = r#"{"StringLikes":{"a:b":"c"}}"#;
    let statement = format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{block}}}"#);
    assert_eq!(
        Policy::parse(&statements(&statement)).unwrap_err().to_string(),
        "Statement[0].Condition.StringLikes: \"StringLikes\" is no condition operator; did you mean StringLike? \
         (unknown_operator)"
    );
}

#[test]
fn a_mistake_in_the_document_is_named() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (json, place, code) in [
        ("", "policy", Code::InvalidJson),
        ("[]", "policy", Code::WrongType),
        ("{}", "policy", Code::EmptyList),
        (r#"{"Version":"2012-10-17"}"#, "policy", Code::MissingElement),
        (r#"{"Statement":[]}"#, "Statement", Code::EmptyList),
        (&format!(r#"{{"Version":"2012-10-18","Statement":{statement}}}"#), "Version", Code::InvalidVersion),
        (
            &format!(r#"{{"Statement":{statement},"Statement":{statement}}}"#),
            "Statement",
            Code::DuplicateMember,
        ),
        (&format!(r#"{{"Statement":{statement},"Comment":""}}"#), "Comment", Code::UnknownMember),
        (&format!(r#"{{"Statement":{statement}}} x"#), "policy", Code::InvalidJson),
        (&"[".repeat(5_000), "policy", Code::InvalidJson),
        (&" ".repeat(MAX_POLICY_BYTES + 1), "policy", Code::TooLarge),
    ] {
        let error = Policy::parse(json).unwrap_err();
        assert_eq!((error.place(), error.code()), (place, code), "{error}");
    }
}

#[test]
fn ids_of_statements_are_unique_and_empty_ones_are_none() {
    let with = |sid: &str| format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":"*","Resource":"*"}}"#);
    policy(&statements(&[with(""), with(""), with("A"), with("a")].join(",")));
    let error = Policy::parse(&statements(&[with("A"), with("b"), with("A")].join(","))).unwrap_err();
    assert_eq!((error.place(), error.code()), ("Statement[2]", Code::DuplicateSid));
}

#[test]
fn a_resource_policy_names_principals_and_an_identity_policy_none() {
    let with = |principal: &str| {
        statements(&format!(r#"{{"Effect":"Deny",{principal}"Action":"*","Resource":"*"}}"#))
    };
    for principal in [
        r#""Principal":"*","#,
        r#""Principal":{"AWS":"*"},"#,
        r#""Principal":{"AWS":["123456789012","arn:aws:iam::123456789012:root"],"Service":"lambda.amazonaws.com"},"#,
        r#""NotPrincipal":{"AWS":"arn:aws:sts::123456789012:assumed-role/a/b"},"#,
    ] {
        resource_policy(&with(principal));
        assert_eq!(Policy::parse(&with(principal)).unwrap_err().code(), Code::UnknownMember);
    }
    for (principal, place, code) in [
        ("", "", Code::MissingElement),
        (r#""Principal":"*","NotPrincipal":{"AWS":"123456789012"},"#, "", Code::ConflictingElements),
        (r#""Principal":"123456789012","#, ".Principal", Code::InvalidPrincipal),
        (r#""Principal":["*"],"#, ".Principal", Code::WrongType),
        (r#""Principal":{},"#, ".Principal", Code::EmptyList),
        (r#""Principal":{"AWS":[]},"#, ".Principal.AWS", Code::EmptyList),
        (
            r#""Principal":{"AWS":["*","arn:aws:iam::123456789012:user/*"]},"#,
            ".Principal.AWS[1]",
            Code::InvalidPrincipal,
        ),
        (r#""Principal":{"AWS":"lambda.amazonaws.com"},"#, ".Principal.AWS", Code::InvalidPrincipal),
        (r#""Principal":{"Service":"*"},"#, ".Principal.Service", Code::InvalidPrincipal),
        (
            r#""Principal":{"Federated":"accounts.google.com"},"#,
            ".Principal.Federated",
            Code::InvalidPrincipal,
        ),
        (r#""NotPrincipal":{"AWS":"*"},"#, ".NotPrincipal", Code::InvalidPrincipal),
    ] {
        let error = ResourcePolicy::parse(&with(principal)).unwrap_err();
        let expected = format!("Statement[0]{place}");
        assert_eq!((error.place(), error.code()), (expected.as_str(), code), "{principal}: {error}");
    }
}

#[test]
fn everyone_but_somebody_is_never_allowed() {
    let json = r#"{"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},"Action":"*","Resource":"*"}"#;
    assert_eq!(ResourcePolicy::parse(&statements(json)).unwrap_err().code(), Code::InvalidPrincipal);
}

#[test]
fn keys_that_no_request_has_and_variables_of_an_old_version_are_warned_of() {
    let json = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}",
        "Condition":{"StringEquals":{"lambda:CodeSigningConfig":"a","aws:RequestTag/x":"b"}}}]}"#;
    let warnings: Vec<String> = policy(json).warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "Version: without 2012-10-17 a `${` is literal text, and no policy variable",
            "Statement[0].Condition: no request here has the key \"lambda:codesigningconfig\"",
        ]
    );
}

#[test]
fn a_policy_is_called_by_its_id_until_it_is_named() {
    let json = r#"{"Id":"from-the-document","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    assert_eq!(policy(json).name(), "from-the-document");
    assert_eq!(policy(json).named("ci").name(), "ci");
    assert_eq!(policy(&json.replace("from-the-document", "")).name(), "unnamed");
}
