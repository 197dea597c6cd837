//! The object store's contract, to be held by stores of others.

use std::path::Path;

use async_trait::async_trait;
use countersign_domain::{BucketName, ObjectLocation};
use countersign_objects::{S3Objects, S3Settings, StaticKeys};
use countersign_ports::conformance::objects::{self, ObjectsUnderTest};
use countersign_ports::objects::{ObjectError, ObjectStore};

/// Another store, with an S3 endpoint of its own.
pub struct Elsewhere {
    store: S3Objects,
    habits: Habits,
}

/// Where a store falls short of S3.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// It heeds the condition that nothing be overwritten.
    pub heeds_conditions: bool,
    /// Its pages go on where the last one ended, also after a key that is written encoded.
    pub pages_encoded_keys: bool,
}

impl Elsewhere {
    /// The store at `endpoint`, which is empty.
    pub async fn new(endpoint: String, keys: StaticKeys, habits: Habits) -> Self {
        let settings = S3Settings {
            endpoint: Some(endpoint),
            region: "us-east-1".to_owned(),
            credentials: Some(keys),
            path_style: true,
        };
        let store = S3Objects::new(&settings).await;
        let page_size = u16::try_from(page_size(habits)).expect("S3 allows 1000");
        Self { store: store.with_page_size(page_size), habits }
    }

    /// Checks the contract of the port, and that health is told.
    pub async fn keeps_the_contract(&self) {
        let scratch = tempfile::tempdir().expect("it works");
        objects::check(self, scratch.path()).await;
        let known = ["versioned", "unversioned"].map(|name| name.parse().expect("it works"));
        assert_eq!(self.store.ping(&known).await, Ok(()));
        let missing: BucketName = "missing".parse().expect("it works");
        let gone = self.store.ping(std::slice::from_ref(&missing)).await;
        assert_eq!(gone, Err(ObjectError::NoSuchBucket(missing)));
    }
}

#[async_trait]
impl ObjectsUnderTest for Elsewhere {
    fn store(&self) -> &dyn ObjectStore {
        &self.store
    }

    async fn create_bucket(&self, name: &BucketName, versioned: bool) {
        self.store.create_bucket(name, versioned).await.expect("it works");
    }

    async fn upload(&self, object: &ObjectLocation, from: &Path) {
        match self.store.put(object, from, None).await {
            Ok(_) | Err(ObjectError::Unversioned(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn delete(&self, object: &ObjectLocation) {
        self.store.delete(object).await.expect("it works");
    }

    fn heeds_conditions(&self) -> bool {
        self.habits.heeds_conditions
    }

    fn page_size(&self) -> usize {
        page_size(self.habits)
    }
}

fn page_size(habits: Habits) -> usize {
    if habits.pages_encoded_keys { objects::PAGE_SIZE } else { 1000 }
}
