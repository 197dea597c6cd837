//! Tracing to stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::Environment;

/// What a variable says of the log and nobody understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {value:?} is not {write}")]
pub struct LogError {
    variable: &'static str,
    value: String,
    write: &'static str,
}

/// Sends tracing to stderr. `COUNTERSIGN_LOG`, or else `RUST_LOG`, says what is shown (`debug`, `countersign_signer=trace`
/// and so on); without them `default` does. `COUNTERSIGN_LOG_FORMAT` is `json`, one object a line for collectors, or
/// `human`. A second call changes nothing.
///
/// # Errors
/// When one of our two variables says something else.
pub fn init_tracing(environment: &Environment, default: &str) -> Result<(), LogError> {
    let (filter, as_json) = (filter(environment, default)?, as_json(environment)?);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // Only a second call fails, and the first one's choice stands.
    let _already_set =
        if as_json { builder.json().try_init() } else { builder.with_target(false).try_init() };
    Ok(())
}

fn filter(environment: &Environment, default: &str) -> Result<EnvFilter, LogError> {
    if let Some(value) = environment.value(FILTER) {
        let write =
            "a filter: write a level such as debug, or targets with levels such as countersign_signer=trace";
        return EnvFilter::try_new(value).map_err(|_| LogError {
            variable: FILTER,
            value: value.to_owned(),
            write,
        });
    }
    // Not ours: it may be meant for another program.
    let shared = environment.value("RUST_LOG").and_then(|value| EnvFilter::try_new(value).ok());
    Ok(shared.unwrap_or_else(|| EnvFilter::new(default)))
}

fn as_json(environment: &Environment) -> Result<bool, LogError> {
    match environment.value(FORMAT) {
        Some("json") => Ok(true),
        None | Some("human") => Ok(false),
        Some(value) => Err(LogError {
            variable: FORMAT,
            value: value.to_owned(),
            write: "a log format: write json or human",
        }),
    }
}

const FILTER: &str = "COUNTERSIGN_LOG";
const FORMAT: &str = "COUNTERSIGN_LOG_FORMAT";

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        [(name.to_owned(), value.to_owned())].into_iter().collect()
    }

    #[test]
    fn a_variable_of_ours_that_nobody_understands_is_an_error() {
        let told = |name, value| init_tracing(&environment(name, value), "off").unwrap_err().to_string();
        assert!(told(FILTER, "a=b=c").contains("COUNTERSIGN_LOG: \"a=b=c\" is not a filter"));
        assert!(told(FORMAT, "xml").contains("write json or human"));
    }

    #[test]
    fn the_filter_is_ours_or_else_the_common_one_or_else_the_default() {
        assert_eq!(filter(&environment(FILTER, "debug"), "off").unwrap().to_string(), "debug");
        assert_eq!(filter(&environment("RUST_LOG", "trace"), "off").unwrap().to_string(), "trace");
        assert_eq!(filter(&environment("RUST_LOG", "a=b=c"), "off").unwrap().to_string(), "off");
    }
}
