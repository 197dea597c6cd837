//! Secrets, which are never part of the configuration: it says where they come from.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::{DataDir, Environment};

/// Where a secret comes from: a variable, or else a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSource {
    key: String,
    variable: String,
    file: Option<PathBuf>,
}

/// Why there is no secret. Never says anything about its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Nobody gave one.
    #[error("secret_missing: give it in {variable}, or write the path of a file that holds it into {key}")]
    Missing {
        /// The key that may name a file.
        key: String,
        /// The variable that may hold it.
        variable: String,
    },
    /// What was given is no secret.
    #[error("secret_malformed: {origin} {wrong}: a secret is one line of text")]
    Malformed {
        /// The variable or the file.
        origin: String,
        /// What is wrong.
        wrong: &'static str,
    },
    /// The file could not be read.
    #[error("secret_unreadable: {path}, which {key} names, cannot be read: {source}")]
    Io {
        /// The key that names the file.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl SecretSource {
    pub(super) fn new(key: &str, variable: &str, file: Option<PathBuf>) -> Self {
        Self { key: key.to_owned(), variable: variable.to_owned(), file }
    }

    /// The secret: the variable's value or else the file's one line without its end; `None` if neither was given.
    /// Files are relative to `data`.
    ///
    /// # Errors
    /// When the file cannot be read, or what was given is not one line of text of up to 1024 bytes.
    pub fn read(
        &self,
        data: &DataDir,
        environment: &Environment,
    ) -> Result<Option<SecretString>, SecretError> {
        if let Some(text) = environment.value(&self.variable) {
            return checked(text, || self.variable.clone()).map(Some);
        }
        self.file.as_deref().map(|file| self.read_file(&data.path_of(file))).transpose()
    }

    /// Like [`read`](Self::read), but there has to be one.
    ///
    /// # Errors
    /// As `read`, and when neither was given.
    pub fn demand(&self, data: &DataDir, environment: &Environment) -> Result<SecretString, SecretError> {
        let missing = || SecretError::Missing { key: self.key.clone(), variable: self.variable.clone() };
        self.read(data, environment)?.ok_or_else(missing)
    }

    fn read_file(&self, path: &Path) -> Result<SecretString, SecretError> {
        let failed = |source| SecretError::Io { key: self.key.clone(), path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        warn_if_shared(path, &file).map_err(failed)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES));
        file.take(MAX_FILE_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        let origin = || path.display().to_string();
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| SecretError::Malformed { origin: origin(), wrong: "is not UTF-8" })?;
        let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        checked(line, origin)
    }
}

fn checked(text: &str, origin: impl FnOnce() -> String) -> Result<SecretString, SecretError> {
    let wrong = match text {
        "" => "is empty",
        _ if text.len() > MAX_SECRET_BYTES => "is longer than 1024 bytes",
        _ if text.contains(['\n', '\r', '\0']) => "has more than one line",
        _ => return Ok(SecretString::from(text)),
    };
    Err(SecretError::Malformed { origin: origin(), wrong })
}

/// Secrets that an orchestrator mounts are often readable by a group, so this is no error.
fn warn_if_shared(path: &Path, file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let mode = format!("{mode:04o}");
        tracing::warn!(path = %path.display(), mode, "the file of a secret can be read by others; use mode 0600");
    }
    Ok(())
}

/// Stops a wrong path, such as a disk image, from being read into memory.
const MAX_SECRET_BYTES: usize = 1024;

/// One byte more than the longest secret with its line end shows that a file is too long.
const MAX_FILE_BYTES: usize = MAX_SECRET_BYTES + 3;
