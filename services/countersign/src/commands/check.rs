//! `countersign check`: the gate alone.

use std::path::PathBuf;

use countersign_package::gate::{Archive, GateError, Refusal};
use serde::Serialize;

use crate::exit::Exit;
use crate::limit_args::LimitArgs;
use crate::{output, package_file};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The package
    zip: PathBuf,
    /// Print one JSON object instead of a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

const HELP: &str = "\
The gate refuses every zip that two readers could read differently. It says nothing about signatures.

Exit codes: 0 the gate accepts the package, 1 it refuses it, 2 the package could not be read.
A refusal begins with a stable code, such as `duplicate_name`, which scripts may compare.

Examples:
  countersign check function.zip
  countersign check function.zip --json | jq -r .code";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<usize>,
    #[serde(flatten)]
    refusal: Option<RefusalReport>,
}

#[derive(Debug, Serialize)]
struct RefusalReport {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    offset: u64,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let file = package_file::open_package(&args.zip)?;
    match Archive::parse(&file, &args.limits.limits()) {
        Ok(archive) => accepted(args, archive.entries().len()),
        Err(GateError::Refused(refusal)) => refused(args, &refusal),
        Err(error @ GateError::Io(_)) => Err(error.into()),
    }
}

fn accepted(args: &Args, entries: usize) -> anyhow::Result<Exit> {
    if args.json {
        output::json(&Report { accepted: true, entries: Some(entries), refusal: None })?;
    } else {
        output::result(&format!("{}: accepted, {entries} entries", output::shown(args.zip.display())))?;
    }
    Ok(Exit::Success)
}

fn refused(args: &Args, refusal: &Refusal) -> anyhow::Result<Exit> {
    if args.json {
        output::json(&Report { accepted: false, entries: None, refusal: Some(RefusalReport::of(refusal)) })?;
    } else {
        output::result(&format!(
            "{}: refused: {}",
            output::shown(args.zip.display()),
            output::shown(refusal)
        ))?;
    }
    Ok(Exit::Refused)
}

impl RefusalReport {
    fn of(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code.as_str(),
            entry: refusal.entry.clone(),
            offset: refusal.offset,
            detail: refusal.detail.clone(),
            hint: refusal.hint(),
        }
    }
}
