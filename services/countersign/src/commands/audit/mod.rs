//! `countersign audit`: who did what, as CloudTrail would tell it.

mod export;
mod exposure;
mod filter;
mod show;

use std::sync::Arc;

use countersign_ports::trail::{PAGE_MAX, Position, Trail, TrailFilter};
use countersign_runtime::Environment;

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::{local, output};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = HELP)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Write the trail as CloudTrail log files, from where the last export into this folder ended
    Export(export::Args),
    /// List what is deployed and runs on a signature that has expired or been revoked since
    Exposure(exposure::Args),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    filter: filter::Args,
    /// At most that many, the newest ones
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    max: u16,
    /// Print one CloudTrail record a line
    #[arg(long)]
    json: bool,
    /// Go on with what is recorded from now on
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Reads the trail in PostgreSQL where the configuration has [postgresql], else in
the data directory. Oldest first.

Exit codes: 0 done, also where there is no such record; 2 it could not run.

Examples:
  countersign audit --since 1h --errors
  countersign audit --event UpdateFunctionCode --json
  countersign audit --follow
  countersign audit export ./cloudtrail
  countersign audit exposure";

pub(crate) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    match args.action {
        Some(Action::Export(export)) => export::run(export, environment).await,
        Some(Action::Exposure(exposure)) => exposure::run(exposure, environment).await,
        None => list(args.list, environment).await,
    }
}

async fn list(args: List, environment: &Environment) -> anyhow::Result<Exit> {
    let filter = args.filter.chosen();
    let (_, trail) = local::trail(&args.data_dir.chosen(), environment).await?;
    let page = trail.newest(&filter, usize::from(args.max)).await?;
    let records: Vec<_> = page.records.into_iter().map(|(_, record)| record).collect();
    if args.json || args.follow {
        let shown = if args.json { show::json } else { show::line };
        for record in &records {
            output::result(&shown(record)?)?;
        }
        if args.follow {
            follow(trail, &filter, page.next, shown).await?;
        }
    } else if records.is_empty() {
        output::complain("the trail has no such record");
    } else {
        output::result(&show::table(&records))?;
    }
    Ok(Exit::Success)
}

/// Shows what is recorded after that place, until nobody reads it any more.
async fn follow(
    trail: Arc<dyn Trail>,
    filter: &TrailFilter,
    mut after: Position,
    shown: show::Line,
) -> anyhow::Result<()> {
    loop {
        let page = trail.page(filter, after, PAGE_MAX).await?;
        for (_, record) in &page.records {
            if !output::streamed(&shown(record)?)? {
                return Ok(());
            }
        }
        if page.records.is_empty() {
            trail.wait().await;
        }
        after = page.next;
    }
}
