//! `countersign queue`: what waits, what was given up, and giving it another chance.

use anyhow::bail;
use countersign_ports::queue::{DeadLetter, DeadLetterId, DeadLetters, QueueName};
use countersign_runtime::Environment;
use serde::Serialize;

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::{local, output};

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List the dead letters: messages that were given up, with the reasons, newest first
    List(List),
    /// Put dead letters back into their queues, after what was wrong is mended
    Replay(Replay),
    /// Count what waits
    Status(Status),
}

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct List {
    /// At most that many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    max: u16,
    /// Print a JSON array, with the messages
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

#[derive(Debug, clap::Args)]
#[command(after_help = HELP, group = clap::ArgGroup::new("which").required(true))]
pub struct Replay {
    /// Their ids, as `countersign queue list` shows them
    #[arg(value_name = "ID", group = "which")]
    ids: Vec<String>,
    /// All that are there now, up to 10000
    #[arg(long, group = "which")]
    all: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Status {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Works on RabbitMQ where the configuration has [rabbitmq], else on the queue of
the data directory. A replayed message keeps its id and its publisher, so what
it asked for is still done once.

Exit codes: 0 done; 1 replay: an id is no dead letter (any more); 2 it could not
run.

Examples:
  countersign queue list
  countersign queue replay --all";

pub(crate) async fn run(action: Action, environment: &Environment) -> anyhow::Result<Exit> {
    match action {
        Action::List(args) => list(args, environment).await,
        Action::Replay(args) => replay(args, environment).await,
        Action::Status(args) => status(args, environment).await,
    }
}

async fn list(args: List, environment: &Environment) -> anyhow::Result<Exit> {
    let queues = local::queues(&args.data_dir.chosen(), environment).await?;
    let letters = queues.dead_letters(usize::from(args.max)).await?;
    if args.json {
        output::json(&letters.iter().map(Report::of).collect::<Vec<_>>())?;
    } else if letters.is_empty() {
        output::complain("there are no dead letters");
    } else {
        output::result(&table(&letters))?;
    }
    Ok(Exit::Success)
}

async fn replay(args: Replay, environment: &Environment) -> anyhow::Result<Exit> {
    let queues = local::queues(&args.data_dir.chosen(), environment).await?;
    let ids = if args.all {
        // Oldest first, so that they are done in the order in which they were asked for.
        let letters = queues.dead_letters(REPLAYED_AT_ONCE).await?;
        letters.into_iter().rev().map(|letter| letter.id).collect()
    } else {
        args.ids.into_iter().map(legal).collect::<anyhow::Result<Vec<_>>>()?
    };
    replay_each(queues.as_ref(), &ids).await
}

async fn replay_each(queues: &dyn DeadLetters, ids: &[DeadLetterId]) -> anyhow::Result<Exit> {
    let mut missing = 0;
    for id in ids {
        if queues.replay(id).await? {
            output::result(&format!("replayed {id}"))?;
        } else {
            missing += 1;
            output::complain(&format!("unknown_dead_letter: there is no dead letter {id} (any more)"));
        }
    }
    Ok(Exit::of(missing == 0))
}

fn legal(id: String) -> anyhow::Result<DeadLetterId> {
    let is_one = (1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one {
        Ok(DeadLetterId(id))
    } else {
        bail!("{:?} is not the id of a dead letter", output::shown(id))
    }
}

async fn status(args: Status, environment: &Environment) -> anyhow::Result<Exit> {
    let queues = local::queues(&args.data_dir.chosen(), environment).await?;
    let report = Depths {
        signer: queues.depth(QueueName::Signer).await?,
        deployer: queues.depth(QueueName::Deployer).await?,
        dead_letters: queues.dead_letters(REPLAYED_AT_ONCE).await?.len(),
    };
    if args.json {
        output::json(&report)?;
    } else {
        let Depths { signer, deployer, dead_letters } = report;
        let (signer_name, deployer_name) = (QueueName::Signer, QueueName::Deployer);
        output::result(&format!(
            "{signer_name} {signer}\n{deployer_name} {deployer}\ndead letters {dead_letters}"
        ))?;
    }
    Ok(Exit::Success)
}

/// The messages in each queue, those in consumers' hands included.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Depths {
    signer: u64,
    deployer: u64,
    dead_letters: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    id: String,
    queue: &'static str,
    message_id: String,
    publisher: Option<String>,
    attempts: Option<u32>,
    reason: String,
    died_at: Option<String>,
    /// As text; what is not UTF-8 in it is shown as U+FFFD.
    body: String,
}

impl Report {
    fn of(letter: &DeadLetter) -> Self {
        Self {
            id: letter.id.to_string(),
            queue: letter.queue.as_str(),
            message_id: letter.message_id.clone(),
            publisher: letter.publisher.clone(),
            attempts: letter.attempts,
            reason: letter.reason.clone(),
            died_at: letter.died_at.map(|at| at.to_string()),
            body: String::from_utf8_lossy(&letter.body).into_owned(),
        }
    }
}

fn table(letters: &[DeadLetter]) -> String {
    let mut table = output::table(["ID", "QUEUE", "WHEN", "PUBLISHER", "REASON"]);
    for letter in letters {
        let when = letter.died_at.map(|at| at.to_string()).unwrap_or_default();
        let publisher = output::shown(letter.publisher.as_deref().unwrap_or("-"));
        let reason = output::shown(&letter.reason);
        table.add_row([letter.id.0.as_str(), letter.queue.as_str(), &when, &publisher, &reason]);
    }
    table.to_string()
}

/// The most dead letters that one call looks at.
const REPLAYED_AT_ONCE: usize = 10_000;
