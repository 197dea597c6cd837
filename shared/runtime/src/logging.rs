//! Tracing to stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::Environment;

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line, for collectors.
    Json,
}

/// Sends tracing to stderr. `COUNTERSIGN_LOG`, or else `RUST_LOG`, says what is shown (`debug`, `countersign_signer=trace`
/// and so on); without them, or where they do not parse, `default` does. A second call changes nothing.
pub fn init_tracing(environment: &Environment, format: LogFormat, default: &str) {
    let asked = environment.value("COUNTERSIGN_LOG").or_else(|| environment.value("RUST_LOG"));
    let filter =
        asked.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // Only a second call fails, and the first one's choice stands.
    let _already_set = match format {
        LogFormat::Human => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
