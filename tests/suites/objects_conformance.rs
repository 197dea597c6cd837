//! The object store's contract, held by the real client against the real embedded endpoint and against other stores; and
//! what the client and the embedded endpoint owe each other beyond it: notifications that the client's parser reads, refusals that say what to do.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use countersign_domain::{BucketName, ObjectLocation, Sha256Digest, UnixMillis};
use countersign_embedded_s3::{EmbeddedS3, OneKey};
use countersign_objects::{S3Objects, S3Settings, StaticKeys, events};
use countersign_ports::conformance::objects::{self, ObjectsUnderTest};
use countersign_ports::objects::{ObjectError, ObjectStore};
use countersign_tests::elsewhere::{Elsewhere, Habits};
use countersign_tests::servers::{self, LocalStack};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

struct Served {
    store: S3Objects,
    settings: S3Settings,
    embedded: EmbeddedS3,
    shutdown: CancellationToken,
    folder: TempDir,
}

impl Served {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let credentials =
            Arc::new(OneKey { access_key_id: KEY_ID.to_owned(), secret_access_key: SECRET.into() });
        let clock = Arc::new(|| UnixMillis::new(1_795_000_000_000).unwrap());
        let data = folder.path().join("data");
        let embedded = EmbeddedS3::open(&data, clock, credentials, REGION.to_owned()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = settings(&listener.local_addr().unwrap().to_string(), SECRET);
        let shutdown = CancellationToken::new();
        tokio::spawn({
            let (service, shutdown) = (embedded.service(), shutdown.clone());
            async move { countersign_runtime::listen::serve(service, listener, shutdown).await }
        });
        let store =
            S3Objects::new(&settings).await.with_page_size(u16::try_from(objects::PAGE_SIZE).unwrap());
        Self { store, settings, embedded, shutdown, folder }
    }

    fn file(&self, content: &[u8]) -> std::path::PathBuf {
        let path = self.folder.path().join("file");
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[async_trait]
impl ObjectsUnderTest for Served {
    fn store(&self) -> &dyn ObjectStore {
        &self.store
    }

    async fn create_bucket(&self, name: &BucketName, versioned: bool) {
        self.store.create_bucket(name, versioned).await.unwrap();
    }

    async fn upload(&self, object: &ObjectLocation, from: &Path) {
        match self.store.put(object, from, None).await {
            Ok(_) | Err(ObjectError::Unversioned(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn delete(&self, object: &ObjectLocation) {
        self.store.delete(object).await.unwrap();
    }
}

#[tokio::test]
async fn the_client_and_the_embedded_endpoint_keep_the_contract() {
    let served = Served::new().await;
    let scratch = served.folder.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    objects::check(&served, &scratch).await;
}

/// LocalStack compares a page's marker with encoded keys, whether the marker is encoded or not.
#[tokio::test]
async fn the_client_and_localstack_keep_the_contract() {
    let localstack = LocalStack::start_empty();
    let keys = StaticKeys {
        access_key_id: servers::ACCESS_KEY_ID.to_owned(),
        secret_access_key: SecretString::from(servers::SECRET_ACCESS_KEY.to_owned()),
    };
    let habits = Habits { heeds_conditions: true, pages_encoded_keys: false };
    Elsewhere::new(localstack.endpoint(), keys, habits).await.keeps_the_contract().await;
}

#[tokio::test]
async fn making_a_bucket_twice_changes_nothing() {
    let served = Served::new().await;
    let (bucket, object) = (bucket(), location("a.zip"));
    served.store.create_bucket(&bucket, true).await.unwrap();
    let version = served.store.put(&object, &served.file(b"zip"), None).await.unwrap();
    served.store.create_bucket(&bucket, true).await.unwrap();
    served.store.create_bucket(&bucket, false).await.unwrap();
    assert_eq!(served.store.keeps_versions(&bucket).await, Ok(true), "versioning that is on stays on");
    assert_eq!(served.store.newest(&object).await.unwrap().unwrap().object, version);
}

#[tokio::test]
async fn progress_counts_every_byte() {
    let served = Served::new().await;
    served.store.create_bucket(&bucket(), true).await.unwrap();
    let content = vec![7; 1_000_000];
    let [last, calls] = [Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0))];
    let progress: countersign_objects::Progress = Arc::new({
        let (last, calls) = (Arc::clone(&last), Arc::clone(&calls));
        move |sent| {
            calls.fetch_add(1, Ordering::Relaxed);
            assert!(last.swap(sent, Ordering::Relaxed) < sent);
        }
    });
    let version = served.store.put(&location("a.zip"), &served.file(&content), Some(progress)).await.unwrap();
    assert_eq!(last.load(Ordering::Relaxed), 1_000_000);
    assert!(calls.load(Ordering::Relaxed) > 1);
    let fetched = served.store.fetch(&version, 1_000_000, &served.folder.path().join("back")).await.unwrap();
    assert_eq!(fetched.sha256, Sha256Digest::of(&content));
}

#[tokio::test]
async fn a_wrong_secret_is_denied_and_never_shown() {
    let served = Served::new().await;
    served.store.create_bucket(&bucket(), true).await.unwrap();
    let mut settings = served.settings.clone();
    settings.credentials = Some(keys("another secret"));
    let stranger = S3Objects::new(&settings).await;
    let denied = stranger.put(&location("a.zip"), &served.file(b"zip"), None).await.unwrap_err();
    assert!(matches!(&denied, ObjectError::Denied(why) if why.contains("SignatureDoesNotMatch")), "{denied}");
    assert!(!denied.to_string().contains("another secret"));
    for error in [
        stranger.newest(&location("a.zip")).await.unwrap_err(),
        stranger.keeps_versions(&bucket()).await.unwrap_err(),
    ] {
        assert!(matches!(error, ObjectError::Denied(_)), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let nobody = S3Objects::new(&settings(&address, SECRET)).await;
    let error = nobody.newest(&location("a.zip")).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unavailable(_)) && error.is_transient(), "{error}");
}

#[tokio::test]
async fn the_endpoints_notifications_name_what_was_uploaded() {
    let served = Served::new().await;
    served.store.create_bucket(&bucket(), true).await.unwrap();
    for key in ["a b+c.zip", "ä/%2F&.zip", "plain/fn.zip"] {
        let version = served.store.put(&location(key), &served.file(b"zip"), None).await.unwrap();
        let pending = served.embedded.pending_notifications(10).await.unwrap();
        let [notification] = &pending[..] else { panic!("{} notifications", pending.len()) };
        let created = events::parse(notification.body.to_string().as_bytes()).unwrap();
        assert_eq!(created, [Ok(events::ObjectCreated { candidates: vec![version] })]);
        served.embedded.mark_delivered(std::slice::from_ref(&notification.id)).await.unwrap();
    }
}

fn settings(address: &str, secret: &str) -> S3Settings {
    S3Settings {
        endpoint: Some(format!("http://{address}")),
        region: REGION.to_owned(),
        credentials: Some(keys(secret)),
        path_style: true,
    }
}

fn keys(secret: &str) -> StaticKeys {
    StaticKeys { access_key_id: KEY_ID.to_owned(), secret_access_key: SecretString::from(secret.to_owned()) }
}

fn bucket() -> BucketName {
    "unsigned".parse().unwrap()
}

fn location(key: &str) -> ObjectLocation {
    ObjectLocation { bucket: bucket(), key: key.parse().unwrap() }
}

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-central-1";
