//! The data directory: what lies where in it.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Where an installation keeps everything.
#[derive(Debug, Clone)]
pub(crate) struct DataDir {
    root: PathBuf,
}

/// The right to run on a data directory, held until dropped.
pub(crate) struct Running {
    _lock: File,
}

/// How a data directory is chosen, in every command that needs one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DataDirArg {
    /// Where everything is kept
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", default_value = "countersign-data", value_name = "DIR")]
    data_dir: PathBuf,
}

impl DataDirArg {
    /// The directory, which need not be there.
    pub(crate) fn chosen(&self) -> DataDir {
        DataDir::new(&self.data_dir)
    }
}

impl DataDir {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes the directory and its folders, if need be.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        for (folder, mode) in [("", 0o755), ("trust", 0o755), ("secrets", 0o700)] {
            let path = self.root.join(folder);
            let made = DirBuilder::new().recursive(true).mode(mode).create(&path);
            made.with_context(|| format!("cannot make {}", path.display()))?;
        }
        Ok(())
    }

    /// Refuses a directory in which nothing was ever kept.
    pub(crate) fn demand(&self) -> anyhow::Result<()> {
        match self.state().try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => bail!(
                "there is no installation in {}: run `countersign up` or `countersign profile create` there first, \
                 or choose another with --data-dir",
                self.root.display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.root.display())),
        }
    }

    /// Takes the directory for a process that serves; a second one is refused.
    pub(crate) fn lock(&self) -> anyhow::Result<Running> {
        let path = self.root.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Running { _lock: file }),
            Err(TryLockError::WouldBlock) => bail!(
                "another `countersign up` runs on {}: stop it, or choose another directory with --data-dir",
                self.root.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Its own path, absolute where that can be found out.
    pub(crate) fn root(&self) -> PathBuf {
        fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone())
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("countersign.toml")
    }

    pub(crate) fn trust_root(&self) -> PathBuf {
        self.root.join("trust/root.pem")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    pub(crate) fn key_passphrase(&self) -> PathBuf {
        self.root.join("secrets/key-passphrase")
    }

    pub(crate) fn access_key(&self) -> PathBuf {
        self.root.join("secrets/access-key.json")
    }

    /// Where the running process says at which URL it serves.
    pub(crate) fn endpoint(&self) -> PathBuf {
        self.root.join("endpoint")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state.sqlite")
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.root.join("queue.sqlite")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    pub(crate) fn path_of(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }
}
