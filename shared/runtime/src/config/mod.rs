//! The configuration: `countersign.toml` and the variables that override it, read wholly before anything is done.
//!
//! **Overrides.** Each key of the file may be overridden by a variable: `COUNTERSIGN_`, then the path of the key in
//! upper case with `_` between its parts, lists counted from 0. `listen` is `COUNTERSIGN_LISTEN`, the profile of the first
//! route `COUNTERSIGN_ROUTE_0_PROFILE`, the publishers of the second config
//! `COUNTERSIGN_CODE_SIGNING_CONFIG_1_ALLOWED_PUBLISHERS` (separated by commas). What is
//! declared in lists, such as routes, is declared in the file. A `COUNTERSIGN_` variable that overrides nothing is a mistake, because a safety
//! setting with a typing error must not be ignored.
//!
//! **Policies** of principals are files of their own, part of the configuration and relative to it.
//!
//! **Secrets** are never part of it: it says where they come from, and they are read when they are needed.
//!
//! **Mistakes** are collected, not thrown: [`ConfigError`] has all of them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_domain::{BucketName, CodeSigningConfig, Scope};

use crate::{Authority, Environment, Route};

pub use self::file::{LoadError, load_config};
pub use self::gate::GateConfig;
pub use self::keys::{KEYS, Key};
pub use self::parts::{PostgresConfig, RabbitConfig, S3Config};
pub use self::secret::{SecretError, SecretSource};
pub use self::services::ServiceConfig;
pub use self::targets::{LambdaCreate, TargetConfig, TargetKind};
pub use self::triggers::{ExchangeType, Trigger};

mod address;
mod cautions;
mod document;
mod file;
mod gate;
mod keys;
mod parts;
mod principals;
mod routes;
mod secret;
mod section;
mod services;
mod targets;
mod triggers;
mod variables;

/// What a process is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the endpoint listens.
    pub listen: SocketAddr,
    /// Region and account of the ARNs.
    pub scope: Scope,
    /// Refuse to deploy to functions without a code signing config.
    pub require_code_signing: bool,
    /// How often versions that no notification told of are looked for.
    pub sweep_interval: Duration,
    /// The largest package that is fetched, in bytes.
    pub package_size_max_bytes: u64,
    /// The most bytes that a package may unpack to.
    pub unpacked_size_max_bytes: u64,
    /// The other limits of the gate.
    pub gate: GateConfig,
    /// The file with the passphrase of the key custody, as written: relative to the data directory. `None` for the
    /// default place.
    pub key_passphrase_file: Option<PathBuf>,
    /// Files with roots to be trusted beside the installation's own, as written: relative to the data directory.
    pub trust_roots: Vec<PathBuf>,
    /// How the signer's process runs.
    pub signer: ServiceConfig,
    /// How the deployer's process runs.
    pub deployer: ServiceConfig,
    /// Where the deployer puts code that comes within a request, so that there is a version to pin. By default
    /// `countersign-code`.
    pub code_bucket: BucketName,
    /// The object store, where it is not the one of AWS.
    pub s3: Option<S3Config>,
    /// The broker.
    pub rabbitmq: Option<RabbitConfig>,
    /// The database.
    pub postgresql: Option<PostgresConfig>,
    /// Where the signer learns of drops, beside the sweep; at most 16.
    pub triggers: Vec<Trigger>,
    /// Where packages are deployed, 1 to 16, the first by default. Without any in the file, the data directory.
    pub targets: Vec<TargetConfig>,
    /// Who may do what; at most 64 principals, with 100 publishers, 2 access keys and 20 policies each.
    pub authority: Authority,
    /// What drops mean.
    pub routes: Vec<Route>,
    /// Whom functions trust. Profile names in the file are ARNs in `scope` here.
    pub code_signing_configs: Vec<CodeSigningConfig>,
}

impl Config {
    /// The configuration in `text`, overridden by `environment`. The policies that it names are files relative to
    /// `folder`, and read with it.
    ///
    /// # Errors
    /// All mistakes at once, those in the policies included.
    pub fn parse(text: &str, folder: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        document::read(text, folder, environment).map_err(|mistakes| ConfigError { mistakes })
    }

    /// The buckets of the routes, each once.
    pub fn buckets(&self) -> Vec<BucketName> {
        let named = self.routes.iter().flat_map(|route| [&route.source.bucket, &route.destination.bucket]);
        named.collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// The buckets that signed packages go to, each once.
    pub fn destinations(&self) -> Vec<BucketName> {
        let named = self.routes.iter().map(|route| &route.destination.bucket);
        named.collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// What is allowed and yet worth a warning at start, such as addresses without TLS; one sentence each.
    pub fn cautions(&self) -> Vec<String> {
        cautions::of(self)
    }

    /// The sections that name parts outside the process, as they are written: what `countersign up`, which brings its
    /// own parts, has no use for.
    pub fn external_parts(&self) -> Vec<&'static str> {
        let parts = [
            ("[s3]", self.s3.is_some()),
            ("[rabbitmq]", self.rabbitmq.is_some()),
            ("[postgresql]", self.postgresql.is_some()),
            ("[[trigger]]", !self.triggers.is_empty()),
            ("[[target]]", self.targets != targets::by_default()),
        ];
        parts.into_iter().filter_map(|(section, named)| named.then_some(section)).collect()
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The mistakes, at least one, in the order of the file.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong, where, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key, such as `route[1].destination` (counted from 0), or the variable that overrides it.
    pub path: String,
    /// What is wrong and what to write.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [one] => write!(f, "the configuration has a mistake:").and_then(|()| write!(f, "\n  {one}")),
            many => {
                write!(f, "the configuration has {} mistakes:", many.len())?;
                many.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests;
