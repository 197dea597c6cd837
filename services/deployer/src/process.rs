//! The deployer as a process of its own: the grown-up parts, wired. No key custody is among them.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use countersign_api::Access;
use countersign_domain::BucketName;
use countersign_gateway::model::lambda::SERVICE;
use countersign_objects::S3Objects;
use countersign_package::chain::TrustRoots;
use countersign_package::limits::SIGNATURE_SIZE_MAX_BYTES;
use countersign_ports::Clock as _;
use countersign_ports::code_signing_configs::CodeSigningConfigs as _;
use countersign_ports::queue::QueueName;
use countersign_ports::targets::DeployTarget;
use countersign_process::api::{ApiServer, replace};
use countersign_process::{Context, Service, Tasks, parts};
use countersign_queue::{RabbitQueue, Topology};
use countersign_runtime::config::{ServiceConfig, TargetConfig, TargetKind};
use countersign_runtime::health::Check;
use countersign_runtime::{Config, SystemClock, WorkSettings, relay, work};
use countersign_store::PostgresStore;
use countersign_targets::{DirectoryTarget, LambdaCreate, LambdaSettings, LambdaTarget};
use tokio::sync::watch;

use crate::api::{LambdaApi, LambdaApiPorts, LambdaApiSettings};
use crate::{Deployer, DeployerPorts, DeployerSettings, EVENT_SOURCE, ExposureWatch, Targets};

/// `countersign-deployer`.
pub struct DeployerProcess {
    deployer: Arc<Deployer>,
    parts: Parts,
    buckets: watch::Sender<Vec<BucketName>>,
    working: Tasks,
    /// Who may call its API, if it serves one.
    access: Option<Access>,
}

#[derive(Clone)]
struct Parts {
    store: PostgresStore,
    queue: RabbitQueue,
    objects: S3Objects,
}

#[async_trait]
impl Service for DeployerProcess {
    const NAME: &'static str = "countersign-deployer";
    const ABOUT: &'static str = "Deploys signed zip packages that it trusts, with PostgreSQL for its state and RabbitMQ for its messages.";

    fn settings(config: &Config) -> &ServiceConfig {
        &config.deployer
    }

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let Context { config, data, environment } = context;
        let trust_roots = trust_roots(context)?;
        let parts = Parts {
            store: parts::store(config, data, environment).await?,
            queue: parts::queue(config, data, environment, Topology::default()).await?,
            objects: parts::objects(config).await,
        };
        parts
            .store
            .declare(&config.scope, &config.code_signing_configs, SystemClock.now())
            .await
            .context("code_signing_config")?;
        let deployer = Arc::new(deployer(&parts, trust_roots, context).await?);
        let buckets = watch::Sender::new(config.destinations());
        let mut process = Self { deployer, parts, buckets, working: Tasks::new(), access: None };
        process.work(config);
        process.serve_api(context).await?;
        Ok(process)
    }

    fn checks(&self) -> Vec<Check> {
        let Parts { store, queue, objects } = self.parts.clone();
        let buckets = self.buckets.subscribe();
        vec![parts::ready::store(store), parts::ready::queue(queue), parts::ready::objects(objects, buckets)]
    }

    async fn reload(&self, context: &Context) -> anyhow::Result<String> {
        let config = &context.config;
        self.parts
            .store
            .declare(&config.scope, &config.code_signing_configs, SystemClock.now())
            .await
            .context("code_signing_config")?;
        if let Some(access) = &self.access {
            replace(access, context)?;
        }
        self.deployer.set_authority(config.authority.clone());
        self.buckets.send_replace(config.destinations());
        Ok(format!("{} code signing configs and the principals", config.code_signing_configs.len()))
    }

    async fn watch(&mut self) -> anyhow::Error {
        self.working.watch().await
    }

    async fn stop(mut self) {
        self.working.stop().await;
        self.parts.queue.close().await;
        self.parts.store.close().await;
    }
}

impl DeployerProcess {
    /// Lambda's API, where `api_listen` asks for it.
    async fn serve_api(&mut self, context: &Context) -> anyhow::Result<()> {
        let Some(listen) = context.config.deployer.api_listen else { return Ok(()) };
        let Parts { store, objects, .. } = &self.parts;
        let ports = LambdaApiPorts {
            functions: Arc::new(store.clone()),
            code_signing_configs: Arc::new(store.clone()),
            layers: Arc::new(store.clone()),
            objects: Arc::new(objects.clone()),
            links: Arc::new(objects.clone()),
            clock: Arc::new(SystemClock),
        };
        let (scope, deployer) = (context.config.scope.clone(), self.deployer.clone());
        let make =
            |access, pages| LambdaApi::new(access, deployer, ports, LambdaApiSettings { scope, pages });
        let server = ApiServer::open(context, listen, &SERVICE, Arc::new(store.clone()), make).await?;
        self.access = Some(server.access());
        server.spawn(&mut self.working);
        Ok(())
    }

    /// Requests, and the events of what came of them.
    fn work(&mut self, config: &Config) {
        let (settings, sweep_interval) = (&config.deployer, config.sweep_interval);
        let Parts { store, queue, .. } = self.parts.clone();
        let (requests, bus) =
            (parts::work_queue(&queue, QueueName::Deployer, settings), Arc::new(queue.bus()));
        let (concurrency, grace) = (settings.concurrency, settings.grace);
        let settings = WorkSettings { concurrency, grace, ..WorkSettings::named("deployer") };
        let (deployer, following) = (Arc::clone(&self.deployer), Arc::clone(&self.deployer));
        self.working.spawn(|stop| async move { following.follow_loop(stop).await });
        self.working.spawn(|stop| work(requests, deployer, settings, stop));
        let watch = ExposureWatch::new(Arc::new(store.clone()), bus.clone(), Arc::new(SystemClock));
        self.working.spawn(|stop| watch.run(sweep_interval, stop));
        self.working.spawn(|stop| relay(Arc::new(store), bus, EVENT_SOURCE, stop));
    }
}

/// The roots of the configuration and, where it lies in the data directory, the installation's own.
fn trust_roots(context: &Context) -> anyhow::Result<TrustRoots> {
    let path = context.data.trust_root();
    let own = match std::fs::read_to_string(&path) {
        Ok(own) => Some(own),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    if own.is_none() && context.config.trust_roots.is_empty() {
        bail!(
            "trust_root_missing: nobody is trusted: copy the signers' trust/root.pem to {}, or name it in trust_roots",
            path.display()
        );
    }
    parts::trust_roots(own.as_deref(), &context.config, &context.data)
}

async fn deployer(parts: &Parts, trust_roots: TrustRoots, context: &Context) -> anyhow::Result<Deployer> {
    let config = &context.config;
    let work_dir = context.data.path_of(&config.deployer.work_dir);
    let settings = DeployerSettings {
        trust_roots,
        authority: config.authority.clone(),
        work_dir: work_dir.clone(),
        worker: format!("deployer-{}", uuid::Uuid::new_v4()).parse()?,
        code_bucket: config.code_bucket.clone(),
        require_code_signing: config.require_code_signing,
        package_limit_bytes: config.package_size_max_bytes.saturating_add(SIGNATURE_SIZE_MAX_BYTES),
        gate_limits: parts::gate_limits(config),
    };
    let ports = DeployerPorts {
        objects: Arc::new(parts.objects.clone()),
        deployments: Arc::new(parts.store.clone()),
        functions: Arc::new(parts.store.clone()),
        target_changes: Arc::new(parts.store.clone()),
        revocations: Arc::new(parts.store.clone()),
        targets: targets(context).await?,
        clock: Arc::new(SystemClock),
    };
    Deployer::new(settings, ports)
        .with_context(|| format!("cannot use {}: choose another deployer.work_dir", work_dir.display()))
}

/// The declared targets; the configuration has at least one, and the first is the default.
async fn targets(context: &Context) -> anyhow::Result<Targets> {
    let mut opened = Vec::new();
    for target in &context.config.targets {
        let at = || format!("target {}", target.name);
        opened.push((target.name.clone(), open(target, context).await.with_context(at)?));
    }
    let mut opened = opened.into_iter();
    let (name, first) = opened.next().context("target: there is none")?;
    Ok(opened.fold(Targets::new(name, first), |targets, (name, target)| targets.with(name, target)))
}

async fn open(target: &TargetConfig, context: &Context) -> anyhow::Result<Arc<dyn DeployTarget>> {
    match &target.kind {
        TargetKind::Directory { path } => {
            let limits = parts::gate_limits(&context.config);
            Ok(Arc::new(DirectoryTarget::open(&context.data.path_of(path), limits)?))
        }
        TargetKind::Lambda { region, endpoint, create } => {
            let create = create.clone().map(|create| LambdaCreate {
                role: create.role,
                runtime: create.runtime,
                handler: create.handler,
            });
            let (region, endpoint) = (region.clone(), endpoint.clone());
            let settings = LambdaSettings { region, endpoint, credentials: None, create };
            Ok(Arc::new(LambdaTarget::connect(&settings).await))
        }
    }
}
