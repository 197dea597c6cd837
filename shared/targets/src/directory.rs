//! A directory of this machine as a deploy target.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, FunctionVersion, Sha256Digest};
use countersign_package::limits::Limits;
use countersign_ports::functions::Weight;
use countersign_ports::targets::{DeployTarget, LocalPackages, TargetError, TargetVersion};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::disk::{Disk, names, open_dir, type_of};
use crate::failure::failed;
use crate::folder::{self, Folder};
use crate::latest;

/// Deploys to `functions/NAME/versions/N/`, with `functions/NAME/layers/N/1/`, `/2/` … for the layers, and points
/// `functions/NAME/aliases/ALIAS` to `../versions/N`. `$LATEST` is `functions/NAME/latest`, a link that is swapped, with its
/// layers in `latest/../layers/1/`, `/2/` …. Clones share the directory; several processes may deploy to it.
#[derive(Clone)]
pub struct DirectoryTarget {
    functions: Arc<OwnedFd>,
    limits: Arc<Limits>,
    disk: Disk,
}

impl DirectoryTarget {
    /// The target below `root`, which is made if it is not there; what a crash left in it is removed. Packages may ask
    /// of this machine what `limits` allow: the same that they were checked with.
    ///
    /// # Errors
    /// [`TargetError::Unavailable`] or [`TargetError::Full`] when the directory cannot be made, read or swept.
    pub fn open(root: &Path, limits: Limits) -> Result<Self, TargetError> {
        Self::open_on(root, limits, Disk::new())
    }

    pub(crate) fn open_on(root: &Path, limits: Limits, disk: Disk) -> Result<Self, TargetError> {
        let cannot_open = |error: std::io::Error| failed(&format!("the target {}", root.display()), error);
        std::fs::create_dir_all(root).map_err(cannot_open)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(root, flags, Mode::empty());
        let functions = opened.and_then(|root| disk.ensure_dir(root.as_fd(), FUNCTIONS));
        let functions = functions.map_err(|error| cannot_open(error.into()))?;
        let target = Self { functions: Arc::new(functions), limits: Arc::new(limits), disk };
        target.sweep()?;
        Ok(target)
    }

    /// The version that `alias` points to; `None` if there is no such function or alias.
    ///
    /// # Errors
    /// [`TargetError::Unavailable`] when the directory cannot be read, or the alias was not made here.
    pub fn resolve(
        &self,
        function: &FunctionName,
        alias: &AliasName,
    ) -> Result<Option<FunctionVersion>, TargetError> {
        self.read(function, |folder| folder::resolve(folder, alias)).map(Option::flatten)
    }

    /// The versions of `function` that stand, in order.
    ///
    /// # Errors
    /// [`TargetError::Unavailable`] when the directory cannot be read.
    pub fn versions(&self, function: &FunctionName) -> Result<Vec<u64>, TargetError> {
        self.read(function, folder::versions).map(Option::unwrap_or_default)
    }

    fn read<T>(
        &self,
        function: &FunctionName,
        read: impl FnOnce(BorrowedFd<'_>) -> rustix::io::Result<T>,
    ) -> Result<Option<T>, TargetError> {
        match open_dir(&*self.functions, function.as_str()).and_then(|folder| read(folder.as_fd())) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&format!("the folder of {function}"), error)),
        }
    }

    fn sweep(&self) -> Result<(), TargetError> {
        let functions = names(&*self.functions).map_err(|error| failed("the functions", error))?;
        let is_folder = |name: &str| type_of(&*self.functions, name) == Ok(Some(FileType::Directory));
        for function in functions.iter().filter(|name| is_folder(name)).filter_map(|name| name.parse().ok()) {
            // Taking the lock is what sweeps.
            Folder::find(self.functions.as_fd(), &function, &self.disk)?;
        }
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Self) -> Result<T, TargetError> + Send + 'static,
    ) -> Result<T, TargetError> {
        let target = self.clone();
        let acted = tokio::task::spawn_blocking(move || act(&target)).await;
        acted.unwrap_or_else(|error| Err(TargetError::Unavailable(error.to_string())))
    }

    /// Points `alias` to `version`, if that and `further` stand.
    async fn point(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
        further: Option<&TargetVersion>,
    ) -> Result<(), TargetError> {
        let (function, alias, version) = (function.clone(), alias.clone(), version.clone());
        let further = further.cloned();
        self.blocking(move |target| {
            let missing = |version: &TargetVersion| TargetError::NoSuchVersion {
                function: function.clone(),
                version: version.clone(),
            };
            let named = |version: &TargetVersion| version.0.parse().map_err(|_| missing(version));
            let Some(folder) = Folder::find(target.functions.as_fd(), &function, &target.disk)? else {
                return Err(missing(&version));
            };
            if let Some(further) = &further {
                folder.demand(named(further)?)?;
            }
            folder.point(&alias, named(&version)?)
        })
        .await
    }

    /// Does `act` to the folder of `function`, if it is there.
    async fn in_folder(
        &self,
        function: &FunctionName,
        act: impl FnOnce(Folder<'_>, BorrowedFd<'_>) -> Result<(), TargetError> + Send + 'static,
    ) -> Result<(), TargetError> {
        let function = function.clone();
        self.blocking(move |target| {
            let functions = target.functions.as_fd();
            Folder::find(functions, &function, &target.disk)?.map_or(Ok(()), |folder| act(folder, functions))
        })
        .await
    }
}

#[async_trait]
impl DeployTarget for DirectoryTarget {
    async fn publish_version(
        &self,
        function: &FunctionName,
        version: u64,
        packages: &LocalPackages,
    ) -> Result<TargetVersion, TargetError> {
        let (function, packages) = (function.clone(), packages.clone());
        self.blocking(move |target| {
            Folder::make(target.functions.as_fd(), &function, &target.disk)?.publish(
                version,
                &packages,
                &target.limits,
            )
        })
        .await?;
        Ok(TargetVersion(version.to_string()))
    }

    async fn put_latest(&self, function: &FunctionName, packages: &LocalPackages) -> Result<(), TargetError> {
        let (function, packages) = (function.clone(), packages.clone());
        self.blocking(move |target| {
            Folder::make(target.functions.as_fd(), &function, &target.disk)?
                .put_latest(&packages, &target.limits)
        })
        .await
    }

    async fn find_version(
        &self,
        function: &FunctionName,
        version: FunctionVersion,
        _: &Sha256Digest,
    ) -> Result<Option<TargetVersion>, TargetError> {
        let stands = match version {
            FunctionVersion::Latest => {
                self.read(function, |folder| latest::linked(folder))?.flatten().is_some()
            }
            FunctionVersion::Published(number) => self.versions(function)?.contains(&number),
        };
        Ok(stands.then(|| TargetVersion(version.to_string())))
    }

    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError> {
        self.point(function, alias, version, None).await
    }

    async fn split_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
        (further, _): (&TargetVersion, Weight),
    ) -> Result<(), TargetError> {
        self.point(function, alias, version, Some(further)).await
    }

    async fn delete_alias(&self, function: &FunctionName, alias: &AliasName) -> Result<(), TargetError> {
        let alias = alias.clone();
        self.in_folder(function, move |folder, _| folder.delete_alias(&alias)).await
    }

    async fn delete_version(
        &self,
        function: &FunctionName,
        version: u64,
        _: &BTreeSet<Sha256Digest>,
    ) -> Result<(), TargetError> {
        self.in_folder(function, move |folder, _| folder.delete_version(version)).await
    }

    async fn delete_function(&self, function: &FunctionName) -> Result<(), TargetError> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime")]
        self.in_folder(function, |folder, functions| folder.delete(functions)).await
    }
}

const FUNCTIONS: &str = "functions";

#[cfg(test)]
mod tests;
