//! `countersign audit exposure`: what runs on a signature that would not pass any more.

use countersign_deployer::told_of;
use countersign_ports::Clock as _;
use countersign_ports::exposure::Exposure;
use countersign_runtime::{Environment, SystemClock};

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::{local, output};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Of each function: $LATEST and every version that an alias points to, with their
layers. Nothing is undone; deploy a package with a signature that holds.

Exit codes: 0 nothing is exposed, 1 something is, 2 it could not run.

Examples:
  countersign audit exposure
  countersign audit exposure --json";

pub(super) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    let exposures = local::exposures(&args.data_dir.chosen(), environment).await?;
    let (now, mut found) = (SystemClock.now(), Vec::new());
    loop {
        let page = exposures.exposed(now, found.last(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    if args.json {
        for exposure in &found {
            output::result(&serde_json::to_string(&told_of(exposure))?)?;
        }
    } else if found.is_empty() {
        output::complain("nothing that is deployed runs on an expired or revoked signature");
    } else {
        output::result(&table(&found))?;
    }
    Ok(if found.is_empty() { Exit::Success } else { Exit::Refused })
}

fn table(found: &[Exposure]) -> String {
    let mut table = output::table(["FUNCTION", "VERSION", "PACKAGE", "SIGNATURE", "SINCE"]);
    for exposure in found {
        table.add_row([
            exposure.function.to_string(),
            exposure.version.to_string(),
            exposure.package.to_string(),
            exposure.cause.as_str().to_owned(),
            exposure.since.to_string(),
        ]);
    }
    table.to_string()
}

/// Exposures that are asked for at once.
const PAGE: u32 = 500;
