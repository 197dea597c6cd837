//! What every adapter of [`Deployments`] has to do with what events ask for.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::trail::UserIdentity;
use countersign_domain::{
    Check, CodeSigningConfig, DeploymentId, Event, EventSource, Finding, Outcome, PackageRole, TrailEventId,
    TrailRecord, UntrustedArtifact, Verdict,
};

use super::samples::{
    SOURCE, at, code, config, lease, maria, new_deployment, new_job, new_profile, profile_arn, request,
    scope, stamp, told,
};
use crate::StoreError;
use crate::code_signing_configs::CodeSigningConfigs;
use crate::deployments::{
    Basis, Decision, DeploymentClaim, Deployments, Finish, NewDeployment, RecordedVerdict, Recording,
};
use crate::functions::Functions;
use crate::jobs::Outbox;
use crate::profiles::Profiles;
use crate::revocations::RevocationRegistry;
use crate::trail::{Position, Trail, TrailFilter};

/// Everything that the contract of deployments touches.
pub trait DeploymentState:
    Deployments + CodeSigningConfigs + Functions + Outbox + Profiles + RevocationRegistry + Trail
{
}

impl<S> DeploymentState for S where
    S: Deployments + CodeSigningConfigs + Functions + Outbox + Profiles + RevocationRegistry + Trail
{
}

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: DeploymentState + Clone + 'static,
{
    configs_are_what_was_declared(&make().await).await;
    a_config_that_is_bound_stays(&make().await).await;
    one_deployment_of_a_function_is_under_way(&make().await).await;
    of_many_begun_at_once_one_is_granted(&make().await).await;
    what_was_left_behind_does_not_bar_the_next(&make().await).await;
    an_event_never_asks_for_two_things(&make().await).await;
    a_missing_config_is_never_none(&make().await).await;
    a_decision_is_recorded_once(&make().await).await;
    a_recorded_decision_survives_its_worker(&make().await).await;
    a_changed_policy_makes_a_decision_stale(&make().await).await;
    a_revocation_makes_a_decision_stale(&make().await).await;
    the_making_of_a_function_makes_a_decision_stale(&make().await).await;
    a_blocked_deployment_makes_nothing(&make().await).await;
    an_unknown_function_is_not_made_unasked(&make().await).await;
    versions_count_up_and_unchanged_packages_keep_theirs(&make().await).await;
    an_end_follows_the_decision_and_is_final(&make().await).await;
    the_trail_is_told_with_the_decision_and_with_the_end(&make().await).await;
}

async fn configs_are_what_was_declared(store: &impl DeploymentState) {
    let [one, two] = [config("one", "p1"), config("two", "p2")];
    assert_eq!(store.code_signing_config(&one.name).await, Ok(None));
    assert_eq!(store.declare(&scope(), &[one.clone(), two.clone()], at(0)).await, Ok(()));
    assert_eq!(store.code_signing_config(&one.name).await, Ok(Some(one.clone())));
    let warn = CodeSigningConfig { untrusted_artifact: UntrustedArtifact::Warn, ..one.clone() };
    assert_eq!(store.declare(&scope(), std::slice::from_ref(&warn), at(0)).await, Ok(()));
    assert_eq!(store.code_signing_config(&one.name).await, Ok(Some(warn)));
    assert_eq!(store.code_signing_config(&two.name).await, Ok(None), "no longer declared");
    let publisher = &one.allowed_publishers[0];
    let nobody = CodeSigningConfig { allowed_publishers: Vec::new(), ..one.clone() };
    let crowd = CodeSigningConfig { allowed_publishers: vec![publisher.clone(); 21], ..one.clone() };
    for wrong in [vec![one.clone(), one.clone()], vec![nobody], vec![crowd]] {
        let refused = store.declare(&scope(), &wrong, at(0)).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
}

async fn a_config_that_is_bound_stays(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    deploy(store, &new, b"a").await;
    let refused = store.declare(&scope(), &[config("other", "p1")], at(0)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    let kept = store.code_signing_config(&config("csc", "p1").name).await;
    assert_eq!(kept, Ok(Some(config("csc", "p1"))), "a refused declaration changes nothing");
    let other = store.code_signing_config(&config("other", "p1").name).await;
    assert_eq!(other, Ok(None), "a refused declaration changes nothing");
}

async fn one_deployment_of_a_function_is_under_way(store: &impl DeploymentState) {
    let first = begun(store, "e1", request("hello", "a.zip")).await;
    let second = new_deployment("e2", request("hello", "b.zip"));
    let other = new_deployment("e3", request("other", "b.zip"));
    let under_way = store.deployment(first.id).await.expect("it is read").expect("it is there");
    assert_eq!(
        (under_way.request, under_way.finish, under_way.findings),
        (first.request.clone(), None, vec![])
    );
    for (deployment, worker) in [(&first, "w2"), (&second, "w2"), (&second, "w1")] {
        let claim = store.begin(deployment, &lease(worker, 9, 19)).await;
        assert_eq!(claim, Ok(DeploymentClaim::Busy(at(10))), "{worker} {}", deployment.event);
    }
    assert_eq!(store.deployment(second.id).await, Ok(None), "a busy one leaves nothing behind");
    let fresh = Ok(DeploymentClaim::Begun { recorded: None });
    assert_eq!(store.begin(&first, &lease("w1", 9, 10)).await, fresh, "its own worker repeats itself");
    assert_eq!(store.begin(&other, &lease("w2", 9, 19)).await, fresh, "another function");
    assert_eq!(store.renew(first.id, &lease("w1", 9, 30)).await, Ok(()));
    let claim = store.begin(&second, &lease("w2", 29, 39)).await;
    assert_eq!(claim, Ok(DeploymentClaim::Busy(at(30))), "a renewed lease does not hold");
    let failed = Finish::Failed { reason: "no such object".to_owned() };
    assert_eq!(
        store.finish(first.id, &lease("w1", 29, 39), &failed, &stamp("end", 3), &[], &[]).await,
        Ok(())
    );
    assert_eq!(store.begin(&second, &lease("w2", 29, 39)).await, fresh, "the first one has ended");
}

async fn of_many_begun_at_once_one_is_granted(store: &(impl DeploymentState + Clone + 'static)) {
    let mut claims = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        claims.spawn(async move {
            let event = format!("e{}", number / 2);
            let new = new_deployment(&event, request("hello", "a.zip"));
            store.begin(&new, &lease(&format!("w{number}"), 0, 10)).await
        });
    }
    let claims = claims.join_all().await;
    let begun = claims.iter().filter(|claim| matches!(claim, Ok(DeploymentClaim::Begun { .. }))).count();
    let busy = claims.iter().filter(|claim| **claim == Ok(DeploymentClaim::Busy(at(10)))).count();
    assert_eq!((begun, busy), (1, 15), "{claims:?}");
}

async fn what_was_left_behind_does_not_bar_the_next(store: &impl DeploymentState) {
    let first = begun(store, "e1", request("hello", "a.zip")).await;
    let first_decision = decision(store, &first, b"a").await;
    let recorded = recorded(store.record(&first_decision, &lease("w1", 1, 10), &[]).await);
    let second = new_deployment("e2", request("hello", "b.zip"));
    let fresh = Ok(DeploymentClaim::Begun { recorded: None });
    assert_eq!(store.begin(&second, &lease("w2", 10, 20)).await, fresh, "left behind, it bars the next one");
    let late = lease("w1", 11, 21);
    let lost = StoreError::LeaseLost(format!("deployment {}", first.id));
    assert_eq!(
        store.renew(first.id, &late).await,
        Err(lost.clone()),
        "renewed while another one is under way"
    );
    assert_eq!(store.record(&first_decision, &late, &[]).await, Err(lost.clone()));
    let succeeded = Finish::Succeeded { version: Some(1), alias: None };
    assert_eq!(store.finish(first.id, &late, &succeeded, &stamp("end", 3), &[], &[]).await, Err(lost));
    let claim = store.begin(&first, &late).await;
    assert_eq!(claim, Ok(DeploymentClaim::Busy(at(20))), "it waits its turn, for its own worker too");
    let failed = Finish::Failed { reason: "no such object".to_owned() };
    assert_eq!(
        store.finish(second.id, &lease("w2", 12, 20), &failed, &stamp("end", 3), &[], &[]).await,
        Ok(())
    );
    let claim = store.begin(&first, &lease("w3", 13, 23)).await;
    assert_eq!(claim, Ok(DeploymentClaim::Begun { recorded: Some(recorded) }), "its decision is carried out");
}

async fn an_event_never_asks_for_two_things(store: &impl DeploymentState) {
    let first = begun(store, "e1", request("hello", "a.zip")).await;
    let renamed = NewDeployment { publisher: "another".to_owned(), ..first.clone() };
    let promoted = NewDeployment { principal: "admin".parse().expect("a principal"), ..first.clone() };
    let redirected = NewDeployment { request: request("hello", "b.zip"), ..first.clone() };
    let elsewhere = NewDeployment { request: request("other", "a.zip"), ..first.clone() };
    for other in [renamed, promoted, redirected, elsewhere] {
        for from in [1, 99] {
            let claim = store.begin(&other, &lease("w1", from, from + 10)).await;
            assert!(matches!(claim, Err(StoreError::Conflict(_))), "{claim:?} for {other:?}");
        }
    }
}

async fn a_missing_config_is_never_none(store: &impl DeploymentState) {
    let asked = request("hello", "a.zip");
    let missing = Err(StoreError::NotFound("code signing config csc".to_owned()));
    assert_eq!(store.basis(&asked).await, missing);
    let without_create = DeploymentRequest { create: None, ..asked.clone() };
    let basis = store.basis(&without_create).await.expect("it is read");
    assert_eq!((basis.function, basis.code_signing_config), (None, None), "nobody asked for one");
    declare(store).await;
    let basis = store.basis(&asked).await.expect("it is read");
    assert_eq!((basis.function, basis.code_signing_config), (None, Some(config("csc", "p1"))));
}

async fn a_decision_is_recorded_once(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let decided = decision(store, &new, b"a").await;
    let stranger = store.record(&decided, &lease("w2", 1, 10), &[]).await;
    assert_eq!(stranger, Err(StoreError::LeaseLost(format!("deployment {}", new.id))));
    let first = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await);
    assert_eq!((first.version(), first.decision()), (Some(1), &decided));
    assert_eq!(
        store.record(&decided, &lease("w1", 2, 10), &[]).await,
        Ok(Recording::Recorded(first)),
        "repeated"
    );
    for other in [
        Decision { verdict: Verdict::Block, ..decided.clone() },
        Decision { code: code("a.zip", b"other"), ..decided.clone() },
        Decision { request: request("hello", "b.zip"), ..decided.clone() },
    ] {
        let refused = store.record(&other, &lease("w1", 2, 10), &[]).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    let seen = store.deployment(new.id).await.expect("it is read").expect("it is there");
    assert_eq!((seen.findings, seen.finish), (decided.findings, None));
}

async fn a_recorded_decision_survives_its_worker(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let decided = decision(store, &new, b"a").await;
    let first = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await);
    assert_eq!(
        store.declare(&scope(), &[config("csc", "p2")], at(0)).await,
        Ok(()),
        "the policy changes meanwhile"
    );
    let claim = store.begin(&new, &lease("w2", 10, 20)).await;
    assert_eq!(claim, Ok(DeploymentClaim::Begun { recorded: Some(first.clone()) }));
    let again = store.record(&decided, &lease("w2", 11, 20), &[]).await;
    assert_eq!(again, Ok(Recording::Recorded(first)), "what is durable is not stale");
}

async fn a_changed_policy_makes_a_decision_stale(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let decided = decision(store, &new, b"a").await;
    assert_eq!(store.declare(&scope(), &[config("csc", "p2")], at(0)).await, Ok(()));
    let w1 = lease("w1", 1, 10);
    assert_eq!(store.record(&decided, &w1, &[]).await, Ok(Recording::Stale));
    assert_eq!(
        store.basis(&new.request).await.expect("it is read").function,
        None,
        "a stale one makes nothing"
    );
    let decided = decision(store, &new, b"a").await;
    assert_eq!(
        store.declare(&scope(), &[config("csc", "p2")], at(0)).await,
        Ok(()),
        "the same configs again"
    );
    assert!(matches!(store.record(&decided, &w1, &[]).await, Ok(Recording::Recorded(_))), "nothing changed");
}

async fn a_revocation_makes_a_decision_stale(store: &impl DeploymentState) {
    store.create_profile(&new_profile("one")).await.expect("it is created");
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    for (effective, stale) in [(5, true), (5, false), (3, true)] {
        let decided = decision(store, &new, b"a").await;
        let revoked =
            store.revoke_profile(&profile_arn("one"), at(effective), &maria(), "stolen", at(6)).await;
        assert_eq!(revoked, Ok(()));
        let now = store.basis(&new.request).await.expect("it is read").revision;
        assert_eq!(now != decided.revision, stale, "effective from second {effective}");
        if stale {
            assert_eq!(store.record(&decided, &lease("w1", 1, 10), &[]).await, Ok(Recording::Stale));
        }
    }
}

async fn the_making_of_a_function_makes_a_decision_stale(store: &impl DeploymentState) {
    let first = begun(store, "e1", request("hello", "a.zip")).await;
    let before = store.basis(&first.request).await.expect("it is read");
    deploy(store, &first, b"a").await;
    let second = new_deployment("e2", request("hello", "b.zip"));
    assert!(matches!(store.begin(&second, &lease("w1", 5, 15)).await, Ok(DeploymentClaim::Begun { .. })));
    let decided = decided_on(&before, &second, b"b");
    assert_eq!(store.record(&decided, &lease("w1", 6, 15), &[]).await, Ok(Recording::Stale));
}

async fn a_blocked_deployment_makes_nothing(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let decided = Decision { verdict: Verdict::Block, ..decision(store, &new, b"a").await };
    let blocked = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await);
    assert_eq!((blocked.version(), blocked.decision()), (None, &decided));
    assert_eq!(store.basis(&new.request).await.expect("it is read").function, None);
    let wrong = Finish::Succeeded { version: Some(1), alias: None };
    let refused = store.finish(new.id, &lease("w1", 2, 10), &wrong, &stamp("end", 3), &[], &[]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "a blocked one succeeded: {refused:?}");
    assert_eq!(
        store.finish(new.id, &lease("w1", 2, 10), &Finish::Blocked, &stamp("end", 3), &[], &[]).await,
        Ok(())
    );
    assert_eq!(store.basis(&new.request).await.expect("it is read").function, None);
}

async fn an_unknown_function_is_not_made_unasked(store: &impl DeploymentState) {
    let asked = DeploymentRequest { create: None, ..request("hello", "a.zip") };
    let new = begun(store, "e1", asked.clone()).await;
    let decided = decision(store, &new, b"a").await;
    let missing = Err(StoreError::NotFound("function hello".to_owned()));
    assert_eq!(store.record(&decided, &lease("w1", 1, 10), &[]).await, missing);
    assert_eq!(store.basis(&asked).await.expect("it is read").function, None);
}

async fn versions_count_up_and_unchanged_packages_keep_theirs(store: &impl DeploymentState) {
    let first = begun(store, "e1", request("hello", "a.zip")).await;
    assert_eq!(deploy(store, &first, b"a").await, 1);
    let function = store.basis(&first.request).await.expect("it is read").function.expect("it was made");
    assert_eq!(function.name, first.request.function_name);
    assert_eq!(function.code_signing_config, Some(config("csc", "p1").name));
    assert_eq!(function.latest.expect("it stands").code, code("a.zip", b"a"));
    for (event, package, version) in [("e2", b"a", 1), ("e3", b"b", 2), ("e4", b"b", 2), ("e5", b"a", 3)] {
        let new = begun(store, event, request("hello", "x.zip")).await;
        assert_eq!(deploy(store, &new, package).await, version, "{event}");
    }
    let failing = begun(store, "e6", request("hello", "x.zip")).await;
    let decided = decision(store, &failing, b"c").await;
    assert_eq!(recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version(), Some(4));
    let failed = Finish::Failed { reason: "the target is full".to_owned() };
    assert_eq!(
        store.finish(failing.id, &lease("w1", 2, 10), &failed, &stamp("end", 3), &[], &[]).await,
        Ok(())
    );
    let again = begun(store, "e7", request("hello", "x.zip")).await;
    assert_eq!(deploy(store, &again, b"c").await, 5, "version 4 never stood, and its number is spent");
    let layered = begun(store, "e8", request("hello", "x.zip")).await;
    let layers = vec![code("layer.zip", b"layer")];
    let decided = Decision { layers, ..decision(store, &layered, b"c").await };
    let recording = store.record(&decided, &lease("w1", 1, 10), &[]).await;
    assert_eq!(recorded(recording).version(), Some(6), "other layers are another version");
    let other = begun(store, "e9", request("other", "x.zip")).await;
    assert_eq!(deploy(store, &other, b"a").await, 1, "each function counts for itself");
}

async fn an_end_follows_the_decision_and_is_final(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let (w1, done) = (lease("w1", 2, 10), told("done", &new_job("a.zip")));
    let [right, wrong] =
        [1, 2].map(|version| Finish::Succeeded { version: Some(version), alias: new.request.alias.clone() });
    let early = finish(store, &new, &right, &done).await;
    assert!(matches!(early, Err(StoreError::Conflict(_))), "succeeded without a decision: {early:?}");
    let early = finish(store, &new, &Finish::Blocked, &done).await;
    assert!(matches!(early, Err(StoreError::Conflict(_))), "blocked without a decision: {early:?}");
    recorded(store.record(&decision(store, &new, b"a").await, &w1, &[]).await);
    for other in [&wrong, &Finish::Blocked] {
        let refused = finish(store, &new, other, &done).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![]), "a refused end was told");
    assert_eq!(finish(store, &new, &right, &done).await, Ok(()));
    assert_eq!(store.unpublished(SOURCE, 9).await, Ok(vec![done.clone()]), "told with it");
    let lost = Err(StoreError::LeaseLost(format!("deployment {}", new.id)));
    assert_eq!(finish(store, &new, &right, &done).await, lost, "ended twice");
    assert_eq!(store.renew(new.id, &w1).await, lost, "renewed after its end");
    let claim = store.begin(&new, &lease("w2", 99, 100)).await;
    let Ok(DeploymentClaim::Ended(ended)) = claim else { panic!("an ended one was granted: {claim:?}") };
    assert_eq!((ended.finish, ended.findings.len()), (Some(right), 2));
}

async fn the_trail_is_told_with_the_decision_and_with_the_end(store: &impl DeploymentState) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let told = async || {
        let page = store.page(&TrailFilter::default(), Position::START, 9).await.expect("it is read");
        page.records.into_iter().map(|(_, record)| record.id()).collect::<Vec<_>>()
    };
    let [decided, ended] = ["decided", "ended"].map(|step| trail_record(new.id, step));
    let decision = decision(store, &new, b"a").await;
    let stale = Decision { revision: decision.revision + 1, ..decision.clone() };
    let trail = std::slice::from_ref(&decided);
    assert_eq!(store.record(&stale, &lease("w1", 1, 10), trail).await, Ok(Recording::Stale));
    assert_eq!(told().await, [], "what was not recorded is not told");
    for _ in 0..2 {
        recorded(store.record(&decision, &lease("w1", 1, 10), trail).await);
        assert_eq!(told().await, [decided.id()]);
    }
    let failed = Finish::Failed { reason: "for the test".to_owned() };
    let trail = std::slice::from_ref(&ended);
    let stranger = store.finish(new.id, &lease("w2", 2, 10), &failed, &stamp("end", 3), &[], trail).await;
    assert!(matches!(stranger, Err(StoreError::LeaseLost(_))), "{stranger:?}");
    assert_eq!(told().await, [decided.id()]);
    assert_eq!(
        store.finish(new.id, &lease("w1", 2, 10), &failed, &stamp("end", 3), &[], trail).await,
        Ok(())
    );
    assert_eq!(told().await, [decided.id(), ended.id()]);
}

fn trail_record(deployment: DeploymentId, step: &str) -> TrailRecord {
    let id = TrailEventId::for_deployment(deployment, step);
    let who = UserIdentity::service("lambda.amazonaws.com");
    let name = step.parse().expect("an event name");
    TrailRecord::new(id, who, (EventSource::Lambda, name), at(1), &scope())
}

async fn finish(
    store: &impl Deployments,
    new: &NewDeployment,
    finish: &Finish,
    event: &Event,
) -> Result<(), StoreError> {
    store
        .finish(new.id, &lease("w1", 3, 10), finish, &stamp("end", 3), std::slice::from_ref(event), &[])
        .await
}

/// A deployment of worker `w1` from second 0 to 10, under the config `csc`.
pub(super) async fn begun(
    store: &impl DeploymentState,
    event: &str,
    request: DeploymentRequest,
) -> NewDeployment {
    declare(store).await;
    let new = new_deployment(event, request);
    let claim = store.begin(&new, &lease("w1", 0, 10)).await;
    assert_eq!(claim, Ok(DeploymentClaim::Begun { recorded: None }), "a new deployment was not granted");
    new
}

pub(super) async fn declare(store: &impl DeploymentState) {
    store.declare(&scope(), &[config("csc", "p1")], at(0)).await.expect("it is declared");
}

/// A verdict to deploy `package`, on the present basis.
pub(super) async fn decision(store: &impl DeploymentState, new: &NewDeployment, package: &[u8]) -> Decision {
    decided_on(&store.basis(&new.request).await.expect("there is a basis"), new, package)
}

pub(super) fn decided_on(basis: &Basis, new: &NewDeployment, package: &[u8]) -> Decision {
    let finding = |check, outcome| Finding { package: PackageRole::Layer(1), check, outcome };
    let reason = "it expired at noon".to_owned();
    Decision {
        deployment: new.id,
        request: new.request.clone(),
        revision: basis.revision,
        verdict: Verdict::DeployWithWarning,
        findings: vec![
            finding(Check::Integrity, Outcome::Passed),
            finding(Check::Expiry, Outcome::Failed(reason.clone())),
        ],
        reason,
        code: code(new.request.code.key.as_str(), package),
        layers: Vec::new(),
    }
}

pub(super) fn recorded(recording: Result<Recording, StoreError>) -> RecordedVerdict {
    match recording {
        Ok(Recording::Recorded(recorded)) => recorded,
        other => panic!("the decision was not recorded: {other:?}"),
    }
}

/// Deploys `package`; the version that stands.
pub(super) async fn deploy(store: &impl DeploymentState, new: &NewDeployment, package: &[u8]) -> u64 {
    let decided = decision(store, new, package).await;
    let version = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version();
    let version = version.expect("a verdict to deploy has a version");
    let finish = Finish::Succeeded { version: Some(version), alias: new.request.alias.clone() };
    assert_eq!(store.finish(new.id, &lease("w1", 2, 10), &finish, &stamp("end", 3), &[], &[]).await, Ok(()));
    version
}
