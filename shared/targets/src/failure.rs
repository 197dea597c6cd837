//! What the operating system's errors mean to a caller of the port.

use std::io;

use countersign_package::gate::GateError;
use countersign_ports::targets::TargetError;

/// The port's error where `doing` failed.
pub(crate) fn failed(doing: &str, error: impl Into<io::Error>) -> TargetError {
    let error = error.into();
    let told = format!("{doing}: {error}");
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        TargetError::Full(told)
    } else {
        TargetError::Unavailable(told)
    }
}

/// The same for an entry of the package, where some errors say that it can never be extracted here.
pub(crate) fn entry_failed(name: &str, error: rustix::io::Errno) -> TargetError {
    use rustix::io::Errno;
    match error {
        // The gate admits no such package; a file system that folds more names than it does could still collide.
        Errno::EXIST | Errno::LOOP | Errno::NOTDIR => refused("entry_conflict", name, error),
        Errno::NAMETOOLONG | Errno::INVAL | Errno::ILSEQ => refused("name_not_storable", name, error),
        error => failed(&format!("entry {name:?}"), error),
    }
}

pub(crate) fn refused(code: &str, name: &str, reason: impl std::fmt::Display) -> TargetError {
    TargetError::Refused { code: code.to_owned(), reason: format!("entry {name:?}: {reason}") }
}

/// The gate's refusal keeps the gate's code.
pub(crate) fn not_admitted(error: GateError) -> TargetError {
    match error {
        GateError::Refused(refusal) => {
            TargetError::Refused { code: refusal.code.to_string(), reason: refusal.to_string() }
        }
        GateError::Io(error) => failed("the package", error),
    }
}
