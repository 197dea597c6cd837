//! The exit codes that scripts depend on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked, and the answer is yes.
    Success,
    /// It ran, and the answer is no: a check failed, a package was refused.
    Refused,
    /// It could not run: wrong arguments, a missing file, a store that does not answer.
    CouldNotRun,
}

impl Exit {
    /// Yes or no.
    pub(crate) fn of(yes: bool) -> Self {
        if yes { Self::Success } else { Self::Refused }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Refused => 1,
            Exit::CouldNotRun => 2,
        })
    }
}
