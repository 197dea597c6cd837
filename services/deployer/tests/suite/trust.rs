//! Whom the deployer trusts: the four checks on real packages, under both policies, and what changes in between.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    Check, DeploymentId, Event, EventData, JobArn, ObjectVersion, Outcome, TrailRecord, UnixMillis,
    UntrustedArtifact, ValidityPeriod,
};
use countersign_ports::code_signing_configs::CodeSigningConfigs as _;
use countersign_ports::deployments::{
    Basis, Decision, Deployment, DeploymentClaim, Deployments, Finish, NewDeployment, Recording,
};
use countersign_ports::fakes::{Fault, ManualClock, MemoryStore};
use countersign_ports::functions::Stamp;
use countersign_ports::revocations::RevocationRegistry as _;
use countersign_ports::{Clock as _, Lease, StoreError};
use countersign_runtime::{Handled, Handler as _};
use tokio::sync::Mutex;

use crate::support::{
    World, body, config, deliver, delivery, package, profile, request, root, scope, signed_elsewhere,
};

/// A world with one package that fails `check` alone, or Integrity.
async fn distrusted(what: &str) -> (World, ObjectVersion) {
    let world = World::new().await;
    let object = match what {
        "unsigned" => world.upload("unsigned.zip", &package("one")),
        "foreign publisher" => world.signed_by("other", "one", ValidityPeriod::DEFAULT).await.object,
        "foreign root" => world.upload("foreign.zip", &signed_elsewhere(&world, "one").await),
        "expired" => {
            let signed = world.signed_by("default", "one", "1DAYS".parse().unwrap()).await;
            world.clock.advance(Duration::from_secs(2 * 86_400));
            signed.object
        }
        "tampered" => {
            let mut bytes = world.signed("one").await.bytes;
            bytes[60] ^= 1;
            world.upload("tampered.zip", &bytes)
        }
        "no zip" => world.upload("text.zip", b"no zip"),
        "revoked job" => {
            let signed = world.signed("one").await;
            world.store.revoke_job(&signed.job, &root(), "leaked", world.clock.now()).await.unwrap();
            signed.object
        }
        "revoked profile" => {
            let signed = world.signed("one").await;
            let (now, before) = (world.clock.now(), world.clock.now().plus_millis(-60_000));
            world.store.revoke_profile(&profile("default"), before, &root(), "leaked", now).await.unwrap();
            signed.object
        }
        other => panic!("{other}"),
    };
    (world, object)
}

#[tokio::test]
async fn what_fails_a_check_is_blocked_under_enforce_and_warned_of_under_warn() {
    for (what, check) in [
        ("unsigned", Check::Mismatch),
        ("foreign publisher", Check::Mismatch),
        ("expired", Check::Expiry),
        ("revoked job", Check::Revocation),
        ("revoked profile", Check::Revocation),
    ] {
        let (world, object) = distrusted(what).await;
        assert_eq!(deliver(&world.start(), "e1", &request("strict", &object)).await, Handled::Done);
        assert_eq!(
            (world.finish("e1").await, world.live()),
            (Some(Finish::Blocked), (vec![], None)),
            "{what}"
        );
        let EventData::DeploymentBlocked(report) = world.told_as("e1", "blocked") else { panic!() };
        assert_eq!(failed(&report.findings), [check], "{what}");
        let (world, object) = distrusted(what).await;
        assert_eq!(deliver(&world.start(), "e2", &request("lenient", &object)).await, Handled::Done);
        assert_eq!(world.live(), (vec![1], Some(1)), "{what}");
        let [succeeded, warning] = world.told("e2").try_into().unwrap();
        assert_eq!(succeeded, "succeeded");
        let EventData::DeploymentWarning(told) = world.told_as("e2", &warning) else { panic!() };
        assert_eq!(told.finding.check, check, "{what}");
    }
}

#[tokio::test]
async fn broken_integrity_is_blocked_whatever_the_policy() {
    for what in ["tampered", "foreign root", "no zip"] {
        for config in ["strict", "lenient"] {
            let (world, object) = distrusted(what).await;
            assert_eq!(deliver(&world.start(), "e1", &request(config, &object)).await, Handled::Done);
            assert_eq!((world.finish("e1").await, world.live()), (Some(Finish::Blocked), (vec![], None)));
            assert_eq!(world.told("e1"), ["blocked"], "{what} {config}");
            let EventData::DeploymentBlocked(report) = world.told_as("e1", "blocked") else { panic!() };
            assert!(matches!(report.findings[0].outcome, Outcome::Failed(_)), "{what}");
            assert_eq!(report.findings[0].check, Check::Integrity);
        }
    }
}

#[tokio::test]
async fn a_revocation_between_decision_and_record_blocks() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    let meddled = Meddled::new(&world, Meddling::Revoke(signed.job));
    let deployer = world.start_on(Arc::new(meddled), Arc::new(world.target.clone()));
    assert_eq!(deliver(&deployer, "e1", &request("strict", &signed.object)).await, Handled::Done);
    assert_eq!((world.finish("e1").await, world.live()), (Some(Finish::Blocked), (vec![], None)));
    let records = world.faults.operations().iter().filter(|call| **call == "record").count();
    assert_eq!(records, 2, "it was decided again");
}

#[tokio::test]
async fn a_policy_that_turns_strict_between_decision_and_record_blocks() {
    let world = World::new().await;
    let unsigned = world.upload("unsigned.zip", &package("one"));
    let meddled = Meddled::new(&world, Meddling::Enforce);
    let deployer = world.start_on(Arc::new(meddled), Arc::new(world.target.clone()));
    assert_eq!(deliver(&deployer, "e1", &request("lenient", &unsigned)).await, Handled::Done);
    assert_eq!((world.finish("e1").await, world.live()), (Some(Finish::Blocked), (vec![], None)));
}

#[tokio::test]
async fn policies_that_never_rest_are_left_for_later() {
    let world = World::new().await;
    let signed = world.signed("one").await;
    let meddled = Meddled::new(&world, Meddling::AlwaysStale);
    let deployer = world.start_on(Arc::new(meddled), Arc::new(world.target.clone()));
    let handled = deliver(&deployer, "e1", &request("strict", &signed.object)).await;
    assert!(matches!(handled, Handled::Retry { .. }), "{handled:?}");
    assert_eq!(world.live(), (vec![], None));
}

#[tokio::test]
async fn a_revocation_source_that_stays_away_is_inconclusive_and_never_success() {
    for (config, deployed) in [("strict", vec![]), ("lenient", vec![1])] {
        let world = World::new().await;
        let signed = world.signed("one").await;
        let (deployer, asked) = (world.start(), request(config, &signed.object));
        for attempt in 1..=4 {
            world.faults.fail_next("revocation_status", Fault::WithoutEffect);
            let handled = deployer.handle(&delivery("e1", attempt, body("e1", &asked))).await;
            assert_eq!(matches!(handled, Handled::Retry { .. }), attempt < 4, "{handled:?}");
            assert_eq!(world.live().0.is_empty(), attempt < 4 || deployed.is_empty());
        }
        assert_eq!(world.live().0, deployed);
        let what = world.told("e1").into_iter().next().unwrap();
        let (EventData::DeploymentBlocked(report) | EventData::DeploymentSucceeded(report)) =
            world.told_as("e1", &what)
        else {
            panic!()
        };
        assert!(matches!(report.findings[3].outcome, Outcome::Inconclusive(_)));
        assert_eq!(failed(&report.findings), [Check::Revocation]);
    }
}

fn failed(findings: &[countersign_domain::Finding]) -> Vec<Check> {
    findings.iter().filter(|finding| !finding.passed()).map(|finding| finding.check).collect()
}

/// What somebody else does just before the decision is recorded.
enum Meddling {
    Revoke(JobArn),
    Enforce,
    AlwaysStale,
}

struct Meddled {
    store: MemoryStore,
    clock: ManualClock,
    meddling: Mutex<Option<Meddling>>,
}

impl Meddled {
    fn new(world: &World, meddling: Meddling) -> Self {
        Self { store: world.store.clone(), clock: world.clock.clone(), meddling: Mutex::new(Some(meddling)) }
    }
}

#[async_trait]
impl Deployments for Meddled {
    async fn begin(&self, deployment: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError> {
        self.store.begin(deployment, lease).await
    }

    async fn renew(&self, deployment: DeploymentId, lease: &Lease) -> Result<(), StoreError> {
        self.store.renew(deployment, lease).await
    }

    async fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError> {
        self.store.basis(request).await
    }

    async fn record(
        &self,
        decision: &Decision,
        lease: &Lease,
        trail: &[TrailRecord],
    ) -> Result<Recording, StoreError> {
        let mut meddling = self.meddling.lock().await;
        match meddling.take() {
            Some(Meddling::Revoke(job)) => {
                self.store.revoke_job(&job, &root(), "leaked", self.clock.now()).await?;
            }
            Some(Meddling::Enforce) => {
                let strict = ["strict", "lenient"].map(|name| config(name, UntrustedArtifact::Enforce));
                self.store.declare(&scope(), &strict, UnixMillis::EPOCH).await?;
            }
            Some(Meddling::AlwaysStale) => {
                *meddling = Some(Meddling::AlwaysStale);
                return Ok(Recording::Stale);
            }
            None => {}
        }
        self.store.record(decision, lease, trail).await
    }

    async fn publish(&self, deployment: DeploymentId, lease: &Lease) -> Result<Recording, StoreError> {
        self.store.publish(deployment, lease).await
    }

    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        stamp: &Stamp,
        events: &[Event],
        trail: &[TrailRecord],
    ) -> Result<(), StoreError> {
        self.store.finish(deployment, lease, finish, stamp, events, trail).await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.store.deployment(id).await
    }
}
