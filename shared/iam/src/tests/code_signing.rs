//! The policies of AWS's page on code signing for Lambda, and what organisations put beside them.

use super::{USER, policy, request};
use crate::{Context, DenyReason, Policy, Request, evaluate, keys};

/// Who may manage code signing configs.
const MANAGE_CONFIGS: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Action": [
            "lambda:CreateCodeSigningConfig",
            "lambda:UpdateCodeSigningConfig",
            "lambda:GetCodeSigningConfig"
        ],
        "Resource": "*"
    }]
}"#;

/// Who may create functions, if they have the config.
const CREATE_WITH_CONFIG: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Action": ["lambda:CreateFunction"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "lambda:CodeSigningConfigArn":
                    "arn:aws:lambda:us-west-2:123456789012:code-signing-config:csc-0d4518bd353a0a7c6"
            }
        }
    }]
}"#;

/// What an organisation denies, whoever allows it.
const GUARD: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OnlyTheApprovedConfig",
            "Effect": "Deny",
            "Action": ["lambda:CreateFunction", "lambda:PutFunctionCodeSigningConfig"],
            "Resource": "*",
            "Condition": {
                "StringNotEquals": {
                    "lambda:CodeSigningConfigArn":
                        "arn:aws:lambda:us-west-2:123456789012:code-signing-config:csc-0d4518bd353a0a7c6"
                }
            }
        },
        {
            "Sid": "KeepTheConfig",
            "Effect": "Deny",
            "Action": "lambda:DeleteFunctionCodeSigningConfig",
            "Resource": "*"
        }
    ]
}"#;

const ADMINISTRATOR: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

const APPROVED: &str = "arn:aws:lambda:us-west-2:123456789012:code-signing-config:csc-0d4518bd353a0a7c6";
const OTHER: &str = "arn:aws:lambda:us-west-2:123456789012:code-signing-config:csc-00000000000000000";

#[test]
fn whoever_manages_configs_may_do_that_and_nothing_else() {
    let policy = policy(MANAGE_CONFIGS);
    for (action, allowed) in [
        ("lambda:CreateCodeSigningConfig", true),
        ("lambda:UpdateCodeSigningConfig", true),
        ("lambda:GetCodeSigningConfig", true),
        ("lambda:getcodesigningconfig", true),
        ("lambda:DeleteCodeSigningConfig", false),
        ("lambda:CreateFunction", false),
        ("signer:GetSigningProfile", false),
    ] {
        assert_eq!(evaluate(&[&policy], &ask(action, Some(APPROVED))).is_allowed(), allowed, "{action}");
    }
}

#[test]
fn a_function_is_created_only_with_the_config() {
    let policy = policy(CREATE_WITH_CONFIG);
    for (config, allowed) in [(Some(APPROVED), true), (Some(OTHER), false), (None, false), (Some("*"), false)]
    {
        assert_eq!(
            evaluate(&[&policy], &ask("lambda:CreateFunction", config)).is_allowed(),
            allowed,
            "{config:?}"
        );
    }
    assert!(!evaluate(&[&policy], &ask("lambda:UpdateFunctionCode", Some(APPROVED))).is_allowed());
}

#[test]
fn the_guard_of_an_organisation_binds_the_administrator_too() {
    let (administrator, guard) = (policy(ADMINISTRATOR).named("administrator"), policy(GUARD).named("guard"));
    let decide = |action: &str, config| {
        let orders: [[&Policy; 2]; 2] = [[&administrator, &guard], [&guard, &administrator]];
        let [first, second] = orders.map(|policies| evaluate(&policies, &ask(action, config)));
        assert_eq!(first, second, "the order of policies does not count");
        first.into_result().map_err(|denied| denied.reason)
    };
    let denied_by = |action: &str, config| match decide(action, config).unwrap_err() {
        DenyReason::Explicit(statement) => statement.to_string(),
        implicit @ (DenyReason::NoIdentityPolicy | DenyReason::NoResourcePolicy) => panic!("{implicit:?}"),
    };
    for action in ["lambda:CreateFunction", "lambda:PutFunctionCodeSigningConfig"] {
        assert!(decide(action, Some(APPROVED)).is_ok(), "{action}");
        assert_eq!(denied_by(action, Some(OTHER)), "guard/OnlyTheApprovedConfig");
        assert_eq!(denied_by(action, None), "guard/OnlyTheApprovedConfig");
    }
    assert_eq!(denied_by("lambda:DeleteFunctionCodeSigningConfig", None), "guard/KeepTheConfig");
    assert!(decide("lambda:UpdateFunctionCode", None).is_ok());
}

#[test]
fn the_keys_of_the_pages_policies_are_known() {
    for json in [MANAGE_CONFIGS, CREATE_WITH_CONFIG, GUARD] {
        assert_eq!(policy(json).warnings(), []);
    }
}

#[test]
fn layers_and_profile_versions_are_conditions_too() {
    let layers = policy(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:UpdateFunctionConfiguration",
        "Resource":"*","Condition":{"ForAllValues:StringLike":{
            "lambda:Layer":"arn:aws:lambda:*:123456789012:layer:*:*"}}}}"#,
    );
    let own = "arn:aws:lambda:us-west-2:123456789012:layer:a:1";
    let foreign = "arn:aws:lambda:us-west-2:999999999999:layer:a:1";
    for (values, allowed) in [(&[own][..], true), (&[own, foreign], false), (&[], true)] {
        let context = Context::default().with_all(keys::LAMBDA_LAYER, values.iter().copied());
        let request = request(USER, "lambda:UpdateFunctionConfiguration", FUNCTION, context);
        assert_eq!(evaluate(&[&layers], &request).is_allowed(), allowed, "{values:?}");
    }
    let version = policy(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"signer:StartSigningJob",
        "Resource":"arn:aws:signer:*:*:/signing-profiles/team",
        "Condition":{"StringEquals":{"signer:ProfileVersion":"AbCdEfGhIj"}}}}"#,
    );
    for (asked, allowed) in [("AbCdEfGhIj", true), ("abcdefghij", false)] {
        let context = Context::default().with(keys::SIGNER_PROFILE_VERSION, asked);
        let profile = "arn:aws:signer:us-west-2:123456789012:/signing-profiles/team";
        let request = request(USER, "signer:StartSigningJob", profile, context);
        assert_eq!(evaluate(&[&version], &request).is_allowed(), allowed, "{asked}");
    }
}

fn ask(action: &str, config: Option<&str>) -> Request {
    let context = Context::default().with_all(keys::LAMBDA_CODE_SIGNING_CONFIG_ARN, config);
    request(USER, action, FUNCTION, context)
}

const FUNCTION: &str = "arn:aws:lambda:us-west-2:123456789012:function:hello";
