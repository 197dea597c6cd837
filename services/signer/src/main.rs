//! `countersign-signer`: the signer as a process of its own.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_process::main::<countersign_signer::process::SignerProcess>()
}
