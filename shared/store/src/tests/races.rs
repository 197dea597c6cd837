//! Many processes on one database.

use std::collections::HashSet;
use std::time::Duration;

use countersign_domain::event::CreateFunction;
use countersign_ports::StoreError;
use countersign_ports::code_signing_configs::CodeSigningConfigs;
use countersign_ports::deployments::{DeploymentClaim, Deployments, NewDeployment, Recording};
use countersign_ports::jobs::{JobClaim, Jobs, Outbox};
use countersign_ports::profiles::{NewProfile, ProfileStatus, Profiles};
use countersign_ports::revocations::RevocationRegistry;
use tokio::task::JoinSet;

use super::samples::{
    SOURCE, at, config, decision, deployment, job, lease, lease_from, profile, root, scope, started,
};
use super::server::{Server, execute};
use crate::{PostgresSettings, PostgresStore};

/// Stores of as many processes.
async fn stores<const N: usize>(settings: &PostgresSettings) -> [PostgresStore; N] {
    let mut stores = Vec::new();
    for _process in 0..N {
        stores.push(PostgresStore::connect(settings).await.unwrap());
    }
    stores.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_many_jobs_is_claimed_once() {
    let server = Server::start().await;
    let stores: [_; 8] = stores(&server.database().await).await;
    let mut workers = JoinSet::new();
    for (number, store) in stores.iter().cloned().enumerate() {
        workers.spawn(async move {
            let mut claimed = Vec::new();
            for key in 0..200 {
                let job = job(&format!("{key}.zip"));
                let (lease, event) = (lease(&format!("w{number}")), started(&format!("e{key}"), &job));
                match store.claim_job(&job, &lease, &event).await.unwrap() {
                    JobClaim::Claimed(_) => claimed.push(key),
                    JobClaim::Busy(until) => assert_eq!(until, lease.until),
                    JobClaim::Ended(job) => panic!("{job:?}"),
                }
            }
            claimed
        });
    }
    let claimed: Vec<i32> = workers.join_all().await.concat();
    assert_eq!(claimed.len(), 200, "a job was claimed twice or never");
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>().len(), 200);
    assert_eq!(stores[0].unpublished(SOURCE, 999).await.unwrap().len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_that_ran_out_is_taken_over_once() {
    let server = Server::start().await;
    let stores: [_; 4] = stores(&server.database().await).await;
    let job = job("a.zip");
    stores[0].claim_job(&job, &lease("dead"), &started("e1", &job)).await.unwrap();
    let mut workers = JoinSet::new();
    for number in 0..16 {
        let (store, job) = (stores[number % 4].clone(), job.clone());
        workers.spawn(async move {
            store.claim_job(&job, &lease_from(&format!("w{number}"), 20), &started("e1", &job)).await.unwrap()
        });
    }
    let claims = workers.join_all().await;
    let granted = claims.iter().filter(|claim| matches!(claim, JobClaim::Claimed(_))).count();
    assert_eq!(granted, 1, "{claims:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_deployers_one_has_the_function() {
    let server = Server::start().await;
    let [one, two] = stores(&server.database().await).await;
    for round in 0..40 {
        let function = format!("f{round}");
        let news = [0, 1].map(|number| deployment(&format!("e{round}-{number}"), &function, "a.zip"));
        let (w1, w2) = (lease("w1"), lease("w2"));
        let claims = tokio::join!(one.begin(&news[0], &w1), two.begin(&news[1], &w2));
        let begun = |claim: &Result<_, _>| matches!(claim, Ok(DeploymentClaim::Begun { .. }));
        let busy = |claim: &Result<_, _>| matches!(claim, Ok(DeploymentClaim::Busy(_)));
        let [first, second] = [&claims.0, &claims.1];
        assert!((begun(first) && busy(second)) || (busy(first) && begun(second)), "{claims:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_renewal_and_a_take_over_never_both_succeed() {
    let server = Server::start().await;
    let [one, two] = stores(&server.database().await).await;
    let mut taken = 0;
    for round in 0..60 {
        let function = format!("f{round}");
        let [left, next] = [0, 1].map(|number| deployment(&format!("e{round}-{number}"), &function, "a.zip"));
        one.begin(&left, &lease("w1")).await.unwrap();
        let (late, now) = (lease_from("w1", 20), lease_from("w2", 20));
        let (renewed, claim) = tokio::join!(one.renew(left.id, &late), two.begin(&next, &now));
        match (&renewed, claim.unwrap()) {
            (Ok(()), DeploymentClaim::Busy(until)) => assert_eq!(until, late.until),
            (Err(StoreError::LeaseLost(_)), DeploymentClaim::Begun { .. }) => taken += 1,
            (_, claim) => panic!("{renewed:?} and {claim:?}"),
        }
    }
    println!("{taken} of 60 were taken over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_asks_for_two_functions_at_once_begins_one() {
    let server = Server::start().await;
    let [one, two] = stores(&server.database().await).await;
    for round in 0..40 {
        let [a, b] =
            ["a", "b"].map(|name| deployment(&format!("e{round}"), &format!("{name}{round}"), "a.zip"));
        let (w1, w2) = (lease("w1"), lease("w2"));
        let claims = tokio::join!(one.begin(&a, &w1), two.begin(&b, &w2));
        let begun = |claim: &Result<_, _>| matches!(claim, Ok(DeploymentClaim::Begun { .. }));
        let refused = |claim: &Result<_, _>| matches!(claim, Err(StoreError::Conflict(_)));
        let [first, second] = [&claims.0, &claims.1];
        assert!((begun(first) && refused(second)) || (refused(first) && begun(second)), "{claims:?}");
    }
}

/// A deployment of a function that is to be made under the config `csc`.
fn bound(round: u32) -> NewDeployment {
    let mut new = deployment(&format!("e{round}"), &format!("f{round}"), "a.zip");
    new.request.create = Some(CreateFunction { code_signing_config: Some("csc".parse().unwrap()) });
    new
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_and_a_change_of_policy_never_both_succeed() {
    let server = Server::start().await;
    let mut recorded = 0;
    for round in 0..40 {
        // A database each: a function that came to be binds its config for good.
        let [deployer, operator] = stores(&server.database().await).await;
        operator.declare(&scope(), &[config("csc")], at()).await.unwrap();
        let new = bound(round);
        deployer.begin(&new, &lease("w1")).await.unwrap();
        let decided = decision(&new, &deployer.basis(&new.request).await.unwrap());
        let (w1, scope) = (lease("w1"), scope());
        let (recording, declared) =
            tokio::join!(deployer.record(&decided, &w1, &[]), operator.declare(&scope, &[], at()));
        match (recording.unwrap(), declared) {
            (Recording::Recorded(_), Err(StoreError::Conflict(_))) => recorded += 1,
            (Recording::Stale, Ok(())) => {}
            both => panic!("{both:?}"),
        }
        deployer.close().await;
        operator.close().await;
    }
    println!("{recorded} of 40 were recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_waits_for_a_revocation_under_way_and_is_stale() {
    let server = Server::start().await;
    let store = server.store().await;
    store.declare(&scope(), &[config("csc")], at()).await.unwrap();
    let new = bound(0);
    store.begin(&new, &lease("w1")).await.unwrap();
    let decided = decision(&new, &store.basis(&new.request).await.unwrap());
    let mut profile = server.connection("test0").await;
    // What revoke_job does, stopped before its commit.
    for statement in [
        "BEGIN",
        "SELECT pg_advisory_xact_lock(1129539330, 0)",
        "INSERT INTO revocations VALUES ('arn', 0, 0, 'stolen', 'arn:aws:iam::000000000000:root')",
        "UPDATE revision SET value = value + 1",
    ] {
        execute(&mut profile, statement).await;
    }
    let recording = tokio::spawn({
        let (store, decided) = (store.clone(), decided.clone());
        async move { store.record(&decided, &lease("w1"), &[]).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!recording.is_finished(), "recorded on a basis that is being changed");
    execute(&mut profile, "COMMIT").await;
    assert_eq!(recording.await.unwrap(), Ok(Recording::Stale));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_profile_stays_revoked() {
    let server = Server::start().await;
    let [one, two] = stores(&server.database().await).await;
    for round in 0..40 {
        let arn = format!("arn:aws:signer:us-east-1:000000000000:/signing-profiles/p{round:02}/AbCdEfGhIj");
        let profile = NewProfile { arn: arn.parse().unwrap(), ..profile() };
        let (name, at, by) = (profile.arn.profile().name(), lease("w1").now, root());
        one.create_profile(&profile).await.unwrap();
        let (canceled, revoked) = tokio::join!(
            one.cancel_profile(name, at),
            two.revoke_profile(&profile.arn, at, &by, "stolen", at)
        );
        assert_eq!(revoked, Ok(()));
        let status = one.profile(name).await.unwrap().unwrap().status;
        assert_eq!(status, ProfileStatus::Revoked, "{canceled:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_order_of_the_outbox_is_that_of_the_commits() {
    let server = Server::start().await;
    let stores: [_; 8] = stores(&server.database().await).await;
    let mut writers = JoinSet::new();
    for (number, store) in stores.iter().cloned().enumerate() {
        writers.spawn(async move {
            for round in 0..30 {
                let job = job(&format!("{number}-{round}.zip"));
                let started = started(&format!("{number}-{round}"), &job);
                store.claim_job(&job, &lease("w1"), &started).await.unwrap();
            }
        });
    }
    let mut seen = Vec::new();
    while seen.len() < 240 {
        let now = stores[0].unpublished(SOURCE, 999).await.unwrap();
        assert!(now.starts_with(&seen), "an event came before one that was seen already");
        seen = now;
    }
    writers.join_all().await;
}
