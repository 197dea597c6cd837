//! The embedded parts, opened and not yet running.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use countersign_api::Access;
use countersign_domain::BucketName;
use countersign_embedded_s3::EmbeddedS3;
use countersign_keys::FileKeys;
use countersign_objects::{S3Objects, S3Settings};
use countersign_ports::Clock;
use countersign_queue::EmbeddedQueue;
use countersign_runtime::{Config, DataDir, Environment, SystemClock};
use countersign_signer::custody;
use countersign_store::SqliteStore;
use tokio::net::TcpListener;

use super::access;
use crate::access_key::AccessKey;

/// Objects, queue, state and keys of one data directory.
pub(crate) struct Parts {
    pub(crate) s3: EmbeddedS3,
    pub(crate) objects: S3Objects,
    pub(crate) queue: EmbeddedQueue,
    pub(crate) store: SqliteStore,
    pub(crate) keys: Arc<FileKeys>,
    pub(crate) access_key: AccessKey,
    /// Who may call the endpoint.
    pub(super) access: Access,
    /// The URL at which this machine reaches the endpoint.
    pub(crate) endpoint: String,
    listener: Option<TcpListener>,
}

impl Parts {
    /// Takes the port and opens everything, making what is not there.
    pub(crate) async fn open(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener
            .with_context(|| format!("cannot listen on {}: choose another with --listen", config.listen))?;
        let endpoint = format!("http://{}", reachable(listener.local_addr()?));
        let access_key = AccessKey::load_or_create(data)?;
        let region = config.scope.region().to_owned();
        let (state, queue_file, objects_dir) = (data.state(), data.queue(), data.objects());
        let access = access::access(config, data, environment, &access_key)?;
        let (store, queue, s3, keys) = tokio::try_join!(
            async { SqliteStore::open(&state).await.context("the state") },
            async { EmbeddedQueue::open(&queue_file, Arc::new(SystemClock)).await.context("the queue") },
            async {
                let clock = Arc::new(|| SystemClock.now());
                let opened =
                    EmbeddedS3::open(&objects_dir, clock, access::keys(&access), region.clone()).await;
                opened.context("the objects")
            },
            custody::open(data, config, environment),
        )?;
        let settings = S3Settings {
            endpoint: Some(endpoint.clone()),
            region: region.clone(),
            credentials: Some(access_key.for_client()),
            path_style: true,
        };
        let objects = S3Objects::new(&settings).await;
        Ok(Self {
            s3,
            objects,
            queue,
            store,
            keys: Arc::new(keys),
            access_key,
            access,
            endpoint,
            listener: Some(listener),
        })
    }

    /// Makes versioned buckets, where they are missing.
    pub(crate) async fn ensure_buckets(
        &self,
        names: impl IntoIterator<Item = &BucketName>,
    ) -> anyhow::Result<()> {
        for name in names {
            self.s3.ensure_bucket(name, true).await.with_context(|| format!("bucket {name}"))?;
        }
        Ok(())
    }

    pub(super) fn take_listener(&mut self) -> anyhow::Result<TcpListener> {
        self.listener.take().ok_or_else(|| anyhow!("the endpoint is served already"))
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.s3.close(), self.queue.close(), self.store.close());
    }
}

/// An endpoint that listens on every interface is reached over the loopback one.
fn reachable(listening: SocketAddr) -> SocketAddr {
    match listening {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => listening,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_reached_over_the_loopback() {
        for (listening, reached) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")]
        {
            assert_eq!(reachable(listening.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
