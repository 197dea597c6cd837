//! A world for a signer: buckets, state, a clock and a custody, each of which can be told to fail.

use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{
    EventId, JobArn, JobId, JobStatus, ObjectLocation, ObjectVersion, Platform, PrincipalArn, ProfileArn,
    ProfileVersionArn, Scope, Tags, UnixMillis, ValidityPeriod,
};
use countersign_keys::{FileKeys, Passphrase};
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_package::verify::{VerifiedPackage, verify};
use countersign_ports::Clock as _;
use countersign_ports::fakes::{FaultPlan, ManualClock, MemoryObjects, MemoryStore};
use countersign_ports::jobs::Job;
use countersign_ports::keys::{KeyError, Leaf, LeafId, SigningDigest, SigningKeys};
use countersign_ports::objects::ObjectStore;
use countersign_ports::profiles::{NewProfile, Profiles as _};
use countersign_ports::queue::{Delivery, Receipt};
use countersign_runtime::{DeployRoute, Handled, Handler as _, Route};
use countersign_signer::{Signer, SignerPorts, SignerSettings};
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

pub(crate) struct World {
    pub(crate) objects: MemoryObjects,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
    pub(crate) faults: FaultPlan,
    pub(crate) routes: Vec<Route>,
    pub(crate) package_limit_bytes: u64,
    keys: Arc<FaultyKeys>,
    roots: TrustRoots,
    folder: TempDir,
    starts: AtomicUsize,
}

impl World {
    /// The world of `countersign up`: versioned buckets `unsigned` and `signed`, a route between them that deploys, and
    /// the profile `default`.
    pub(crate) async fn new() -> Self {
        let world = Self::without_profile().await;
        world.create_profile("default").await;
        world
    }

    pub(crate) async fn without_profile() -> Self {
        let (faults, clock) = (FaultPlan::default(), ManualClock::default());
        let objects = MemoryObjects::new(faults.clone());
        for bucket in ["unsigned", "signed"] {
            objects.create_bucket(&bucket.parse().unwrap(), true);
        }
        let folder = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::from_text("correct horse").unwrap();
        let custody = folder.path().join("keys");
        let keys = FileKeys::open(&custody, passphrase, scope(), Arc::new(clock.clone())).await.unwrap();
        let roots = TrustRoots::from_pem(keys.trust_root_pem()).unwrap();
        Self {
            store: MemoryStore::new(faults.clone()),
            keys: Arc::new(FaultyKeys { keys, faults: faults.clone() }),
            routes: vec![route("s3://unsigned/", "s3://signed/")],
            package_limit_bytes: 250 * 1024 * 1024,
            starts: AtomicUsize::new(0),
            objects,
            clock,
            faults,
            roots,
            folder,
        }
    }

    pub(crate) async fn create_profile(&self, name: &str) {
        let new = NewProfile {
            arn: profile(name),
            platform: Platform::CountersignSha384Ecdsa,
            validity: ValidityPeriod::DEFAULT,
            tags: Tags::default(),
            created_at: self.clock.now(),
        };
        self.store.create_profile(&new).await.unwrap();
    }

    /// A newly started signer process.
    pub(crate) fn start(&self) -> Signer {
        self.start_on(Arc::new(self.objects.clone()))
    }

    /// Another process, which has a work directory of its own.
    pub(crate) fn start_beside(&self) -> Signer {
        self.start_with(Arc::new(self.objects.clone()), "beside")
    }

    pub(crate) fn start_on(&self, objects: Arc<dyn ObjectStore>) -> Signer {
        self.start_with(objects, "work")
    }

    fn start_with(&self, objects: Arc<dyn ObjectStore>, work_dir: &str) -> Signer {
        let worker = format!("worker-{}", self.starts.fetch_add(1, Ordering::SeqCst)).parse().unwrap();
        let settings = SignerSettings {
            scope: scope(),
            routes: self.routes.clone(),
            trust_roots: self.roots.clone(),
            work_dir: self.folder.path().join(work_dir),
            worker,
            package_limit_bytes: self.package_limit_bytes,
            gate_limits: Limits::default(),
            sweep_interval: Duration::from_secs(60),
        };
        let ports = SignerPorts {
            objects,
            jobs: Arc::new(self.store.clone()),
            profiles: Arc::new(self.store.clone()),
            keys: self.keys.clone(),
            clock: Arc::new(self.clock.clone()),
        };
        Signer::new(settings, ports).unwrap()
    }

    /// Uploads a package into the versioned bucket `unsigned`.
    pub(crate) fn drop_package(&self, key: &str, bytes: &[u8]) -> ObjectVersion {
        let location = ObjectLocation { bucket: "unsigned".parse().unwrap(), key: key.parse().unwrap() };
        self.objects.put(&location, bytes).unwrap()
    }

    /// The only job, which must have failed, by its reason; nothing was published, and its end was told.
    pub(crate) fn refusal(&self) -> String {
        let [job] = self.store.jobs().try_into().unwrap();
        assert_eq!((job.status, job.signature.as_ref()), (JobStatus::Failed, None));
        assert_eq!(self.told(), told_of(&job, &["started", "failed"]));
        self.assert_tidy();
        job.status_reason.unwrap()
    }

    /// The events told so far by id, each once.
    pub(crate) fn told(&self) -> Vec<EventId> {
        let mut ids: Vec<EventId> = Vec::new();
        for event in self.store.told() {
            if !ids.contains(&event.id) {
                ids.push(event.id);
            }
        }
        ids
    }

    /// What lies in the bucket `signed`.
    pub(crate) fn signed_objects(&self) -> Vec<ObjectVersion> {
        let versions = self.objects.versions().into_iter();
        versions.filter(|object| object.bucket.as_str() == "signed").collect()
    }

    pub(crate) fn verified(&self, object: &ObjectVersion) -> VerifiedPackage {
        let bytes = self.objects.content(object).unwrap();
        verify(&bytes, &self.roots, self.clock.now(), &Limits::default()).unwrap()
    }

    /// The one job, succeeded, with its one object, which verifies as this job's; each of its events was told.
    pub(crate) fn assert_signed_once(&self, source: &ObjectVersion, unsigned: &[u8]) -> Job {
        let [job] = self.store.jobs().try_into().unwrap();
        let [object] = self.signed_objects().try_into().unwrap();
        assert_eq!((job.status, &job.source), (JobStatus::Succeeded, source));
        let signature = job.signature.clone().unwrap();
        assert_eq!(signature.object, object);
        assert_eq!(object.key.as_str(), format!("{}.zip", job.arn.job()));
        let package = self.verified(&object);
        assert_eq!(package.statement().job_arn, job.arn);
        assert_eq!(package.statement().profile_version_arn, job.profile);
        assert_eq!(package.statement().expires_at, signature.expires_at);
        assert_eq!(package.unsigned_digest(), Some(countersign_domain::Sha256Digest::of(unsigned)));
        assert_eq!(self.told(), told_of(&job, &["started", "succeeded", "deployment"]));
        self.assert_tidy();
        job
    }

    /// Nothing is left in the work directory.
    pub(crate) fn assert_tidy(&self) {
        let left = std::fs::read_dir(self.folder.path().join("work")).unwrap();
        let left = left.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(left, 0, "files were left in the work directory");
    }

    pub(crate) fn job_of(&self, source: &ObjectVersion) -> JobArn {
        JobArn::new(scope(), JobId::for_drop(source, &profile("default")))
    }
}

fn told_of(job: &Job, what: &[&str]) -> Vec<EventId> {
    what.iter().map(|what| format!("{}/{what}", job.arn.job()).parse().unwrap()).collect()
}

pub(crate) fn scope() -> Scope {
    Scope::new("us-east-1", "000000000000").unwrap()
}

/// The account itself.
pub(crate) fn root() -> PrincipalArn {
    PrincipalArn::root(&scope())
}

pub(crate) fn profile(name: &str) -> ProfileVersionArn {
    let profile = ProfileArn::new(scope(), name.parse().unwrap());
    ProfileVersionArn::new(profile, "AbCdEfGhIj".parse().unwrap())
}

pub(crate) fn route(source: &str, destination: &str) -> Route {
    Route {
        source: source.parse().unwrap(),
        profile: "default".parse().unwrap(),
        destination: destination.parse().unwrap(),
        deploy: Some(DeployRoute {
            target: None,
            function: "{segment}".parse().unwrap(),
            alias: Some("live".parse().unwrap()),
            create: true,
            code_signing_config: Some("strict".parse().unwrap()),
        }),
    }
}

/// A small package whose content depends on `seed`.
pub(crate) fn package(seed: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("handler.py", SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
    writeln!(zip, "def handler(event, context): return {seed:?}").unwrap();
    zip.finish().unwrap().into_inner()
}

/// The notification of one or several creations, as AWS sends it.
pub(crate) fn notification(sources: &[&ObjectVersion]) -> Vec<u8> {
    let records: Vec<Value> = sources.iter().map(|source| record(source)).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

fn record(source: &ObjectVersion) -> Value {
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": { "name": source.bucket },
            "object": { "key": source.key, "versionId": source.version },
        },
    })
}

pub(crate) fn delivery(message: &str, attempt: u32, body: Vec<u8>) -> Delivery {
    Delivery {
        message_id: message.into(),
        publisher: Some("s3".into()),
        attempt,
        body,
        receipt: Receipt(format!("{message}-{attempt}")),
    }
}

/// Delivers the first delivery of `message`.
pub(crate) async fn deliver(signer: &Signer, message: &str, body: Vec<u8>) -> Handled {
    signer.handle(&delivery(message, 1, body)).await
}

pub(crate) fn reason(handled: Handled) -> String {
    match handled {
        Handled::Done => panic!("it was done"),
        Handled::Retry { reason, .. } => format!("retry: {reason}"),
        Handled::Reject { reason } => format!("reject: {reason}"),
    }
}

/// A custody whose answers can get lost.
struct FaultyKeys {
    keys: FileKeys,
    faults: FaultPlan,
}

#[async_trait]
impl SigningKeys for FaultyKeys {
    async fn leaf(
        &self,
        profile: &ProfileVersionArn,
        platform: Platform,
        at: UnixMillis,
    ) -> Result<Leaf, KeyError> {
        let leaf = self.keys.leaf(profile, platform, at).await;
        self.faults.apply("leaf", lost, || leaf)
    }

    async fn sign_digest(&self, id: &LeafId, digest: &SigningDigest) -> Result<Vec<u8>, KeyError> {
        let signature = self.keys.sign_digest(id, digest).await;
        self.faults.apply("sign_digest", lost, || signature)
    }
}

fn lost() -> KeyError {
    KeyError::Unavailable("told to fail".into())
}
