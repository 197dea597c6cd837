//! Why the gate said no: a stable code for programs, both values that disagree for people, and a hint where an
//! honest tool makes such files.

use std::fmt;
use std::io;

use super::GateCode;

/// The gate did not accept the package.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The bytes break a rule; the same bytes will always be refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bytes could not be read, which says nothing about them.
    #[error("could not read the package: {0}")]
    Io(#[from] io::Error),
}

impl GateError {
    /// The code of the broken rule; none where the package could not be read.
    pub fn code(&self) -> Option<GateCode> {
        match self {
            GateError::Refused(refusal) => Some(refusal.code),
            GateError::Io(_) => None,
        }
    }
}

/// A broken rule: which, where, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule, stable over releases.
    pub code: GateCode,
    /// The entry's name as the central directory has it, where the rule concerns an entry. It may hold anything:
    /// `Display` escapes it, and so must everyone else.
    pub entry: Option<String>,
    /// The position in the file, in bytes, of the record that broke the rule.
    pub offset: u64,
    /// What was found and what it disagrees with.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(code: GateCode, offset: u64, detail: impl Into<String>) -> Self {
        Refusal { code, entry: None, offset, detail: detail.into() }
    }

    pub(crate) fn in_entry(mut self, name: &[u8]) -> Self {
        self.entry = Some(String::from_utf8_lossy(name).into_owned());
        self
    }

    /// How to make a package that passes, where honest tools make files that break this rule.
    pub fn hint(&self) -> Option<&'static str> {
        self.code.hint()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(entry) = &self.entry {
            write!(f, " in entry {entry:?}")?;
        }
        write!(f, " at byte {}: {}", self.offset, self.detail)?;
        self.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for Refusal {}
