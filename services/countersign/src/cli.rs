//! The arguments.

use clap::{Parser, Subcommand};
use countersign_runtime::Environment;

use crate::commands::{audit, check, demo, inspect, profile, queue, revoke, sign, strip, submit, up, verify};
use crate::exit::Exit;

/// Signs zip packages that are dropped into S3, and refuses to deploy what is not signed by someone you trust.
///
/// Results go to standard output, everything else to standard error.
/// Exit codes: 0 yes, 1 no (a check failed, a package was refused), 2 it could not run.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = FIRST_STEPS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  countersign demo                  see what is signed, deployed, warned about and blocked, and why
  countersign up                    run everything in this process, in ./countersign-data

Then, in another terminal, export what `up` printed and drop a package:
  aws s3 cp function.zip s3://unsigned/hello/function.zip
  ls -l countersign-data/functions/hello/aliases/";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process: S3 endpoint, queue, signer, deployer
    Up(up::Args),
    /// A guided run in a temporary directory: what is signed, deployed, warned about and blocked, and why
    Demo(demo::Args),
    /// Create or list signing profiles
    #[command(subcommand)]
    Profile(profile::Action),
    /// Withdraw trust from a signing job or a profile; nothing takes it back
    Revoke(revoke::Args),
    /// Look at the queues and give dead letters another chance
    #[command(subcommand)]
    Queue(queue::Action),
    /// Look at the trail: who did what, in CloudTrail's shape
    Audit(audit::Args),
    /// Sign a package with a profile of the data directory
    Sign(sign::Args),
    /// Check integrity, expiry, mismatch and revocation of a package, without any network
    Verify(verify::Args),
    /// Put a package through the zip gate alone
    Check(check::Args),
    /// Give the unsigned package back, bit for bit
    Strip(strip::Args),
    /// Show what a signature says, without verifying it
    Inspect(inspect::Args),
    /// Upload a package and follow it to the end
    Submit(submit::Args),
}

impl Command {
    /// What is logged unless the environment says otherwise.
    pub(crate) fn default_log(&self) -> &'static str {
        match self {
            Self::Up(_) => "warn,countersign_runtime=info,s3s=off",
            Self::Demo(_) => "off",
            Self::Profile(_)
            | Self::Revoke(_)
            | Self::Queue(_)
            | Self::Audit(_)
            | Self::Sign(_)
            | Self::Verify(_)
            | Self::Check(_)
            | Self::Strip(_)
            | Self::Inspect(_) => "warn",
            // What it warns of comes again in the error.
            Self::Submit(_) => "warn,aws_config=error",
        }
    }

    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<Exit> {
        match self {
            Self::Up(args) => up::run(args, environment).await,
            Self::Demo(args) => demo::run(args).await,
            Self::Profile(action) => profile::run(action, environment).await,
            Self::Revoke(args) => revoke::run(args, environment).await,
            Self::Queue(action) => queue::run(action, environment).await,
            Self::Audit(args) => audit::run(args, environment).await,
            Self::Sign(args) => sign::run(args, environment).await,
            Self::Verify(args) => verify::run(&args),
            Self::Check(args) => check::run(&args),
            Self::Strip(args) => strip::run(&args),
            Self::Inspect(args) => inspect::run(&args),
            Self::Submit(args) => submit::run(args, environment).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
