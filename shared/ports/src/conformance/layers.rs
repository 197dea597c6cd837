//! What every adapter of [`Layers`] has to do.

use countersign_domain::{LayerName, LayerPermission, RevisionId};

use super::samples::{at, code};
use crate::change::Refusal;
use crate::layers::{
    AboutLayer, LAYER_PERMISSIONS_MAX, LayerError, LayerPolicy, LayerVersion, Layers, NewLayerVersion,
};

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S: Layers + Clone + 'static>(make: impl AsyncFn() -> S) {
    every_publication_is_another_version(&make().await).await;
    of_many_published_at_once_each_has_its_number(&make().await).await;
    a_deleted_number_is_not_given_again(&make().await).await;
    pages_begin_where_the_last_one_ended(&make().await).await;
    a_policy_changes_from_one_revision_to_the_next(&make().await).await;
}

async fn every_publication_is_another_version(store: &impl Layers) {
    for number in [1, 2] {
        let published = store.publish_layer(&layer("one"), &new(b"same")).await.expect("it is published");
        assert_eq!((published.version, &published.content), (number, &code("l.zip", b"same")));
        assert_eq!((&published.about, published.created_at), (&new(b"same").about, at(1)));
        assert_eq!(store.layer_version(&layer("one"), number).await, Ok(Some(published)));
    }
    assert_eq!(store.publish_layer(&layer("two"), &new(b"x")).await.map(|layer| layer.version), Ok(1));
    assert_eq!(store.layer_version(&layer("one"), 3).await, Ok(None));
}

async fn of_many_published_at_once_each_has_its_number<S: Layers + Clone + 'static>(store: &S) {
    let mut publications = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        publications.spawn(async move { store.publish_layer(&layer("one"), &new(b"x")).await });
    }
    let published = publications.join_all().await.into_iter();
    let mut numbers: Vec<_> = published.map(|layer| layer.expect("it is published").version).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
}

async fn a_deleted_number_is_not_given_again(store: &impl Layers) {
    for _ in 0..2 {
        store.publish_layer(&layer("one"), &new(b"x")).await.expect("it is published");
    }
    for _again in 0..2 {
        assert_eq!(store.delete_layer_version(&layer("one"), 2).await, Ok(()));
    }
    assert_eq!(store.layer_version(&layer("one"), 2).await, Ok(None));
    assert_eq!(numbers(store.layer_versions(&layer("one"), None, 9).await), [1]);
    assert_eq!(numbers(store.list_layers(None, 9).await), [1], "the newest that is there");
    assert_eq!(store.publish_layer(&layer("one"), &new(b"x")).await.map(|layer| layer.version), Ok(3));
    for number in [1, 3] {
        assert_eq!(store.delete_layer_version(&layer("one"), number).await, Ok(()));
    }
    assert_eq!(store.list_layers(None, 9).await, Ok(vec![]), "a layer without versions");
    assert_eq!(store.publish_layer(&layer("one"), &new(b"x")).await.map(|layer| layer.version), Ok(4));
}

async fn pages_begin_where_the_last_one_ended(store: &impl Layers) {
    for name in ["b", "a", "c", "a", "a"] {
        store.publish_layer(&layer(name), &new(b"x")).await.expect("it is published");
    }
    let names = |page: Result<Vec<LayerVersion>, _>| -> Vec<String> {
        page.expect("it is read").into_iter().map(|version| version.layer.to_string()).collect()
    };
    assert_eq!(names(store.list_layers(None, 2).await), ["a", "b"]);
    assert_eq!(names(store.list_layers(Some(&layer("b")), 2).await), ["c"]);
    assert_eq!(numbers(store.layer_versions(&layer("a"), None, 2).await), [3, 2]);
    assert_eq!(numbers(store.layer_versions(&layer("a"), Some(2), 2).await), [1]);
}

async fn a_policy_changes_from_one_revision_to_the_next(store: &impl Layers) {
    let one = layer("one");
    let add = async |id: &str, expected: Option<&str>, new: &str| {
        let expected = expected.map(revision);
        store.add_layer_permission(&one, 1, &permission(id), expected.as_ref(), &revision(new)).await
    };
    let missing = LayerError::NoSuchVersion { layer: one.clone(), version: 1 };
    assert_eq!(add("s1", None, "r1").await, Err(missing.clone()));
    store.publish_layer(&one, &new(b"x")).await.expect("it is published");
    assert_eq!(store.layer_policy(&one, 1).await, Ok(None));
    assert!(
        matches!(add("s1", Some("r0"), "r1").await, Err(LayerError::Refused(_))),
        "there is no policy yet"
    );
    assert_eq!(add("s1", None, "r1").await, Ok(()));
    let other = Refusal::OtherRevision { expected: revision("r0"), standing: revision("r1") };
    assert_eq!(add("s2", Some("r0"), "r2").await, Err(LayerError::Refused(other)));
    let id = permission("s1").statement_id;
    assert_eq!(add("s1", Some("r1"), "r2").await, Err(LayerError::StatementExists(id.clone())));
    assert_eq!(add("s2", Some("r1"), "r2").await, Ok(()));
    let permissions = vec![permission("s1"), permission("s2")];
    let policy = LayerPolicy { revision: revision("r2"), permissions };
    assert_eq!(store.layer_policy(&one, 1).await, Ok(Some(policy)));
    let remove = async |id: &str, expected: Option<&str>| {
        let (id, expected) = (permission(id).statement_id, expected.map(revision));
        store.remove_layer_permission(&one, 1, &id, expected.as_ref(), &revision("r3")).await
    };
    assert!(matches!(remove("s1", Some("r1")).await, Err(LayerError::Refused(_))));
    assert_eq!(remove("s1", Some("r2")).await, Ok(()));
    assert_eq!(remove("s1", None).await, Err(LayerError::NoSuchStatement(id)));
    assert_eq!(remove("s2", None).await, Ok(()));
    assert_eq!(store.layer_policy(&one, 1).await, Ok(None), "the last one takes the policy along");
    for number in 0..LAYER_PERMISSIONS_MAX {
        assert_eq!(add(&format!("n{number}"), None, "r4").await, Ok(()));
    }
    assert_eq!(add("one-more", None, "r5").await, Err(LayerError::TooManyStatements));
    assert_eq!(store.delete_layer_version(&one, 1).await, Ok(()));
    assert_eq!(store.layer_policy(&one, 1).await, Ok(None));
    assert_eq!(add("s1", None, "r1").await, Err(missing));
}

fn numbers<E: std::fmt::Debug>(page: Result<Vec<LayerVersion>, E>) -> Vec<u64> {
    page.expect("it is read").into_iter().map(|version| version.version).collect()
}

fn new(content: &[u8]) -> NewLayerVersion {
    let about = AboutLayer { description: "for people".to_owned(), ..AboutLayer::default() };
    NewLayerVersion { content: code("l.zip", content), about, created_at: at(1) }
}

fn permission(id: &str) -> LayerPermission {
    let json = serde_json::json!({"statementId": id, "principal": "000000000000"});
    serde_json::from_value(json).expect("a permission")
}

fn layer(name: &str) -> LayerName {
    name.parse().expect("a layer name")
}

fn revision(text: &str) -> RevisionId {
    text.parse().expect("a revision id")
}
