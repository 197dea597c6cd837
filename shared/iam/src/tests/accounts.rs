//! Policies of resources: within an account, across accounts, and whom they name.

use super::{policy, request, resource_policy, statements};
use crate::{Context, Decision, DenyReason, Policy, ResourcePolicy, evaluate_with_resource_policy};

const PROFILE: &str = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/shared";
const OWN: &str = "arn:aws:iam::111111111111:user/ci";
const FOREIGN: &str = "arn:aws:iam::222222222222:user/ci";

fn sign(effect: &str) -> Policy {
    let statement =
        format!(r#"{{"Effect":"{effect}","Action":"signer:StartSigningJob","Resource":"{PROFILE}"}}"#);
    policy(&statements(&statement)).named("identity")
}

fn share(effect: &str, principal: &str) -> ResourcePolicy {
    let statement = format!(
        r#"{{"Sid":"share-1","Effect":"{effect}",{principal},"Action":"signer:StartSigningJob","Resource":"{PROFILE}"}}"#
    );
    resource_policy(&statements(&statement)).named("profile")
}

fn decide(principal: &str, identity: &[&Policy], resource: Option<&ResourcePolicy>) -> Decision {
    let request = request(principal, "signer:StartSigningJob", PROFILE, Context::default());
    evaluate_with_resource_policy(identity, resource, &request, &"111111111111".parse().unwrap())
}

/// Which sides allow (A), deny (D) or say nothing (-), and what is decided within an account and across.
#[test]
fn within_an_account_either_side_allows_and_across_accounts_both_must() {
    for (identity, resource, within, across) in [
        ("-", "-", false, false),
        ("A", "-", true, false),
        ("-", "A", true, false),
        ("A", "A", true, true),
        ("D", "A", false, false),
        ("A", "D", false, false),
        ("D", "D", false, false),
        ("D", "-", false, false),
        ("-", "D", false, false),
    ] {
        let word = |letter: &str| if letter == "A" { "Allow" } else { "Deny" };
        let of_caller = (identity != "-").then(|| sign(word(identity)));
        let of_caller: Vec<&Policy> = of_caller.iter().collect();
        let of_resource = (resource != "-").then(|| share(word(resource), r#""Principal":"*""#));
        for (principal, expected) in [(OWN, within), (FOREIGN, across)] {
            let decision = decide(principal, &of_caller, of_resource.as_ref());
            assert_eq!(decision.is_allowed(), expected, "{identity} {resource} {principal}: {decision:?}");
        }
    }
}

#[test]
fn a_decision_names_the_statements_of_both_sides() {
    let allowed =
        decide(FOREIGN, &[&sign("Allow")], Some(&share("Allow", r#""Principal":{"AWS":"222222222222"}"#)));
    let by: Vec<String> = allowed.into_result().unwrap().by().iter().map(ToString::to_string).collect();
    assert_eq!(by, ["identity/Statement[0]", "profile/share-1"]);

    let reason = |identity: &[&Policy], resource: Option<&ResourcePolicy>| {
        decide(FOREIGN, identity, resource).into_result().unwrap_err()
    };
    let everyone = |effect| share(effect, r#""Principal":"*""#);
    assert_eq!(reason(&[], Some(&everyone("Allow"))).reason, DenyReason::NoIdentityPolicy);
    assert_eq!(reason(&[&sign("Allow")], None).reason, DenyReason::NoResourcePolicy);
    assert_eq!(
        reason(&[&sign("Allow")], Some(&everyone("Deny"))).to_string(),
        format!(
            "User: {FOREIGN} is not authorized to perform: signer:StartSigningJob on resource: {PROFILE} \
             with an explicit deny in a resource-based policy"
        )
    );
}

#[test]
fn a_policy_names_accounts_users_roles_and_sessions() {
    let session = "arn:aws:sts::222222222222:assumed-role/deploy/run-1";
    let role = "arn:aws:iam::222222222222:role/deploy";
    let service = "lambda.amazonaws.com";
    for (named, whom) in [
        (r#""*""#, &[OWN, FOREIGN, session, role, service][..]),
        (r#"{"AWS":"*"}"#, &[OWN, FOREIGN, session, role, service]),
        (r#"{"AWS":"222222222222"}"#, &[FOREIGN, session, role]),
        (r#"{"AWS":"arn:aws:iam::222222222222:root"}"#, &[FOREIGN, session, role]),
        (r#"{"AWS":"arn:aws-cn:iam::222222222222:root"}"#, &[]),
        (r#"{"AWS":["111111111111","222222222222"]}"#, &[OWN, FOREIGN, session, role]),
        (r#"{"AWS":"arn:aws:iam::222222222222:user/ci"}"#, &[FOREIGN]),
        (r#"{"AWS":"arn:aws:iam::222222222222:user/CI"}"#, &[]),
        (r#"{"AWS":"arn:aws:iam::222222222222:role/deploy"}"#, &[session, role]),
        (r#"{"AWS":"arn:aws:iam::222222222222:role/path/deploy"}"#, &[session]),
        (r#"{"AWS":"arn:aws:sts::222222222222:assumed-role/deploy/run-1"}"#, &[session]),
        (r#"{"AWS":"arn:aws:sts::222222222222:assumed-role/deploy/run-2"}"#, &[]),
        (r#"{"Service":"lambda.amazonaws.com"}"#, &[service]),
        (r#"{"Service":"s3.amazonaws.com","AWS":"111111111111"}"#, &[OWN]),
    ] {
        let of_resource = share("Allow", &format!(r#""Principal":{named}"#));
        for principal in [OWN, FOREIGN, session, role, service] {
            let decision = decide(principal, &[&sign("Allow")], Some(&of_resource));
            let expected = whom.contains(&principal) || principal == OWN;
            assert_eq!(decision.is_allowed(), expected, "{named} {principal}");
        }
        assert_eq!(decide(OWN, &[], Some(&of_resource)).is_allowed(), whom.contains(&OWN), "{named}");
    }
}

#[test]
fn an_exception_counts_only_with_the_account_and_the_role_beside_it() {
    let session = "arn:aws:sts::222222222222:assumed-role/deploy/run-1";
    let denied = |principal: &str, named: &str| {
        let of_resource = share("Deny", &format!(r#""NotPrincipal":{{"AWS":[{named}]}}"#));
        let decision = decide(principal, &[], Some(&of_resource)).into_result().unwrap_err();
        matches!(decision.reason, DenyReason::Explicit(_))
    };
    let (user, account) = (format!("{FOREIGN:?}"), r#""222222222222""#);
    assert!(!denied(FOREIGN, &format!("{user},{account}")));
    assert!(denied(FOREIGN, &user), "without its account");
    assert!(denied(FOREIGN, account), "the account alone excepts only itself");
    assert!(!denied("arn:aws:iam::222222222222:root", account));
    assert!(denied("arn:aws:iam::222222222222:user/other", &format!("{user},{account}")));
    let role = r#""arn:aws:iam::222222222222:role/deploy""#;
    assert!(!denied(session, &format!("{session:?},{role},{account}")));
    assert!(denied(session, &format!("{role},{account}")));
    assert!(denied(session, &format!("{session:?},{account}")));
}

#[test]
fn the_root_user_of_an_account_has_no_rights_of_its_own() {
    assert!(!decide("arn:aws:iam::111111111111:root", &[], None).is_allowed());
}
