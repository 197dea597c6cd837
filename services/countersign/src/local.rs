//! The parts of a data directory that offline commands and `up` both use: state and keys.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use countersign_domain::{ProfileName, Scope};
use countersign_keys::{FileKeys, Origin, Passphrase};
use countersign_ports::profiles::{Profile, Profiles};
use countersign_runtime::{Config, Environment, SystemClock};
use countersign_store::SqliteStore;
use secrecy::ExposeSecret;

use crate::data_dir::DataDir;
use crate::{config_file, files, output};

/// An installation: its configuration and its state.
pub(crate) struct Local {
    pub(crate) data: DataDir,
    pub(crate) config: Config,
    pub(crate) store: SqliteStore,
}

impl Local {
    /// Opens the installation, which must be there.
    pub(crate) async fn open(data: DataDir, environment: &Environment) -> anyhow::Result<Self> {
        data.demand()?;
        Self::open_or_create(data, environment).await
    }

    /// Opens the installation, making it if need be.
    pub(crate) async fn open_or_create(data: DataDir, environment: &Environment) -> anyhow::Result<Self> {
        let config = config_file::load(None, &data, environment)?.config;
        data.create()?;
        let store = SqliteStore::open(&data.state()).await?;
        Ok(Self { data, config, store })
    }

    /// The key custody of the installation.
    pub(crate) async fn keys(&self, environment: &Environment) -> anyhow::Result<FileKeys> {
        open_keys(&self.data, &self.config, environment).await
    }

    /// The profile of that name.
    pub(crate) async fn profile(&self, name: &ProfileName) -> anyhow::Result<Option<Profile>> {
        Ok(self.store.profile(name).await?)
    }
}

/// Opens the key custody, making it on first use, and writes its root where verifiers find it.
pub(crate) async fn open_keys(
    data: &DataDir,
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<FileKeys> {
    refuse_lost_root(data)?;
    let passphrase = passphrase(data, config.key_passphrase_file.as_deref(), environment)?;
    let keys = open_custody(&data.keys(), passphrase, &config.scope).await?;
    let path = data.trust_root();
    if files::read_if_there(&path)?.as_deref() != Some(keys.trust_root_pem()) {
        files::write(&path, 0o644, keys.trust_root_pem().as_bytes())?;
    }
    Ok(keys)
}

/// Refuses to make a new root where there was one: nobody would trust it, and what was signed before would be untrusted.
fn refuse_lost_root(data: &DataDir) -> anyhow::Result<()> {
    let (keys, certificate) = (data.keys(), data.trust_root());
    // In this order: another process may be making both, the key first.
    if certificate.try_exists()? && !FileKeys::has_root(&keys)? {
        bail!(
            "root_key_missing: {} holds no root key, yet there is its certificate, {}: restore the keys from a backup, \
             or remove the certificate to begin with a new root",
            keys.display(),
            certificate.display()
        );
    }
    Ok(())
}

/// Opens the custody in `folder`.
pub(crate) async fn open_custody(
    folder: &Path,
    passphrase: Passphrase,
    scope: &Scope,
) -> anyhow::Result<FileKeys> {
    Ok(FileKeys::open(folder, passphrase, scope.clone(), Arc::new(SystemClock)).await?)
}

/// The passphrase of the environment, or of the configured file, or of the data directory's own file.
fn passphrase(data: &DataDir, file: Option<&Path>, environment: &Environment) -> anyhow::Result<Passphrase> {
    if let Some(text) = environment.secret("COUNTERSIGN_KEY_PASSPHRASE") {
        return Passphrase::from_text(text.expose_secret()).context("COUNTERSIGN_KEY_PASSPHRASE");
    }
    if let Some(file) = file {
        return Ok(Passphrase::from_file(&data.path_of(file))?);
    }
    let path = data.key_passphrase();
    // In this order: another process may be making both, the passphrase first.
    if FileKeys::has_root(&data.keys())? && !path.try_exists()? {
        bail!(
            "passphrase_missing: the signing keys are encrypted, and {} is not there: restore it, or give their \
             passphrase in COUNTERSIGN_KEY_PASSPHRASE",
            path.display()
        );
    }
    let (passphrase, origin) = Passphrase::load_or_create(&path)?;
    match origin {
        Origin::Found => {}
        Origin::Created => output::complain(&format!(
            "The signing keys are encrypted with the random passphrase in {}; keep a copy in a safe place.",
            path.display()
        )),
    }
    Ok(passphrase)
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
    use countersign_ports::profiles::ProfileStatus;
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
