//! `countersign submit`: uploads a package and follows it to the end.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use countersign_domain::{ObjectLocation, ObjectVersion, Prefix};
use countersign_objects::{S3Objects, S3Settings};
use countersign_queue::EmbeddedQueue;
use countersign_runtime::{Config, DataDir, Environment, Route, SystemClock, files, route_of};
use indicatif::{ProgressBar, ProgressStyle};

use crate::access_key::AccessKey;
use crate::data_dir::DataDirArg;
use crate::events::Follower;
use crate::exit::Exit;
use crate::follow::{self, Followed};
use crate::{config_file, output, package_file};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The package
    zip: PathBuf,
    /// Where it goes: s3://bucket/key, or s3://bucket/prefix/ to keep the file's name
    #[arg(long, value_name = "S3-URL")]
    to: Prefix,
    /// Follow the signing job and the deployment to their end
    #[arg(long)]
    wait: bool,
    /// How long --wait waits, in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout: u64,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Uploads to the endpoint in AWS_ENDPOINT_URL if that is set, with the AWS_
credentials; else to the `countersign up` that runs on the data directory.
--wait reads the event log of that data directory.

Exit codes: 0 uploaded, or with --wait signed and deployed; 1 refused, blocked or
failed; 2 it could not run, or the time was up.

Examples:
  countersign submit function.zip --to s3://unsigned/hello/ --wait
  AWS_ENDPOINT_URL=https://s3.example AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... \\
      countersign submit function.zip --to s3://unsigned/hello/function.zip";

pub(crate) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    let data = args.data_dir.chosen();
    drop(package_file::open_package(&args.zip)?);
    let object = destination(&args.to, &args.zip)?;
    let waiting = if args.wait { Some(Waiting::prepare(&data, environment, &object).await?) } else { None };
    let settings = settings(&data, environment)?;
    let uploaded = upload(&S3Objects::new(&settings).await, &object, &args.zip).await;
    let uploaded = uploaded.with_context(|| could_not_upload(&object, &settings))?;
    match waiting {
        Some(waiting) => waiting.follow(&uploaded, Duration::from_secs(args.timeout)).await,
        None => output::result(&uploaded.to_string()).map(|()| Exit::Success),
    }
}

/// The object itself, or below a prefix that ends in `/` the file's own name.
fn destination(to: &Prefix, zip: &Path) -> anyhow::Result<ObjectLocation> {
    let name = if to.key_prefix.is_empty() || to.key_prefix.ends_with('/') {
        let name = zip.file_name().and_then(|name| name.to_str());
        name.with_context(|| {
            format!("{} has no name that a key could have: write the key in --to", zip.display())
        })?
    } else {
        ""
    };
    Ok(to.join(name)?)
}

fn settings(data: &DataDir, environment: &Environment) -> anyhow::Result<S3Settings> {
    let region = environment.value("AWS_REGION").or_else(|| environment.value("AWS_DEFAULT_REGION"));
    if let Some(endpoint) = environment.value("AWS_ENDPOINT_URL") {
        return Ok(S3Settings {
            endpoint: Some(endpoint.to_owned()),
            region: region.unwrap_or("us-east-1").to_owned(),
            credentials: None,
            path_style: true,
        });
    }
    if let Some(endpoint) = running_endpoint(data)? {
        let key = AccessKey::load(data)?
            .context("the data directory has no access key: restart `countersign up`")?;
        let region = config_file::load(None, data, environment)?.config.scope.region().to_owned();
        return Ok(S3Settings {
            endpoint: Some(endpoint),
            region,
            credentials: Some(key.for_client()),
            path_style: true,
        });
    }
    let Some(region) = region else {
        bail!(
            "no `countersign up` runs on {}, and no AWS_ENDPOINT_URL or AWS_REGION is set: start it, choose another \
             directory with --data-dir, or set them",
            data.root().display()
        );
    };
    Ok(S3Settings { endpoint: None, region: region.to_owned(), credentials: None, path_style: false })
}

fn running_endpoint(data: &DataDir) -> anyhow::Result<Option<String>> {
    Ok(files::read_if_there(&data.endpoint())?.map(|text| text.trim().to_owned()))
}

/// Says where to, as that is decided by what is set and what runs.
fn could_not_upload(object: &ObjectLocation, settings: &S3Settings) -> String {
    let (endpoint, keys) = (settings.endpoint.as_deref().unwrap_or("AWS"), settings.credentials.is_some());
    let check = if keys {
        "does `countersign up` still run?"
    } else {
        "are AWS_ENDPOINT_URL and the AWS_ credentials right?"
    };
    format!("could not upload to {object} at {endpoint} ({check})")
}

async fn upload(objects: &S3Objects, object: &ObjectLocation, zip: &Path) -> anyhow::Result<ObjectVersion> {
    let size = tokio::fs::metadata(zip).await?.len();
    let bar = progress_bar(size);
    let shown = bar.clone();
    let uploaded = objects.put(object, zip, Some(Arc::new(move |sent| shown.set_position(sent)))).await;
    bar.finish_and_clear();
    Ok(uploaded?)
}

fn progress_bar(size: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("uploading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What following needs, looked up before anything is uploaded.
struct Waiting {
    route: Route,
    follower: Follower,
}

impl Waiting {
    async fn prepare(
        data: &DataDir,
        environment: &Environment,
        object: &ObjectLocation,
    ) -> anyhow::Result<Self> {
        let Some(endpoint) = running_endpoint(data)? else {
            bail!("--wait follows the `countersign up` of {}, and none runs there", data.root().display());
        };
        if let Some(other) =
            environment.value("AWS_ENDPOINT_URL").filter(|other| other.trim_end_matches('/') != endpoint)
        {
            bail!("--wait follows {endpoint}, and AWS_ENDPOINT_URL is {other}: unset one of the two");
        }
        let Config { routes, .. } = config_file::load(None, data, environment)?.config;
        let route = route_of(&routes, object).cloned();
        let route = route
            .with_context(|| format!("no route of {} has {object} as its source", data.config().display()))?;
        let queue = EmbeddedQueue::open(&data.queue(), Arc::new(SystemClock)).await?;
        Ok(Self { route, follower: Follower::from_now(queue).await? })
    }

    async fn follow(mut self, source: &ObjectVersion, time: Duration) -> anyhow::Result<Exit> {
        let followed = follow::follow(&mut self.follower, source, &self.route);
        match tokio::time::timeout(time, followed).await {
            Ok(followed) => show(followed?),
            Err(_) => bail!(
                "{source} was uploaded and has not come to its end in {} s: `countersign up` tells what it waits for; \
                 a longer --timeout waits longer",
                time.as_secs()
            ),
        }
    }
}

fn show(followed: Followed) -> anyhow::Result<Exit> {
    let (exit, line) = match followed {
        Followed::NotSigned { reason } => (Exit::Refused, format!("not signed: {reason}")),
        Followed::Signed { object } => (Exit::Success, format!("signed: {object}")),
        Followed::Deployed { report, warnings } => {
            for warning in warnings {
                output::complain(&format!("warning: {}", output::shown(warning)));
            }
            let version = report.version.unwrap_or_default();
            (Exit::Success, format!("deployed: {} version {version}", report.function_name))
        }
        Followed::Blocked { report } => {
            (Exit::Refused, format!("blocked: {}: {}", report.function_name, report.reason))
        }
        Followed::Failed { report } => {
            (Exit::Refused, format!("failed: {}: {}", report.function_name, report.reason))
        }
    };
    output::result(&output::shown(line))?;
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_keeps_the_files_name_and_a_key_does_not() {
        let to = |text: &str| {
            destination(&text.parse().unwrap(), Path::new("dir/function.zip")).map(|o| o.to_string())
        };
        assert_eq!(to("s3://unsigned/hello/").unwrap(), "s3://unsigned/hello/function.zip");
        assert_eq!(to("s3://unsigned").unwrap(), "s3://unsigned/function.zip");
        assert_eq!(to("s3://unsigned/hello/other.zip").unwrap(), "s3://unsigned/hello/other.zip");
    }
}
