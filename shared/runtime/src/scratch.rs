//! Private files of the work in hand, which never outlive it.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory of this process alone, in which each piece of work gets a folder.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    kind: &'static str,
    _lock: File,
}

impl Scratch {
    /// Opens `root`, which is created if need be, and removes the folders of this `kind` that an earlier process left
    /// there when it died. At any time one process may use a root for a kind, because the folders of a living one would
    /// look the same.
    ///
    /// # Errors
    /// What the file system answers; `ResourceBusy` when another process uses the root.
    pub fn open(root: &Path, kind: &'static str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(OWNER_ONLY).create(root)?;
        let scratch = Self { root: root.to_owned(), kind, _lock: lock(root, kind)? };
        scratch.remove_leftovers()?;
        Ok(scratch)
    }

    /// A new folder that only this user can enter. It is removed with all it holds when the value is dropped.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn folder(&self) -> io::Result<TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&self.prefix()).permissions(Permissions::from_mode(OWNER_ONLY)).tempdir_in(&self.root)
    }

    fn remove_leftovers(&self) -> io::Result<()> {
        let prefix = self.prefix();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix));
            if ours && entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn prefix(&self) -> String {
        format!("{}-", self.kind)
    }
}

/// Held as long as the file is open, so that a process that dies gives it back.
fn lock(root: &Path, kind: &str) -> io::Result<File> {
    let file =
        File::options().create(true).truncate(false).write(true).open(root.join(format!("{kind}.lock")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!(
                "work_dir_taken: another process uses {} for {kind}: stop it, or give each its own work_dir \
                 ([signer] or [deployer] in countersign.toml, COUNTERSIGN_SIGNER_WORK_DIR or \
                 COUNTERSIGN_DEPLOYER_WORK_DIR)",
                root.display()
            ),
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

const OWNER_ONLY: u32 = 0o700;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_its_value() {
        let root = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(&root.path().join("work"), "signing").unwrap();
        let folder = scratch.folder().unwrap();
        fs::write(folder.path().join("package.zip"), b"bytes").unwrap();
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.try_exists().unwrap());
    }

    #[test]
    fn opening_removes_what_a_dead_process_left_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        for name in ["signing-dead", "deploying-alive"] {
            fs::create_dir(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("package.zip"), b"bytes").unwrap();
        }
        fs::write(root.path().join("signing-file"), b"not a folder").unwrap();
        Scratch::open(root.path(), "signing").unwrap();
        let mut left: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["deploying-alive", "signing-file", "signing.lock"]);
    }

    #[test]
    fn a_second_process_for_the_same_work_is_refused_and_takes_nothing_away() {
        let root = tempfile::tempdir().unwrap();
        let first = Scratch::open(root.path(), "signing").unwrap();
        let folder = first.folder().unwrap();
        let refused = Scratch::open(root.path(), "signing").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        assert!(refused.to_string().contains("COUNTERSIGN_SIGNER_WORK_DIR"), "{refused}");
        assert!(folder.path().try_exists().unwrap());
        Scratch::open(root.path(), "deploying").unwrap();
        drop(first);
        Scratch::open(root.path(), "signing").unwrap();
    }
}
