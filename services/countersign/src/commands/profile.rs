//! `countersign profile`: signing profiles in the data directory.

use std::sync::Arc;

use anyhow::anyhow;
use countersign_domain::{Platform, ProfileName, ValidityPeriod};
use countersign_ports::Clock;
use countersign_ports::profiles::{Profile, ProfileFilter, Profiles};
use countersign_runtime::{Environment, SystemClock};
use countersign_signer::profile::{self, CreateError};
use serde::Serialize;

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::local::Local;
use crate::output;

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Create a signing profile, and the installation if there is none
    Create(Create),
    /// List the signing profiles
    List(List),
}

#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_HELP)]
pub struct Create {
    /// Its name: 2 to 64 letters, digits or underscores, never used before
    name: ProfileName,
    /// What it signs with
    #[arg(long, default_value_t = Platform::CountersignSha256Rsa, value_name = "PLATFORM")]
    platform: Platform,
    /// How long its signatures are valid
    #[arg(long, default_value_t = ValidityPeriod::DEFAULT, value_name = "PERIOD")]
    validity: ValidityPeriod,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const CREATE_HELP: &str = "\
Platforms: Countersign-SHA256-RSA, Countersign-SHA384-ECDSA, AWSLambda-SHA384-ECDSA.
Validity: a number and DAYS, MONTHS or YEARS, at most 135MONTHS.

A running `countersign up` on the same data directory sees the profile at once.

Exit codes: 0 created, 2 it could not be.

Example:
  countersign profile create releases --platform Countersign-SHA384-ECDSA --validity 2YEARS";

#[derive(Debug, clap::Args)]
pub struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    name: String,
    arn: String,
    platform: Platform,
    validity: ValidityPeriod,
    status: String,
    created_at: String,
}

pub(crate) async fn run(action: Action, environment: &Environment) -> anyhow::Result<Exit> {
    match action {
        Action::Create(args) => create(args, environment).await,
        Action::List(args) => list(args, environment).await,
    }
}

async fn create(args: Create, environment: &Environment) -> anyhow::Result<Exit> {
    let local = Local::open_or_create(args.data_dir.chosen(), environment).await?;
    let keys = Arc::new(local.keys(environment).await?);
    let (scope, now) = (&local.config.scope, SystemClock.now());
    let new = profile::new_profile(scope, &args.name, args.platform, args.validity, now)?;
    let created = profile::create(local.profiles.as_ref(), keys.as_ref(), &new).await;
    let profile = created.map_err(refused)?;
    let report = Report::of(&profile);
    if args.json {
        output::json(&report)?;
    } else {
        output::result(&report.arn)?;
    }
    Ok(Exit::Success)
}

/// What was wrong, with a code for scripts where it is the name.
fn refused(error: CreateError) -> anyhow::Error {
    match error {
        used @ CreateError::NameUsed(_) => anyhow!("profile_exists: {used}"),
        error @ (CreateError::Keys(_) | CreateError::Store(_)) => error.into(),
    }
}

async fn list(args: List, environment: &Environment) -> anyhow::Result<Exit> {
    let local = Local::open(args.data_dir.chosen(), environment).await?;
    let profiles: Vec<Report> = all(local.profiles.as_ref()).await?.iter().map(Report::of).collect();
    if args.json {
        output::json(&profiles)?;
    } else {
        output::result(&table(&profiles))?;
    }
    Ok(Exit::Success)
}

async fn all(profiles: &dyn Profiles) -> anyhow::Result<Vec<Profile>> {
    Ok(profiles.list_profiles(&ProfileFilter::all(), None, usize::MAX).await?)
}

fn table(profiles: &[Report]) -> String {
    let mut table = output::table(["NAME", "STATUS", "PLATFORM", "VALIDITY", "ARN"]);
    for Report { name, arn, platform, validity, status, .. } in profiles {
        table.add_row([name, status, &platform.to_string(), &validity.to_string(), arn]);
    }
    table.to_string()
}

impl Report {
    fn of(profile: &Profile) -> Self {
        Self {
            name: profile.arn.profile().name().to_string(),
            arn: profile.arn.to_string(),
            platform: profile.platform,
            validity: profile.validity,
            status: profile.status.to_string(),
            created_at: profile.created_at.to_string(),
        }
    }
}
