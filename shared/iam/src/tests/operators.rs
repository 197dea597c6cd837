//! Every condition operator: what fits, what does not, and what a missing key means in each of its forms.

use super::{USER, covers, request};
use crate::Context;

/// Operator, values of the policy, value of the request, whether it fits.
const TABLE: &[(&str, &str, &str, bool)] = &[
    ("StringEquals", r#"["a","b*"]"#, "a", true),
    ("StringEquals", r#"["a","b*"]"#, "b*", true),
    ("StringEquals", r#"["a","b*"]"#, "bc", false),
    ("StringEquals", r#"["a","b*"]"#, "A", false),
    ("StringEqualsIgnoreCase", r#"["Ab","ÄRGER*"]"#, "aB", true),
    ("StringEqualsIgnoreCase", r#"["Ab","ÄRGER*"]"#, "ärger*", true),
    ("StringEqualsIgnoreCase", r#"["Ab","ÄRGER*"]"#, "ärgerlich", false),
    ("StringLike", r#"["a*c","?"]"#, "abbc", true),
    ("StringLike", r#"["a*c","?"]"#, "x", true),
    ("StringLike", r#"["a*c","?"]"#, "Abc", false),
    ("StringLike", r#"["a${*}c","${?}"]"#, "a*c", true),
    ("StringLike", r#"["a${*}c","${?}"]"#, "abc", false),
    ("StringLike", r#""home/${aws:username}/*""#, "home/ci/x", true),
    ("StringLike", r#""home/${aws:username}/*""#, "home/other/x", false),
    ("NumericEquals", r#"[10,"0.5"]"#, "10.0", true),
    ("NumericEquals", r#"[10,"0.5"]"#, "9", false),
    ("NumericEquals", r#"[10,"0.5"]"#, "ten", false),
    ("NumericLessThan", "10", "9.999", true),
    ("NumericLessThan", "10", "10", false),
    ("NumericLessThanEquals", "10", "10", true),
    ("NumericLessThanEquals", "10", "10.001", false),
    ("NumericGreaterThan", r#""-1""#, "0", true),
    ("NumericGreaterThan", r#""-1""#, "-1", false),
    ("NumericGreaterThanEquals", r#""-1""#, "-1.0", true),
    ("NumericGreaterThanEquals", r#""-1""#, "-2", false),
    ("DateEquals", r#""2026-11-21T00:00:00Z""#, "1795219200", true),
    ("DateEquals", r#""2026-11-21T00:00:00Z""#, "2026-11-21T00:00:01Z", false),
    ("DateLessThan", "1795219200", "2026-11-20T23:59:59.999Z", true),
    ("DateLessThan", "1795219200", "2026-11-21", false),
    ("DateLessThanEquals", r#""2026-11-21""#, "2026-11-21T01:00:00+01:00", true),
    ("DateLessThanEquals", r#""2026-11-21""#, "2026-11-21T00:00:00.001Z", false),
    ("DateGreaterThan", r#""2026-11-21""#, "2026-11-21T00:00:01Z", true),
    ("DateGreaterThan", r#""2026-11-21""#, "2026-11-21T00:00:00Z", false),
    ("DateGreaterThan", r#""2026-11-21""#, "tomorrow", false),
    ("DateGreaterThanEquals", r#""2026-11-21""#, "1795219200", true),
    ("DateGreaterThanEquals", r#""2026-11-21""#, "1795219199", false),
    ("Bool", "true", "true", true),
    ("Bool", r#""true""#, "false", false),
    ("Bool", r#"["false"]"#, "false", true),
    ("Bool", "false", "no", false),
    ("BinaryEquals", r#""QmluYXJ5""#, "QmluYXJ5", true),
    ("BinaryEquals", r#""QmluYXJ5""#, "qmluyxj5", false),
    ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, "203.0.113.255", true),
    ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, "2001:DB8:1::1", true),
    ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, "::ffff:203.0.113.7", true),
    ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, "203.0.114.0", false),
    ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, "203.0.113.0/24", false),
    ("IpAddress", r#""203.0.113.9""#, "203.0.113.9", true),
    ("IpAddress", r#""203.0.113.9""#, "203.0.113.8", false),
    ("IpAddress", r#""::1""#, "::1", true),
    ("ArnEquals", r#""arn:aws:sns:*:123456789012:t-?""#, "arn:aws:sns:eu-west-1:123456789012:t-1", true),
    ("ArnEquals", r#""arn:aws:sns:*:123456789012:t-?""#, "arn:aws:sns:eu-west-1:999999999999:t-1", false),
    ("ArnLike", r#""arn:aws:s:*:1:finance/*""#, "arn:aws:s:us-east-1:1:finance/a:b/c", true),
    ("ArnLike", r#""arn:aws:s:*:1:finance/*""#, "arn:aws:s:us-east-1:1:x:1:finance/a", false),
    ("ArnLike", r#""arn:aws:s:*:1:finance/*""#, "arn:aws:s:us-east-1:1", false),
    ("ArnLike", r#""arn:aws:iam::*:user/${aws:username}""#, "arn:aws:iam::1:user/ci", true),
    ("ArnLike", r#""arn:aws:iam::*:user/${aws:username}""#, "arn:aws:iam::1:user/other", false),
    ("ArnLike", r#""${aws:PrincipalArn}""#, USER, true),
    ("ArnLike", r#""${aws:PrincipalArn}""#, "arn:aws:iam::123456789012:user/build/other", false),
    ("ArnLike", r#""arn:aws:*:*:*:*""#, "not-an-arn", false),
];

/// Each negated operator with the one whose opposite it is.
const NEGATED: &[(&str, &str)] = &[
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("DateEquals", "DateNotEquals"),
    ("IpAddress", "NotIpAddress"),
    ("ArnEquals", "ArnNotEquals"),
    ("ArnLike", "ArnNotLike"),
];

#[test]
fn every_operator_fits_what_the_table_says_and_its_opposite_the_rest() {
    for (operator, policy, value, expected) in rows() {
        for form in ["", "ForAllValues:", "ForAnyValue:"] {
            for suffix in ["", "IfExists"] {
                let operator = format!("{form}{operator}{suffix}");
                assert_eq!(holds(&operator, policy, &[value]), expected, "{operator} {policy} on {value}");
            }
        }
    }
}

#[test]
fn every_operator_has_a_row_that_fits_and_one_that_does_not() {
    for (operator, ..) in rows() {
        for expected in [true, false] {
            assert!(rows().iter().any(|row| (row.0, row.3) == (operator, expected)), "{operator} {expected}");
        }
    }
    let distinct: std::collections::BTreeSet<_> = rows().into_iter().map(|row| row.0).collect();
    assert_eq!(distinct.len(), 26, "all but Null: {distinct:?}");
}

#[test]
fn a_missing_key_is_false_unless_negated_and_true_if_exists() {
    for (operator, policy, ..) in rows() {
        let negated = NEGATED.iter().any(|(_, negated)| *negated == operator);
        for (form, expected) in [("", negated), ("ForAllValues:", true), ("ForAnyValue:", false)] {
            let name = format!("{form}{operator}");
            assert_eq!(holds(&name, policy, &[]), expected, "{name} {policy}");
            assert!(holds(&format!("{name}IfExists"), policy, &[]), "{name}IfExists {policy}");
        }
    }
}

#[test]
fn a_set_operator_asks_for_each_value_or_for_any() {
    for (operator, policy, fitting, _) in rows().into_iter().filter(|row| row.3) {
        for (_, _, other, _) in
            rows().into_iter().filter(|row| (row.0, row.1, row.3) == (operator, policy, false))
        {
            let (all, any) = (format!("ForAllValues:{operator}"), format!("ForAnyValue:{operator}"));
            for values in [[fitting, other], [other, fitting]] {
                assert!(!holds(&all, policy, &values), "{all} {policy} {values:?}");
                assert!(holds(&any, policy, &values), "{any} {policy} {values:?}");
            }
            assert!(holds(&all, policy, &[fitting, fitting]) && !holds(&any, policy, &[other, other]));
        }
    }
}

#[test]
fn a_key_with_nothing_but_empty_texts_is_null() {
    for values in [&[""][..], &["", ""]] {
        assert!(holds("ForAllValues:StringEquals", r#""a""#, values));
        assert!(!holds("ForAnyValue:StringEquals", r#""""#, values));
        assert!(!holds("ForAnyValue:StringNotEquals", r#""a""#, values));
        assert!(holds("StringEquals", r#""""#, values), "without a set operator it is compared as it is");
        assert!(!holds("StringEqualsIfExists", r#""a""#, values), "it is there, and is compared");
        assert!(!holds("ForAnyValue:StringEqualsIfExists", r#""""#, values));
        assert!(holds("Null", "true", values));
    }
    assert!(!holds("ForAllValues:StringEquals", r#""a""#, &["", "a"]), "beside others it is a value");
}

#[test]
fn null_asks_whether_the_key_is_there() {
    for (expected, values, holding) in [
        ("true", &[][..], true),
        (r#""true""#, &["a"], false),
        ("false", &[], false),
        (r#"["false"]"#, &["a"], true),
        ("false", &["", "a"], true),
    ] {
        assert_eq!(holds("Null", expected, values), holding, "{expected} {values:?}");
    }
}

#[test]
fn several_values_without_a_set_operator_fit_if_one_does_and_negated_if_none_does() {
    assert!(holds("StringEquals", r#""a""#, &["b", "a"]));
    assert!(!holds("StringNotEquals", r#""a""#, &["b", "a"]));
    assert!(holds("StringNotEquals", r#""a""#, &["b", "c"]));
}

#[test]
fn several_values_of_a_policy_are_alternatives_and_negated_none_may_be_met() {
    assert!(holds("StringEquals", r#"["a","b"]"#, &["b"]));
    assert!(!holds("StringNotEquals", r#"["a","b"]"#, &["b"]));
    assert!(holds("StringNotEquals", r#"["a","b"]"#, &["c"]));
}

#[test]
fn a_variable_without_value_equals_nothing_also_for_the_opposite() {
    for operator in ["StringEquals", "StringEqualsIgnoreCase", "StringLike"] {
        assert!(!holds(operator, r#""${aws:PrincipalTag/team}""#, &[""]), "{operator}");
        assert!(
            !holds(operator, r#""${aws:PrincipalTag/team}""#, &["${aws:PrincipalTag/team}"]),
            "{operator}"
        );
        assert!(
            holds(operator, r#"["${aws:PrincipalTag/team}","a"]"#, &["a"]),
            "another value still counts: {operator}"
        );
    }
    assert!(holds("StringNotEquals", r#""${aws:PrincipalTag/team}""#, &["a"]));
    assert!(holds("StringEquals", r#""${aws:PrincipalTag/team, 'none'}""#, &["none"]));
    let no_arn = Context::default().with("test:one", "a:b:c:d:e:f").with("test:key", "a:b:c:d:e:f");
    let equal = r#""Action":"*","Resource":"*","Condition":{"ArnEquals":{"test:key":"${test:one}"}}"#;
    assert!(!covers(equal, &request(USER, "lambda:GetFunction", "*", no_arn)), "what is no ARN equals none");
    assert!(!holds("ArnLike", r#""arn:aws:iam::1:${aws:PrincipalTag/team}*""#, &["arn:aws:iam::1:x"]));
}

#[test]
fn a_variable_cannot_move_the_segments_of_an_arn() {
    let statement = r#""Action":"*","Resource":"*","Condition":{"ArnLike":{"test:key":"arn:aws:iam::${test:account}:role/a"}}"#;
    let ask = |account: &str, arn: &str| {
        let context = Context::default().with("test:account", account).with("test:key", arn);
        covers(statement, &request(USER, "lambda:GetFunction", "*", context))
    };
    assert!(ask("1", "arn:aws:iam::1:role/a"));
    assert!(!ask("1:role/b", "arn:aws:iam::1:role/b:role/a"));
}

#[test]
fn all_operators_and_keys_of_a_block_must_hold() {
    let block = r#"{"StringEquals":{"test:a":"1","test:b":"2"},"Bool":{"test:c":true}}"#;
    let statement = format!(r#""Action":"*","Resource":"*","Condition":{block}"#);
    let ask = |a: &str, b: &str, c: &str| {
        let context = Context::default().with("test:a", a).with("TEST:B", b).with("test:C", c);
        covers(&statement, &request(USER, "lambda:GetFunction", "*", context))
    };
    assert!(ask("1", "2", "true"), "the case of keys does not count");
    assert!(!ask("0", "2", "true") && !ask("1", "0", "true") && !ask("1", "2", "false"));
}

/// The table, and its opposite for each negated operator.
fn rows() -> Vec<(&'static str, &'static str, &'static str, bool)> {
    let opposite = |(operator, policy, value, expected): &(&'static str, _, _, bool)| {
        let (_, negated) = NEGATED.iter().find(|(positive, _)| positive == operator)?;
        Some((*negated, *policy, *value, !*expected))
    };
    TABLE.iter().copied().chain(TABLE.iter().filter_map(opposite)).collect()
}

fn holds(operator: &str, policy: &str, values: &[&str]) -> bool {
    let statement =
        format!(r#""Action":"*","Resource":"*","Condition":{{"{operator}":{{"test:key":{policy}}}}}"#);
    let context = Context::default().with_all("test:KEY", values.iter().copied());
    covers(&statement, &request(USER, "lambda:GetFunction", "*", context))
}
