//! The same policies and requests, decided by `iam-rs`, which others wrote.
//!
//! Compared is what the two should decide alike. Left out is where iam-rs departs from AWS's documentation: ARN operators
//! (its `ArnEquals` has no wildcards, its `ArnLike` crosses segments), `BinaryEquals` (it ignores case), `IfExists` beside a
//! set operator (it has none), variables in conditions (it takes them literally) and without a value, empty texts, and
//! resources with colons of their own.

use iam_rs::{Arn, ContextValue, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId};
use proptest::prelude::*;
use proptest::sample::select;

use super::{USER, request, statements};
use crate::{Context, DenyReason, Policy, evaluate};

const ACTIONS: &[&str] = &["s3:GetObject", "s3:PutObject", "signer:StartSigningJob"];
const RESOURCES: &[&str] =
    &["arn:aws:s3:::team/a", "arn:aws:s3:eu:123456789012:team/b", "arn:aws:signer:us:123456789012:/p/x"];

fn action_pattern() -> impl Strategy<Value = &'static str> {
    select(&["*", "s3:*", "S3:getobject", "s3:?etObject", "s3:*Object", "signer:Start*"][..])
}

fn resource_pattern() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "*",
            "arn:aws:s3:::team/*",
            "arn:aws:s3:*:*:team/?",
            "arn:aws:signer:us:123456789012:/p/*",
            "arn:*:s3:::*",
            "arn:aws:s3:::${t:one}/a",
            "arn:aws:s3:::team/${t:none, 'a'}",
        ][..],
    )
}

/// Operators and values that both read alike, on the keys of `context`.
fn condition() -> impl Strategy<Value = String> {
    let text = select(
        &["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"][..],
    );
    let like = select(&["StringLike", "StringNotLike"][..]);
    let number =
        select(&["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"][..]);
    let date = select(&["DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals"][..]);
    let ip = select(&["IpAddress", "NotIpAddress"][..]);
    let suffix = || select(&["", "IfExists"][..]);
    let set = select(&["ForAllValues:", "ForAnyValue:"][..]);
    let texts = || select(&[r#""team""#, r#"["Team","a"]"#][..]);
    let patterns = || select(&[r#""t*m""#, r#"["?","x*"]"#, r#"["te?m","*a*"]"#][..]);
    let block = |operator: String, key: &str, values: &str| format!(r#""{operator}":{{"t:{key}":{values}}}"#);
    prop_oneof![
        (text, suffix(), texts()).prop_map(move |(o, s, v)| block(format!("{o}{s}"), "one", v)),
        (like.clone(), suffix(), patterns()).prop_map(move |(o, s, v)| block(format!("{o}{s}"), "one", v)),
        (set, like, select(&[r#""t*m""#, r#"["?","x*"]"#][..])).prop_map(move |(f, o, v)| block(
            format!("{f}{o}"),
            "many",
            v
        )),
        (number, suffix(), select(&[r#""5""#, r#"["1","7"]"#][..])).prop_map(move |(o, s, v)| block(
            format!("{o}{s}"),
            "number",
            v
        )),
        (date, suffix(), select(&[r#""2026-11-21T00:00:00Z""#][..])).prop_map(move |(o, s, v)| block(
            format!("{o}{s}"),
            "date",
            v
        )),
        (ip, suffix(), select(&[r#""10.0.0.0/8""#, r#"["2001:db8::/32","10.1.2.3"]"#][..]))
            .prop_map(move |(o, s, v)| block(format!("{o}{s}"), "ip", v)),
        (suffix(), select(&["true", "false"][..])).prop_map(move |(s, v)| block(
            format!("Bool{s}"),
            "bool",
            &format!("\"{v}\"")
        )),
        (select(&["one", "many", "none"][..]), select(&["true", "false"][..])).prop_map(move |(k, v)| block(
            "Null".into(),
            k,
            &format!("\"{v}\"")
        )),
    ]
}

fn statement() -> impl Strategy<Value = String> {
    let negation = || select(&["", "Not"][..]);
    let effect = select(&["Allow", "Deny"][..]);
    (effect, negation(), action_pattern(), negation(), resource_pattern(), prop::option::of(condition())).prop_map(
        |(effect, not_action, action, not_resource, resource, condition)| {
            let condition = condition.map_or(String::new(), |block| format!(r#","Condition":{{{block}}}"#));
            format!(
                r#"{{"Effect":"{effect}","{not_action}Action":"{action}","{not_resource}Resource":"{resource}"{condition}}}"#
            )
        },
    )
}

/// The keys of a request; `t:one` always has a value, since it serves as a variable.
#[derive(Debug, Clone)]
struct Keys {
    one: &'static str,
    many: Vec<&'static str>,
    number: Option<&'static str>,
    date: Option<&'static str>,
    ip: Option<&'static str>,
    bool: Option<bool>,
}

fn keys() -> impl Strategy<Value = Keys> {
    let maybe = |values: &'static [&'static str]| prop::option::of(select(values));
    (
        select(&["team", "Team", "a", "xyz"][..]),
        prop::collection::vec(select(&["team", "a", "xyz", "other"][..]), 0..3),
        maybe(&["5", "1", "6"]),
        maybe(&["2026-11-21T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z"]),
        maybe(&["10.1.2.3", "11.0.0.1", "2001:db8::1"]),
        prop::option::of(any::<bool>()),
    )
        .prop_map(|(one, many, number, date, ip, bool)| Keys { one, many, number, date, ip, bool })
}

impl Keys {
    fn ours(&self) -> Context {
        Context::default()
            .with("t:one", self.one)
            .with_all("t:many", self.many.iter().copied())
            .with_all("t:number", self.number)
            .with_all("t:date", self.date)
            .with_all("t:ip", self.ip)
            .with_all("t:bool", self.bool.map(|value| value.to_string()))
    }

    fn theirs(&self) -> iam_rs::Context {
        let mut context = iam_rs::Context::new().with_string("t:one", self.one);
        if !self.many.is_empty() {
            let many = self.many.iter().map(ToString::to_string).collect();
            context.insert("t:many".to_owned(), ContextValue::StringList(many));
        }
        if let Some(number) = self.number {
            context = context.with_number("t:number", number.parse().unwrap());
        }
        for (key, text) in [("t:date", self.date), ("t:ip", self.ip)] {
            context = text.into_iter().fold(context, |context, text| context.with_string(key, text));
        }
        self.bool.into_iter().fold(context, |context, value| context.with_boolean("t:bool", value))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn iam_rs_decides_alike(
        base in prop::collection::vec(statement(), 1..4),
        action in select(ACTIONS),
        resource in select(RESOURCES),
        keys in keys(),
    ) {
        let json = statements(&base.join(","));
        let ours = evaluate(&[&Policy::parse(&json).unwrap()], &request(USER, action, resource, keys.ours()));
        let ours = match ours.into_result() {
            Ok(_) => Decision::Allow,
            Err(denied) if matches!(denied.reason, DenyReason::Explicit(_)) => Decision::Deny,
            Err(_) => Decision::NotApplicable,
        };
        let caller = Principal::Aws(PrincipalId::String(USER.to_owned()));
        let asked = IAMRequest::new_with_context(caller, action, Arn::parse(resource).unwrap(), keys.theirs());
        let theirs = iam_rs::evaluate_policy(&IAMPolicy::from_json(&json).unwrap(), &asked);
        prop_assert_eq!(Ok(ours), theirs.map_err(|error| error.to_string()), "{}", json);
    }
}
