//! `countersign strip`: the unsigned package back.

use std::path::PathBuf;

use countersign_package::strip::{StripError, strip};

use crate::exit::Exit;
use crate::limit_args::LimitArgs;
use crate::output;
use crate::package_file::{self, Pending};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The signed package
    zip: PathBuf,
    /// Where the unsigned package goes
    #[arg(short, long, value_name = "ZIP")]
    output: PathBuf,
    #[command(flatten)]
    limits: LimitArgs,
}

const HELP: &str = "\
Signing is a reversible append: what comes out is, bit for bit, what was signed. Nothing is verified.

Exit codes: 0 written, 1 there is nothing to strip or the package is not such an append, 2 it could not run.

Example:
  countersign strip signed.zip -o unsigned.zip";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let file = package_file::open_package(&args.zip)?;
    let mut pending = Pending::begin(&args.output, &args.zip)?;
    match strip(&file, &args.limits.limits(), pending.out()) {
        Ok(stripped) => {
            pending.commit()?;
            let (path, digest) = (args.output.display(), stripped.digest);
            output::result(&format!("{path}: {} bytes, sha256 {digest}", stripped.size))?;
            Ok(Exit::Success)
        }
        Err(error @ StripError::Io(_)) => Err(error.into()),
        Err(
            error @ (StripError::Gate(_)
            | StripError::Unsigned
            | StripError::Ambiguous(_)
            | StripError::NotAnAppend(_)),
        ) => {
            output::complain(&output::coded(error.code(), &error));
            Ok(Exit::Refused)
        }
    }
}
