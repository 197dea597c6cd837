//! Deleting aliases, versions and whole functions. What is deleted is gone at one rename or unlinking; what is left of it
//! goes with a sweep, at once or after a crash.

use std::os::fd::{AsFd, BorrowedFd};

use countersign_domain::{AliasName, FunctionVersion};
use countersign_ports::targets::TargetError;
use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::disk::{names, open_dir, unless};
use crate::folder::{ALIASES, Folder, LAYERS, PACKAGES, STAGING_PREFIX, VERSIONS, resolve, staging_of};
use crate::latest::{LATEST, LATEST_FOLDERS};

impl Folder<'_> {
    /// Deletes `alias`, if it is there.
    pub(crate) fn delete_alias(&self, alias: &AliasName) -> Result<(), TargetError> {
        let deleted = open_dir(&self.root, ALIASES).and_then(|dir| {
            self.disk.unlink(&dir, alias.as_str())?;
            self.disk.sync(&dir)
        });
        self.check("deleting the alias", deleted.or_else(unless(Errno::NOENT)))
    }

    /// Deletes `version`, if it stands.
    pub(crate) fn delete_version(&self, version: u64) -> Result<(), TargetError> {
        if let Some(alias) = self.check("the aliases", self.pointing_to(version))? {
            return Err(TargetError::AliasPoints { function: self.function.clone(), version, alias });
        }
        let hidden = open_dir(&self.root, VERSIONS).and_then(|dir| {
            self.disk.rename(&dir, &version.to_string(), &self.root, &staging_of(version))?;
            // Crash point: the version is gone, and the next sweep removes what was in it.
            self.disk.sync(&dir)
        });
        self.check("deleting the version", hidden.or_else(unless(Errno::NOENT)))?;
        self.sweep()
    }

    /// Deletes everything of the function, and its folder where nothing else lies in it.
    pub(crate) fn delete(self, functions: BorrowedFd<'_>) -> Result<(), TargetError> {
        // Links first: none ever points to what is gone.
        let unlinked = self.disk.unlink(&self.root, LATEST).or_else(unless(Errno::NOENT));
        self.check("deleting $LATEST", unlinked)?;
        for folder in [ALIASES, VERSIONS, LAYERS, PACKAGES, LATEST_FOLDERS] {
            // Crash point: a part of the function is gone. Deleted again, the rest goes.
            let hidden = self.disk.rename(&self.root, folder, &self.root, &hidden_name(folder));
            self.check("deleting the function", hidden.or_else(unless(Errno::NOENT)))?;
        }
        self.check("deleting the function", self.disk.sync(&self.root))?;
        self.sweep()?;
        match rustix::fs::unlinkat(functions, self.function.as_str(), AtFlags::REMOVEDIR) {
            Ok(()) => self.check("deleting the function", self.disk.sync(functions)),
            Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
            Err(error) => self.check("deleting the function", Err(error)),
        }
    }

    /// One of the aliases that point to `version`.
    fn pointing_to(&self, version: u64) -> rustix::io::Result<Option<AliasName>> {
        let names = match open_dir(&self.root, ALIASES).and_then(names) {
            Err(Errno::NOENT) => Vec::new(),
            names => names?,
        };
        let aliases = names.iter().filter_map(|name| name.parse::<AliasName>().ok());
        for alias in aliases {
            let target = resolve(self.root.as_fd(), &alias)?;
            if target.and_then(FunctionVersion::number) == Some(version) {
                return Ok(Some(alias));
            }
        }
        Ok(None)
    }
}

fn hidden_name(folder: &str) -> String {
    format!("{STAGING_PREFIX}gone-{}", folder.trim_start_matches('.'))
}
