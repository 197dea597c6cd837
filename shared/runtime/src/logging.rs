//! Tracing to stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

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
/// and so on); without them `default` does, with less of what libraries say. `COUNTERSIGN_LOG_FORMAT` is `json`, one
/// object a line for collectors, or `human`. A second call changes nothing.
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
    Ok(shared.unwrap_or_else(|| quieter(default)))
}

/// `default`, with less from those whose warnings come again in our own.
fn quieter(default: &str) -> EnvFilter {
    let filter = EnvFilter::new(default);
    let most = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let quiet = QUIET.iter().filter(|(_, level)| *level < most);
    quiet.fold(filter, |filter, (target, level)| match format!("{target}={level}").parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    })
}

/// Libraries, and what they may say by default.
const QUIET: [(&str, LevelFilter); 4] = [
    // What it tells of comes again as a warning of ours, with what is done about it.
    ("lapin", LevelFilter::OFF),
    // Statements are told at debug, slow ones as warnings.
    ("sqlx", LevelFilter::WARN),
    // What PostgreSQL says beside its answers, such as that it shuts down.
    ("sqlx::postgres::notice", LevelFilter::ERROR),
    // Credentials that are looked for and not found, place by place.
    ("aws_config", LevelFilter::WARN),
];

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

    #[test]
    fn by_default_libraries_are_quieter_and_never_louder() {
        let shown = |default| filter(&Environment::default(), default).unwrap().to_string();
        let mut directives: Vec<_> = shown("info").split(',').map(str::to_owned).collect();
        directives.sort();
        assert_eq!(
            directives,
            ["aws_config=warn", "info", "lapin=off", "sqlx::postgres::notice=error", "sqlx=warn"]
        );
        assert_eq!(shown("off"), "off");
        assert_eq!(shown("error"), "lapin=off,error");
        assert!(!shown("warn").contains("sqlx=") && shown("warn").contains("lapin=off"));
        assert_eq!(filter(&environment(FILTER, "info"), "off").unwrap().to_string(), "info");
    }
}
