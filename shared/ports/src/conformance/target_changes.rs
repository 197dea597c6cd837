//! What every adapter of [`TargetChanges`] has to do.

use countersign_domain::{FunctionName, FunctionVersion};

use super::deployments::{DeploymentState, decision, declare, recorded};
use super::samples::{at, lease, new_deployment, request, stamp};
use crate::deployments::Finish;
use crate::functions::{AliasTarget, Functions};
use crate::target_changes::{Changed, TargetChange, TargetChanges};

/// Everything that the contract of changes touches.
pub trait ChangedState: DeploymentState + Functions + TargetChanges {}

impl<S: DeploymentState + Functions + TargetChanges> ChangedState for S {}

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S: ChangedState>(make: impl AsyncFn() -> S) {
    every_change_of_an_alias_is_to_be_followed(&make().await).await;
    what_was_deleted_is_to_be_followed_one_by_one(&make().await).await;
    what_was_refused_is_not_to_be_followed(&make().await).await;
    a_deployment_is_under_way_until_it_ends(&make().await).await;
}

async fn every_change_of_an_alias_is_to_be_followed(store: &impl ChangedState) {
    deployed(store, "hello").await;
    deployed(store, "other").await;
    assert_eq!(store.pending(None, 9).await, Ok(vec![]), "a deployment follows itself");
    for function in ["hello", "other"] {
        let function = name(function);
        make(store, &function, "blue").await;
        let revision = "r2".parse().expect("a revision");
        let moved = store.update_alias(&function, &alias("blue"), &to_one(), None, &revision).await;
        assert!(moved.is_ok(), "{moved:?}");
        assert_eq!(store.delete_alias(&function, &alias("blue")).await, Ok(()));
    }
    let hello = store.pending(Some(&name("hello")), 9).await.expect("it is read");
    assert_eq!(changed(&hello), vec![Changed::Alias(alias("blue")); 3]);
    let all = store.pending(None, 9).await.expect("it is read");
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by(|one, next| one.sequence < next.sequence), "the oldest first");
    assert_eq!(store.pending(None, 2).await.as_deref(), Ok(&all[..2]));
    for _ in 0..2 {
        assert_eq!(store.followed(&hello).await, Ok(()));
        assert_eq!(store.pending(None, 9).await.as_deref(), Ok(&all[3..]));
    }
    assert_eq!(store.followed(&[]).await, Ok(()));
}

async fn what_was_deleted_is_to_be_followed_one_by_one(store: &impl ChangedState) {
    deployed(store, "hello").await;
    deploy(store, "again", "hello", "b.zip").await;
    let hello = name("hello");
    assert_eq!(store.delete_version(&hello, 1).await, Ok(()));
    assert_eq!(store.delete_function(&hello, at(9)).await, Ok(()));
    let pending = store.pending(None, 9).await.expect("it is read");
    let expected =
        [Changed::Version(1), Changed::Alias(alias("live")), Changed::Version(2), Changed::Function];
    assert_eq!(changed(&pending), expected, "no alias points to what is gone");
}

async fn what_was_refused_is_not_to_be_followed(store: &impl ChangedState) {
    deployed(store, "hello").await;
    let hello = name("hello");
    let revision = "r2".parse().expect("a revision");
    assert!(store.create_alias(&hello, &alias("live"), &to_one(), &revision).await.is_err());
    assert!(store.update_alias(&hello, &alias("blue"), &to_one(), None, &revision).await.is_err());
    assert!(store.delete_version(&hello, 1).await.is_err(), "an alias points to it");
    assert!(store.delete_version(&hello, 7).await.is_err());
    assert!(store.delete_function(&name("other"), at(9)).await.is_err());
    assert_eq!(store.pending(None, 9).await, Ok(vec![]));
}

async fn a_deployment_is_under_way_until_it_ends(store: &impl ChangedState) {
    declare(store).await;
    let hello = name("hello");
    assert_eq!(store.under_way(&hello, at(0)).await, Ok(None));
    let new = new_deployment("e1", request("hello", "a.zip"));
    store.begin(&new, &lease("w1", 0, 10)).await.expect("it begins");
    assert_eq!(store.under_way(&hello, at(1)).await, Ok(Some(at(10))));
    assert_eq!(store.under_way(&name("other"), at(1)).await, Ok(None));
    assert_eq!(store.under_way(&hello, at(11)).await, Ok(None), "it was left behind");
    let failed = Finish::Failed { reason: "for the test".to_owned() };
    assert_eq!(store.finish(new.id, &lease("w1", 2, 10), &failed, &stamp("r", 2), &[], &[]).await, Ok(()));
    assert_eq!(store.under_way(&hello, at(3)).await, Ok(None));
}

fn changed(pending: &[TargetChange]) -> Vec<Changed> {
    pending.iter().map(|change| change.changed.clone()).collect()
}

async fn make(store: &impl ChangedState, function: &FunctionName, name: &str) {
    let revision = "r1".parse().expect("a revision");
    let made = store.create_alias(function, &alias(name), &to_one(), &revision).await;
    assert!(made.is_ok(), "{made:?}");
}

/// The function with version 1 and the alias `live`.
async fn deployed(store: &impl ChangedState, function: &str) {
    deploy(store, function, function, "a.zip").await;
}

async fn deploy(store: &impl ChangedState, event: &str, function: &str, key: &str) {
    declare(store).await;
    let new = new_deployment(event, request(function, key));
    store.begin(&new, &lease("w1", 0, 10)).await.expect("it begins");
    let decided = decision(store, &new, key.as_bytes()).await;
    let version = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version();
    let finish = Finish::Succeeded { version, alias: new.request.alias.clone() };
    let ended = store.finish(new.id, &lease("w1", 2, 10), &finish, &stamp("end", 3), &[], &[]).await;
    assert_eq!(ended, Ok(()));
}

fn to_one() -> AliasTarget {
    AliasTarget { version: FunctionVersion::Published(1), description: String::new(), further: None }
}

fn name(name: &str) -> FunctionName {
    name.parse().expect("a function name")
}

fn alias(name: &str) -> countersign_domain::AliasName {
    name.parse().expect("an alias")
}
