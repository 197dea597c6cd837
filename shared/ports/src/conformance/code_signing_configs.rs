//! What every adapter of [`CodeSigningConfigs`] has to do with configs that the API makes.

use countersign_domain::{CodeSigningConfigId, PublisherArn, Tags, UntrustedArtifact};

use super::deployments::{DeploymentState, begun, decision, declare, deploy};
use super::samples::{at, config, lease, profile_arn, request, scope};
use crate::StoreError;
use crate::code_signing_configs::{CodeSigningConfigs, ConfigError, ConfigUpdate, KeptConfig, NewConfig};
use crate::deployments::Recording;
use crate::functions::FunctionError;

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: DeploymentState + Clone + 'static,
{
    a_config_is_kept_as_it_was_made(&make().await).await;
    an_update_changes_what_it_names(&make().await).await;
    a_change_of_policy_makes_a_decision_stale(&make().await).await;
    a_declared_config_is_read_only(&make().await).await;
    a_bound_config_is_not_deleted(&make().await).await;
    of_a_deletion_and_a_binding_one_happens(&make().await).await;
    pages_begin_where_the_last_one_ended(&make().await).await;
    tags_are_added_and_removed(&make().await).await;
}

async fn a_config_is_kept_as_it_was_made(store: &impl CodeSigningConfigs) {
    let new = new_config(1);
    assert_eq!(store.config(&new.id).await, Ok(None));
    let kept = store.create_config(&new).await.expect("it is made");
    assert_eq!((kept.declared, &kept.publishers, kept.last_modified), (false, &new.publishers, at(1)));
    assert_eq!(store.config(&new.id).await, Ok(Some(kept.clone())));
    assert_eq!(store.config_named(&new.id.as_name()).await, Ok(Some(kept.clone())));
    let demands =
        store.code_signing_config(&new.id.as_name()).await.expect("it is read").expect("it is there");
    assert_eq!(demands.allowed_publishers.len(), 1, "of all publishers only a profile admits: {demands:?}");
    assert_eq!(store.create_config(&new).await, Err(ConfigError::Exists(new.id.clone())));
    for publishers in [vec![], vec![new.publishers[0].clone(); 21]] {
        let (id, count) = (id(2), publishers.len());
        let refused = store.create_config(&NewConfig { id, publishers, ..new.clone() }).await;
        assert_eq!(refused, Err(ConfigError::Publishers(count)));
    }
}

async fn an_update_changes_what_it_names(store: &impl CodeSigningConfigs) {
    let made = store.create_config(&new_config(1)).await.expect("it is made");
    let unchanged = store.update_config(&made.id, &ConfigUpdate::default(), at(5)).await;
    assert_eq!(unchanged, Ok(made.clone()), "nothing was named");
    let untrusted_artifact = Some(UntrustedArtifact::Enforce);
    let update = ConfigUpdate { untrusted_artifact, ..ConfigUpdate::default() };
    let updated = store.update_config(&made.id, &update, at(6)).await.expect("it is there");
    let expected = KeptConfig {
        untrusted_artifact: UntrustedArtifact::Enforce,
        description: Some(String::new()),
        last_modified: at(6),
        ..made
    };
    assert_eq!(updated, expected);
    assert_eq!(store.config(&updated.id).await, Ok(Some(updated)));
    let none = ConfigUpdate { publishers: Some(Vec::new()), ..ConfigUpdate::default() };
    assert_eq!(store.update_config(&id(1), &none, at(7)).await, Err(ConfigError::Publishers(0)));
    let missing = store.update_config(&id(9), &update, at(7)).await;
    assert_eq!(missing, Err(ConfigError::NoSuchConfig(id(9))));
}

async fn a_change_of_policy_makes_a_decision_stale(store: &impl DeploymentState) {
    store.create_config(&new_config(1)).await.expect("it is made");
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    let w1 = lease("w1", 1, 10);
    let described = ConfigUpdate { description: Some("for people".into()), ..ConfigUpdate::default() };
    let enforced =
        ConfigUpdate { untrusted_artifact: Some(UntrustedArtifact::Enforce), ..ConfigUpdate::default() };
    let decided = decision(store, &new, b"a").await;
    store.update_config(&id(1), &enforced, at(2)).await.expect("it is there");
    assert_eq!(store.record(&decided, &w1, &[]).await, Ok(Recording::Stale));
    let decided = decision(store, &new, b"a").await;
    store.update_config(&id(1), &described, at(2)).await.expect("it is there");
    let recording = store.record(&decided, &w1, &[]).await;
    assert!(matches!(recording, Ok(Recording::Recorded(_))), "a description is no policy: {recording:?}");
}

async fn a_declared_config_is_read_only(store: &impl DeploymentState) {
    declare(store).await;
    store.create_config(&new_config(1)).await.expect("it is made");
    let declared = CodeSigningConfigId::for_name(&scope(), &config("csc", "p1").name);
    let kept = store.config(&declared).await.expect("it is read").expect("a declared config has an id");
    assert!(kept.declared && kept.demands() == config("csc", "p1"), "{kept:?}");
    let read_only = ConfigError::Declared(kept.name.clone());
    let update = ConfigUpdate { description: Some("x".into()), ..ConfigUpdate::default() };
    assert_eq!(store.update_config(&declared, &update, at(2)).await, Err(read_only.clone()));
    assert_eq!(store.delete_config(&declared).await, Err(read_only.clone()));
    assert_eq!(store.tag_config(&declared, &Tags::default(), &[]).await, Err(read_only));
    assert_eq!(store.declare(&scope(), &[], at(3)).await, Ok(()));
    assert_eq!(store.config(&declared).await, Ok(None));
    assert!(store.config(&id(1)).await.expect("it is read").is_some(), "the API's own stays");
    let named_like_an_id = store.declare(&scope(), &[config(id(3).as_str(), "p1")], at(3)).await;
    assert!(matches!(named_like_an_id, Err(StoreError::Conflict(_))), "{named_like_an_id:?}");
}

async fn a_bound_config_is_not_deleted(store: &impl DeploymentState) {
    store.create_config(&new_config(1)).await.expect("it is made");
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    deploy(store, &new, b"a").await;
    let hello = &new.request.function_name;
    assert_eq!(store.functions_of_config(&id(1), None, 9).await, Ok(vec![]));
    assert_eq!(store.bind(hello, Some(&id(1).as_name())).await, Ok(()));
    assert_eq!(store.functions_of_config(&id(1), None, 9).await, Ok(vec![hello.clone()]));
    assert_eq!(store.functions_of_config(&id(1), Some(hello), 9).await, Ok(vec![]));
    let bound = ConfigError::Bound { id: id(1), function: hello.clone() };
    assert_eq!(store.delete_config(&id(1)).await, Err(bound));
    assert_eq!(store.bind(hello, None).await, Ok(()));
    assert_eq!(store.delete_config(&id(1)).await, Ok(()));
    assert_eq!(store.delete_config(&id(1)).await, Err(ConfigError::NoSuchConfig(id(1))));
    let missing = FunctionError::NoSuchConfig(id(1).as_name());
    assert_eq!(store.bind(hello, Some(&id(1).as_name())).await, Err(missing.clone()));
    assert_eq!(store.bind(&"none".parse().expect("a name"), Some(&id(1).as_name())).await, Err(missing));
}

async fn of_a_deletion_and_a_binding_one_happens<S: DeploymentState + Clone + 'static>(store: &S) {
    let new = begun(store, "e1", request("hello", "a.zip")).await;
    deploy(store, &new, b"a").await;
    let hello = new.request.function_name.clone();
    for round in 1..20 {
        store.create_config(&new_config(round)).await.expect("it is made");
        let (id, name) = (id(round), id(round).as_name());
        let (one, other, function) = (store.clone(), store.clone(), hello.clone());
        let binding = tokio::spawn(async move { one.bind(&function, Some(&name)).await });
        let deletion = tokio::spawn(async move { other.delete_config(&id).await });
        match (binding.await.expect("it runs"), deletion.await.expect("it runs")) {
            (Ok(()), Err(ConfigError::Bound { .. })) | (Err(FunctionError::NoSuchConfig(_)), Ok(())) => {}
            both => panic!("{both:?}"),
        }
        assert_eq!(store.bind(&hello, None).await, Ok(()));
    }
}

async fn pages_begin_where_the_last_one_ended(store: &impl CodeSigningConfigs) {
    for number in [3, 1, 2] {
        store.create_config(&new_config(number)).await.expect("it is made");
    }
    let ids = |page: Result<Vec<KeptConfig>, _>| -> Vec<_> {
        page.expect("it is read").into_iter().map(|kept| kept.id).collect()
    };
    assert_eq!(ids(store.configs(None, 2).await), [id(1), id(2)]);
    assert_eq!(ids(store.configs(Some(&id(2)), 2).await), [id(3)]);
    assert_eq!(ids(store.configs(Some(&id(3)), 2).await), []);
}

async fn tags_are_added_and_removed(store: &impl CodeSigningConfigs) {
    store.create_config(&new_config(1)).await.expect("it is made");
    let tags = |json: &str| serde_json::from_str::<Tags>(json).expect("tags");
    assert_eq!(store.tag_config(&id(1), &tags(r#"{"a":"1","b":"2"}"#), &[]).await, Ok(()));
    let removed = ["a".parse().expect("a key")];
    assert_eq!(store.tag_config(&id(1), &tags(r#"{"b":"3"}"#), &removed).await, Ok(()));
    let kept = store.config(&id(1)).await.expect("it is read").expect("it is there");
    assert_eq!(kept.tags, tags(r#"{"b":"3"}"#));
    let missing = store.tag_config(&id(2), &Tags::default(), &[]).await;
    assert_eq!(missing, Err(ConfigError::NoSuchConfig(id(2))));
}

fn id(number: u8) -> CodeSigningConfigId {
    CodeSigningConfigId::from_random([number; 8])
}

/// A config of one profile and of a text that only looks like a publisher.
pub(super) fn new_config(number: u8) -> NewConfig {
    let publishers = [profile_arn("p1").to_string(), "arn:aws:s3:::bucket".to_owned()];
    NewConfig {
        id: id(number),
        description: None,
        publishers: publishers.map(|arn| arn.parse::<PublisherArn>().expect("an ARN")).to_vec(),
        untrusted_artifact: UntrustedArtifact::Warn,
        tags: Tags::default(),
        created_at: at(1),
    }
}
