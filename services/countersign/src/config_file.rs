//! `countersign.toml`: the one that `up` writes, and reading one.

use std::path::Path;

use anyhow::Context;
use countersign_runtime::{Config, DataDir, Environment, Route, files};

/// A configuration and where it came from.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// True if there was no file, so that this is the one `up` writes.
    pub(crate) is_new: bool,
}

/// Reads `explicit`, or the file that COUNTERSIGN_CONFIG names, which must be there, or else the data directory's file,
/// or else what would be written there.
///
/// # Errors
/// All mistakes at once, each with its path and what to write.
pub(crate) fn load(
    explicit: Option<&Path>,
    data: &DataDir,
    environment: &Environment,
) -> anyhow::Result<Loaded> {
    let named = environment.value("COUNTERSIGN_CONFIG").map(Path::new);
    let (path, text) = match explicit.or(named) {
        Some(path) => (path.to_owned(), Some(read(path)?)),
        None => (data.config(), files::read_if_there(&data.config())?),
    };
    let is_new = text.is_none();
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = text.unwrap_or_else(|| FIRST.to_owned());
    let config = Config::parse(&text, folder, environment).with_context(|| path.display().to_string())?;
    Ok(Loaded { config, is_new })
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The routes of the first configuration: what they name is made in every empty data directory.
pub(crate) fn first_routes() -> anyhow::Result<Vec<Route>> {
    Ok(Config::parse(FIRST, Path::new(""), &Environment::default())?.routes)
}

/// Writes the first configuration into the data directory.
pub(crate) fn write_first(data: &DataDir) -> anyhow::Result<()> {
    Ok(files::write(&data.config(), 0o644, FIRST.as_bytes())?)
}

/// What `up` writes into an empty data directory.
const FIRST: &str = r#"# Countersign. Read at the start of `countersign up`; restart it after a change.
# Each key may be overridden by a variable: COUNTERSIGN_LISTEN, COUNTERSIGN_REQUIRE_CODE_SIGNING,
# COUNTERSIGN_ROUTE_0_PROFILE and so on. A mistake is never ignored: all of them are reported at once.

# Where the S3 endpoint listens. It speaks plain HTTP: put TLS in front before you leave the loopback interface.
listen = "127.0.0.1:4580"

# What stands in the ARNs of profiles and jobs.
region = "us-east-1"
account = "000000000000"

# A function without a code signing config is deployed unvalidated, as on AWS Lambda. true refuses that instead.
require_code_signing = false

# How often the source buckets are searched for packages whose notification got lost.
sweep_interval_seconds = 60

# The largest package, in bytes, and the most that it may unpack to.
package_size_max_bytes = 262_144_000
unpacked_size_max_bytes = 262_144_000

# The file with the passphrase of the signing keys, if not secrets/key-passphrase in this folder.
# COUNTERSIGN_KEY_PASSPHRASE gives the passphrase itself.
# key_passphrase_file = "/run/secrets/countersign-key-passphrase"

# Files (PEM) with roots to be trusted at deployment beside this installation's own, trust/root.pem: of another
# installation, or of AWS Signer.
# trust_roots = ["trust/partner.pem"]

# What a dropped package means. Of several routes that hold an object, the one with the longest source counts.
# A destination never lies inside a source. Both buckets have to be versioned.
[[route]]
source = "s3://unsigned/"            # where packages are dropped: bucket and key prefix
profile = "default"                  # who signs them: `countersign profile list`
destination = "s3://signed/"         # where signed packages go: this prefix + job id + ".zip"
# What happens then (optional). {segment} is the first folder below the source:
# s3://unsigned/hello/any.zip deploys the function `hello`, here to functions/hello/.
deploy = { function = "{segment}", alias = "live", create = true, code_signing_config = "default" }

# Whom a function trusts.
[[code_signing_config]]
name = "default"
allowed_publishers = ["default"]     # profile names, profile ARNs or profile version ARNs, at most 20
untrusted_artifact = "Enforce"       # block what is expired, revoked or signed by others; "Warn" deploys it and warns
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::UntrustedArtifact;

    #[test]
    fn the_first_configuration_is_one_and_says_what_it_should() {
        let config = Config::parse(FIRST, Path::new(""), &Environment::default()).unwrap();
        let empty = Config::parse("", Path::new(""), &Environment::default()).unwrap();
        assert_eq!(config.routes.len(), 1);
        assert_eq!(config.code_signing_configs[0].untrusted_artifact, UntrustedArtifact::Enforce);
        assert_eq!(
            Config { routes: Vec::new(), code_signing_configs: Vec::new(), ..config },
            empty,
            "what it says of the rest are the defaults"
        );
    }
}
