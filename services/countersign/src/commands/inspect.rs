//! `countersign inspect`: what a signature says, unverified.

use std::path::{Path, PathBuf};

use countersign_package::verify::{Inspection, UnverifiedSignature, VerifyError, inspect};
use serde::Serialize;

use crate::exit::Exit;
use crate::limit_args::LimitArgs;
use crate::report::InspectionReport;
use crate::{output, package_file};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The package
    zip: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

const HELP: &str = "\
Nothing that this prints was verified: anybody can write it into a zip. Decide by `countersign verify` alone.

Exit codes: 0 there is a signature, 1 there is none or it cannot be read, 2 the package could not be read.

Examples:
  countersign inspect signed.zip
  countersign inspect signed.zip --json | jq .unverifiedSignature.claimed";

#[derive(Debug, Serialize)]
struct Failure<'a> {
    code: &'a str,
    detail: String,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let file = package_file::open_package(&args.zip)?;
    match inspect(&file, &args.limits.limits()) {
        Ok(inspection) => found(args, &inspection),
        Err(error @ VerifyError::Io(_)) => Err(error.into()),
        Err(error @ (VerifyError::Gate(_) | VerifyError::Unsigned | VerifyError::Integrity(_))) => {
            unreadable(args, &error)
        }
    }
}

fn found(args: &Args, inspection: &Inspection) -> anyhow::Result<Exit> {
    if args.json {
        output::json(&InspectionReport::from(inspection))?;
    } else {
        output::result(&described(&args.zip, inspection))?;
    }
    Ok(Exit::of(inspection.unverified_signature.is_some()))
}

fn unreadable(args: &Args, error: &VerifyError) -> anyhow::Result<Exit> {
    if args.json {
        output::json(&Failure { code: error.code().unwrap_or("io"), detail: error.to_string() })?;
    } else {
        output::complain(&output::coded(error.code(), error));
    }
    Ok(Exit::Refused)
}

fn described(path: &Path, inspection: &Inspection) -> String {
    let Inspection { entries, package_digest, unverified_signature } = inspection;
    let head = format!("{}: {entries} entries, sha256 {package_digest}", output::shown(path.display()));
    match unverified_signature {
        None => format!("{head}\nnot signed"),
        Some(signature) => format!("{head}\n{}", signature_lines(signature)),
    }
}

fn signature_lines(signature: &UnverifiedSignature) -> String {
    let claimed = &signature.claimed;
    let mut lines = vec![
        format!("UNVERIFIED: this is what the signature in {} claims", signature.entry),
        format!("  platform          {}", claimed.platform),
        format!("  profile version   {}", claimed.profile_version_arn),
        format!("  job               {}", claimed.job_arn),
        format!("  signed            {}", claimed.signing_time),
        format!("  expires           {}", claimed.expires_at),
        format!("  coverage          {}", signature.claimed_coverage),
        format!("  digest            {}", signature.message_digest),
    ];
    for certificate in &signature.certificates {
        lines.push(format!("  certificate       {}", output::shown(&certificate.subject)));
        lines.push(format!("    issuer          {}", output::shown(&certificate.issuer)));
        lines.push(format!("    serial          {}", certificate.serial));
        lines.push(format!("    valid           {} to {}", certificate.not_before, certificate.not_after));
        lines.push(format!("    sha256          {}", certificate.sha256));
    }
    lines.join("\n")
}
