//! The `countersign` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use countersign::cli::Cli;

fn main() -> ExitCode {
    countersign::run(Cli::parse())
}
