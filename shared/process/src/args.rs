//! The arguments that both programs take.

use std::path::PathBuf;

use countersign_runtime::DataDir;

/// How a service's program is called.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The configuration [default: countersign.toml in the data directory]
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where relative paths of the configuration begin
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", default_value = "countersign-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Read the configuration, say what is wrong with it, and start nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// Ask the running process whether it is ready, as a container's health check does
    #[arg(long, conflicts_with = "check")]
    pub(crate) healthcheck: bool,
}

const HELP: &str = "\
Signals: SIGTERM or SIGINT lets work under way finish (a second one stops at
once), SIGHUP reads the configuration again.
Secrets: COUNTERSIGN_POSTGRESQL_PASSWORD, COUNTERSIGN_RABBITMQ_PASSWORD, or the
files that the configuration names; AWS credentials as the AWS SDKs find them.
Logs: COUNTERSIGN_LOG (such as `debug`), COUNTERSIGN_LOG_FORMAT=json.
Health: GET /live and GET /ready at the configured health_listen.

Exit codes: 0 stopped by a signal, or the answer is yes; 1 not ready
(--healthcheck); 2 it could not start or go on.";

impl Args {
    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::new(&self.data_dir)
    }

    pub(crate) fn config(&self, data: &DataDir) -> PathBuf {
        self.config.clone().unwrap_or_else(|| data.config())
    }
}
