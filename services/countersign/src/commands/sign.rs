//! `countersign sign`: offline signing with the keys of a data directory.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_domain::{JobArn, JobId, ProfileName};
use countersign_package::statement::Statement;
use countersign_ports::Clock;
use countersign_runtime::{Environment, SystemClock, random};
use serde::Serialize;

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::limit_args::LimitArgs;
use crate::local::{Local, demand_active, unknown_profile};
use crate::report::StatementReport;
use crate::{output, signing};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The unsigned package
    zip: PathBuf,
    /// The signing profile
    #[arg(long, value_name = "NAME")]
    profile: ProfileName,
    /// Where the signed package goes
    #[arg(short, long, value_name = "ZIP")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Signs on this machine, with a profile and the keys of the data directory; nothing has to run. The signing job gets a
random id and is not recorded: to withdraw such a signature, revoke its profile.

Exit codes: 0 signed, 2 refused or it could not run; a refusal begins with a stable code.

Examples:
  countersign profile create releases
  countersign sign function.zip --profile releases -o signed.zip
  countersign verify signed.zip --trust-root countersign-data/trust/root.pem";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(flatten)]
    statement: StatementReport,
    unsigned_sha256: String,
    signed_sha256: String,
    size: u64,
}

pub(crate) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    let local = Local::open(args.data_dir.chosen(), environment).await?;
    let profile = local.profile(&args.profile).await?;
    let profile = profile.ok_or_else(|| unknown_profile(&args.profile, &local.data))?;
    demand_active(&profile)?;
    let keys = Arc::new(local.keys(environment).await?);
    let now = SystemClock.now();
    let statement = Statement {
        platform: profile.platform,
        job_arn: JobArn::new(profile.arn.profile().scope().clone(), JobId::from_random(random::bytes()?)),
        profile_version_arn: profile.arn,
        signing_time: now,
        expires_at: profile.validity.after(now),
    };
    let signed = signing::sign_file(keys, statement, args.limits.limits(), &args.zip, &args.output).await?;
    let report = Report {
        statement: StatementReport::from(&signed.statement),
        unsigned_sha256: signed.unsigned_digest.to_string(),
        signed_sha256: signed.package_digest.to_string(),
        size: signed.size,
    };
    if args.json {
        output::json(&report)?;
    } else {
        let StatementReport { profile_version_arn, job_arn, expires_at, .. } = &report.statement;
        let path = args.output.display();
        output::result(&format!(
            "{path}: signed by {profile_version_arn}\njob {job_arn}\nexpires {expires_at}"
        ))?;
    }
    Ok(Exit::Success)
}
