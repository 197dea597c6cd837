//! What a caller who waits is told: the same pipeline, with an answer.

use std::sync::Arc;

use countersign_deployer::{Asked, Deployer, Outcome, Undecided};
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{FunctionSettings, ObjectVersion, RevisionId, Sha256Digest, Tags, Verdict};
use countersign_iam::Context;
use countersign_ports::change::{Change, Refusal, packages_of};
use countersign_ports::functions::{Functions as _, StandingVersion};
use countersign_runtime::Requester;

use crate::support::{PUBLISHER, World, authority, hello, package, principal, profile, request};

#[tokio::test]
async fn a_function_is_created_and_shows_who_signed_it() {
    let world = World::new().await;
    let (deployer, signed) = (world.start(), world.signed("one").await);
    let outcome = call(&deployer, "c1", "strict", &signed.object, create(true)).await.unwrap();
    let Outcome::Deployed { version: Some(1), decision, revision } = outcome else { panic!("{outcome:?}") };
    let latest = latest(&world).await;
    assert_eq!((&latest.code, &latest.revision), (&decision.code, &revision));
    assert_eq!(latest.code.sha256, Sha256Digest::of(&signed.bytes));
    assert_eq!(latest.code.size_bytes, signed.bytes.len() as u64);
    let signature = latest.code.signature.unwrap();
    assert_eq!((signature.job_arn, signature.profile_version_arn), (signed.job, profile("default")));
    assert_eq!(world.target.versions(&hello()), [1]);
}

#[tokio::test]
async fn what_is_blocked_leaves_no_function_and_can_be_created_later() {
    let world = World::new().await;
    let deployer = world.start();
    let unsigned = world.upload("unsigned.zip", &package("one"));
    let outcome = call(&deployer, "c1", "strict", &unsigned, create(true)).await.unwrap();
    assert!(matches!(outcome, Outcome::Blocked { .. }), "{outcome:?}");
    assert_eq!(world.store.function(&hello()).await, Ok(None));
    let outcome = call(&deployer, "c2", "lenient", &unsigned, create(false)).await.unwrap();
    assert!(matches!(outcome, Outcome::Deployed { version: None, .. }), "{outcome:?}");
    assert_eq!(latest(&world).await.code.signature, None, "nothing verified");
    let outcome = call(&deployer, "c3", "lenient", &unsigned, create(false)).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::FunctionExists(hello())));
}

#[tokio::test]
async fn a_call_that_is_repeated_ended_before() {
    let world = World::new().await;
    let (deployer, signed) = (world.start(), world.signed("one").await);
    for (attempt, ended) in [(1, false), (2, true)] {
        let outcome = call(&deployer, "c1", "strict", &signed.object, create(true)).await.unwrap();
        assert_eq!(matches!(outcome, Outcome::EndedBefore(_)), ended, "{attempt}: {outcome:?}");
    }
    let other = call(&deployer, "c1", "lenient", &signed.object, create(true)).await;
    assert!(matches!(other, Err(Undecided::Rejected(_))), "{other:?}");
}

#[tokio::test]
async fn code_is_updated_only_from_what_the_caller_saw() {
    let world = World::new().await;
    let (deployer, one) = (world.start(), world.signed("one").await);
    let unsigned = world.upload("unsigned.zip", &package("two"));
    call(&deployer, "c1", "strict", &one.object, create(false)).await.unwrap();
    let seen = latest(&world).await.revision;
    let update = |revision: &RevisionId| Change::UpdateCode {
        publish: false,
        architecture: None,
        revision: Some(revision.clone()),
    };
    let other = RevisionId::from_random([7; 16]);
    let outcome = call(&deployer, "c2", "strict", &one.object, update(&other)).await.unwrap();
    assert!(matches!(outcome, Outcome::Refused(Refusal::OtherRevision { .. })), "{outcome:?}");
    let outcome = call(&deployer, "c3", "strict", &unsigned, update(&seen)).await.unwrap();
    let Outcome::Blocked { decision } = outcome else { panic!("{outcome:?}") };
    assert_eq!(decision.findings.len(), 1);
    assert_eq!(latest(&world).await.revision, seen, "$LATEST survives what was blocked");
    let two = world.signed("two").await;
    let outcome = call(&deployer, "c4", "strict", &two.object, update(&seen)).await.unwrap();
    assert!(matches!(outcome, Outcome::Deployed { version: None, .. }), "{outcome:?}");
    assert_eq!(latest(&world).await.code.sha256, Sha256Digest::of(&two.bytes));
}

#[tokio::test]
async fn a_dry_run_decides_and_leaves_nothing() {
    let world = World::new().await;
    let (deployer, signed) = (world.start(), world.signed("one").await);
    let unsigned = world.upload("unsigned.zip", &package("one"));
    for (object, verdict) in [(&signed.object, Verdict::Deploy), (&unsigned, Verdict::Block)] {
        let asked = asked(&deployer, "d1", asks("strict", object), create(true));
        assert_eq!(deployer.dry_run(&asked).await.unwrap().verdict, verdict);
    }
    assert_eq!(world.store.function(&hello()).await, Ok(None));
    assert!(world.told("d1").is_empty());
    assert!(world.target.versions(&hello()).is_empty());
    world.assert_tidy();
}

#[tokio::test]
async fn a_version_is_published_under_the_verdict_that_brought_the_code() {
    let world = World::new().await;
    let (deployer, signed) = (world.start(), world.signed("one").await);
    call(&deployer, "c1", "strict", &signed.object, create(false)).await.unwrap();
    assert!(world.target.versions(&hello()).is_empty());
    let publish = |sha256| Change::PublishVersion { description: None, code_sha256: sha256, revision: None };
    let (code, layers) = packages_of(&latest(&world).await);
    let asks = DeploymentRequest { layers, ..asks("strict", &code.into()) };
    let published = async |id: &str, sha256| {
        let asked = asked(&deployer, id, asks.clone(), publish(sha256));
        deployer.deploy(&asked).await.unwrap()
    };
    let outcome = published("p1", Some(Sha256Digest::of(b"other"))).await;
    assert!(matches!(outcome, Outcome::Refused(Refusal::OtherCode { .. })), "{outcome:?}");
    for id in ["p2", "p3"] {
        let outcome = published(id, Some(Sha256Digest::of(&signed.bytes))).await;
        let Outcome::Deployed { version, decision, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!((version, decision.findings.len()), (Some(1), 4), "nothing is decided anew");
    }
    assert_eq!(world.target.versions(&hello()), [1]);
}

#[tokio::test]
async fn a_zip_of_a_call_is_kept_once() {
    let world = World::new().await;
    let deployer = world.start();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), package("one")).unwrap();
    let sha256 = Sha256Digest::of(&package("one"));
    let bucket = "signed".parse().unwrap();
    let kept = deployer.keep_code(&bucket, &hello(), file.path(), &sha256).await.unwrap();
    assert_eq!(kept.key.as_str(), format!("functions/hello/{sha256}.zip"));
    assert_eq!(deployer.keep_code(&bucket, &hello(), file.path(), &sha256).await, Ok(kept));
}

async fn call(
    deployer: &Deployer,
    id: &str,
    config: &str,
    code: &ObjectVersion,
    change: Change,
) -> Result<Outcome, Undecided> {
    deployer.deploy(&asked(deployer, id, asks(config, code), change)).await
}

/// What somebody asks for who may do anything.
fn asked(deployer: &Deployer, id: &str, request: DeploymentRequest, change: Change) -> Asked {
    let authority = authority(principal("ci").with_all_rights());
    let ci = Arc::clone(&authority.principals()[0]);
    let action = "lambda:CreateFunction".parse().unwrap();
    let allowed = authority.authorize(&ci, action, &[], Context::default()).unwrap();
    let requester = Requester { publisher: PUBLISHER.into(), principal: ci };
    deployer.asked(id.parse().unwrap(), requester, request, change, allowed)
}

fn asks(config: &str, code: &ObjectVersion) -> DeploymentRequest {
    DeploymentRequest { alias: None, ..request(config, code) }
}

fn create(publish: bool) -> Change {
    Change::Create { settings: Box::new(FunctionSettings::default()), tags: Tags::default(), publish }
}

async fn latest(world: &World) -> StandingVersion {
    world.store.function(&hello()).await.unwrap().unwrap().latest.unwrap()
}
