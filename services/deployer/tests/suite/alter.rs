//! What changes without a decision: the state first, then the target, whatever fails between them.

use std::sync::Arc;

use countersign_deployer::{Deployer, NotChanged, Outcome, Publication, Undecided};
use countersign_domain::{AliasName, FunctionVersion};
use countersign_iam::{Allowed, Context};
use countersign_ports::change::Refusal;
use countersign_ports::fakes::Fault;
use countersign_ports::functions::{AliasTarget, FunctionError, Functions as _, FurtherVersion, Weight};
use countersign_ports::target_changes::TargetChanges as _;
use countersign_runtime::{Handled, Requester};

use crate::support::{PUBLISHER, World, authority, deliver, hello, principal, request};

/// Two versions of `hello`, the second one at `live`.
async fn two_versions() -> World {
    let world = World::new().await;
    let deployer = world.start();
    for seed in ["one", "two"] {
        let asked = request("strict", &world.signed(seed).await.object);
        assert_eq!(deliver(&deployer, seed, &asked).await, Handled::Done);
    }
    assert_eq!(world.live(), (vec![1, 2], Some(2)));
    world
}

#[tokio::test]
async fn an_alias_reaches_the_target_with_its_weight() {
    let world = two_versions().await;
    let (deployer, allowed) = (world.start(), allowed());
    let made = deployer.create_alias(&hello(), &blue(), &to(1), &allowed).await.unwrap();
    assert_eq!(world.target.resolve(&hello(), &blue()), Some(1));
    let part = FurtherVersion { version: 1, weight: Weight::new(0.25).unwrap() };
    let split = AliasTarget { further: Some(part), ..to(2) };
    let moved =
        deployer.update_alias(&hello(), &blue(), &split, Some(&made.revision), &allowed).await.unwrap();
    assert_eq!(world.target.resolve(&hello(), &blue()), Some(2));
    assert_eq!(world.target.further(&hello(), &blue()), Some(part));
    let stale = deployer.update_alias(&hello(), &blue(), &to(1), Some(&made.revision), &allowed).await;
    assert!(
        matches!(stale, Err(NotChanged::Refused(FunctionError::Refused(Refusal::OtherRevision { .. })))),
        "{stale:?}"
    );
    assert_ne!(moved.revision, made.revision);
    let latest = AliasTarget { version: FunctionVersion::Latest, ..to(1) };
    deployer.update_alias(&hello(), &blue(), &latest, None, &allowed).await.unwrap();
    assert_eq!(world.target.resolve(&hello(), &blue()), None, "it points to no number");
    deployer.delete_alias(&hello(), &blue(), &allowed).await.unwrap();
    assert_consistent(&world).await;
}

#[tokio::test]
async fn what_is_refused_reaches_no_target() {
    let world = two_versions().await;
    let (deployer, allowed) = (world.start(), allowed());
    let refused = deployer.delete_version(&hello(), 2, &allowed).await;
    assert_eq!(refused, Err(NotChanged::Refused(FunctionError::AliasPoints(live()))));
    let missing = deployer.create_alias(&hello(), &blue(), &to(7), &allowed).await;
    assert_eq!(missing, Err(NotChanged::Refused(FunctionError::NoSuchVersion(7))));
    let taken = deployer.create_alias(&hello(), &live(), &to(1), &allowed).await;
    assert_eq!(taken, Err(NotChanged::Refused(FunctionError::AliasExists(live()))));
    assert_eq!(world.live(), (vec![1, 2], Some(2)));
}

/// The changes of the fault table.
#[derive(Debug, Clone, Copy)]
enum Made {
    Alias,
    Moved,
    Unaliased,
    VersionGone,
    FunctionGone,
}

async fn make(deployer: &Deployer, made: Made) -> Result<(), NotChanged> {
    let allowed = allowed();
    match made {
        Made::Alias => deployer.create_alias(&hello(), &blue(), &to(1), &allowed).await.map(drop),
        Made::Moved => deployer.update_alias(&hello(), &live(), &to(1), None, &allowed).await.map(drop),
        Made::Unaliased => deployer.delete_alias(&hello(), &live(), &allowed).await,
        Made::VersionGone => deployer.delete_version(&hello(), 1, &allowed).await,
        Made::FunctionGone => deployer.delete_function(&hello(), &allowed).await,
    }
}

#[tokio::test]
async fn whatever_fails_the_next_process_follows() {
    for made in [Made::Alias, Made::Moved, Made::Unaliased, Made::VersionGone, Made::FunctionGone] {
        let world = two_versions().await;
        let before = world.faults.operations().len();
        make(&world.start(), made).await.unwrap();
        let calls = world.faults.operations()[before..].to_vec();
        assert_consistent(&world).await;
        assert!(calls.len() > 4, "{calls:?}");
        for operation in calls {
            for fault in [Fault::WithoutEffect, Fault::AfterEffect] {
                let world = two_versions().await;
                world.faults.fail_next(operation, fault);
                let failed = make(&world.start(), made).await;
                assert!(world.faults.is_spent(), "{made:?}: {operation} never came");
                assert!(failed.is_err(), "{made:?} {operation} {fault:?}: a failure was taken for success");
                world.start().follow_all().await.unwrap();
                assert_consistent(&world).await;
            }
        }
    }
}

#[tokio::test]
async fn a_function_that_is_made_anew_before_the_old_one_is_followed_keeps_only_its_own() {
    let world = two_versions().await;
    world.faults.fail_next("target.delete_function", Fault::WithoutEffect);
    assert!(matches!(make(&world.start(), Made::FunctionGone).await, Err(NotChanged::Pending(_))));
    let asked = request("strict", &world.signed("three").await.object);
    assert_eq!(deliver(&world.start(), "three", &asked).await, Handled::Done);
    world.start().follow_all().await.unwrap();
    assert_eq!(world.live(), (vec![3], Some(3)), "numbers are not given again");
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_version_is_published_by_name_alone() {
    let world = two_versions().await;
    let deployer = world.start();
    let publish = async |id: &str, function: &str| {
        let authority = authority(principal("ci").with_all_rights());
        let requester =
            Requester { publisher: PUBLISHER.into(), principal: Arc::clone(&authority.principals()[0]) };
        let publication = Publication { description: Some("mine".to_owned()), ..Publication::default() };
        let (id, function) = (id.parse().unwrap(), function.parse().unwrap());
        deployer.publish_version(id, requester, &function, publication, allowed()).await
    };
    let outcome = publish("p1", "hello").await;
    assert!(matches!(outcome, Ok(Outcome::Deployed { version: Some(2), .. })), "{outcome:?}");
    let unknown = publish("p2", "other").await;
    assert_eq!(unknown, Err(Undecided::Refused(Refusal::UnknownFunction("other".parse().unwrap()))));
}

/// The target is what the state says, and nothing is left to be followed.
async fn assert_consistent(world: &World) {
    assert_eq!(world.store.pending(None, 9).await, Ok(vec![]));
    if world.store.function(&hello()).await.unwrap().is_none() {
        assert!(!world.target.has(&hello()), "the target has what was deleted");
        return;
    }
    let versions = world.store.versions(&hello(), 0, 9).await.unwrap();
    let versions: Vec<_> = versions.iter().filter_map(|version| version.version.number()).collect();
    assert_eq!(world.target.versions(&hello()), versions);
    for name in [live(), blue()] {
        let alias = world.store.alias(&hello(), &name).await.unwrap();
        let points = alias.and_then(|alias| alias.target.version.number());
        assert_eq!(world.target.resolve(&hello(), &name), points, "{name}");
    }
}

fn to(version: u64) -> AliasTarget {
    let version = FunctionVersion::Published(version);
    AliasTarget { version, description: String::new(), further: None }
}

fn live() -> AliasName {
    "live".parse().unwrap()
}

fn blue() -> AliasName {
    "blue".parse().unwrap()
}

/// The proof of somebody who may do anything.
fn allowed() -> Allowed {
    let authority = authority(principal("ci").with_all_rights());
    let action = "lambda:UpdateAlias".parse().unwrap();
    authority.authorize(&authority.principals()[0], action, &[], Context::default()).unwrap()
}
