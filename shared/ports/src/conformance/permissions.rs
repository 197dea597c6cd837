//! What every adapter of [`ProfilePermissions`] has to do.

use countersign_domain::{ProfilePermission, RevisionId};

use super::samples::{new_profile, profile_name};
use crate::permissions::{
    PERMISSIONS_MAX, POLICY_MAX_BYTES, PermissionError, ProfilePermissions, ProfilePolicy,
};
use crate::profiles::Profiles;

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: ProfilePermissions + Profiles + Clone + 'static,
{
    statements_are_kept_in_their_order(&with_profile(&make).await).await;
    the_last_statement_takes_the_policy_along(&with_profile(&make).await).await;
    what_is_not_there_is_told_apart(&with_profile(&make).await).await;
    a_revision_is_changed_once(&with_profile(&make).await).await;
    of_many_changes_of_one_revision_one_wins(&with_profile(&make).await).await;
    additions_at_any_revision_all_stand(&with_profile(&make).await).await;
    a_policy_never_outgrows_its_limits(&with_profile(&make).await).await;
}

async fn statements_are_kept_in_their_order(store: &impl ProfilePermissions) {
    let name = profile_name("one");
    assert_eq!(store.permissions(&name).await, Ok(None));
    let versioned = ProfilePermission {
        profile_version: Some("AbCdEfGhIj".parse().expect("a version")),
        ..permission("a")
    };
    let permissions = vec![permission("b"), versioned, permission("c")];
    for (number, permission) in permissions.iter().enumerate() {
        let (before, after) = (revision(number), revision(number + 1));
        let expected = (number > 0).then_some(&before);
        assert_eq!(store.add_permission(&name, permission, expected, &after).await, Ok(()));
    }
    let policy = ProfilePolicy { revision: revision(3), permissions };
    assert_eq!(store.permissions(&name).await, Ok(Some(policy)));
    assert_eq!(store.permissions(&profile_name("two")).await, Ok(None), "another profile permits nothing");
}

async fn the_last_statement_takes_the_policy_along(store: &impl ProfilePermissions) {
    let name = profile_name("one");
    for (id, number) in [("a", 1), ("b", 2)] {
        let added = store.add_permission(&name, &permission(id), None, &revision(number)).await;
        assert_eq!(added, Ok(()));
    }
    let (a, b) = (permission("a").statement_id, permission("b").statement_id);
    assert_eq!(store.remove_permission(&name, &a, &revision(2), &revision(3)).await, Ok(()));
    let policy = ProfilePolicy { revision: revision(3), permissions: vec![permission("b")] };
    assert_eq!(store.permissions(&name).await, Ok(Some(policy)));
    assert_eq!(store.remove_permission(&name, &b, &revision(3), &revision(4)).await, Ok(()));
    assert_eq!(store.permissions(&name).await, Ok(None));
    let stale = store.add_permission(&name, &permission("a"), Some(&revision(4)), &revision(5)).await;
    assert!(matches!(stale, Err(PermissionError::OtherRevision { .. })), "{stale:?}");
    assert_eq!(store.add_permission(&name, &permission("a"), None, &revision(5)).await, Ok(()));
}

async fn what_is_not_there_is_told_apart(store: &impl ProfilePermissions) {
    let (name, unknown, a) = (profile_name("one"), profile_name("two"), permission("a").statement_id);
    let no_profile = Err(PermissionError::NoSuchProfile(unknown.clone()));
    assert_eq!(store.add_permission(&unknown, &permission("a"), None, &revision(1)).await, no_profile);
    assert_eq!(store.remove_permission(&unknown, &a, &revision(0), &revision(1)).await, no_profile);
    let no_statement = Err(PermissionError::NoSuchStatement { profile: name.clone(), statement: a.clone() });
    assert_eq!(store.remove_permission(&name, &a, &revision(0), &revision(1)).await, no_statement);
    assert_eq!(store.add_permission(&name, &permission("b"), None, &revision(1)).await, Ok(()));
    assert_eq!(store.remove_permission(&name, &a, &revision(1), &revision(2)).await, no_statement);
    let statement = permission("b").statement_id;
    let taken = Err(PermissionError::StatementExists { profile: name.clone(), statement });
    assert_eq!(store.add_permission(&name, &permission("b"), None, &revision(2)).await, taken);
    let kept = store.permissions(&name).await.expect("it is read").expect("it is there");
    assert_eq!(kept.revision, revision(1), "a refused change changes nothing");
}

async fn a_revision_is_changed_once(store: &impl ProfilePermissions) {
    let name = profile_name("one");
    let first = revision(1);
    let early = store.add_permission(&name, &permission("a"), Some(&first), &first).await;
    let other = |expected| Err(PermissionError::OtherRevision { profile: profile_name("one"), expected });
    assert_eq!(early, other(revision(1)), "a revision of no policy");
    assert_eq!(store.add_permission(&name, &permission("a"), None, &first).await, Ok(()));
    assert_eq!(store.add_permission(&name, &permission("b"), Some(&first), &revision(2)).await, Ok(()));
    let late = store.add_permission(&name, &permission("c"), Some(&first), &revision(3)).await;
    assert_eq!(late, other(revision(1)));
    let a = permission("a").statement_id;
    assert_eq!(store.remove_permission(&name, &a, &first, &revision(3)).await, other(revision(1)));
}

async fn of_many_changes_of_one_revision_one_wins(store: &(impl ProfilePermissions + Clone + 'static)) {
    let name = profile_name("one");
    assert_eq!(store.add_permission(&name, &permission("s"), None, &revision(0)).await, Ok(()));
    let mut changes = tokio::task::JoinSet::new();
    for number in 1..=16 {
        let (store, name) = (store.clone(), name.clone());
        changes.spawn(async move {
            let (new, permission) = (revision(number), permission(&format!("s{number}")));
            if number % 4 == 0 {
                let statement = "s".parse().expect("a statement id");
                store.remove_permission(&name, &statement, &revision(0), &new).await
            } else {
                store.add_permission(&name, &permission, Some(&revision(0)), &new).await
            }
        });
    }
    let changes = changes.join_all().await;
    let won = changes.iter().filter(|change| change.is_ok()).count();
    assert_eq!(won, 1, "{changes:?}");
}

async fn additions_at_any_revision_all_stand(store: &(impl ProfilePermissions + Clone + 'static)) {
    let name = profile_name("one");
    let mut changes = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (store, name) = (store.clone(), name.clone());
        changes.spawn(async move {
            let permission = permission(&format!("s{number}"));
            store.add_permission(&name, &permission, None, &revision(number)).await
        });
    }
    assert_eq!(changes.join_all().await, [const { Ok(()) }; 8]);
    let policy = store.permissions(&name).await.expect("it is read").expect("it is there");
    assert_eq!(policy.permissions.len(), 8, "an addition was lost: {policy:?}");
}

async fn a_policy_never_outgrows_its_limits(store: &impl ProfilePermissions) {
    let name = profile_name("one");
    for number in 0..PERMISSIONS_MAX {
        let permission = permission(&format!("s{number}"));
        assert_eq!(store.add_permission(&name, &permission, None, &revision(number)).await, Ok(()));
    }
    let more = store.add_permission(&name, &permission("more"), None, &revision(99)).await;
    assert_eq!(more, Err(PermissionError::TooManyStatements(name.clone())));
    let (s0, last) = (permission("s0").statement_id, revision(PERMISSIONS_MAX - 1));
    assert_eq!(store.remove_permission(&name, &s0, &last, &revision(100)).await, Ok(()));
    let policy = store.permissions(&name).await.expect("it is read").expect("it is there");
    let size = policy.size_bytes();
    assert!(size < POLICY_MAX_BYTES, "short statements fit: {size}");
    let path = vec!["p".repeat(50); 10].join("/");
    let long = format!("arn:aws:iam::111111111111:role/{path}/ci");
    for number in 0..PERMISSIONS_MAX {
        let (id, principal) = (format!("s{number}"), long.parse().expect("a principal"));
        let statement = permission(&id).statement_id;
        let revision = RevisionId::from_random([7; 16]);
        if let Some(policy) = store.permissions(&name).await.expect("it is read") {
            let removed = store.remove_permission(&name, &statement, &policy.revision, &revision).await;
            assert!(matches!(removed, Ok(()) | Err(PermissionError::NoSuchStatement { .. })), "{removed:?}");
        }
        let added = ProfilePermission { principal, ..permission(&id) };
        match store.add_permission(&name, &added, None, &revision).await {
            Ok(()) => {}
            Err(PermissionError::PolicyTooLarge { size_bytes, .. }) => {
                assert!(size_bytes > POLICY_MAX_BYTES, "{size_bytes}");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("a policy of long statements was taken");
}

async fn with_profile<S: Profiles>(make: &impl AsyncFn() -> S) -> S {
    let store = make().await;
    store.create_profile(&new_profile("one")).await.expect("it is created");
    store
}

fn permission(id: &str) -> ProfilePermission {
    let json =
        format!(r#"{{"statementId":"{id}","action":"signer:StartSigningJob","principal":"111111111111"}}"#);
    serde_json::from_str(&json).expect("a statement")
}

fn revision(number: usize) -> RevisionId {
    format!("r{number}").parse().expect("a revision id")
}
