//! The key custody of an installation: where its files lie, and what may never happen to them silently.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use countersign_domain::Scope;
use countersign_keys::{FileKeys, Origin, Passphrase};
use countersign_ports::Clock as _;
use countersign_ports::keys::SigningKeys;
use countersign_ports::profiles::{ProfileStatus, Profiles};
use countersign_runtime::{Config, DataDir, Environment, SystemClock, files};
use secrecy::ExposeSecret;

/// Opens the key custody in the data directory, making it on first use, and writes its root where verifiers find it.
///
/// # Errors
/// When the root or the passphrase was lost, or the custody cannot be opened.
pub async fn open(data: &DataDir, config: &Config, environment: &Environment) -> anyhow::Result<FileKeys> {
    refuse_lost_root(data)?;
    let passphrase = passphrase(data, config.key_passphrase_file.as_deref(), environment)?;
    let keys = open_in(&data.keys(), passphrase, &config.scope).await?;
    let path = data.trust_root();
    if files::read_if_there(&path)?.as_deref() != Some(keys.trust_root_pem()) {
        files::write(&path, 0o644, keys.trust_root_pem().as_bytes())?;
    }
    Ok(keys)
}

/// Opens the custody in `folder`.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_in(folder: &Path, passphrase: Passphrase, scope: &Scope) -> anyhow::Result<FileKeys> {
    Ok(FileKeys::open(folder, passphrase, scope.clone(), Arc::new(SystemClock)).await?)
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
        Origin::Created => tracing::warn!(
            "the signing keys are encrypted with the random passphrase in {}; keep a copy in a safe place",
            path.display()
        ),
    }
    Ok(passphrase)
}

/// Makes the keys that the routes need, so that the first package does not wait for them.
pub async fn prepare_leaves(keys: &dyn SigningKeys, profiles: &dyn Profiles, config: &Config) {
    for route in &config.routes {
        if let Ok(Some(profile)) = profiles.profile(&route.profile).await
            && profile.status == ProfileStatus::Active
            && let Err(error) = keys.leaf(&profile.arn, profile.platform, SystemClock.now()).await
        {
            tracing::warn!(profile = %profile.arn, %error, "its key could not be prepared");
        }
    }
}
