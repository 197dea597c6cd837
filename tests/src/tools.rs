//! Real tools, run as a user would.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command line, built beside the test that asks.
pub fn countersign() -> Command {
    let mut command = Command::new(binary("countersign"));
    command.env_remove("COUNTERSIGN_DATA_DIR");
    command
}

/// One of the programs under test, built beside the test that asks.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let binary = folder.join(name);
    assert!(binary.is_file(), "{} is missing: run `cargo build -p {name}` first", binary.display());
    binary
}

/// Runs a tool that must succeed and gives what it printed.
pub fn run<I, A>(program: &str, arguments: I) -> String
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    succeeded(program, &output)
}

/// The standard output of a run that must have succeeded.
pub fn succeeded(what: &str, output: &Output) -> String {
    assert!(output.status.success(), "{what} ended with {}:\n{}", output.status, everything(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Both streams of a run, for messages.
pub fn everything(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
