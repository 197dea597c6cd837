//! `countersign up`: everything in one process.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use countersign_domain::{Platform, ProfileName, ValidityPeriod};
use countersign_ports::Clock as _;
use countersign_ports::StoreError;
use countersign_ports::objects::ObjectStore;
use countersign_ports::profiles::Profiles;
use countersign_runtime::{Config, DataDir, Environment, Route, SystemClock, files};
use countersign_signer::profile::new_profile;
use countersign_signer::{preflight, prepare_leaves};

use crate::data_dir::DataDirArg;
use crate::events::{self, Follower};
use crate::exit::Exit;
use crate::signals::Signals;
use crate::system::{Parts, System};
use crate::{config_file, output};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    data_dir: DataDirArg,
    /// Where the S3 endpoint listens; port 0 takes a free one [default: of the configuration, 127.0.0.1:4580]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The configuration [default: countersign.toml in the data directory, written at the first start]
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

const HELP: &str = "\
In an empty data directory it makes: countersign.toml, the versioned buckets
`unsigned` and `signed`, the signing profile `default`, a code signing config
that trusts only that profile, an access key, and trust/root.pem. Whatever else
a configuration of your own names is not made; what is missing is told at the
start.

Standard output has export lines for the AWS CLI and SDKs, then comments. What
happens is told on standard error.

Key passphrase: COUNTERSIGN_KEY_PASSPHRASE, or the file that the configuration
or COUNTERSIGN_KEY_PASSPHRASE_FILE names, or else secrets/key-passphrase in the
data directory, made at random.
Logs: COUNTERSIGN_LOG (such as `debug`), COUNTERSIGN_LOG_FORMAT=json.

Exit codes: 0 stopped by SIGINT or SIGTERM, 2 it could not start or go on.

Examples:
  countersign up
  countersign up --data-dir /var/lib/countersign --listen 127.0.0.1:9000
  countersign up > exports &
  sleep 2; . ./exports; aws s3 cp function.zip s3://unsigned/hello/function.zip";

pub(crate) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    let data = args.data_dir.chosen();
    let config_file::Loaded { mut config, is_new } =
        config_file::load(args.config.as_deref(), &data, environment)?;
    refuse_external(&config)?;
    config.listen = args.listen.unwrap_or(config.listen);
    let mut signals = Signals::new()?;
    data.create()?;
    let _running = data.lock()?;
    let is_empty = !data.state().try_exists()?;
    let parts = Parts::open(&data, &config, environment).await?;
    if is_new {
        make_first(&parts, &config, &config.routes).await?;
        // The file comes last, so that a start that was cut off is made up for.
        config_file::write_first(&data)?;
    } else if is_empty {
        make_first(&parts, &config, &config_file::first_routes()?).await?;
    }
    let follower = Follower::from_now(parts.queue.clone()).await?;
    let mut system = System::start(parts, &data, &config).await?;
    files::write(&data.endpoint(), 0o644, system.parts.endpoint.as_bytes())?;
    announce(&system.parts, &data, &config)?;
    let ended = serve(&mut system, follower, &config, &mut signals).await;
    output::complain("Stopping: work under way may finish. Once more to stop at once.");
    stop(system, &data, &mut signals).await;
    ended.map(|()| Exit::Success)
}

/// What an empty data directory begins with: the buckets and profiles of `routes`.
async fn make_first(parts: &Parts, config: &Config, routes: &[Route]) -> anyhow::Result<()> {
    let buckets = routes.iter().flat_map(|route| [&route.source.bucket, &route.destination.bucket]);
    parts.ensure_buckets(buckets).await?;
    for route in routes {
        ensure_profile(parts, config, &route.profile).await?;
    }
    Ok(())
}

async fn ensure_profile(parts: &Parts, config: &Config, name: &ProfileName) -> anyhow::Result<()> {
    let (platform, validity) = (Platform::CountersignSha256Rsa, ValidityPeriod::DEFAULT);
    let new = new_profile(&config.scope, name, platform, validity, SystemClock.now())?;
    match parts.store.create_profile(&new).await {
        Ok(_) | Err(StoreError::AlreadyExists(_)) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("profile {name}")),
    }
}

fn announce(parts: &Parts, data: &DataDir, config: &Config) -> anyhow::Result<()> {
    let (key, root) = (&parts.access_key, data.root());
    let bucket =
        config.routes.first().map_or_else(|| "s3://unsigned/".to_owned(), |route| route.source.to_string());
    output::result(&format!(
        "export AWS_ENDPOINT_URL={}\n\
         export AWS_ACCESS_KEY_ID={}\n\
         export AWS_SECRET_ACCESS_KEY={}\n\
         export AWS_DEFAULT_REGION={}\n\
         # Export these in another terminal, then drop a package:\n\
         #   aws s3 cp function.zip {bucket}hello/function.zip\n\
         # It is signed and deployed; see:\n\
         #   ls -l {}/functions/hello/aliases/",
        parts.endpoint,
        key.access_key_id,
        key.secret_access_key,
        config.scope.region(),
        root.display(),
    ))?;
    if !config.listen.ip().is_loopback() {
        output::complain(&format!(
            "warning: {} is not on the loopback interface, and the endpoint speaks plain HTTP: put TLS in front",
            config.listen
        ));
    }
    output::complain(&format!(
        "Countersign serves S3 at {} from {}. Ctrl-C ends it.",
        parts.endpoint,
        root.display()
    ));
    Ok(())
}

/// Tells what happens until a signal comes.
async fn serve(
    system: &mut System,
    follower: Follower,
    config: &Config,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let (keys, store, named) = (system.parts.keys.clone(), system.parts.store.clone(), config.clone());
    let preparing = tokio::spawn(async move { prepare_leaves(keys.as_ref(), &store, &named).await });
    let checking =
        tokio::spawn(check(system.parts.objects.clone(), system.parts.store.clone(), config.clone()));
    let telling = tokio::spawn(tell(follower));
    let ended = tokio::select! {
        () = signals.next() => Ok(()),
        error = system.watch() => Err(error),
    };
    for task in [preparing, checking, telling] {
        task.abort();
    }
    ended
}

/// Tells what the configuration names and is not there.
async fn check(objects: impl ObjectStore, profiles: impl Profiles, config: Config) {
    for problem in preflight::problems(&objects, &profiles, &config).await {
        output::complain(&format!("warning: {problem}"));
    }
}

async fn tell(mut follower: Follower) {
    loop {
        match follower.next().await {
            Ok(events) => events.iter().for_each(|event| output::complain(&events::line(event))),
            Err(error) => {
                tracing::warn!(error = output::told(&error), "the event log could not be read");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

/// What `up` brings itself cannot be brought by others too.
fn refuse_external(config: &Config) -> anyhow::Result<()> {
    let external = config.external_parts();
    if external.is_empty() {
        return Ok(());
    }
    bail!(
        "`up` brings its own S3 endpoint, queue, state and target, and the configuration has {}: remove that, or run \
         countersign-signer and countersign-deployer, which use it",
        external.join(", ")
    )
}

async fn stop(system: System, data: &DataDir, signals: &mut Signals) {
    let gone = std::fs::remove_file(data.endpoint());
    if let Err(error) = gone {
        tracing::debug!(%error, "the endpoint file stays");
    }
    tokio::select! {
        () = system.stop() => {}
        () = signals.next() => output::complain("Stopped at once; the next start takes up what was under way."),
    }
}
