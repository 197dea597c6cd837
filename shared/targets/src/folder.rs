//! The folder of one function, held by one writer at a time.
//!
//! ```text
//! versions/N/          the code of version N; that it is there is what makes the version stand
//! layers/N/1/, /2/ …   its layers, there before it
//! aliases/ALIAS        a symbolic link to ../versions/N or to ../latest
//! .packages/N          the digests of its packages, there before it
//! .staging-N/          what is being made; whatever a crash left of it goes with the next sweep
//! ```

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use countersign_domain::{AliasName, FunctionName, FunctionVersion};
use countersign_package::limits::Limits;
use countersign_ports::targets::{LocalPackage, LocalPackages, TargetError, TargetVersion};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::disk::{Disk, names, open_dir, type_of};
use crate::extract::CheckedPackage;
use crate::failure::failed;
use crate::latest::{self, LATEST};
use crate::sweep;
use crate::tree::Tree;

/// The folder of one function, locked against every other writer of this machine until it is dropped.
pub(crate) struct Folder<'a> {
    pub(crate) function: &'a FunctionName,
    pub(crate) disk: &'a Disk,
    pub(crate) root: OwnedFd,
}

impl<'a> Folder<'a> {
    /// Waits for the folder of `function`, which is made if it is not there, and removes what a crash left in it.
    pub(crate) fn make(
        functions: BorrowedFd<'_>,
        function: &'a FunctionName,
        disk: &'a Disk,
    ) -> Result<Self, TargetError> {
        let root = disk.ensure_dir(functions, function.as_str());
        let root = root.map_err(|error| failed(&format!("the folder of {function}"), error))?;
        Self { function, disk, root }.locked()
    }

    /// The same for a folder that is there already.
    pub(crate) fn find(
        functions: BorrowedFd<'_>,
        function: &'a FunctionName,
        disk: &'a Disk,
    ) -> Result<Option<Self>, TargetError> {
        match open_dir(functions, function.as_str()) {
            Ok(root) => Self { function, disk, root }.locked().map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&format!("the folder of {function}"), error)),
        }
    }

    /// The lock belongs to this opening of the folder: threads and processes wait for each other alike.
    fn locked(self) -> Result<Self, TargetError> {
        let locked =
            rustix::io::retry_on_intr(|| rustix::fs::flock(&self.root, FlockOperation::LockExclusive));
        self.check("locking the folder", locked)?;
        self.sweep()?;
        Ok(self)
    }

    /// Publishes `version`, all of it or nothing.
    pub(crate) fn publish(
        &self,
        version: u64,
        packages: &LocalPackages,
        limits: &Limits,
    ) -> Result<(), TargetError> {
        let marker = marker_of(packages);
        if self.stands(version)? {
            return self.demand_same(version, &marker);
        }
        let published =
            self.stage(version, packages, limits).and_then(|()| self.reveal(version, packages, &marker));
        if published.is_err() {
            self.sweep_or_warn();
        }
        published
    }

    /// Points `alias` to `version`: readers see the old link or the new one.
    pub(crate) fn point(&self, alias: &AliasName, version: FunctionVersion) -> Result<(), TargetError> {
        self.demand(version)?;
        let target = match version {
            FunctionVersion::Latest => format!("../{LATEST}"),
            FunctionVersion::Published(number) => format!("../{VERSIONS}/{number}"),
        };
        self.check("the alias", self.swap_link(alias.as_str(), &target))
    }

    /// Demands that `version` stands.
    pub(crate) fn demand(&self, version: FunctionVersion) -> Result<(), TargetError> {
        let stands = match version {
            FunctionVersion::Latest => self.check("$LATEST", latest::linked(&self.root))?.is_some(),
            FunctionVersion::Published(number) => self.stands(number)?,
        };
        if stands {
            return Ok(());
        }
        let version = TargetVersion(version.to_string());
        Err(TargetError::NoSuchVersion { function: self.function.clone(), version })
    }

    fn swap_link(&self, alias: &str, target: &str) -> rustix::io::Result<()> {
        let aliases = self.disk.ensure_dir(self.root.as_fd(), ALIASES)?;
        let new = format!("{NEW_ALIAS_PREFIX}{alias}");
        self.disk.make_symlink(target, &aliases, &new)?;
        self.disk.rename(&aliases, &new, &aliases, alias)?;
        self.disk.sync(&aliases)
    }

    fn stands(&self, version: u64) -> Result<bool, TargetError> {
        let found = match open_dir(&self.root, VERSIONS) {
            Ok(versions) => type_of(&versions, &version.to_string()),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        };
        Ok(self.check("looking for the version", found)? == Some(FileType::Directory))
    }

    /// A version without a marker was not made here, so nothing says that it is the same.
    fn demand_same(&self, version: u64, marker: &str) -> Result<(), TargetError> {
        let standing =
            open_dir(&self.root, PACKAGES).and_then(|dir| read(&dir, &version.to_string(), marker.len()));
        if standing.as_deref() != Ok(marker.as_bytes()) {
            return Err(TargetError::VersionTaken { function: self.function.clone(), version });
        }
        // The writer that made it visible may have died before it was durable.
        let versions = self.check("the versions", open_dir(&self.root, VERSIONS))?;
        self.check("making the version durable", self.disk.sync(&versions))
    }

    /// Extracts every package beside the versions. Nothing of it is visible yet.
    fn stage(&self, version: u64, packages: &LocalPackages, limits: &Limits) -> Result<(), TargetError> {
        let name = staging_of(version);
        let staging =
            self.disk.make_dir(&self.root, &name, PRIVATE_DIR).and_then(|()| open_dir(&self.root, &name));
        self.stage_in(self.check("the staging folder", staging)?.as_fd(), packages, limits)
    }

    /// Extracts every package into `staging`: the code as `code`, the layers below `layers`.
    pub(crate) fn stage_in(
        &self,
        staging: BorrowedFd<'_>,
        packages: &LocalPackages,
        limits: &Limits,
    ) -> Result<(), TargetError> {
        self.extract(&packages.code, limits, staging, CODE)?;
        if packages.layers.is_empty() {
            return Ok(());
        }
        let layers = self.check("the staging folder", self.disk.ensure_dir(staging, LAYERS))?;
        for (position, layer) in (1_u64..).zip(&packages.layers) {
            self.extract(layer, limits, layers.as_fd(), &position.to_string())?;
        }
        self.check("making the layers durable", self.disk.sync(&layers))
    }

    fn extract(
        &self,
        package: &LocalPackage,
        limits: &Limits,
        parent: BorrowedFd<'_>,
        name: &str,
    ) -> Result<(), TargetError> {
        let package = CheckedPackage::open(package, limits)?;
        let tree = self.check("the staging folder", Tree::make(self.disk, parent, name))?;
        package.extract(tree)
    }

    /// Moves what was staged to its place; the last rename makes the version stand.
    fn reveal(&self, version: u64, packages: &LocalPackages, marker: &str) -> Result<(), TargetError> {
        let name = version.to_string();
        let staging = self.check("the staging folder", open_dir(&self.root, &staging_of(version)))?;
        self.check("recording the packages", self.record(staging.as_fd(), &name, marker))?;
        if !packages.layers.is_empty() {
            self.check("the layers", self.place(staging.as_fd(), LAYERS, LAYERS, &name))?;
        }
        // Crash point: marker and layers are there and the version is not; the next sweep removes both.
        self.check("the version", self.place_version(staging.as_fd(), &name))?;
        // Crash point: the version stands, and an empty staging folder remains for the next sweep.
        if let Err(error) = rustix::fs::unlinkat(&self.root, staging_of(version), AtFlags::REMOVEDIR) {
            tracing::warn!(function = %self.function, version, %error, "the staging folder remains");
        }
        Ok(())
    }

    fn record(&self, staging: BorrowedFd<'_>, name: &str, marker: &str) -> rustix::io::Result<()> {
        let file = self.disk.create_file(staging, MARKER)?;
        self.disk.write_all(&file, marker.as_bytes())?;
        self.disk.sync(&file)?;
        self.place(staging, MARKER, PACKAGES, name)
    }

    /// Moves `what` out of the staging folder to `folder/name`, durably.
    pub(crate) fn place(
        &self,
        staging: BorrowedFd<'_>,
        what: &str,
        folder: &str,
        name: &str,
    ) -> rustix::io::Result<()> {
        let folder = self.disk.ensure_dir(self.root.as_fd(), folder)?;
        self.disk.rename(staging, what, &folder, name)?;
        self.disk.sync(&folder)
    }

    /// The same for the code; a version that may not be durable is taken back.
    fn place_version(&self, staging: BorrowedFd<'_>, name: &str) -> rustix::io::Result<()> {
        let versions = self.disk.ensure_dir(self.root.as_fd(), VERSIONS)?;
        self.disk.rename(staging, CODE, &versions, name)?;
        self.disk.sync(&versions).inspect_err(|_| {
            if let Err(error) = rustix::fs::renameat(&versions, name, staging, CODE) {
                tracing::error!(function = %self.function, version = name, %error, "a version was not taken back");
            }
        })
    }

    /// After a failure. Crash point: what this would have removed, the next sweep removes.
    pub(crate) fn sweep_or_warn(&self) {
        self.sweep()
            .unwrap_or_else(|error| tracing::warn!(function = %self.function, %error, "sweep failed"));
    }

    pub(crate) fn sweep(&self) -> Result<(), TargetError> {
        self.check("removing what a crash left", sweep::leftovers(self.root.as_fd()))
    }

    pub(crate) fn check<T>(&self, doing: &str, result: rustix::io::Result<T>) -> Result<T, TargetError> {
        result.map_err(|error| failed(&format!("{}: {doing}", self.function), error))
    }
}

/// The version that `alias` points to; `None` if there is no such alias.
pub(crate) fn resolve(
    folder: BorrowedFd<'_>,
    alias: &AliasName,
) -> rustix::io::Result<Option<FunctionVersion>> {
    let target =
        open_dir(folder, ALIASES).and_then(|dir| rustix::fs::readlinkat(dir, alias.as_str(), Vec::new()));
    match target {
        Ok(target) => match target.to_str().ok().and_then(version_of_target) {
            Some(version) => Ok(Some(version)),
            None => Err(Errno::INVAL),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The versions that stand, in order.
pub(crate) fn versions(folder: BorrowedFd<'_>) -> rustix::io::Result<Vec<u64>> {
    let names = match open_dir(folder, VERSIONS).and_then(names) {
        Err(Errno::NOENT) => Vec::new(),
        names => names?,
    };
    let mut versions: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
    versions.sort_unstable();
    Ok(versions)
}

fn version_of_target(target: &str) -> Option<FunctionVersion> {
    match target.strip_prefix("../")? {
        LATEST => Some(FunctionVersion::Latest),
        version => number(version.strip_prefix(VERSIONS)?.strip_prefix('/')?).map(FunctionVersion::Published),
    }
}

/// A number as it is written here, and in no other way.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// What is recorded of a version's packages: a line for each.
pub(crate) fn marker_of(packages: &LocalPackages) -> String {
    let mut marker = format!("code {}\n", packages.code.sha256);
    for layer in &packages.layers {
        marker.push_str(&format!("layer {}\n", layer.sha256));
    }
    marker
}

/// The file's bytes, at most one more than `size_max`.
fn read(dir: impl AsFd, name: &str, size_max: usize) -> rustix::io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(dir, name, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    let read = file.take(size_max as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(bytes)
}

pub(crate) fn staging_of(version: u64) -> String {
    format!("{STAGING_PREFIX}{version}")
}

pub(crate) const VERSIONS: &str = "versions";
pub(crate) const LAYERS: &str = "layers";
pub(crate) const PACKAGES: &str = ".packages";
pub(crate) const ALIASES: &str = "aliases";
pub(crate) const STAGING_PREFIX: &str = ".staging-";
/// No alias begins with a dot.
pub(crate) const NEW_ALIAS_PREFIX: &str = ".new-";

/// Names in the staging folder.
pub(crate) const CODE: &str = "code";
const MARKER: &str = "packages";

/// Of the staging folder: nobody else looks at what is half done.
pub(crate) const PRIVATE_DIR: Mode = Mode::from_raw_mode(0o700);
