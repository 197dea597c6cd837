//! The servers that a configuration names, opened.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_objects::{S3Objects, S3Settings};
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_ports::queue::{QueueName, WorkQueue};
use countersign_queue::{NotificationExchange, NotificationKind, RabbitQueue, RabbitSettings, Topology};
use countersign_runtime::config::{ExchangeType, ServiceConfig, Trigger};
use countersign_runtime::{Config, DataDir, Environment};
use countersign_store::{PostgresSettings, PostgresStore};

/// The state in PostgreSQL.
///
/// # Errors
/// Without `[postgresql]`, without its password, or when it cannot be reached.
pub async fn store(
    config: &Config,
    data: &DataDir,
    environment: &Environment,
) -> anyhow::Result<PostgresStore> {
    let Some(postgresql) = &config.postgresql else {
        bail!(
            "postgresql: is missing: the services share their state in PostgreSQL; write [postgresql] with its url"
        )
    };
    let settings = PostgresSettings {
        url: postgresql.url.clone(),
        password: postgresql.password(data, environment)?,
        ca_file: postgresql.ca_file.as_deref().map(|file| data.path_of(file)),
        max_connections: postgresql.max_connections,
        connect_timeout: CONNECT_TIMEOUT,
    };
    PostgresStore::connect(&settings).await.context("postgresql")
}

/// The queues in RabbitMQ, with `topology` beside them.
///
/// # Errors
/// Without `[rabbitmq]`, without its password, or when it cannot be reached.
pub async fn queue(
    config: &Config,
    data: &DataDir,
    environment: &Environment,
    topology: Topology,
) -> anyhow::Result<RabbitQueue> {
    let Some(rabbitmq) = &config.rabbitmq else {
        bail!(
            "rabbitmq: is missing: the services speak through RabbitMQ; write [rabbitmq] with addresses and user"
        )
    };
    let settings = RabbitSettings {
        addresses: rabbitmq.addresses.clone(),
        user: rabbitmq.user.clone(),
        password: rabbitmq.password(data, environment)?,
        ca_file: rabbitmq.ca_file.as_deref().map(|file| data.path_of(file)),
    };
    RabbitQueue::connect(settings, topology).await.context("rabbitmq")
}

/// The exchanges that `[[trigger]]` names.
pub fn notifications(config: &Config) -> Topology {
    let notifications = config.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Amqp { exchange, exchange_type, routing_key } => Some(NotificationExchange {
            exchange: exchange.clone(),
            kind: kind_of(*exchange_type),
            routing_key: routing_key.clone(),
        }),
        Trigger::Sqs { .. } => None,
    });
    Topology { notifications: notifications.collect() }
}

fn kind_of(exchange_type: ExchangeType) -> NotificationKind {
    match exchange_type {
        ExchangeType::Topic => NotificationKind::Topic,
        ExchangeType::Direct => NotificationKind::Direct,
        ExchangeType::Fanout => NotificationKind::Fanout,
    }
}

/// The objects, in AWS or where `[s3]` says.
pub async fn objects(config: &Config) -> S3Objects {
    let s3 = config.s3.as_ref();
    let settings = S3Settings {
        endpoint: s3.and_then(|s3| s3.endpoint.clone()),
        region: config.scope.region().to_owned(),
        credentials: None,
        path_style: s3.is_some_and(|s3| s3.path_style),
    };
    S3Objects::new(&settings).await
}

/// One of the queues, of which a process has as many messages in hand as it handles at once.
pub fn work_queue(queue: &RabbitQueue, name: QueueName, settings: &ServiceConfig) -> Arc<dyn WorkQueue> {
    let prefetch = u16::try_from(settings.concurrency).unwrap_or(u16::MAX);
    Arc::new(queue.work_queue(name, prefetch))
}

/// What a package may ask of this machine.
pub fn gate_limits(config: &Config) -> Limits {
    let gate = &config.gate;
    Limits {
        unpacked_size_max: config.unpacked_size_max_bytes,
        entries_max: gate.entries_max,
        name_size_max: usize::try_from(gate.name_size_max_bytes).unwrap_or(usize::MAX),
        central_directory_size_max: gate.central_directory_size_max_bytes,
        ratio_max: gate.ratio_max,
        ..Limits::default()
    }
}

/// The roots that the configuration adds to `own`, the installation's.
///
/// # Errors
/// When a file cannot be read or holds no certificate, or when there is no root at all.
pub fn trust_roots(own: Option<&str>, config: &Config, data: &DataDir) -> anyhow::Result<TrustRoots> {
    let mut bundle = own.unwrap_or_default().to_owned();
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

/// How long the database may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the servers answer, for `/ready`.
pub mod ready {
    use std::fmt::Display;

    use countersign_domain::BucketName;
    use countersign_objects::{S3Objects, SqsQueue};
    use countersign_queue::RabbitQueue;
    use countersign_runtime::health::Check;
    use countersign_store::PostgresStore;
    use tokio::sync::watch;

    /// The state.
    pub fn store(store: PostgresStore) -> Check {
        check("postgresql", move || {
            let store = store.clone();
            async move { store.ping().await }
        })
    }

    /// The broker.
    pub fn queue(queue: RabbitQueue) -> Check {
        check("rabbitmq", move || {
            let queue = queue.clone();
            async move { queue.ping().await }
        })
    }

    /// The buckets that are used at that time.
    pub fn objects(objects: S3Objects, buckets: watch::Receiver<Vec<BucketName>>) -> Check {
        check("s3", move || {
            let (objects, buckets) = (objects.clone(), buckets.borrow().clone());
            async move { objects.ping(&buckets).await }
        })
    }

    /// A queue of notifications.
    pub fn sqs(queue: SqsQueue) -> Check {
        check("sqs", move || {
            let queue = queue.clone();
            async move { queue.ping().await }
        })
    }

    fn check<F, E>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Check
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        Check::new(name, move || {
            let asked = ask();
            async move { asked.await.map_err(|error| error.to_string()) }
        })
    }
}
