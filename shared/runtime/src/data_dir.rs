//! The data directory: what lies where in it.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where an installation, or one service of it, keeps everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
}

/// The right to run on a data directory, held until dropped.
#[derive(Debug)]
#[must_use = "the right ends when it is dropped"]
pub struct Running {
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Nothing was ever kept there.
    #[error(
        "there is no installation in {0}: run `countersign up` or `countersign profile create` there first, or \
         choose another with --data-dir"
    )]
    Empty(PathBuf),
    /// Another process runs on it.
    #[error("another `countersign up` runs on {0}: stop it, or choose another directory with --data-dir")]
    Taken(PathBuf),
    /// The file system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the file system answered.
        source: io::Error,
    },
}

impl DataDir {
    /// The directory at `root`, which need not be there.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes the directory and its folders, if need be.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn create(&self) -> Result<(), DataDirError> {
        for (folder, mode) in [("", 0o755), ("trust", 0o755), ("secrets", 0o700)] {
            let path = self.root.join(folder);
            let made = DirBuilder::new().recursive(true).mode(mode).create(&path);
            made.map_err(|source| DataDirError::Io { action: "make", path, source })?;
        }
        Ok(())
    }

    /// Refuses a directory in which nothing was ever kept.
    ///
    /// # Errors
    /// When it is one, or cannot be read.
    pub fn demand(&self) -> Result<(), DataDirError> {
        match self.state().try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => Err(DataDirError::Empty(self.root.clone())),
            Err(source) => Err(DataDirError::Io { action: "read", path: self.root.clone(), source }),
        }
    }

    /// Takes the directory for a process that serves; a second one is refused.
    ///
    /// # Errors
    /// When another process has it, or the file system refuses.
    pub fn lock(&self) -> Result<Running, DataDirError> {
        let path = self.root.join("lock");
        let failed = |action, source| DataDirError::Io { action, path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| failed("open", source))?;
        match file.try_lock() {
            Ok(()) => Ok(Running { _lock: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::Taken(self.root.clone())),
            Err(TryLockError::Error(source)) => Err(failed("lock", source)),
        }
    }

    /// Its own path, absolute where that can be found out.
    pub fn root(&self) -> PathBuf {
        fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone())
    }

    /// The configuration, where no other file is named.
    pub fn config(&self) -> PathBuf {
        self.root.join("countersign.toml")
    }

    /// The installation's root certificate (PEM), which verifiers trust.
    pub fn trust_root(&self) -> PathBuf {
        self.root.join("trust/root.pem")
    }

    /// The folder of the private keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The passphrase of the private keys, where no other file is named.
    pub fn key_passphrase(&self) -> PathBuf {
        self.root.join("secrets/key-passphrase")
    }

    /// The access key of the process's own S3 endpoint.
    pub fn access_key(&self) -> PathBuf {
        self.root.join("secrets/access-key.json")
    }

    /// Where the running process says at which URL it serves.
    pub fn endpoint(&self) -> PathBuf {
        self.root.join("endpoint")
    }

    /// The state of the embedded store.
    pub fn state(&self) -> PathBuf {
        self.root.join("state.sqlite")
    }

    /// The embedded queue.
    pub fn queue(&self) -> PathBuf {
        self.root.join("queue.sqlite")
    }

    /// The folder of the embedded S3 endpoint.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// The files of the work in hand, of both services in one process.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// `relative` as a path below the directory; an absolute path stays what it is.
    pub fn path_of(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fresh() -> (tempfile::TempDir, DataDir) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(&folder.path().join("data"));
        (folder, data)
    }

    #[test]
    fn secrets_are_for_their_owner_alone() {
        let (_folder, data) = fresh();
        data.create().unwrap();
        data.create().unwrap();
        let secrets = data.key_passphrase().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(secrets).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(data.trust_root().parent().unwrap().is_dir());
    }

    #[test]
    fn an_installation_is_demanded_where_there_is_state() {
        let (_folder, data) = fresh();
        let error = data.demand().unwrap_err();
        assert!(
            matches!(error, DataDirError::Empty(_)) && error.to_string().contains("--data-dir"),
            "{error}"
        );
        data.create().unwrap();
        fs::write(data.state(), b"").unwrap();
        data.demand().unwrap();
    }

    #[test]
    fn one_process_at_a_time_serves() {
        let (_folder, data) = fresh();
        data.create().unwrap();
        let first = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(DataDirError::Taken(_))));
        drop(first);
        let _second = data.lock().unwrap();
    }

    #[test]
    fn paths_are_relative_to_it_unless_they_are_absolute() {
        let data = DataDir::new(Path::new("data"));
        assert_eq!(data.path_of(Path::new("trust/partner.pem")), Path::new("data/trust/partner.pem"));
        assert_eq!(data.path_of(Path::new("/run/secrets/x")), Path::new("/run/secrets/x"));
    }
}
