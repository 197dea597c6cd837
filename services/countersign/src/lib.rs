//! The command line: `up` and `demo` wire both services to the embedded parts, the other commands use the libraries.
//!
//! It never contains a decision of its own: what a command answers, a library below it decided.
#![forbid(unsafe_code)]

pub mod cli;

mod access_key;
mod commands;
mod config_file;
mod data_dir;
mod events;
mod exit;
mod follow;
mod limit_args;
mod local;
mod output;
mod package_file;
mod report;
mod revocations_file;
mod signals;
mod signing;
mod system;

use std::process::ExitCode;

use countersign_runtime::{Environment, init_tracing};

use cli::Cli;
use exit::Exit;

/// Runs one command to its end.
pub fn run(cli: Cli) -> ExitCode {
    let environment = Environment::of_process();
    if let Err(error) = init_tracing(&environment, cli.command.default_log()) {
        return report(Err(error.into()));
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(Err(error.into())),
    };
    report(runtime.block_on(cli.command.run(&environment)))
}

fn report(ended: anyhow::Result<Exit>) -> ExitCode {
    ended
        .unwrap_or_else(|error| {
            output::complain(&format!("error: {}", output::told(&error)));
            Exit::CouldNotRun
        })
        .into()
}
