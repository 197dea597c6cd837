//! A world for a deployer: signed packages, state, a clock and a target, each of which can be told to fail.

use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_deployer::{Deployer, DeployerPorts, DeployerSettings, Targets};
use countersign_domain::event::{CreateFunction, DeploymentRequest};
use countersign_domain::{
    CodeSigningConfig, DeploymentId, Event, EventData, EventId, FunctionName, JobArn, JobId, ObjectLocation,
    ObjectVersion, Platform, PrincipalArn, ProfileArn, ProfileVersionArn, Scope, Sha256Digest, Tags,
    UnixMillis, UntrustedArtifact, ValidityPeriod,
};
use countersign_keys::{FileKeys, Passphrase};
use countersign_package::chain::{CertificateChain, TrustRoots};
use countersign_package::limits::Limits;
use countersign_package::sign::Unsigned;
use countersign_package::statement::Statement;
use countersign_ports::code_signing_configs::CodeSigningConfigs as _;
use countersign_ports::deployments::{Deployments, Finish};
use countersign_ports::fakes::{FaultPlan, ManualClock, MemoryObjects, MemoryStore, MemoryTarget};
use countersign_ports::jobs::{Jobs as _, NewJob, Signature};
use countersign_ports::keys::{SigningDigest, SigningKeys as _};
use countersign_ports::profiles::{NewProfile, Profiles as _};
use countersign_ports::queue::{Delivery, Receipt};
use countersign_ports::targets::DeployTarget;
use countersign_ports::{Clock as _, Lease};
use countersign_runtime::{Authority, Handled, Handler as _, Principal};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

pub(crate) struct World {
    pub(crate) objects: MemoryObjects,
    pub(crate) store: MemoryStore,
    pub(crate) target: MemoryTarget,
    pub(crate) clock: ManualClock,
    pub(crate) faults: FaultPlan,
    pub(crate) require_code_signing: bool,
    pub(crate) package_limit_bytes: u64,
    keys: FileKeys,
    folder: TempDir,
    starts: AtomicUsize,
    jobs: AtomicUsize,
}

/// A signed package in the bucket `signed`, with the job that signed it.
pub(crate) struct SignedPackage {
    pub(crate) object: ObjectVersion,
    pub(crate) bytes: Vec<u8>,
    pub(crate) job: JobArn,
}

impl World {
    /// A versioned bucket `signed`, the profiles `default` and `other`, and code signing configs `strict` (Enforce) and
    /// `lenient` (Warn) that allow `default` alone.
    pub(crate) async fn new() -> Self {
        let (faults, clock) = (FaultPlan::default(), ManualClock::default());
        let objects = MemoryObjects::new(faults.clone());
        objects.create_bucket(&"signed".parse().unwrap(), true);
        let folder = tempfile::tempdir().unwrap();
        let keys = custody(&folder, &clock).await;
        let store = MemoryStore::new(faults.clone());
        for name in ["default", "other"] {
            store.create_profile(&new_profile(name, clock.now())).await.unwrap();
        }
        let configs =
            [config("strict", UntrustedArtifact::Enforce), config("lenient", UntrustedArtifact::Warn)];
        store.declare(&scope(), &configs, UnixMillis::EPOCH).await.unwrap();
        Self {
            target: MemoryTarget::new(faults.clone()),
            require_code_signing: false,
            package_limit_bytes: 252 * 1024 * 1024,
            starts: AtomicUsize::new(0),
            jobs: AtomicUsize::new(0),
            objects,
            store,
            clock,
            faults,
            keys,
            folder,
        }
    }

    /// A newly started deployer process.
    pub(crate) fn start(&self) -> Deployer {
        self.start_on(Arc::new(self.store.clone()), Arc::new(self.target.clone()))
    }

    pub(crate) fn start_on(
        &self,
        deployments: Arc<dyn Deployments>,
        target: Arc<dyn DeployTarget>,
    ) -> Deployer {
        let worker = format!("worker-{}", self.starts.fetch_add(1, Ordering::SeqCst)).parse().unwrap();
        let settings = DeployerSettings {
            trust_roots: TrustRoots::from_pem(self.keys.trust_root_pem()).unwrap(),
            work_dir: self.folder.path().join("work"),
            authority: authority(principal("ci").with_publishers([PUBLISHER]).with_all_rights()),
            worker,
            code_bucket: "signed".parse().unwrap(),
            require_code_signing: self.require_code_signing,
            package_limit_bytes: self.package_limit_bytes,
            gate_limits: Limits::default(),
        };
        let ports = DeployerPorts {
            objects: Arc::new(self.objects.clone()),
            deployments,
            functions: Arc::new(self.store.clone()),
            target_changes: Arc::new(self.store.clone()),
            revocations: Arc::new(self.store.clone()),
            targets: Targets::new("memory".parse().unwrap(), target),
            clock: Arc::new(self.clock.clone()),
        };
        Deployer::new(settings, ports).unwrap()
    }

    /// A package signed by `default` in a job that the store knows.
    pub(crate) async fn signed(&self, seed: &str) -> SignedPackage {
        self.signed_by("default", seed, ValidityPeriod::DEFAULT).await
    }

    pub(crate) async fn signed_by(&self, name: &str, seed: &str, validity: ValidityPeriod) -> SignedPackage {
        let number = u8::try_from(self.jobs.fetch_add(1, Ordering::SeqCst)).unwrap();
        let job = JobArn::new(scope(), JobId::from_random([number; 16]));
        let (unsigned, now) = (package(seed), self.clock.now());
        let bytes = sign(&self.keys, &unsigned, &job, &profile(name), now, validity).await;
        let object = self.upload(&format!("{}.zip", job.job()), &bytes);
        self.remember(&job, name, &object, &unsigned, validity).await;
        SignedPackage { object, bytes, job }
    }

    async fn remember(
        &self,
        job: &JobArn,
        name: &str,
        object: &ObjectVersion,
        unsigned: &[u8],
        validity: ValidityPeriod,
    ) {
        let now = self.clock.now();
        let new = NewJob {
            arn: job.clone(),
            source: object.clone(),
            profile: profile(name),
            platform: Platform::CountersignSha384Ecdsa,
            destination: "s3://signed/".parse().unwrap(),
            requested_by: root(),
            invoker: root().account().clone(),
            created_at: now,
        };
        let lease = Lease { worker: "signer".parse().unwrap(), now, until: now.plus_millis(1000) };
        let signature = Signature {
            object: object.clone(),
            signed_by: job.clone(),
            unsigned_sha256: Sha256Digest::of(unsigned),
            expires_at: validity.after(now),
            completed_at: now,
        };
        let started = event(&format!("{}/started", job.job()), request("unused", object));
        self.store.claim_job(&new, &lease, &started).await.unwrap();
        self.store.succeed_job(job, &lease, &signature, &[]).await.unwrap();
    }

    pub(crate) fn upload(&self, key: &str, bytes: &[u8]) -> ObjectVersion {
        let location = ObjectLocation { bucket: "signed".parse().unwrap(), key: key.parse().unwrap() };
        self.objects.put(&location, bytes).unwrap()
    }

    /// How the deployment of the event `id` ended.
    pub(crate) async fn finish(&self, id: &str) -> Option<Finish> {
        let id = deployment(id);
        self.store.deployment(id).await.unwrap()?.finish
    }

    /// The reason of the failed deployment of the event `id`; nothing stands, and its end was told.
    pub(crate) async fn failure(&self, id: &str) -> String {
        let Some(Finish::Failed { reason }) = self.finish(id).await else {
            panic!("{:?}", self.finish(id).await);
        };
        assert!(self.target.versions(&hello()).is_empty(), "a version stands");
        assert_eq!(self.told(id), ["failed"]);
        self.assert_tidy();
        reason
    }

    /// What was told of the deployment of the event `id`: the last parts of the event ids, each once.
    pub(crate) fn told(&self, id: &str) -> Vec<String> {
        let prefix = format!("{}/", deployment(id));
        let mut told: Vec<String> = Vec::new();
        for event in self.store.told() {
            let what = event.id.as_str().strip_prefix(&prefix).map(str::to_owned);
            told.extend(what.filter(|what| !told.contains(what)));
        }
        told
    }

    /// The data of the event `what` of the deployment of the event `id`.
    pub(crate) fn told_as(&self, id: &str, what: &str) -> EventData {
        let id: EventId = format!("{}/{what}", deployment(id)).parse().unwrap();
        self.store.told().into_iter().find(|event| event.id == id).unwrap().data
    }

    /// Nothing is left in the work directory.
    pub(crate) fn assert_tidy(&self) {
        let left = std::fs::read_dir(self.folder.path().join("work")).unwrap();
        let left = left.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(left, 0, "files were left in the work directory");
    }

    /// The one version that stands of `hello`, and what `live` points to.
    pub(crate) fn live(&self) -> (Vec<u64>, Option<u64>) {
        (self.target.versions(&hello()), self.target.resolve(&hello(), &"live".parse().unwrap()))
    }
}

/// `package` signed by another installation, whose root nobody here trusts.
pub(crate) async fn signed_elsewhere(world: &World, seed: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let keys = custody(&folder, &world.clock).await;
    let job = JobArn::new(scope(), JobId::from_random([99; 16]));
    sign(&keys, &package(seed), &job, &profile("default"), world.clock.now(), ValidityPeriod::DEFAULT).await
}

async fn custody(folder: &TempDir, clock: &ManualClock) -> FileKeys {
    let passphrase = Passphrase::from_text("correct horse").unwrap();
    FileKeys::open(&folder.path().join("keys"), passphrase, scope(), Arc::new(clock.clone())).await.unwrap()
}

async fn sign(
    keys: &FileKeys,
    unsigned: &[u8],
    job: &JobArn,
    profile: &ProfileVersionArn,
    now: UnixMillis,
    validity: ValidityPeriod,
) -> Vec<u8> {
    let platform = Platform::CountersignSha384Ecdsa;
    let leaf = keys.leaf(profile, platform, now).await.unwrap();
    let statement = Statement {
        platform,
        job_arn: job.clone(),
        profile_version_arn: profile.clone(),
        signing_time: now,
        expires_at: validity.after(now),
    };
    let chain = CertificateChain::from_der(&leaf.certificates).unwrap();
    let prepared = Unsigned::open(unsigned, &Limits::default(), platform).unwrap();
    let prepared = prepared.prepare(statement, chain).unwrap();
    let digest = SigningDigest::Sha384(prepared.digest().digest().try_into().unwrap());
    let signature = keys.sign_digest(&leaf.id, &digest).await.unwrap();
    let mut signed = Vec::new();
    prepared.finish(&signature, &mut signed).unwrap();
    signed
}

/// The account itself.
pub(crate) fn root() -> PrincipalArn {
    PrincipalArn::root(&scope())
}

fn new_profile(name: &str, created_at: UnixMillis) -> NewProfile {
    NewProfile {
        arn: profile(name),
        platform: Platform::CountersignSha384Ecdsa,
        validity: ValidityPeriod::DEFAULT,
        tags: Tags::default(),
        created_at,
    }
}

pub(crate) fn config(name: &str, untrusted_artifact: UntrustedArtifact) -> CodeSigningConfig {
    CodeSigningConfig {
        name: name.parse().unwrap(),
        allowed_publishers: vec![profile("default").profile().to_string().parse().unwrap()],
        untrusted_artifact,
    }
}

pub(crate) fn scope() -> Scope {
    Scope::new("us-east-1", "000000000000").unwrap()
}

pub(crate) fn profile(name: &str) -> ProfileVersionArn {
    let profile = ProfileArn::new(scope(), name.parse().unwrap());
    ProfileVersionArn::new(profile, "AbCdEfGhIj".parse().unwrap())
}

pub(crate) fn hello() -> FunctionName {
    "hello".parse().unwrap()
}

/// A small package whose content depends on `seed`.
pub(crate) fn package(seed: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("handler.py", SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
    writeln!(zip, "def handler(event, context): return {seed:?}").unwrap();
    zip.finish().unwrap().into_inner()
}

/// Asks for `hello` at `live`, to be made under the code signing config `config`.
pub(crate) fn request(config: &str, code: &ObjectVersion) -> DeploymentRequest {
    DeploymentRequest {
        function_name: hello(),
        code: code.clone().into(),
        layers: Vec::new(),
        alias: Some("live".parse().unwrap()),
        target: None,
        create: Some(CreateFunction { code_signing_config: Some(config.parse().unwrap()) }),
    }
}

pub(crate) fn event(id: &str, request: DeploymentRequest) -> Event {
    let time = "2026-11-21T08:30:00Z".parse().unwrap();
    Event::new(id.parse().unwrap(), "/ci", time, EventData::DeploymentRequested(request))
}

pub(crate) fn body(id: &str, request: &DeploymentRequest) -> Vec<u8> {
    serde_json::to_vec(&event(id, request.clone())).unwrap()
}

pub(crate) fn delivery(message: &str, attempt: u32, body: Vec<u8>) -> Delivery {
    Delivery {
        message_id: message.into(),
        publisher: Some(PUBLISHER.into()),
        attempt,
        body,
        receipt: Receipt(format!("{message}-{attempt}")),
    }
}

/// Delivers the event `id` for the first time.
pub(crate) async fn deliver(deployer: &Deployer, id: &str, request: &DeploymentRequest) -> Handled {
    deployer.handle(&delivery(id, 1, body(id, request))).await
}

/// The deployment that the event `id` asks for.
pub(crate) fn deployment(id: &str) -> DeploymentId {
    DeploymentId::for_event(&"ci".parse().unwrap(), &id.parse().unwrap())
}

/// A principal of this installation that may nothing yet.
pub(crate) fn principal(name: &str) -> Principal {
    Principal::new(name.parse().unwrap(), scope().account().as_str().parse().unwrap())
}

/// An authority that knows `principal` alone.
pub(crate) fn authority(principal: Principal) -> Authority {
    Authority::new(scope()).with(principal)
}

/// Who publishes, as the broker says.
pub(crate) const PUBLISHER: &str = "ci-bot";
