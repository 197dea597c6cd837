//! What every adapter of [`Functions`](crate::functions::Functions) has to do, and of
//! [`Deployments`](crate::deployments::Deployments) with what the API asks for.

use countersign_domain::event::CreateFunction;
use countersign_domain::{
    Architecture, FunctionName, FunctionSettings, FunctionVersion, RevisionId, Sha256Digest, Tags, Verdict,
};

use super::deployments::{DeploymentState, decision, declare, recorded};
use super::samples::{at, code, lease, new_deployment, request, stamp};
use crate::change::{Change, Refusal};
use crate::deployments::{Decision, DeploymentClaim, Finish, NewDeployment, Recording};
use crate::functions::{AliasTarget, Function, FunctionError, FurtherVersion, Routing, Weight};

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: DeploymentState + Clone + 'static,
{
    a_function_is_made_as_it_was_asked_for(&make().await).await;
    a_function_that_could_not_be_made_is_not_there(&make().await).await;
    a_function_that_exists_is_not_made_again(&make().await).await;
    code_changes_by_a_deployment_and_only_if_it_succeeds(&make().await).await;
    layers_change_by_a_deployment(&make().await).await;
    settings_change_where_the_caller_saw_what_stands(&make().await).await;
    of_two_updates_with_one_revision_one_wins(&make().await).await;
    nothing_changes_while_a_deployment_is_under_way(&make().await).await;
    a_version_is_published_of_what_stands(&make().await).await;
    an_event_sets_latest_and_publishes_it(&make().await).await;
    a_version_that_an_alias_points_to_stays(&make().await).await;
    aliases_change_where_the_caller_saw_what_stands(&make().await).await;
    a_deleted_function_is_gone_and_its_numbers_are_not_given_again(&make().await).await;
    a_binding_makes_a_decision_stale(&make().await).await;
    pages_begin_where_the_last_one_ended(&make().await).await;
    tags_are_added_and_removed(&make().await).await;
}

async fn a_function_is_made_as_it_was_asked_for(store: &impl DeploymentState) {
    let new = create("c1", "hello", false);
    assert_eq!(carry_out(store, &new, b"a", "r1").await, None, "no version was asked for");
    let function = function(store, "hello").await;
    assert_eq!(function.code_signing_config.map(|name| name.to_string()), Some("csc".to_owned()));
    assert_eq!(function.tags, tags());
    let latest = function.latest.expect("it stands");
    assert_eq!((&latest.code, latest.version), (&code("a.zip", b"a"), FunctionVersion::Latest));
    assert_eq!(
        (latest.settings, latest.revision, latest.last_modified),
        (settings("made"), revision("r1"), at(3))
    );
    assert_eq!(store.versions(&hello(), 0, 9).await, Ok(vec![]));
    let new = create("c2", "other", true);
    assert_eq!(carry_out(store, &new, b"a", "r1").await, Some(1));
}

async fn a_function_that_could_not_be_made_is_not_there(store: &impl DeploymentState) {
    let new = begun(store, create("c1", "hello", false)).await;
    let decided = decision(store, &new, b"a").await;
    recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await);
    assert_eq!(store.function(&hello()).await, Ok(None), "nothing stands yet");
    end(store, &new, &failed()).await;
    assert_eq!(store.basis(&new.request).await.expect("it is read").function, None);
    assert_eq!(carry_out(store, &create("c2", "hello", true), b"a", "r1").await, Some(1));
}

async fn a_function_that_exists_is_not_made_again(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let new = begun(store, create("c2", "hello", false)).await;
    for verdict in [Verdict::Deploy, Verdict::Block] {
        let decided = Decision { verdict, ..decision(store, &new, b"b").await };
        let refused = Ok(Recording::Refused(Refusal::FunctionExists(hello())));
        assert_eq!(store.record(&decided, &lease("w1", 1, 10), &[]).await, refused);
    }
    end(store, &new, &failed()).await;
    assert_eq!(function(store, "hello").await.latest.expect("it stands").code, code("a.zip", b"a"));
}

async fn code_changes_by_a_deployment_and_only_if_it_succeeds(store: &impl DeploymentState) {
    let refused = Ok(Recording::Refused(Refusal::UnknownFunction(hello())));
    let new = begun(store, update_code("u0", "b.zip", false, None)).await;
    assert_eq!(store.record(&decision(store, &new, b"b").await, &lease("w1", 1, 10), &[]).await, refused);
    end(store, &new, &failed()).await;

    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let new = begun(store, update_code("u1", "b.zip", false, Some("r0"))).await;
    let other = Refusal::OtherRevision { expected: revision("r0"), standing: revision("r1") };
    let recording = store.record(&decision(store, &new, b"b").await, &lease("w1", 1, 10), &[]).await;
    assert_eq!(recording, Ok(Recording::Refused(other)));
    end(store, &new, &failed()).await;

    let new = begun(store, update_code("u2", "b.zip", true, Some("r1"))).await;
    recorded(store.record(&decision(store, &new, b"b").await, &lease("w1", 1, 10), &[]).await);
    end(store, &new, &failed()).await;
    let latest = function(store, "hello").await.latest.expect("it stands");
    assert_eq!(
        (latest.code, latest.revision),
        (code("a.zip", b"a"), revision("r1")),
        "it survives a failure"
    );

    let version = carry_out(store, &update_code("u3", "b.zip", true, Some("r1")), b"b", "r2").await;
    assert_eq!(version, Some(2), "the number of the failed one is spent");
    let latest = function(store, "hello").await.latest.expect("it stands");
    assert_eq!((latest.code, latest.revision), (code("b.zip", b"b"), revision("r2")));
    assert_eq!(latest.settings, FunctionSettings { architecture: Architecture::Arm64, ..settings("made") });
}

async fn layers_change_by_a_deployment(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let layers = vec!["arn:aws:lambda:us-east-1:000000000000:layer:l:1".parse().expect("an ARN")];
    let with_layer = FunctionSettings { layers, ..settings("layered") };
    let refused = store.update_settings(&hello(), &with_layer, None, &stamp("r2", 4)).await;
    assert_eq!(refused, Err(FunctionError::OtherLayers));
    let mut new = update("u1", "a.zip");
    let layer = code("layer.zip", b"layer");
    new.request.layers = vec![layer.object.clone()];
    new.change = Change::UpdateSettings { settings: Box::new(with_layer.clone()), revision: None };
    let new = begun(store, new).await;
    let decided = Decision { layers: vec![layer.clone()], ..decision(store, &new, b"a").await };
    assert_eq!(recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version(), None);
    end(store, &new, &Finish::Succeeded { version: None, alias: None }).await;
    let latest = function(store, "hello").await.latest.expect("it stands");
    assert_eq!(latest.settings, with_layer);
    assert_eq!(latest.layers[0].arn, Some(with_layer.layers[0].clone()));
    assert_eq!(latest.layers[0].code, layer);

    let new = begun(store, update_code("u2", "b.zip", false, None)).await;
    let changed = Ok(Recording::Refused(Refusal::Changed(hello())));
    let recording = store.record(&decision(store, &new, b"b").await, &lease("w1", 1, 10), &[]).await;
    assert_eq!(recording, changed, "the layers that stand were not decided upon");
}

async fn settings_change_where_the_caller_saw_what_stands(store: &impl DeploymentState) {
    let update = async |text, expected: Option<&str>, new| {
        let expected = expected.map(revision);
        store.update_settings(&hello(), &settings(text), expected.as_ref(), &stamp(new, 5)).await
    };
    assert_eq!(update("x", None, "r2").await, Err(FunctionError::NoSuchFunction(hello())));
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let other = Refusal::OtherRevision { expected: revision("r0"), standing: revision("r1") };
    assert_eq!(update("x", Some("r0"), "r2").await, Err(FunctionError::Refused(other)));
    let updated = update("x", Some("r1"), "r2").await.expect("it is there");
    assert_eq!((&updated.settings, &updated.revision), (&settings("x"), &revision("r2")));
    assert_eq!(updated.last_modified, at(5));
    assert_eq!(store.version(&hello(), FunctionVersion::Latest).await, Ok(Some(updated)));
}

async fn of_two_updates_with_one_revision_one_wins<S: DeploymentState + Clone + 'static>(store: &S) {
    carry_out(store, &create("c1", "hello", false), b"a", "r0").await;
    for round in 0..10 {
        let seen = function(store, "hello").await.latest.expect("it stands").revision;
        let updates = ["a", "b"].map(|who| {
            let (store, seen) = (store.clone(), seen.clone());
            tokio::spawn(async move {
                let stamp = stamp(&format!("r{round}{who}"), 5);
                store.update_settings(&hello(), &settings(who), Some(&seen), &stamp).await
            })
        });
        let [one, other] = updates;
        match (one.await.expect("it runs"), other.await.expect("it runs")) {
            (Ok(_), Err(FunctionError::Refused(_))) | (Err(FunctionError::Refused(_)), Ok(_)) => {}
            both => panic!("{both:?}"),
        }
    }
}

async fn nothing_changes_while_a_deployment_is_under_way(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let new = begun(store, update_code("u1", "b.zip", false, None)).await;
    let busy = FunctionError::Busy(at(10));
    let updated = store.update_settings(&hello(), &settings("x"), None, &stamp("r2", 9)).await;
    assert_eq!(updated, Err(busy.clone()));
    assert_eq!(store.delete_function(&hello(), at(9)).await, Err(busy));
    assert_eq!(store.delete_function(&hello(), at(10)).await, Ok(()), "it was left behind");
    let claim = store.begin(&new, &lease("w1", 11, 20)).await;
    let Ok(DeploymentClaim::Ended(ended)) = claim else { panic!("it goes on after the deletion: {claim:?}") };
    assert!(matches!(ended.finish, Some(Finish::Failed { .. })), "{ended:?}");
}

async fn a_version_is_published_of_what_stands(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let other = Refusal::OtherCode { expected: Sha256Digest::of(b"b"), standing: Sha256Digest::of(b"a") };
    let new = begun(store, publish("p0", Some("first"), Some(b"b"), None)).await;
    assert_eq!(store.publish(new.id, &lease("w1", 1, 10)).await, Ok(Recording::Refused(other)));
    end(store, &new, &failed()).await;
    let new = begun(store, publish("p1", Some("first"), Some(b"a"), Some("r1"))).await;
    let verdict = recorded(store.publish(new.id, &lease("w1", 1, 10)).await);
    assert_eq!((verdict.version(), &verdict.decision().code), (Some(1), &code("a.zip", b"a")));
    assert_eq!(
        verdict.decision().findings.len(),
        2,
        "the findings are those of the deployment that brought it"
    );
    assert_eq!(recorded(store.publish(new.id, &lease("w1", 1, 10)).await), verdict, "it is recorded once");
    let version = Finish::Succeeded { version: Some(1), alias: None };
    let ended = store.finish(new.id, &lease("w1", 2, 10), &version, &stamp("r2", 4), &[], &[]).await;
    assert_eq!(ended, Ok(()));
    let published = store.version(&hello(), FunctionVersion::Published(1)).await;
    let published = published.expect("it is read").expect("it stands");
    assert_eq!((&published.code, published.last_modified), (&code("a.zip", b"a"), at(4)));
    assert_eq!(published.settings, settings("first"), "with its own description");
    let latest = function(store, "hello").await.latest.expect("it stands");
    assert_eq!(
        (&latest.settings, latest.revision),
        (&settings("made"), revision("r2")),
        "publishing changes it"
    );
    let again = async |event, revision| {
        let new = begun(store, publish(event, Some("again"), None, None)).await;
        let version = recorded(store.publish(new.id, &lease("w1", 1, 10)).await).version();
        let finish = Finish::Succeeded { version, alias: None };
        let ended = store.finish(new.id, &lease("w1", 2, 10), &finish, &stamp(revision, 4), &[], &[]).await;
        assert_eq!(ended, Ok(()));
        version
    };
    assert_eq!(again("p2", "r3").await, Some(1), "nothing changed since");
    let latest = function(store, "hello").await.latest.expect("it stands");
    assert_eq!(latest.revision, revision("r2"), "what changes nothing leaves the revision");
    let unchanged = store.version(&hello(), FunctionVersion::Published(1)).await;
    assert_eq!(unchanged, Ok(Some(published)), "a version never changes");
    store.update_settings(&hello(), &settings("other"), None, &stamp("r4", 5)).await.expect("it is there");
    assert_eq!(again("p3", "r5").await, Some(2), "the settings changed");
    let listed = store.versions(&hello(), 0, 9).await.expect("it is there");
    assert_eq!(listed.iter().map(|version| version.version.number()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert_eq!(store.versions(&hello(), 1, 9).await.map(|page| page.len()), Ok(1));
}

async fn an_event_sets_latest_and_publishes_it(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let new = begun(store, new_deployment("e1", request("hello", "b.zip"))).await;
    let decided = decision(store, &new, b"b").await;
    assert_eq!(recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version(), Some(1));
    end(store, &new, &Finish::Succeeded { version: Some(1), alias: new.request.alias.clone() }).await;
    let latest = function(store, "hello").await.latest.expect("it stands");
    assert_eq!((latest.code, latest.settings), (code("b.zip", b"b"), settings("made")));
    let alias = store.alias(&hello(), &"live".parse().expect("an alias")).await.expect("it is read");
    assert_eq!(alias.expect("it points").target.version, FunctionVersion::Published(1));
}

async fn a_version_that_an_alias_points_to_stays(store: &impl DeploymentState) {
    three_versions(store).await;
    let live = "live".parse().expect("an alias");
    let split = AliasTarget { further: further(2), ..target(1) };
    store.create_alias(&hello(), &live, &split, &revision("a1")).await.expect("it is made");
    for version in [1, 2] {
        let refused = store.delete_version(&hello(), version).await;
        assert_eq!(refused, Err(FunctionError::AliasPoints(live.clone())));
    }
    assert_eq!(store.delete_version(&hello(), 3).await, Ok(()));
    assert_eq!(store.delete_version(&hello(), 3).await, Err(FunctionError::NoSuchVersion(3)));
    assert_eq!(store.version(&hello(), FunctionVersion::Published(3)).await, Ok(None));
    let number = carry_out(store, &update_code("u9", "c.zip", true, None), b"c", "r9").await;
    assert_eq!(number, Some(4), "a deleted number is not given again");
}

async fn aliases_change_where_the_caller_saw_what_stands(store: &impl DeploymentState) {
    three_versions(store).await;
    let [live, beta] = ["live", "beta"].map(|name| name.parse().expect("an alias"));
    let make =
        async |name, target: &AliasTarget| store.create_alias(&hello(), name, target, &revision("a1")).await;
    let latest = AliasTarget { version: FunctionVersion::Latest, ..target(1) };
    for (wrong, error) in [
        (target(9), FunctionError::NoSuchVersion(9)),
        (AliasTarget { further: further(9), ..target(1) }, FunctionError::NoSuchVersion(9)),
        (AliasTarget { further: further(1), ..target(1) }, FunctionError::Routing(Routing::SameVersion(1))),
        (AliasTarget { further: further(1), ..latest.clone() }, FunctionError::Routing(Routing::OfLatest)),
    ] {
        assert_eq!(make(&live, &wrong).await, Err(error));
    }
    let made = make(&live, &AliasTarget { further: further(2), ..target(1) }).await.expect("it is made");
    assert_eq!(store.alias(&hello(), &live).await, Ok(Some(made)));
    assert_eq!(make(&live, &target(1)).await, Err(FunctionError::AliasExists(live.clone())));
    make(&beta, &latest).await.expect("it is made");
    let of = async |version| -> Vec<String> {
        let aliases = store.aliases(&hello(), version, None, 9).await.expect("it is there");
        aliases.into_iter().map(|alias| alias.name.to_string()).collect()
    };
    assert_eq!(of(None).await, ["beta", "live"]);
    assert_eq!(of(Some(FunctionVersion::Published(2))).await, ["live"]);
    assert_eq!(of(Some(FunctionVersion::Latest)).await, ["beta"]);
    let change = async |name, expected: Option<&str>| {
        let expected = expected.map(revision);
        store.update_alias(&hello(), name, &target(3), expected.as_ref(), &revision("a2")).await
    };
    let other = Refusal::OtherRevision { expected: revision("a0"), standing: revision("a1") };
    assert_eq!(change(&live, Some("a0")).await, Err(FunctionError::Refused(other)));
    let changed = change(&live, Some("a1")).await.expect("it is there");
    assert_eq!((changed.target, changed.revision), (target(3), revision("a2")));
    for _again in 0..2 {
        assert_eq!(store.delete_alias(&hello(), &live).await, Ok(()), "deleting it twice is no error");
    }
    assert_eq!(change(&live, None).await, Err(FunctionError::NoSuchAlias(live)));
}

async fn a_deleted_function_is_gone_and_its_numbers_are_not_given_again(store: &impl DeploymentState) {
    three_versions(store).await;
    let live = "live".parse().expect("an alias");
    store.create_alias(&hello(), &live, &target(1), &revision("a1")).await.expect("it is made");
    assert_eq!(store.delete_function(&hello(), at(50)).await, Ok(()));
    let gone = FunctionError::NoSuchFunction(hello());
    assert_eq!(store.delete_function(&hello(), at(50)).await, Err(gone.clone()));
    assert_eq!(store.function(&hello()).await, Ok(None));
    assert_eq!(store.list_functions(None, 9).await, Ok(vec![]));
    assert_eq!(store.versions(&hello(), 0, 9).await, Err(gone.clone()));
    assert_eq!(store.bind(&hello(), None).await, Err(gone));
    assert_eq!(carry_out(store, &create("c2", "hello", true), b"a", "r1").await, Some(4));
    assert_eq!(store.alias(&hello(), &live).await, Ok(None), "its aliases are gone too");
    assert_eq!(store.versions(&hello(), 0, 9).await.map(|versions| versions.len()), Ok(1));
}

async fn a_binding_makes_a_decision_stale(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let new = begun(store, update_code("u1", "b.zip", false, None)).await;
    let decided = decision(store, &new, b"b").await;
    assert_eq!(store.bind(&hello(), None).await, Ok(()));
    assert_eq!(store.record(&decided, &lease("w1", 1, 10), &[]).await, Ok(Recording::Stale));
    let basis = store.basis(&new.request).await.expect("it is read");
    assert_eq!(basis.code_signing_config, None);
}

async fn pages_begin_where_the_last_one_ended(store: &impl DeploymentState) {
    for name in ["b", "a", "c"] {
        carry_out(store, &create(&format!("c-{name}"), name, false), b"a", "r1").await;
    }
    let names = |page: Result<Vec<Function>, _>| -> Vec<String> {
        page.expect("it is read").into_iter().map(|function| function.name.to_string()).collect()
    };
    assert_eq!(names(store.list_functions(None, 2).await), ["a", "b"]);
    assert_eq!(names(store.list_functions(Some(&"b".parse().expect("a name")), 2).await), ["c"]);
}

async fn tags_are_added_and_removed(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", false), b"a", "r1").await;
    let more: Tags = serde_json::from_str(r#"{"b":"2"}"#).expect("tags");
    assert_eq!(store.tag_function(&hello(), &more, &["team".parse().expect("a key")]).await, Ok(()));
    assert_eq!(function(store, "hello").await.tags, more);
    let missing = store.tag_function(&"none".parse().expect("a name"), &more, &[]).await;
    assert!(matches!(missing, Err(FunctionError::NoSuchFunction(_))), "{missing:?}");
}

/// The function `hello` with the versions 1 to 3.
async fn three_versions(store: &impl DeploymentState) {
    carry_out(store, &create("c1", "hello", true), b"1", "r1").await;
    for (event, package, version) in [("u2", b"2", 2), ("u3", b"3", 3)] {
        let published = carry_out(store, &update_code(event, "x.zip", true, None), package, "r2").await;
        assert_eq!(published, Some(version));
    }
}

/// Carries a deployment of `package` out; the version that it published.
async fn carry_out(
    store: &impl DeploymentState,
    new: &NewDeployment,
    package: &[u8],
    revision: &str,
) -> Option<u64> {
    let new = begun(store, new.clone()).await;
    let decided = decision(store, &new, package).await;
    let version = recorded(store.record(&decided, &lease("w1", 1, 10), &[]).await).version();
    let finish = Finish::Succeeded { version, alias: None };
    let ended = store.finish(new.id, &lease("w1", 2, 10), &finish, &stamp(revision, 3), &[], &[]).await;
    assert_eq!(ended, Ok(()));
    version
}

async fn begun(store: &impl DeploymentState, new: NewDeployment) -> NewDeployment {
    declare(store).await;
    let claim = store.begin(&new, &lease("w1", 0, 10)).await;
    assert_eq!(claim, Ok(DeploymentClaim::Begun { recorded: None }), "a new deployment was not granted");
    new
}

async fn end(store: &impl DeploymentState, new: &NewDeployment, finish: &Finish) {
    assert_eq!(store.finish(new.id, &lease("w1", 2, 10), finish, &stamp("end", 3), &[], &[]).await, Ok(()));
}

async fn function(store: &impl DeploymentState, name: &str) -> Function {
    let function = store.function(&name.parse().expect("a name")).await.expect("it is read");
    function.unwrap_or_else(|| panic!("there is no function {name}"))
}

/// Makes `function` of `a.zip`, under the config `csc`.
pub(super) fn create(event: &str, function: &str, publish: bool) -> NewDeployment {
    let change = Change::Create { settings: Box::new(settings("made")), tags: tags(), publish };
    let mut new = new_deployment(event, request(function, "a.zip"));
    (new.change, new.request.alias) = (change, None);
    new.request.create = Some(CreateFunction { code_signing_config: Some("csc".parse().expect("a name")) });
    new
}

fn update_code(event: &str, key: &str, publish: bool, seen: Option<&str>) -> NewDeployment {
    let architecture = Some(Architecture::Arm64);
    let change = Change::UpdateCode { publish, architecture, revision: seen.map(revision) };
    NewDeployment { change, ..update(event, key) }
}

fn publish(event: &str, about: Option<&str>, code: Option<&[u8]>, seen: Option<&str>) -> NewDeployment {
    let (description, code_sha256) = (about.map(str::to_owned), code.map(Sha256Digest::of));
    let change = Change::PublishVersion { description, code_sha256, revision: seen.map(revision) };
    NewDeployment { change, ..update(event, "a.zip") }
}

/// A deployment to `hello`, which it does not make.
fn update(event: &str, key: &str) -> NewDeployment {
    let mut new = new_deployment(event, request("hello", key));
    (new.request.create, new.request.alias) = (None, None);
    new
}

fn settings(description: &str) -> FunctionSettings {
    let runtime = Some("python3.13".to_owned());
    FunctionSettings { runtime, description: description.to_owned(), ..FunctionSettings::default() }
}

fn tags() -> Tags {
    serde_json::from_str(r#"{"team":"a"}"#).expect("tags")
}

fn target(version: u64) -> AliasTarget {
    let version = FunctionVersion::Published(version);
    AliasTarget { version, description: String::new(), further: None }
}

fn further(version: u64) -> Option<FurtherVersion> {
    Some(FurtherVersion { version, weight: Weight::new(0.25)? })
}

fn revision(text: &str) -> RevisionId {
    text.parse().expect("a revision id")
}

fn failed() -> Finish {
    Finish::Failed { reason: "the target is full".to_owned() }
}

fn hello() -> FunctionName {
    "hello".parse().expect("a name")
}
