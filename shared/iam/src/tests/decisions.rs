//! Deny before allow before nothing, on each resource; and who decided.

use super::{USER, covers, policy, request, statements};
use crate::{Context, DenyReason, Policy, Resource, evaluate, keys};

const ALLOW: &str = r#"{"Sid":"Yes","Effect":"Allow","Action":"signer:*","Resource":"*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Action":"signer:Cancel*","Resource":"*"}"#;
const PROFILE: &str = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/team";

#[test]
fn an_explicit_deny_wins_in_either_order_and_nothing_is_denied() {
    let one = |json: &str| policy(&statements(json));
    let (both, reversed) = (one(&format!("{ALLOW},{DENY}")), one(&format!("{DENY},{ALLOW}")));
    let (allow, deny) = (one(ALLOW), one(DENY));
    let ask = |policies: &[&Policy], action: &str| {
        evaluate(policies, &request(USER, action, PROFILE, Context::default())).is_allowed()
    };
    for policies in [&[&both][..], &[&reversed], &[&allow, &deny], &[&deny, &allow]] {
        assert!(!ask(policies, "signer:CancelSigningProfile"));
        assert!(ask(policies, "signer:GetSigningProfile"));
        assert!(!ask(policies, "lambda:GetFunction"));
    }
    assert!(!ask(&[], "signer:GetSigningProfile"));
}

#[test]
fn a_decision_says_which_statement_made_it_and_speaks_as_aws_does() {
    let policy = policy(&statements(&format!("{ALLOW},{DENY}"))).named("ci");
    let ask = |action: &str| {
        evaluate(&[&policy], &request(USER, action, PROFILE, Context::default())).into_result()
    };
    let allowed = ask("signer:GetSigningProfile").unwrap();
    assert_eq!(allowed.by().iter().map(ToString::to_string).collect::<Vec<_>>(), ["ci/Yes"]);
    assert_eq!(
        (allowed.action().as_str(), allowed.resources()[0].as_str()),
        ("signer:GetSigningProfile", PROFILE)
    );
    assert_eq!(allowed.principal().to_string(), USER);

    let explicit = ask("signer:CancelSigningProfile").unwrap_err();
    let DenyReason::Explicit(statement) = &explicit.reason else { panic!("{explicit:?}") };
    assert_eq!(statement.to_string(), "ci/Statement[1]");
    assert_eq!(
        explicit.to_string(),
        format!(
            "User: {USER} is not authorized to perform: signer:CancelSigningProfile on resource: {PROFILE} \
             with an explicit deny in an identity-based policy"
        )
    );
    assert_eq!(
        ask("lambda:GetFunction").unwrap_err().to_string(),
        format!(
            "User: {USER} is not authorized to perform: lambda:GetFunction on resource: {PROFILE} \
             because no identity-based policy allows the lambda:GetFunction action"
        )
    );
}

#[test]
fn each_resource_must_be_allowed_and_none_denied() {
    let job = "arn:aws:signer:us-east-1:123456789012:/signing-jobs/j";
    let on = |resource: &str| {
        format!(r#"{{"Effect":"Allow","Action":"signer:GetRevocationStatus","Resource":"{resource}"}}"#)
    };
    let deny = format!(r#"{{"Effect":"Deny","Action":"*","Resource":"{PROFILE}"}}"#);
    let ask = |json: &str| {
        let request = request(USER, "signer:GetRevocationStatus", job, Context::default());
        evaluate(&[&policy(&statements(json))], &request.and_on(PROFILE.parse().unwrap())).into_result()
    };
    let both = ask(&format!("{},{}", on(job), on(PROFILE))).unwrap();
    assert_eq!(both.by().len(), 2);
    assert_eq!(ask(&on("*")).unwrap().by().len(), 1, "a statement is named once");
    assert_eq!(ask(&on(job)).unwrap_err().resource.as_str(), PROFILE);
    assert_eq!(ask(&on(PROFILE)).unwrap_err().resource.as_str(), job);
    assert_eq!(ask(&on("arn:aws:s3:::b")).unwrap_err().resource.as_str(), job, "the first is named");
    let denied = ask(&deny).unwrap_err();
    assert!(
        matches!(denied.reason, DenyReason::Explicit(_)),
        "an explicit deny is told before a missing allow"
    );
    assert_eq!(denied.resource.as_str(), PROFILE);
}

#[test]
fn actions_match_in_any_case_and_resources_in_theirs() {
    let ask = |statement: &str, resource: &str| {
        covers(statement, &request(USER, "signer:GetSigningProfile", resource, Context::default()))
    };
    assert!(ask(r#""Action":"SIGNER:get*profil?","Resource":"*""#, PROFILE));
    assert!(!ask(r#""Action":"signer:Get","Resource":"*""#, PROFILE));
    assert!(ask(r#""NotAction":"signer:Cancel*","Resource":"*""#, PROFILE));
    assert!(!ask(r#""NotAction":["signer:Cancel*","signer:get*"],"Resource":"*""#, PROFILE));
    assert!(ask(r#""Action":"*","Resource":"arn:aws:signer:*:*:/signing-profiles/t??m""#, PROFILE));
    assert!(!ask(r#""Action":"*","Resource":"arn:aws:signer:*:*:/signing-profiles/Team""#, PROFILE));
    assert!(
        ask(r#""Action":"*","Resource":"arn:aws:signer:us-*""#, PROFILE),
        "a pattern covers the whole text"
    );
    assert!(ask(r#""Action":"*","Resource":"arn:aws:signer:*:12:*:x""#, "arn:aws:signer:a:b:c:12:d:x"));
    assert!(ask(r#""Action":"*","NotResource":"arn:aws:s3:::*""#, PROFILE));
    assert!(!ask(r#""Action":"*","NotResource":["arn:aws:s3:::*","arn:aws:signer:*"]"#, PROFILE));
    assert!(ask(r#""Action":"*","Resource":"*""#, "*"));
    assert!(!ask(r#""Action":"*","Resource":"arn:aws:signer:*""#, "*"), "a listing is on no one resource");
}

#[test]
fn a_variable_in_a_resource_has_a_value_or_matches_nothing() {
    let ask = |principal: &str, statement: &str| {
        covers(statement, &request(principal, "s3:GetObject", "arn:aws:s3:::home/ci", Context::default()))
    };
    let role = "arn:aws:iam::123456789012:role/ci";
    let (own, but_own) = (
        r#""Action":"*","Resource":"arn:aws:s3:::home/${aws:username}""#,
        r#""Action":"*","NotResource":"arn:aws:s3:::home/${aws:username}""#,
    );
    assert!(ask(USER, own) && !ask(USER, but_own));
    assert!(!ask(role, own), "a role has no aws:username");
    assert!(ask(role, but_own), "and so no resource is excepted");
    assert!(ask(role, r#""Action":"*","Resource":"arn:aws:s3:::home/${aws:username, 'ci'}""#));
    let empty = Context::default().with(&keys::aws_principal_tag("team"), "");
    let request = request(role, "s3:GetObject", "arn:aws:s3:::home/", empty);
    assert!(!covers(r#""Action":"*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/team}""#, &request));
    assert!(covers(r#""Action":"*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/team, ''}""#, &request));
}

#[test]
fn the_old_version_has_no_variables() {
    let json = r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:s3:::home/${aws:username}"}}"#;
    let ask = |json: &str, name: &str| {
        let resource = format!("arn:aws:s3:::home/{name}");
        evaluate(&[&policy(json)], &request(USER, "s3:GetObject", &resource, Context::default())).is_allowed()
    };
    let unversioned = json.replace(r#""Version":"2008-10-17","#, "");
    for json in [json, &unversioned] {
        assert!(ask(json, "${aws:username}") && !ask(json, "ci"));
    }
    assert!(ask(&json.replace("2008", "2012"), "ci"));
}

#[test]
fn what_follows_from_the_principal_cannot_be_claimed() {
    let forged = Context::default()
        .with("AWS:PrincipalArn", "arn:aws:iam::123456789012:user/admin")
        .with(keys::AWS_PRINCIPAL_ACCOUNT, "999999999999")
        .with(keys::AWS_USERNAME, "admin");
    let of = |principal: &str| request(principal, "s3:GetObject", "*", forged.clone()).context().clone();
    let user = of(USER);
    assert_eq!(user.values(keys::AWS_PRINCIPAL_ARN), [USER]);
    assert_eq!(user.values(keys::AWS_PRINCIPAL_ACCOUNT), ["123456789012"]);
    assert_eq!(user.values(keys::AWS_USERNAME), ["ci"]);
    let session = of("arn:aws:sts::123456789012:assumed-role/deploy/run");
    assert_eq!(session.values(keys::AWS_PRINCIPAL_ARN), ["arn:aws:iam::123456789012:role/deploy"]);
    assert_eq!(session.values(keys::AWS_USERNAME), [""; 0]);
    assert_eq!(of("lambda.amazonaws.com").values(keys::AWS_PRINCIPAL_ARN), [""; 0]);
}

#[test]
fn a_star_in_what_is_asked_is_no_wildcard() {
    let statement = r#""Action":"*","Resource":"arn:aws:s3:::home/ci""#;
    let star: Resource = "arn:aws:s3:::home/*".parse().unwrap();
    assert!(!covers(statement, &request(USER, "s3:GetObject", star.as_str(), Context::default())));
}
