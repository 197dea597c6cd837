//! What the suites with a fleet share: a bucket's other users, and publishers that are no service of ours.
#![allow(dead_code, reason = "each suite uses a part")]

use std::path::Path;

use countersign_domain::{ObjectLocation, ObjectVersion, Prefix};
use countersign_objects::{S3Objects, S3Settings, StaticKeys};
use countersign_ports::objects::ObjectStore as _;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use secrecy::SecretString;
use serde_json::Value;
use tokio::runtime::Runtime;

/// Whoever else has keys to the buckets.
pub(crate) struct Store {
    objects: S3Objects,
    runtime: Runtime,
}

impl Store {
    /// With the keys of a server's environment.
    pub(crate) fn new(endpoint: &str, environment: &[(&'static str, String)]) -> Self {
        let value =
            |name: &str| environment.iter().find(|(key, _)| *key == name).expect("a variable").1.clone();
        let credentials = Some(StaticKeys {
            access_key_id: value("AWS_ACCESS_KEY_ID"),
            secret_access_key: SecretString::from(value("AWS_SECRET_ACCESS_KEY")),
        });
        let settings = S3Settings {
            endpoint: Some(endpoint.to_owned()),
            region: value("AWS_DEFAULT_REGION"),
            credentials,
            path_style: true,
        };
        let runtime = runtime();
        let objects = runtime.block_on(S3Objects::new(&settings));
        Self { objects, runtime }
    }

    /// Uploads a file and gives its version.
    pub(crate) fn put(&self, bucket: &str, key: &str, from: &Path) -> String {
        let written = self.runtime.block_on(self.objects.put(&location(bucket, key), from, None));
        written.expect("an upload").version.to_string()
    }

    /// Makes a versioned bucket.
    pub(crate) fn create_bucket(&self, bucket: &str) {
        let bucket = bucket.parse().expect("a bucket");
        self.runtime.block_on(self.objects.create_bucket(&bucket, true)).expect("a new bucket");
    }

    /// Leaves a delete marker.
    pub(crate) fn delete(&self, bucket: &str, key: &str) {
        self.runtime.block_on(self.objects.delete(&location(bucket, key))).expect("a delete marker");
    }

    /// The bytes of a version.
    pub(crate) fn get(&self, bucket: &str, key: &str, version: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("object");
        let ObjectLocation { bucket, key } = location(bucket, key);
        let object = ObjectVersion { bucket, key, version: version.parse().expect("a version") };
        self.runtime.block_on(self.objects.fetch(&object, 1 << 30, &path)).expect("an object");
        std::fs::read(path).expect("a fetched file")
    }

    /// Every version in a bucket, with its key, but for what a test planted.
    pub(crate) fn versions(&self, bucket: &str) -> Vec<(String, String)> {
        let bucket = Prefix { bucket: bucket.parse().expect("a bucket"), key_prefix: String::new() };
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = self.objects.list_versions(&bucket, after.as_ref());
            let page = self.runtime.block_on(page).expect("a page of versions");
            listed.extend(page.versions.into_iter().map(|facts| facts.object));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let texts = listed.iter().map(|object| (object.key.to_string(), object.version.to_string()));
        texts.filter(|(key, _)| !key.starts_with("planted/")).collect()
    }
}

/// Publishes an event as a client of AMQP that knows nothing of Countersign.
pub(crate) fn publish(url: &str, user: Option<&str>, event: &Value) {
    try_publish(url, user, event).expect("the broker takes it");
}

/// Like [`publish`], for what the broker may refuse.
pub(crate) fn try_publish(url: &str, user: Option<&str>, event: &Value) -> lapin::Result<()> {
    runtime().block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut properties = BasicProperties::default().with_delivery_mode(2);
        if let Some(user) = user {
            properties = properties.with_user_id(user.into());
        }
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let body = event.to_string();
        let (exchange, key) = ("countersign.events".into(), "deployment.requested".into());
        let confirmed =
            channel.basic_publish(exchange, key, options, body.as_bytes(), properties).await?.await?;
        assert!(matches!(confirmed, Confirmation::Ack(None)), "it reached no queue");
        Ok(())
    })
}

/// Binds a queue of its own to everything that a topic exchange gets.
pub(crate) fn observe(url: &str, exchange: &str, queue: &str) {
    runtime().block_on(async {
        let connection =
            Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), durable, FieldTable::default()).await.expect("a queue");
        let (options, nothing) = (QueueBindOptions::default(), FieldTable::default());
        channel
            .queue_bind(queue.into(), exchange.into(), "#".into(), options, nothing)
            .await
            .expect("a binding");
    });
}

fn location(bucket: &str, key: &str) -> ObjectLocation {
    ObjectLocation { bucket: bucket.parse().expect("a bucket"), key: key.parse().expect("a key") }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
