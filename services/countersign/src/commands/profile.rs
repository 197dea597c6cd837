//! `countersign profile`: signing profiles in the data directory.

use std::sync::Arc;

use anyhow::bail;
use countersign_domain::{Platform, ProfileArn, ProfileName, ProfileVersionArn, Tags, ValidityPeriod};
use countersign_ports::Clock;
use countersign_ports::StoreError;
use countersign_ports::keys::SigningKeys;
use countersign_ports::profiles::{NewProfile, Profile, ProfileFilter, Profiles};
use countersign_runtime::{Config, Environment, SystemClock};
use serde::Serialize;

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::local::Local;
use crate::{output, random};

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
    let new = new_profile(&local.config, &args.name, args.platform, args.validity)?;
    let profile = create_profile(local.profiles.as_ref(), new).await?;
    // The first key now, so that the first package does not wait for it.
    keys.leaf(&profile.arn, profile.platform, SystemClock.now()).await?;
    let report = Report::of(&profile);
    if args.json {
        output::json(&report)?;
    } else {
        output::result(&report.arn)?;
    }
    Ok(Exit::Success)
}

/// A profile of this installation, with a new version.
pub(crate) fn new_profile(
    config: &Config,
    name: &ProfileName,
    platform: Platform,
    validity: ValidityPeriod,
) -> anyhow::Result<NewProfile> {
    let profile = ProfileArn::new(config.scope.clone(), name.clone());
    let arn = ProfileVersionArn::new(profile, random::profile_version()?);
    Ok(NewProfile { arn, platform, validity, tags: Tags::default(), created_at: SystemClock.now() })
}

async fn create_profile(profiles: &dyn Profiles, new: NewProfile) -> anyhow::Result<Profile> {
    let name = new.arn.profile().name().clone();
    let created = profiles.create_profile(&new).await;
    if matches!(created, Err(StoreError::AlreadyExists(_))) {
        bail!(
            "profile_exists: the profile name {name} was used before, and is never free again: choose another"
        );
    }
    Ok(created?)
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
