//! The configuration's file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{Config, ConfigError};
use crate::Environment;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not there.
    #[error("there is no configuration at {0}: write one there, or name another with --config")]
    Missing(PathBuf),
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// It is longer than any configuration.
    #[error("{0} is longer than {MAX_CONFIG_BYTES} bytes: that is no configuration")]
    TooLong(PathBuf),
    /// It says something wrong.
    #[error("{path}: {source}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// All mistakes at once.
        source: ConfigError,
    },
}

/// The configuration in the file at `path`, overridden by `environment`. It is wholly read each time, with the policies
/// that it names, whose files are relative to its folder.
///
/// # Errors
/// When the file cannot be read, is longer than 1 MiB, or has mistakes.
pub fn load_config(path: &Path, environment: &Environment) -> Result<Config, LoadError> {
    let unreadable = |source: io::Error| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound {
            LoadError::Missing(path)
        } else {
            LoadError::Unreadable { path, source }
        }
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_CONFIG_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(LoadError::TooLong(path.to_owned()));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error())))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Config::parse(&text, folder, environment)
        .map_err(|source| LoadError::Wrong { path: path.to_owned(), source })
}

/// 1 MiB: room for thousands of routes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn load(content: &[u8]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countersign.toml");
        std::fs::write(&path, content).unwrap();
        load_config(&path, &Environment::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let limit = usize::try_from(MAX_CONFIG_BYTES).unwrap();
        assert_eq!(load(b"[signer]\nconcurrency = 9\n").unwrap().signer.concurrency, 9);
        assert!(load(&vec![b'\n'; limit]).is_ok());
        assert!(load(&vec![b'\n'; limit + 1]).unwrap_err().contains("longer than 1048576 bytes"));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_file() {
        let mistake = load(b"colour = 1").unwrap_err();
        assert!(
            mistake.contains("countersign.toml: ") && mistake.contains("colour: is not a key"),
            "{mistake}"
        );
        assert!(load(b"# \xff").unwrap_err().starts_with("cannot read "));
        let missing = load_config(Path::new("nowhere.toml"), &Environment::default()).unwrap_err();
        assert!(missing.to_string().contains("no configuration at nowhere.toml"), "{missing}");
        let folder = load_config(Path::new("."), &Environment::default()).unwrap_err();
        assert!(matches!(folder, LoadError::Unreadable { .. }), "{folder}");
    }
}
