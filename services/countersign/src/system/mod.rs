//! All of Countersign in this process: what `up` and `demo` share.

mod access;
mod apis;
mod endpoint;
mod notifications;
mod parts;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use countersign_deployer::{Deployer, DeployerPorts, DeployerSettings, ExposureWatch, Targets};
use countersign_domain::TargetName;
use countersign_package::chain::TrustRoots;
use countersign_package::limits::{Limits, SIGNATURE_SIZE_MAX_BYTES};
use countersign_ports::code_signing_configs::CodeSigningConfigs;
use countersign_ports::queue::EventBus;
use countersign_ports::{Clock as _, WorkerId};
use countersign_process::{Tasks, parts as process};
use countersign_queue::QueueName;
use countersign_runtime::config::ServiceConfig;
use countersign_runtime::{Config, DataDir, SystemClock, WorkSettings, random, relay, work};
use countersign_signer::{Signer, SignerPorts, SignerSettings};
use countersign_targets::DirectoryTarget;

pub(crate) use access::own_principal;
pub(crate) use parts::Parts;

/// Everything running.
pub(crate) struct System {
    pub(crate) parts: Parts,
    working: Tasks,
    serving: Tasks,
}

impl System {
    /// Starts the endpoint, both services and what moves messages between them.
    pub(crate) async fn start(mut parts: Parts, data: &DataDir, config: &Config) -> anyhow::Result<Self> {
        let declared =
            parts.store.declare(&config.scope, &config.code_signing_configs, SystemClock.now()).await;
        declared.context("code_signing_config")?;
        // This process holds the data directory's lock, so whoever had work in hand here is dead.
        parts.store.recover().await.context("the state")?;
        parts.queue.recover().await.context("the queue")?;
        parts.ensure_buckets([&config.code_bucket]).await?;
        let (signer, deployer) = services(&parts, data, config)?;
        let (s3, listener) = (parts.s3.clone(), parts.take_listener()?);
        let apis = apis::gateway(&parts, config, &deployer);
        let mut system = Self { parts, working: Tasks::new(), serving: Tasks::new() };
        system.serving.spawn(|stop| endpoint::serve(s3, apis, listener, stop));
        system.start_working(signer, deployer, config);
        Ok(system)
    }

    fn start_working(&mut self, signer: Arc<Signer>, deployer: Arc<Deployer>, config: &Config) {
        let Parts { s3, queue, store, .. } = &self.parts;
        let (s3, bus): (_, Arc<dyn EventBus>) = (s3.clone(), Arc::new(queue.bus(PUBLISHER)));
        let drops = Arc::new(queue.work_queue(QueueName::Signer));
        let requests = Arc::new(queue.work_queue(QueueName::Deployer));
        self.working.spawn(|stop| notifications::relay(s3, queue.clone(), stop));
        for source in [countersign_signer::EVENT_SOURCE, countersign_deployer::EVENT_SOURCE] {
            self.working.spawn(|stop| relay(Arc::new(store.clone()), bus.clone(), source, stop));
        }
        let (handler, working) = (signer.clone(), settings("signer", &config.signer));
        self.working.spawn(|stop| work(drops, handler, working, stop));
        let watch = ExposureWatch::new(Arc::new(store.clone()), bus, Arc::new(SystemClock));
        let interval = config.sweep_interval;
        self.working.spawn(move |stop| watch.run(interval, stop));
        let following = deployer.clone();
        self.working.spawn(|stop| async move { following.follow_loop(stop).await });
        let working = settings("deployer", &config.deployer);
        self.working.spawn(|stop| work(requests, deployer, working, stop));
        self.working.spawn(|stop| async move { signer.sweep_loop(stop).await });
    }

    /// Returns only when a part ended that should not have.
    pub(crate) async fn watch(&mut self) -> anyhow::Error {
        tokio::select! {
            error = self.working.watch() => error,
            error = self.serving.watch() => error,
        }
    }

    /// Lets work under way finish, then the endpoint it needs, then closes the databases.
    pub(crate) async fn stop(mut self) {
        self.working.stop().await;
        self.serving.stop().await;
        self.parts.close().await;
    }
}

fn services(parts: &Parts, data: &DataDir, config: &Config) -> anyhow::Result<(Arc<Signer>, Arc<Deployer>)> {
    let common = Common {
        own_root: TrustRoots::from_pem(parts.keys.trust_root_pem())?,
        trust_roots: process::trust_roots(Some(parts.keys.trust_root_pem()), config, data)?,
        work_dir: data.work(),
        worker: format!("up-{}", random::text(16, random::BASE32)?).parse()?,
        gate_limits: process::gate_limits(config),
    };
    for limit in common.gate_limits.loosened() {
        tracing::warn!("the gate is looser than by default: {limit}");
    }
    let signer = Signer::new(common.signer_settings(config), signer_ports(parts));
    let signer = signer.with_context(|| format!("cannot use {}", data.work().display()))?;
    let target = DirectoryTarget::open(&data.root(), common.gate_limits.clone())?;
    let deployer = Deployer::new(common.deployer_settings(config)?, deployer_ports(parts, target));
    let deployer = deployer.with_context(|| format!("cannot use {}", data.work().display()))?;
    Ok((Arc::new(signer), Arc::new(deployer)))
}

/// What both services are told.
struct Common {
    /// What the signer's own signatures have to verify under.
    own_root: TrustRoots,
    /// What deployed packages have to verify under.
    trust_roots: TrustRoots,
    work_dir: PathBuf,
    worker: WorkerId,
    gate_limits: Limits,
}

impl Common {
    fn signer_settings(&self, config: &Config) -> SignerSettings {
        SignerSettings {
            scope: config.scope.clone(),
            routes: config.routes.clone(),
            trust_roots: self.own_root.clone(),
            work_dir: self.work_dir.clone(),
            worker: self.worker.clone(),
            package_limit_bytes: config.package_size_max_bytes,
            gate_limits: self.gate_limits.clone(),
            sweep_interval: config.sweep_interval,
        }
    }

    fn deployer_settings(&self, config: &Config) -> anyhow::Result<DeployerSettings> {
        Ok(DeployerSettings {
            trust_roots: self.trust_roots.clone(),
            authority: access::authority(config)?,
            work_dir: self.work_dir.clone(),
            worker: self.worker.clone(),
            code_bucket: config.code_bucket.clone(),
            require_code_signing: config.require_code_signing,
            package_limit_bytes: config.package_size_max_bytes.saturating_add(SIGNATURE_SIZE_MAX_BYTES),
            gate_limits: self.gate_limits.clone(),
        })
    }
}

fn signer_ports(parts: &Parts) -> SignerPorts {
    SignerPorts {
        objects: Arc::new(parts.objects.clone()),
        jobs: Arc::new(parts.store.clone()),
        profiles: Arc::new(parts.store.clone()),
        keys: parts.keys.clone(),
        clock: Arc::new(SystemClock),
    }
}

fn deployer_ports(parts: &Parts, target: DirectoryTarget) -> DeployerPorts {
    DeployerPorts {
        objects: Arc::new(parts.objects.clone()),
        deployments: Arc::new(parts.store.clone()),
        functions: Arc::new(parts.store.clone()),
        target_changes: Arc::new(parts.store.clone()),
        revocations: Arc::new(parts.store.clone()),
        targets: Targets::new(directory_target(), Arc::new(target)),
        clock: Arc::new(SystemClock),
    }
}

fn settings(name: &'static str, service: &ServiceConfig) -> WorkSettings {
    let (concurrency, grace) = (service.concurrency, service.grace);
    // Waiting costs nothing here, since consumers are woken, and a short wait lets a shutdown be quick.
    WorkSettings { concurrency, grace, wait: Duration::from_millis(500), ..WorkSettings::named(name) }
}

/// The name of the one target that `up` has.
fn directory_target() -> TargetName {
    "directory".parse().expect("a legal target name")
}

/// In whose name the services of this process publish.
pub(crate) const PUBLISHER: &str = "countersign";
