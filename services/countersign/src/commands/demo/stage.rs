//! Where the demo plays: the system of `up`, and the people who use and misuse it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use countersign_domain::event::{CreateFunction, DeploymentRequest};
use countersign_domain::{
    DeploymentId, Event, EventData, EventId, JobArn, JobId, ObjectLocation, ObjectVersion, Platform,
    PrincipalArn, ProfileName, UnixMillis, ValidityPeriod,
};
use countersign_keys::Passphrase;
use countersign_package::limits::Limits;
use countersign_package::statement::Statement;
use countersign_ports::Clock;
use countersign_ports::keys::SigningKeys;
use countersign_ports::objects::ObjectStore;
use countersign_ports::profiles::{Profile, Profiles};
use countersign_ports::queue::EventBus;
use countersign_ports::revocations::RevocationRegistry;
use countersign_runtime::{Config, DataDir, Environment, SystemClock, random, route_of};
use countersign_signer::custody;
use countersign_signer::profile::new_profile;
use countersign_store::SqliteStore;

use super::packages;
use crate::events::Follower;
use crate::follow::{self, Followed};
use crate::signing;
use crate::system::{PUBLISHER, Parts, System, own_principal};

/// Whose function it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Warn,
    Enforce,
}

impl Policy {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "Warn",
            Self::Enforce => "Enforce",
        }
    }

    /// The function and the code signing config of this policy.
    fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

/// A running system in a temporary directory.
pub(super) struct Stage {
    folder: PathBuf,
    config: Config,
    system: System,
    follower: Follower,
    signed: Option<ObjectVersion>,
}

impl Stage {
    pub(super) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let data = DataDir::new(&folder.join("data"));
        data.create()?;
        // Made here, so that nobody is told to keep a copy of it.
        Passphrase::load_or_create(&data.key_passphrase())?;
        let environment = Environment::default();
        let config = Config::parse(CONFIG, folder, &environment)?;
        let parts = Parts::open(&data, &config, &environment).await?;
        let buckets =
            config.routes.iter().flat_map(|route| [&route.source.bucket, &route.destination.bucket]);
        parts.ensure_buckets(buckets).await?;
        for (name, platform) in PROFILES {
            let now = SystemClock.now();
            let new = new_profile(&config.scope, &name.parse()?, platform, ValidityPeriod::DEFAULT, now)?;
            parts.store.create_profile(&new).await?;
        }
        let follower = Follower::from_now(parts.queue.clone()).await?;
        let system = System::start(parts, &data, &config).await?;
        Ok(Self { folder: folder.to_owned(), config, system, follower, signed: None })
    }

    pub(super) async fn close(self) {
        self.system.stop().await;
    }

    pub(super) fn store(&self) -> &SqliteStore {
        &self.system.parts.store
    }

    /// Who revokes in the demo: the account itself.
    pub(super) fn operator(&self) -> PrincipalArn {
        PrincipalArn::root(&self.config.scope)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Uploads a package below `s3://unsigned/` and follows it to its end.
    pub(super) async fn drop_package(&mut self, package: &Path, key: &str) -> anyhow::Result<Followed> {
        let object = ObjectLocation { bucket: "unsigned".parse()?, key: key.parse()? };
        let route = route_of(&self.config.routes, &object).context("a route of the demo")?;
        let source = self.system.parts.objects.put(&object, package, None).await?;
        let followed = in_time(follow::follow(&mut self.follower, &source, route)).await?;
        if let Followed::Deployed { report, .. } = &followed {
            self.signed = Some(report.code.clone().into());
        }
        Ok(followed)
    }

    /// The signed object of the package that was dropped and deployed.
    pub(super) fn signed_object(&self) -> anyhow::Result<ObjectVersion> {
        self.signed.clone().context("the dropped package was not deployed")
    }

    /// The job that made the signature of a signed object.
    pub(super) async fn job_of(&self, signed: &ObjectVersion) -> anyhow::Result<JobArn> {
        let jobs = self.store().newest_jobs(100).await?;
        let mut signatures = jobs.into_iter().filter_map(|job| job.signature);
        let signature = signatures.find(|signature| signature.object == *signed);
        Ok(signature.with_context(|| format!("no job signed {signed}"))?.signed_by)
    }

    /// Asks for a deployment as anybody may who can publish events, and follows it to its end.
    pub(super) async fn deploy(
        &mut self,
        case: &str,
        code: &ObjectVersion,
        policy: Policy,
    ) -> anyhow::Result<Followed> {
        let id: EventId = format!("demo/{}/{}", case.replace(' ', "-"), policy.name()).parse()?;
        let deployment = DeploymentId::for_event(&own_principal(), &id);
        let request = DeploymentRequest {
            function_name: policy.name().parse()?,
            code: code.clone().into(),
            layers: Vec::new(),
            alias: Some("live".parse()?),
            target: None,
            create: Some(CreateFunction { code_signing_config: Some(policy.name().parse()?) }),
        };
        let event =
            Event::new(id, "/countersign/demo", SystemClock.now(), EventData::DeploymentRequested(request));
        self.system.parts.queue.bus(PUBLISHER).publish(&event).await?;
        in_time(follow::deployment(&mut self.follower, deployment)).await
    }

    /// Uploads a file below `s3://signed/`, as anybody may who can write there.
    pub(super) async fn put(&self, file: &Path, name: &str) -> anyhow::Result<ObjectVersion> {
        let object = ObjectLocation { bucket: "signed".parse()?, key: format!("demo/{name}").parse()? };
        Ok(self.system.parts.objects.put(&object, file, None).await?)
    }

    /// The signed package with other content in a file.
    pub(super) async fn tampered(&self, signed: &ObjectVersion) -> anyhow::Result<ObjectVersion> {
        let (original, tampered) = (self.path("signed.zip"), self.path("tampered.zip"));
        self.system.parts.objects.fetch(signed, self.config.package_size_max_bytes * 2, &original).await?;
        packages::tamper(&original, &tampered)?;
        self.put(&tampered, "tampered.zip").await
    }

    /// The package with a signature that has expired.
    pub(super) async fn expired(&self, package: &Path) -> anyhow::Result<ObjectVersion> {
        let now = SystemClock.now();
        let times = (now.plus_millis(-10_000), now.plus_millis(-5_000));
        self.signed_by(self.system.parts.keys.clone(), "default", times, package, "expired.zip").await
    }

    /// The package signed by a profile that no function trusts.
    pub(super) async fn by_outsider(&self, package: &Path) -> anyhow::Result<ObjectVersion> {
        self.signed_by(self.system.parts.keys.clone(), "outsider", lasting(), package, "outsider.zip").await
    }

    /// The package signed by a trusted profile that is then revoked.
    pub(super) async fn by_retired(&self, package: &Path) -> anyhow::Result<ObjectVersion> {
        let (from, until) = lasting();
        let keys = self.system.parts.keys.clone();
        let object = self.signed_by(keys, "retired", (from, until), package, "retired.zip").await?;
        let arn = self.profile("retired").await?.arn;
        let effective_from = from.plus_millis(-60_000);
        self.store()
            .revoke_profile(
                &arn,
                effective_from,
                &self.operator(),
                "the demo's team was dissolved",
                SystemClock.now(),
            )
            .await?;
        Ok(object)
    }

    /// The package signed under the name of a trusted profile, by keys of a root that nobody here trusts.
    pub(super) async fn by_impostor(&self, package: &Path) -> anyhow::Result<ObjectVersion> {
        let passphrase = Passphrase::from_text(&random::text(40, random::LETTERS_AND_DIGITS)?)?;
        let keys = custody::open_in(&self.path("impostor"), passphrase, &self.config.scope).await?;
        self.signed_by(Arc::new(keys), "retired", lasting(), package, "impostor.zip").await
    }

    async fn signed_by(
        &self,
        keys: Arc<dyn SigningKeys>,
        profile: &str,
        (signing_time, expires_at): (UnixMillis, UnixMillis),
        package: &Path,
        name: &str,
    ) -> anyhow::Result<ObjectVersion> {
        let profile = self.profile(profile).await?;
        let statement = Statement {
            platform: profile.platform,
            job_arn: JobArn::new(self.config.scope.clone(), JobId::from_random(random::bytes()?)),
            profile_version_arn: profile.arn,
            signing_time,
            expires_at,
        };
        let signed = self.path(name);
        signing::sign_file(keys, statement, Limits::default(), package, &signed).await?;
        self.put(&signed, name).await
    }

    async fn profile(&self, name: &str) -> anyhow::Result<Profile> {
        let name: ProfileName = name.parse()?;
        self.store().profile(&name).await?.with_context(|| format!("profile {name} of the demo"))
    }
}

/// Signed now, valid for as long as can be.
fn lasting() -> (UnixMillis, UnixMillis) {
    let now = SystemClock.now();
    (now, ValidityPeriod::DEFAULT.after(now))
}

async fn in_time(followed: impl Future<Output = anyhow::Result<Followed>>) -> anyhow::Result<Followed> {
    match tokio::time::timeout(PATIENCE, followed).await {
        Ok(Ok(Followed::Failed { report })) => bail!("the deployment failed: {}", report.reason),
        Ok(followed) => followed,
        Err(_) => Err(anyhow!("nothing came of it within {} s", PATIENCE.as_secs())),
    }
}

/// How long one package may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Only `default` and `retired` are trusted by the functions.
const PROFILES: [(&str, Platform); 3] = [
    ("default", Platform::CountersignSha256Rsa),
    ("retired", Platform::CountersignSha384Ecdsa),
    ("outsider", Platform::AwsLambdaSha384Ecdsa),
];

const CONFIG: &str = r#"
listen = "127.0.0.1:0"

[[route]]
source = "s3://unsigned/"
profile = "default"
destination = "s3://signed/"
deploy = { function = "{segment}", alias = "live", create = true, code_signing_config = "enforce" }

[[code_signing_config]]
name = "enforce"
allowed_publishers = ["default", "retired"]
untrusted_artifact = "Enforce"

[[code_signing_config]]
name = "warn"
allowed_publishers = ["default", "retired"]
untrusted_artifact = "Warn"
"#;
