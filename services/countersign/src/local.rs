//! The parts of an installation that the offline commands use: its state, its queues, its trail and its keys.

use std::sync::Arc;

use anyhow::bail;
use countersign_domain::{ProfileName, Scope};
use countersign_keys::FileKeys;
use countersign_ports::exposure::Exposures;
use countersign_ports::profiles::{Profile, ProfileStatus, Profiles};
use countersign_ports::queue::DeadLetters;
use countersign_ports::revocations::RevocationRegistry;
use countersign_ports::trail::Trail;
use countersign_process::parts;
use countersign_queue::{EmbeddedQueue, Topology};
use countersign_runtime::{Config, DataDir, Environment, SystemClock};
use countersign_signer::custody;
use countersign_store::SqliteStore;

use crate::config_file;

/// An installation: its configuration and its state, in PostgreSQL where the configuration says so.
pub(crate) struct Local {
    pub(crate) data: DataDir,
    pub(crate) config: Config,
    pub(crate) profiles: Arc<dyn Profiles>,
    pub(crate) revocations: Arc<dyn RevocationRegistry>,
}

impl Local {
    /// Opens the installation, which must be there.
    pub(crate) async fn open(data: DataDir, environment: &Environment) -> anyhow::Result<Self> {
        let config = config_file::load(None, &data, environment)?.config;
        if config.postgresql.is_none() {
            data.demand()?;
        }
        Self::with(data, config, environment).await
    }

    /// Opens the installation, making it if need be.
    pub(crate) async fn open_or_create(data: DataDir, environment: &Environment) -> anyhow::Result<Self> {
        let config = config_file::load(None, &data, environment)?.config;
        Self::with(data, config, environment).await
    }

    async fn with(data: DataDir, config: Config, environment: &Environment) -> anyhow::Result<Self> {
        if config.postgresql.is_some() {
            let store = Arc::new(parts::store(&config, &data, environment).await?);
            return Ok(Self { data, config, profiles: store.clone(), revocations: store });
        }
        data.create()?;
        let store = Arc::new(SqliteStore::open(&data.state()).await?);
        Ok(Self { data, config, profiles: store.clone(), revocations: store })
    }

    /// The key custody of the installation.
    pub(crate) async fn keys(&self, environment: &Environment) -> anyhow::Result<FileKeys> {
        self.data.create()?;
        custody::open(&self.data, &self.config, environment).await
    }

    /// The profile of that name.
    pub(crate) async fn profile(&self, name: &ProfileName) -> anyhow::Result<Option<Profile>> {
        Ok(self.profiles.profile(name).await?)
    }
}

/// The queues of an installation, in RabbitMQ where the configuration says so.
pub(crate) async fn queues(
    data: &DataDir,
    environment: &Environment,
) -> anyhow::Result<Arc<dyn DeadLetters>> {
    let config = config_file::load(None, data, environment)?.config;
    if config.rabbitmq.is_some() {
        return Ok(Arc::new(parts::queue(&config, data, environment, Topology::default()).await?));
    }
    data.demand()?;
    Ok(Arc::new(EmbeddedQueue::open(&data.queue(), Arc::new(SystemClock)).await?))
}

/// Where an installation is and its trail, in PostgreSQL where the configuration says so.
pub(crate) async fn trail(
    data: &DataDir,
    environment: &Environment,
) -> anyhow::Result<(Scope, Arc<dyn Trail>)> {
    let config = config_file::load(None, data, environment)?.config;
    if config.postgresql.is_some() {
        let store = parts::store(&config, data, environment).await?;
        return Ok((config.scope, Arc::new(store)));
    }
    data.demand()?;
    Ok((config.scope, Arc::new(SqliteStore::open(&data.state()).await?)))
}

/// The error for a profile that is not there.
pub(crate) fn unknown_profile(name: &ProfileName, data: &DataDir) -> anyhow::Error {
    anyhow::anyhow!(
        "unknown_profile: there is no signing profile {name} in {}; see `countersign profile list`, or make it with \
         `countersign profile create {name}`",
        data.root().display()
    )
}

/// Refuses a profile that signs no more.
pub(crate) fn demand_active(profile: &Profile) -> anyhow::Result<()> {
    match profile.status {
        ProfileStatus::Active => Ok(()),
        ProfileStatus::Canceled => {
            bail!("profile_canceled: signing profile {} was cancelled and signs no more", profile.arn)
        }
        ProfileStatus::Revoked => {
            bail!("profile_revoked: signing profile {} was revoked and signs no more", profile.arn)
        }
    }
}

/// What is deployed and exposed, in PostgreSQL where the configuration says so.
pub(crate) async fn exposures(
    data: &DataDir,
    environment: &Environment,
) -> anyhow::Result<Arc<dyn Exposures>> {
    let config = config_file::load(None, data, environment)?.config;
    if config.postgresql.is_some() {
        return Ok(Arc::new(parts::store(&config, data, environment).await?));
    }
    data.demand()?;
    Ok(Arc::new(SqliteStore::open(&data.state()).await?))
}
