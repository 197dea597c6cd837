//! `$LATEST` of one function: a link that is swapped to a folder of its own.
//!
//! ```text
//! latest               a symbolic link to .latest/DIGEST/code
//! .latest/DIGEST/      its packages: code/ and layers/1/, /2/ …; DIGEST is that of their digests
//! ```

use std::os::fd::AsFd;

use countersign_domain::Sha256Digest;
use countersign_package::limits::Limits;
use countersign_ports::targets::{LocalPackages, TargetError};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::disk::open_dir;
use crate::folder::{CODE, Folder, PRIVATE_DIR, marker_of};

impl Folder<'_> {
    /// Makes `$LATEST` these packages: readers see the old folder or the new one, each whole.
    pub(crate) fn put_latest(&self, packages: &LocalPackages, limits: &Limits) -> Result<(), TargetError> {
        let digest = Sha256Digest::of(marker_of(packages).as_bytes()).to_string();
        let standing = self.check("$LATEST", linked(&self.root))?;
        if standing.as_deref() == Some(digest.as_str()) {
            // The writer that swapped the link may have died before it was durable.
            return self.check("making $LATEST durable", self.disk.sync(&self.root));
        }
        let put = self.stage_latest(packages, limits).and_then(|()| self.reveal_latest(&digest));
        if put.is_err() {
            self.sweep_or_warn();
        }
        // The folder that was $LATEST stays for its readers until this one is locked again.
        put
    }

    fn stage_latest(&self, packages: &LocalPackages, limits: &Limits) -> Result<(), TargetError> {
        let staging =
            self.disk.make_dir(&self.root, STAGING, PRIVATE_DIR).and_then(|()| open_dir(&self.root, STAGING));
        let staging = self.check("the staging folder", staging)?;
        let whole = self.check("the staging folder", self.disk.ensure_dir(staging.as_fd(), WHOLE))?;
        self.stage_in(whole.as_fd(), packages, limits)?;
        self.check("making $LATEST durable", self.disk.sync(&whole))
    }

    fn reveal_latest(&self, digest: &str) -> Result<(), TargetError> {
        let staging = self.check("the staging folder", open_dir(&self.root, STAGING))?;
        self.check("$LATEST", self.place(staging.as_fd(), WHOLE, LATEST_FOLDERS, digest))?;
        // Crash point: the folder is there and nothing points to it; the next sweep removes it.
        self.check("$LATEST", self.swap_latest(digest))?;
        // Crash point: $LATEST is the new folder; the next sweep removes the old one and the empty staging folder.
        if let Err(error) = rustix::fs::unlinkat(&self.root, STAGING, AtFlags::REMOVEDIR) {
            tracing::warn!(function = %self.function, %error, "the staging folder remains");
        }
        Ok(())
    }

    fn swap_latest(&self, digest: &str) -> rustix::io::Result<()> {
        self.disk.make_symlink(&format!("{LATEST_FOLDERS}/{digest}/{CODE}"), &self.root, NEW_LATEST)?;
        self.disk.rename(&self.root, NEW_LATEST, &self.root, LATEST)?;
        self.disk.sync(&self.root)
    }
}

/// The name of the folder that `latest` points to; `None` if there is no such link.
pub(crate) fn linked(folder: impl AsFd) -> rustix::io::Result<Option<String>> {
    match rustix::fs::readlinkat(folder, LATEST, Vec::new()) {
        Ok(target) => {
            let digest = target.to_str().ok().and_then(digest_of_target);
            digest.map(|digest| Some(digest.to_string())).ok_or(Errno::INVAL)
        }
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

fn digest_of_target(target: &str) -> Option<Sha256Digest> {
    let rest = target.strip_prefix(LATEST_FOLDERS)?.strip_prefix('/')?;
    rest.strip_suffix(CODE)?.strip_suffix('/')?.parse().ok()
}

pub(crate) const LATEST: &str = "latest";
pub(crate) const NEW_LATEST: &str = ".new-latest";
pub(crate) const LATEST_FOLDERS: &str = ".latest";

/// No version has this number.
const STAGING: &str = ".staging-latest";
/// In the staging folder: what becomes the new folder.
const WHOLE: &str = "whole";
