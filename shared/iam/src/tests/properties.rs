//! What holds for every policy and request.

use proptest::prelude::*;
use proptest::sample::select;

use super::{request, statements};
use crate::{Context, Policy, Request, ResourcePolicy, evaluate};

const ACTIONS: &[&str] = &["s3:Get", "s3:Put", "signer:Get"];
const RESOURCES: &[&str] = &["arn:aws:s3:::a", "arn:aws:s3:::ab", "arn:aws:signer:::a"];
const ACTION_PATTERNS: &[&str] = &["*", "s3:*", "s3:Get", "signer:?et", "x:Y"];
const RESOURCE_PATTERNS: &[&str] =
    &["*", "arn:aws:s3:::a", "arn:aws:s3:::a*", "arn:aws:s3:::${t:k}", "arn:aws:x:::y"];
const CONDITIONS: &[&str] = &[
    "",
    r#","Condition":{"StringEquals":{"t:k":"a"}}"#,
    r#","Condition":{"StringNotEquals":{"t:k":["a","b"]}}"#,
    r#","Condition":{"ForAllValues:StringLike":{"t:k":"a*"}}"#,
    r#","Condition":{"ForAnyValue:StringNotLike":{"t:k":"a*"}}"#,
    r#","Condition":{"StringEqualsIfExists":{"t:k":"b"},"Null":{"t:l":"true"}}"#,
    r#","Condition":{"NumericLessThan":{"t:l":"5"}}"#,
];

fn statement(effect: &'static str) -> impl Strategy<Value = String> {
    let negation = || select(&["", "Not"][..]);
    (negation(), select(ACTION_PATTERNS), negation(), select(RESOURCE_PATTERNS), select(CONDITIONS)).prop_map(
        move |(not_action, action, not_resource, resource, condition)| {
            format!(
                r#"{{"Effect":"{effect}","{not_action}Action":"{action}","{not_resource}Resource":"{resource}"{condition}}}"#
            )
        },
    )
}

fn any_statements() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop_oneof![statement("Allow"), statement("Deny")], 1..6)
}

fn any_request() -> impl Strategy<Value = Request> {
    let values = || prop::collection::vec(select(&["a", "b", "ab", "", "3"][..]), 0..3);
    (select(ACTIONS), prop::collection::vec(select(RESOURCES), 1..3), values(), values()).prop_map(
        |(action, resources, k, l)| {
            let context = Context::default().with_all("t:k", k).with_all("t:l", l);
            let user = "arn:aws:iam::123456789012:user/ci";
            let first = request(user, action, resources[0], context);
            resources[1..].iter().fold(first, |request, resource| request.and_on(resource.parse().unwrap()))
        },
    )
}

fn allowed(documents: &[Vec<String>], request: &Request) -> bool {
    let policies: Vec<Policy> =
        documents.iter().map(|of| Policy::parse(&statements(&of.join(","))).unwrap()).collect();
    evaluate(&policies.iter().collect::<Vec<_>>(), request).is_allowed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn one_more_deny_never_allows_more(base in any_statements(), deny in statement("Deny"), request in any_request()) {
        let with = [base.clone(), vec![deny]];
        prop_assert!(!allowed(&with, &request) || allowed(&[base], &request));
    }

    #[test]
    fn one_more_allow_never_denies_more(base in any_statements(), allow in statement("Allow"), request in any_request()) {
        let with = [base.clone(), vec![allow]];
        prop_assert!(!allowed(&[base], &request) || allowed(&with, &request));
    }

    #[test]
    fn the_order_and_the_grouping_of_statements_never_count(
        (base, shuffled) in any_statements().prop_flat_map(|base| (Just(base.clone()), Just(base).prop_shuffle())),
        request in any_request(),
    ) {
        let apart: Vec<Vec<String>> = shuffled.iter().map(|one| vec![one.clone()]).collect();
        let together = allowed(&[base], &request);
        prop_assert_eq!(together, allowed(&[shuffled], &request));
        prop_assert_eq!(together, allowed(&apart, &request));
    }

    #[test]
    fn a_request_is_allowed_if_and_only_if_it_is_on_each_of_its_resources(
        base in any_statements(),
        request in any_request(),
    ) {
        let on_each = request.resources().iter().all(|resource| {
            let one = Request::new(
                request.principal().clone(), request.action().clone(), resource.clone(), request.context().clone(),
            );
            allowed(std::slice::from_ref(&base), &one)
        });
        prop_assert_eq!(allowed(&[base], &request), on_each);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Policy::parse(&text), ResourcePolicy::parse(&text));
    }

    #[test]
    fn a_policy_with_a_few_characters_changed_never_panics(
        base in any_statements(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:$*?a0é\\\\]{0,3}"), 1..4),
        request in any_request(),
    ) {
        let mut text: Vec<char> = statements(&base.join(",")).chars().collect();
        for (at, edit) in edits {
            let at = at.index(text.len());
            text.splice(at..=at, edit.chars());
            if text.is_empty() {
                text.push(' ');
            }
        }
        let text: String = text.into_iter().collect();
        let _ = ResourcePolicy::parse(&text);
        if let Ok(policy) = Policy::parse(&text) {
            let _ = evaluate(&[&policy], &request);
        }
    }
}
