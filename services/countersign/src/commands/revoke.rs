//! `countersign revoke`: withdraws trust, irreversibly.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{anyhow, bail};
use countersign_domain::{JobArn, JobId, PrincipalArn, ProfileName, UnixMillis};
use countersign_ports::{Clock, StoreError};
use countersign_runtime::{Environment, SystemClock};

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::local::{Local, unknown_profile};
use crate::output;

#[derive(Debug, clap::Args)]
#[command(after_help = HELP, group = clap::ArgGroup::new("what").required(true))]
pub struct Args {
    /// Revoke the signature of one signing job
    #[arg(long, value_name = "ID", group = "what")]
    job: Option<JobId>,
    /// Revoke a signing profile: it signs no more, and what it signed after the effective time is not trusted
    #[arg(long, value_name = "NAME", group = "what")]
    profile: Option<ProfileName>,
    /// From when on the profile's signatures are not trusted (RFC 3339, not in the future) [default: now]
    #[arg(long, value_name = "T", conflicts_with = "job")]
    effective_time: Option<UnixMillis>,
    /// Why, for whoever asks later
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Nothing takes a revocation back. On a terminal it asks first; elsewhere --yes is
required. Revoking a profile again may move its effective time earlier, never
later.

Exit codes: 0 revoked; 1 not revoked: you said no, there is no such job or
profile, or the record forbids it; 2 it could not run.

Examples:
  countersign revoke --profile releases --reason 'key leaked' \\
      --effective-time 2026-11-20T00:00:00Z
  countersign revoke --job 3f0c2e0a-6a4f-8d9b-a1b2-0c5d6e7f8091 \\
      --reason 'built on a compromised runner' --yes";

/// What is to be revoked.
enum Target {
    Job(JobArn),
    Profile { name: ProfileName, effective_from: UnixMillis },
}

pub(crate) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    let local = Local::open(args.data_dir.chosen(), environment).await?;
    let now = SystemClock.now();
    let target = match (args.job, args.profile) {
        (Some(job), None) => Target::Job(JobArn::new(local.config.scope.clone(), job)),
        (None, Some(name)) => Target::Profile { name, effective_from: args.effective_time.unwrap_or(now) },
        (Some(_), Some(_)) | (None, None) => bail!("give either --job or --profile"),
    };
    if !args.yes && !confirmed(&target)? {
        output::complain("not revoked");
        return Ok(Exit::Refused);
    }
    match revoke(&local, &target, &args.reason, now).await {
        Ok(done) => output::result(&done).map(|()| Exit::Success),
        Err(error) => match error.downcast_ref::<StoreError>() {
            Some(StoreError::Unavailable(_) | StoreError::Corrupt { .. } | StoreError::LeaseLost(_)) => {
                Err(error)
            }
            Some(StoreError::NotFound(_) | StoreError::Conflict(_) | StoreError::AlreadyExists(_)) | None => {
                output::complain(&format!("not revoked: {}", output::told(&error)));
                Ok(Exit::Refused)
            }
        },
    }
}

async fn revoke(local: &Local, target: &Target, reason: &str, now: UnixMillis) -> anyhow::Result<String> {
    // Whoever may write to the state works for the account itself.
    let by = PrincipalArn::root(&local.config.scope);
    match target {
        Target::Job(job) => {
            let revoked = local.revocations.revoke_job(job, &by, reason, now).await;
            revoked.map_err(|error| unknown_job(error, job))?;
            Ok(format!("revoked {job}"))
        }
        Target::Profile { name, effective_from } => {
            let profile = local.profile(name).await?;
            let arn = profile.ok_or_else(|| unknown_profile(name, &local.data))?.arn;
            local.revocations.revoke_profile(&arn, *effective_from, &by, reason, now).await?;
            Ok(format!("revoked {arn} for what it signed after {effective_from}"))
        }
    }
}

fn unknown_job(error: StoreError, job: &JobArn) -> anyhow::Error {
    match error {
        StoreError::NotFound(_) => {
            anyhow!("unknown_job: there is no signing job {job}, or it signed nothing")
        }
        StoreError::Unavailable(_)
        | StoreError::Corrupt { .. }
        | StoreError::LeaseLost(_)
        | StoreError::Conflict(_)
        | StoreError::AlreadyExists(_) => error.into(),
    }
}

/// Asks on a terminal; elsewhere nobody could answer.
fn confirmed(target: &Target) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nothing takes a revocation back, and this is no terminal to ask on: add --yes if you mean it");
    }
    match target {
        Target::Job(job) => output::complain(&format!("Revoke the signature of {job}?")),
        Target::Profile { name, effective_from } => {
            output::complain(&format!(
                "Revoke profile {name} for everything it signed after {effective_from}?"
            ));
        }
    }
    output::complain("Nothing takes this back. Type yes to go on:");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
