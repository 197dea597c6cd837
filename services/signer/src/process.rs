//! The signer as a process of its own: the grown-up parts, wired.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use countersign_api::Access;
use countersign_domain::BucketName;
use countersign_gateway::model::signer::SERVICE;
use countersign_keys::FileKeys;
use countersign_objects::{S3Objects, SqsQueue, SqsSettings};
use countersign_package::chain::TrustRoots;
use countersign_ports::queue::{QueueName, WorkQueue};
use countersign_process::api::{self, ApiServer};
use countersign_process::{Context, Service, Tasks, parts};
use countersign_queue::RabbitQueue;
use countersign_runtime::config::{ServiceConfig, Trigger};
use countersign_runtime::health::Check;
use countersign_runtime::{Config, SystemClock, WorkSettings, relay, work};
use countersign_store::PostgresStore;
use tokio::sync::watch;

use crate::{
    EVENT_SOURCE, Signer, SignerApi, SignerApiPorts, SignerApiSettings, SignerPorts, SignerSettings, custody,
    preflight, prepare_leaves,
};

/// `countersign-signer`.
pub struct SignerProcess {
    signer: Arc<Signer>,
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
    keys: Arc<FileKeys>,
    sqs: Vec<SqsQueue>,
}

#[async_trait]
impl Service for SignerProcess {
    const NAME: &'static str = "countersign-signer";
    const ABOUT: &'static str = "Signs zip packages that are dropped into S3, with PostgreSQL for its state and RabbitMQ for its messages.";

    fn settings(config: &Config) -> &ServiceConfig {
        &config.signer
    }

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let parts = Parts::open(context).await?;
        let config = &context.config;
        let signer = Arc::new(signer(&parts, context)?);
        parts.look_at(config).await;
        let (buckets, working) = (watch::Sender::new(config.buckets()), Tasks::new());
        let mut process = Self { signer, parts, buckets, working, access: None };
        process.work(&config.signer);
        process.prepare(config);
        process.serve_api(context).await?;
        Ok(process)
    }

    fn checks(&self) -> Vec<Check> {
        let Parts { store, queue, objects, sqs, .. } = self.parts.clone();
        let buckets = self.buckets.subscribe();
        let mut checks = vec![
            parts::ready::store(store),
            parts::ready::queue(queue),
            parts::ready::objects(objects, buckets),
        ];
        checks.extend(sqs.into_iter().map(parts::ready::sqs));
        checks
    }

    async fn reload(&self, context: &Context) -> anyhow::Result<String> {
        let config = &context.config;
        self.parts.look_at(config).await;
        if let Some(access) = &self.access {
            api::replace(access, context)?;
        }
        self.signer.set_routes(config.routes.clone());
        self.buckets.send_replace(config.buckets());
        Ok(format!("{} routes", config.routes.len()))
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

impl SignerProcess {
    /// Notifications from every trigger, the sweep, and the events of what came of them.
    fn work(&mut self, settings: &ServiceConfig) {
        let Parts { store, queue, sqs, .. } = self.parts.clone();
        let broker = parts::work_queue(&queue, QueueName::Signer, settings);
        self.consume(broker, settings, WorkSettings::named("signer").wait);
        for queue in sqs {
            self.consume(Arc::new(queue), settings, SQS_WAIT);
        }
        let bus = Arc::new(queue.bus());
        self.working.spawn(|stop| relay(Arc::new(store), bus, EVENT_SOURCE, stop));
        let signer = Arc::clone(&self.signer);
        self.working.spawn(|stop| async move { signer.sweep_loop(stop).await });
    }

    /// Signer's API, where `api_listen` asks for it.
    async fn serve_api(&mut self, context: &Context) -> anyhow::Result<()> {
        let Some(listen) = context.config.signer.api_listen else { return Ok(()) };
        let Parts { store, objects, keys, .. } = &self.parts;
        let ports = SignerApiPorts {
            profiles: Arc::new(store.clone()),
            permissions: Arc::new(store.clone()),
            jobs: Arc::new(store.clone()),
            revocations: Arc::new(store.clone()),
            objects: Arc::new(objects.clone()),
            keys: keys.clone(),
            clock: Arc::new(SystemClock),
        };
        let (scope, package_limit_bytes) =
            (context.config.scope.clone(), context.config.package_size_max_bytes);
        let make = |access, pages| {
            SignerApi::new(access, ports, SignerApiSettings { scope, pages, package_limit_bytes })
        };
        let server = ApiServer::open(context, listen, &SERVICE, Arc::new(store.clone()), make).await?;
        self.access = Some(server.access());
        server.spawn(&mut self.working);
        Ok(())
    }

    fn consume(&mut self, queue: Arc<dyn WorkQueue>, settings: &ServiceConfig, wait: Duration) {
        let (concurrency, grace) = (settings.concurrency, settings.grace);
        let settings = WorkSettings { concurrency, grace, wait, ..WorkSettings::named("signer") };
        let signer = Arc::clone(&self.signer);
        self.working.spawn(|stop| work(queue, signer, settings, stop));
    }

    /// Makes the keys that the routes need beside the work, so that the first package does not wait for them.
    fn prepare(&mut self, config: &Config) {
        let (keys, store, config) = (self.parts.keys.clone(), self.parts.store.clone(), config.clone());
        self.working.spawn(|stop| async move {
            stop.run_until_cancelled(prepare_leaves(keys.as_ref(), &store, &config)).await;
            stop.cancelled().await;
        });
    }
}

impl Parts {
    async fn open(context: &Context) -> anyhow::Result<Self> {
        let Context { config, data, environment } = context;
        demand_root(context)?;
        let store = parts::store(config, data, environment).await?;
        let queue = parts::queue(config, data, environment, parts::notifications(config)).await?;
        let objects = parts::objects(config).await;
        let keys = Arc::new(custody::open(data, config, environment).await.context("keys")?);
        let mut sqs = Vec::new();
        for trigger in &config.triggers {
            if let Trigger::Sqs { queue_url, endpoint } = trigger {
                let settings = SqsSettings {
                    queue_url: queue_url.clone(),
                    endpoint: endpoint.clone(),
                    region: config.scope.region().to_owned(),
                    credentials: None,
                };
                sqs.push(SqsQueue::new(&settings).await);
            }
        }
        Ok(Self { store, queue, objects, keys, sqs })
    }

    /// Tells what the routes name and what is not there.
    async fn look_at(&self, config: &Config) {
        for problem in preflight::problems(&self.objects, &self.store, config).await {
            tracing::warn!("{problem}");
        }
    }
}

/// Several signers share one root. One that made its own would sign what nobody trusts.
fn demand_root(context: &Context) -> anyhow::Result<()> {
    let keys = context.data.keys();
    if FileKeys::has_root(&keys)? {
        return Ok(());
    }
    bail!(
        "root_key_missing: {} holds no root key: make it once with `countersign profile create NAME`, and give every \
         signer a copy of the directory",
        keys.display()
    )
}

fn signer(parts: &Parts, context: &Context) -> anyhow::Result<Signer> {
    let config = &context.config;
    let work_dir = context.data.path_of(&config.signer.work_dir);
    let settings = SignerSettings {
        scope: config.scope.clone(),
        routes: config.routes.clone(),
        trust_roots: TrustRoots::from_pem(parts.keys.trust_root_pem())?,
        work_dir: work_dir.clone(),
        worker: format!("signer-{}", uuid::Uuid::new_v4()).parse()?,
        package_limit_bytes: config.package_size_max_bytes,
        gate_limits: parts::gate_limits(config),
        sweep_interval: config.sweep_interval,
    };
    let ports = SignerPorts {
        objects: Arc::new(parts.objects.clone()),
        jobs: Arc::new(parts.store.clone()),
        profiles: Arc::new(parts.store.clone()),
        keys: parts.keys.clone(),
        clock: Arc::new(SystemClock),
    };
    Signer::new(settings, ports)
        .with_context(|| format!("cannot use {}: choose another signer.work_dir", work_dir.display()))
}

/// SQS answers at once when something comes; a longer wait only makes a stop last longer.
const SQS_WAIT: Duration = Duration::from_secs(5);
