//! All of Countersign in this process: what `up` and `demo` share.

mod notifications;
mod parts;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use countersign_deployer::{Deployer, DeployerPorts, DeployerSettings, Targets};
use countersign_domain::{PrincipalName, TargetName};
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_ports::WorkerId;
use countersign_ports::deployments::CodeSigningConfigs;
use countersign_ports::queue::EventBus;
use countersign_queue::QueueName;
use countersign_runtime::{Config, Principals, SystemClock, WorkSettings, relay, work};
use countersign_signer::{Signer, SignerPorts, SignerSettings};
use countersign_targets::DirectoryTarget;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use parts::Parts;

use crate::data_dir::DataDir;
use crate::random;

/// Everything running.
pub(crate) struct System {
    pub(crate) parts: Parts,
    working: JoinSet<()>,
    stop_working: CancellationToken,
    serving: JoinSet<io::Result<()>>,
    stop_serving: CancellationToken,
}

impl System {
    /// Starts the endpoint, both services and what moves messages between them.
    pub(crate) async fn start(mut parts: Parts, data: &DataDir, config: &Config) -> anyhow::Result<Self> {
        let declared = parts.store.declare(&config.code_signing_configs).await;
        declared.context("code_signing_config")?;
        // This process holds the data directory's lock, so whoever had work in hand here is dead.
        parts.store.recover().await.context("the state")?;
        parts.queue.recover().await.context("the queue")?;
        let (signer, deployer) = services(&parts, data, config)?;
        let (stop_working, stop_serving) = (CancellationToken::new(), CancellationToken::new());
        let mut serving = JoinSet::new();
        let (s3, listener) = (parts.s3.clone(), parts.take_listener()?);
        let stop = stop_serving.clone();
        serving.spawn(async move { s3.serve(listener, stop).await });
        let mut system = Self { parts, working: JoinSet::new(), stop_working, serving, stop_serving };
        system.start_working(signer, deployer);
        Ok(system)
    }

    fn start_working(&mut self, signer: Arc<Signer>, deployer: Arc<Deployer>) {
        let Parts { s3, queue, store, .. } = &self.parts;
        let stop = &self.stop_working;
        let bus: Arc<dyn EventBus> = Arc::new(queue.bus(PUBLISHER));
        let (signer_queue, deployer_queue) =
            (queue.work_queue(QueueName::Signer), queue.work_queue(QueueName::Deployer));
        self.working.spawn(notifications::relay(s3.clone(), queue.clone(), stop.clone()));
        for source in [countersign_signer::EVENT_SOURCE, countersign_deployer::EVENT_SOURCE] {
            self.working.spawn(relay(Arc::new(store.clone()), bus.clone(), source, stop.clone()));
        }
        self.working.spawn(work(Arc::new(signer_queue), signer.clone(), settings("signer"), stop.clone()));
        self.working.spawn(work(Arc::new(deployer_queue), deployer, settings("deployer"), stop.clone()));
        let stop = stop.clone();
        self.working.spawn(async move { signer.sweep_loop(stop).await });
    }

    /// Returns only when a part ended that should not have.
    pub(crate) async fn watch(&mut self) -> anyhow::Error {
        let ended = tokio::select! {
            Some(ended) = self.working.join_next() => describe(ended),
            Some(ended) = self.serving.join_next() => describe(ended),
            else => "everything ended".to_owned(),
        };
        anyhow!("a part of the process ended by itself: {ended}")
    }

    /// Lets work under way finish, then the endpoint it needs, then closes the databases.
    pub(crate) async fn stop(mut self) {
        self.stop_working.cancel();
        while self.working.join_next().await.is_some() {}
        self.stop_serving.cancel();
        while self.serving.join_next().await.is_some() {}
        self.parts.close().await;
    }
}

fn services(parts: &Parts, data: &DataDir, config: &Config) -> anyhow::Result<(Arc<Signer>, Arc<Deployer>)> {
    let common = Common {
        own_root: TrustRoots::from_pem(parts.keys.trust_root_pem())?,
        trust_roots: trust_roots(parts, data, config)?,
        work_dir: data.work(),
        worker: format!("up-{}", random::text(16, random::BASE32)?).parse()?,
        gate_limits: Limits { unpacked_size_max: config.unpacked_size_max_bytes, ..Limits::default() },
    };
    let signer = Signer::new(common.signer_settings(config), signer_ports(parts));
    let signer = signer.with_context(|| format!("cannot use {}", data.work().display()))?;
    let target = DirectoryTarget::open(&data.root(), common.gate_limits.clone())?;
    let deployer = Deployer::new(common.deployer_settings(config), deployer_ports(parts, target));
    let deployer = deployer.with_context(|| format!("cannot use {}", data.work().display()))?;
    Ok((Arc::new(signer), Arc::new(deployer)))
}

/// The installation's own root and those that the configuration adds.
fn trust_roots(parts: &Parts, data: &DataDir, config: &Config) -> anyhow::Result<TrustRoots> {
    let mut bundle = parts.keys.trust_root_pem().to_owned();
    for file in &config.trust_roots {
        let path = data.path_of(file);
        let unusable = || format!("trust_roots: {}", path.display());
        let pem = std::fs::read_to_string(&path).with_context(unusable)?;
        TrustRoots::from_pem(&pem).with_context(unusable)?;
        bundle.push('\n');
        bundle.push_str(&pem);
    }
    TrustRoots::from_pem(&bundle).context("trust_roots")
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

    fn deployer_settings(&self, config: &Config) -> DeployerSettings {
        DeployerSettings {
            trust_roots: self.trust_roots.clone(),
            principals: Principals::default().with(PUBLISHER, own_principal()),
            work_dir: self.work_dir.clone(),
            worker: self.worker.clone(),
            require_code_signing: config.require_code_signing,
            package_limit_bytes: config.package_size_max_bytes.saturating_add(SIGNATURE_ALLOWANCE_BYTES),
            gate_limits: self.gate_limits.clone(),
        }
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
        revocations: Arc::new(parts.store.clone()),
        targets: Targets::new(directory_target(), Arc::new(target)),
        clock: Arc::new(SystemClock),
    }
}

fn settings(name: &'static str) -> WorkSettings {
    // Waiting costs nothing here, since consumers are woken, and a short wait lets a shutdown be quick.
    WorkSettings { wait: Duration::from_millis(500), ..WorkSettings::named(name) }
}

fn describe<T: std::fmt::Debug>(ended: Result<T, JoinError>) -> String {
    match ended {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

/// Who the services of this process are to themselves.
pub(crate) fn own_principal() -> PrincipalName {
    PUBLISHER.parse().expect("a legal principal name")
}

/// The name of the one target that `up` has.
fn directory_target() -> TargetName {
    "directory".parse().expect("a legal target name")
}

/// In whose name the services of this process publish.
pub(crate) const PUBLISHER: &str = "countersign";

/// What a signature adds to a package at most.
const SIGNATURE_ALLOWANCE_BYTES: u64 = 2 * 1024 * 1024;
