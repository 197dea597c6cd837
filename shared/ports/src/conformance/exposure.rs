//! What every adapter of [`Exposures`] has to do.

use countersign_domain::{Code, FunctionVersion, PackageRole};

use super::deployments::{DeploymentState, decision, declare, recorded};
use super::samples::{
    at, code, lease, maria, new_deployment, new_job, new_profile, profile_arn, request, signature, signed,
    stamp, told,
};
use crate::deployments::{Decision, Finish, NewDeployment};
use crate::exposure::{Exposure, ExposureCause, Exposures};
use crate::functions::AliasTarget;
use crate::jobs::Jobs;

/// Everything that the contract of exposures touches.
pub trait ExposedState: DeploymentState + Exposures + Jobs {}

impl<S: DeploymentState + Exposures + Jobs> ExposedState for S {}

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S: ExposedState>(make: impl AsyncFn() -> S) {
    what_runs_is_exposed_once_it_expires(&make().await).await;
    what_was_signed_after_a_revocation_is_exposed(&make().await).await;
    a_revoked_job_exposes_what_it_signed(&make().await).await;
    what_nothing_runs_is_not_exposed(&make().await).await;
    pages_begin_where_the_last_one_ended(&make().await).await;
}

async fn what_runs_is_exposed_once_it_expires(store: &impl ExposedState) {
    let package = signed(code("a.zip", b"a"), "one", &new_job("a.zip"), 10, 100);
    let layer = signed(code("l.zip", b"l"), "one", &new_job("l.zip"), 10, 90);
    deploy(store, "e1", "hello", package, vec![code("u.zip", b"u"), layer]).await;
    assert_eq!(store.exposed(at(90), None, 9).await, Ok(vec![]), "valid up to and including its expiry");
    let exposed = store.exposed(at(200), None, 9).await.expect("it is read");
    let expected = [(latest(), PackageRole::Function, 100), (latest(), PackageRole::Layer(2), 90)];
    let of_version = [(published(1), PackageRole::Function, 100), (published(1), PackageRole::Layer(2), 90)];
    let expected = expected.into_iter().chain(of_version).map(|(version, package, since)| Exposure {
        function: "hello".parse().expect("a name"),
        version,
        package,
        cause: ExposureCause::Expired,
        since: at(since),
    });
    assert_eq!(exposed, expected.collect::<Vec<_>>());
}

async fn what_was_signed_after_a_revocation_is_exposed(store: &impl ExposedState) {
    store.create_profile(&new_profile("one")).await.expect("it is created");
    for (function, second) in [("before", 10), ("after", 11)] {
        let package = signed(code("a.zip", b"a"), "one", &new_job("a.zip"), second, 1000);
        deploy(store, function, function, package, Vec::new()).await;
    }
    store
        .revoke_profile(&profile_arn("one"), at(10), &maria(), "stolen", at(20))
        .await
        .expect("it is revoked");
    let exposed = store.exposed(at(30), None, 9).await.expect("it is read");
    assert_eq!(exposed.len(), 2, "$LATEST and the version: {exposed:?}");
    for found in exposed {
        assert_eq!((found.function.as_str(), found.cause), ("after", ExposureCause::ProfileRevoked));
        assert_eq!(found.since, at(20));
    }
}

async fn a_revoked_job_exposes_what_it_signed(store: &impl ExposedState) {
    let job = new_job("a.zip");
    store.create_profile(&new_profile("one")).await.expect("it is created");
    let lease = lease("w1", 0, 10);
    store.claim_job(&job, &lease, &told("started", &job)).await.expect("it is claimed");
    store.succeed_job(&job.arn, &lease, &signature(&job, b"u", 5), &[]).await.expect("it succeeds");
    deploy(store, "e1", "hello", signed(code("a.zip", b"a"), "one", &job, 5, 1000), Vec::new()).await;
    let other = signed(code("b.zip", b"b"), "one", &new_job("b.zip"), 5, 1000);
    deploy(store, "e2", "other", other, Vec::new()).await;
    store.revoke_job(&job.arn, &maria(), "leaked", at(20)).await.expect("it is revoked");
    let exposed = store.exposed(at(30), None, 9).await.expect("it is read");
    let causes: Vec<_> =
        exposed.iter().map(|found| (found.function.as_str(), found.cause, found.since)).collect();
    assert_eq!(causes, [("hello", ExposureCause::JobRevoked, at(20)); 2]);
}

async fn what_nothing_runs_is_not_exposed(store: &impl ExposedState) {
    let old = signed(code("a.zip", b"a"), "one", &new_job("a.zip"), 10, 100);
    let versions = async || -> Vec<FunctionVersion> {
        let exposed = store.exposed(at(200), None, 9).await.expect("it is read");
        exposed.into_iter().map(|found| found.version).collect()
    };
    deploy(store, "e1", "hello", old, Vec::new()).await;
    assert_eq!(versions().await, [latest(), published(1)]);
    deploy(store, "e2", "hello", code("b.zip", b"b"), Vec::new()).await;
    assert_eq!(versions().await, [], "no alias points to version 1, and $LATEST is another");
    let (hello, old) = ("hello".parse().expect("a name"), "old".parse().expect("an alias"));
    let target = AliasTarget { version: published(1), description: String::new(), further: None };
    let made = store.create_alias(&hello, &old, &target, &"r".parse().expect("a revision")).await;
    assert!(made.is_ok(), "{made:?}");
    assert_eq!(versions().await, [published(1)]);
    assert_eq!(store.delete_alias(&hello, &old).await, Ok(()));
    assert_eq!(versions().await, []);
    assert_eq!(store.delete_version(&hello, 1).await, Ok(()));
    assert_eq!(store.delete_function(&hello, at(200)).await, Ok(()));
    assert_eq!(versions().await, []);
}

async fn pages_begin_where_the_last_one_ended(store: &impl ExposedState) {
    for name in ["b", "a", "c"] {
        let package = signed(code("a.zip", b"a"), "one", &new_job("a.zip"), 10, 100);
        deploy(store, name, name, package, Vec::new()).await;
    }
    let all = store.exposed(at(200), None, 99).await.expect("it is read");
    assert_eq!(all.len(), 6);
    let (mut paged, mut after) = (Vec::new(), None);
    while let Some(last) = {
        let page = store.exposed(at(200), after.as_ref(), 2).await.expect("it is read");
        paged.extend(page.iter().cloned());
        page.last().cloned()
    } {
        after = Some(last);
    }
    assert_eq!(paged, all);
}

/// Deploys a package with layers as `function`, at the alias `live`.
async fn deploy(store: &impl ExposedState, event: &str, function: &str, package: Code, layers: Vec<Code>) {
    declare(store).await;
    let mut asked = request(function, "x.zip");
    asked.code = package.object.clone();
    asked.layers = layers.iter().map(|layer| layer.object.clone()).collect();
    let new: NewDeployment = new_deployment(event, asked);
    store.begin(&new, &lease("w1", 0, 10)).await.expect("it begins");
    let decided = Decision { code: package, layers, ..decision(store, &new, b"").await };
    let version = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version();
    let finish = Finish::Succeeded { version, alias: new.request.alias.clone() };
    let ended = store.finish(new.id, &lease("w1", 2, 10), &finish, &stamp("end", 3), &[], &[]).await;
    assert_eq!(ended, Ok(()));
}

fn latest() -> FunctionVersion {
    FunctionVersion::Latest
}

fn published(number: u64) -> FunctionVersion {
    FunctionVersion::Published(number)
}
