//! A deploy target in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, FunctionVersion, Sha256Digest};

use super::FaultPlan;
use crate::functions::{FurtherVersion, Weight};
use crate::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};

/// A [`DeployTarget`] in memory: it remembers digests, not files. Clones share their functions. Operations carry the
/// names of the port's methods in the [`FaultPlan`], those that a store has as well after `target.`.
#[derive(Clone)]
pub struct MemoryTarget {
    functions: Arc<Mutex<BTreeMap<FunctionName, Function>>>,
    faults: FaultPlan,
}

/// What a version was published from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedVersion {
    /// SHA-256 of the function's package.
    pub code_sha256: Sha256Digest,
    /// SHA-256 of each layer's package, in order.
    pub layer_sha256: Vec<Sha256Digest>,
}

#[derive(Default)]
struct Function {
    latest: Option<PublishedVersion>,
    versions: BTreeMap<u64, PublishedVersion>,
    aliases: BTreeMap<AliasName, Pointer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Pointer {
    version: FunctionVersion,
    further: Option<FurtherVersion>,
}

impl Function {
    /// The version that the target calls so, if it stands.
    fn find(&self, version: &TargetVersion) -> Option<FunctionVersion> {
        let found = version.0.parse().ok()?;
        let stands = match found {
            FunctionVersion::Latest => self.latest.is_some(),
            FunctionVersion::Published(number) => self.versions.contains_key(&number),
        };
        stands.then_some(found)
    }
}

impl MemoryTarget {
    /// A target without functions.
    pub fn new(faults: FaultPlan) -> Self {
        Self { functions: Arc::default(), faults }
    }

    /// The versions of `function` that stand, in order.
    pub fn versions(&self, function: &FunctionName) -> Vec<u64> {
        let functions = self.lock();
        functions.get(function).into_iter().flat_map(|function| function.versions.keys().copied()).collect()
    }

    /// What a version was published from.
    pub fn published(&self, function: &FunctionName, version: u64) -> Option<PublishedVersion> {
        self.lock().get(function)?.versions.get(&version).cloned()
    }

    /// What `$LATEST` was made of.
    pub fn latest(&self, function: &FunctionName) -> Option<PublishedVersion> {
        self.lock().get(function)?.latest.clone()
    }

    /// The published version that `alias` points to.
    pub fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<u64> {
        self.lock().get(function)?.aliases.get(alias)?.version.number()
    }

    /// The second version of `alias`.
    pub fn further(&self, function: &FunctionName, alias: &AliasName) -> Option<FurtherVersion> {
        self.lock().get(function)?.aliases.get(alias)?.further
    }

    /// True if anything of `function` is there.
    pub fn has(&self, function: &FunctionName) -> bool {
        self.lock().contains_key(function)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<FunctionName, Function>> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(
        &self,
        function: &FunctionName,
        version: u64,
        new: PublishedVersion,
    ) -> Result<TargetVersion, TargetError> {
        let mut functions = self.lock();
        let versions = &mut functions.entry(function.clone()).or_default().versions;
        if versions.get(&version).is_some_and(|standing| *standing != new) {
            return Err(TargetError::VersionTaken { function: function.clone(), version });
        }
        versions.insert(version, new);
        Ok(named(version))
    }
}

impl MemoryTarget {
    fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce() -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        let lost = || TargetError::Unavailable(format!("{operation} was told to fail"));
        self.faults.apply(operation, lost, effect)
    }

    fn point(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
        further: Option<(&TargetVersion, Weight)>,
    ) -> Result<(), TargetError> {
        let missing = |version: &TargetVersion| TargetError::NoSuchVersion {
            function: function.clone(),
            version: version.clone(),
        };
        let mut functions = self.lock();
        let standing = functions.get_mut(function).ok_or_else(|| missing(version))?;
        let further = further.map(|(further, weight)| {
            let number = standing.find(further).and_then(FunctionVersion::number);
            Ok(FurtherVersion { version: number.ok_or_else(|| missing(further))?, weight })
        });
        let version = standing.find(version).ok_or_else(|| missing(version))?;
        let pointer = Pointer { version, further: further.transpose()? };
        standing.aliases.insert(alias.clone(), pointer);
        Ok(())
    }
}

#[async_trait]
impl DeployTarget for MemoryTarget {
    async fn publish_version(
        &self,
        function: &FunctionName,
        version: u64,
        packages: &LocalPackages,
    ) -> Result<TargetVersion, TargetError> {
        self.call("publish_version", || self.publish(function, version, read(packages)?))
    }

    async fn put_latest(&self, function: &FunctionName, packages: &LocalPackages) -> Result<(), TargetError> {
        self.call("put_latest", || {
            let latest = Some(read(packages)?);
            self.lock().entry(function.clone()).or_default().latest = latest;
            Ok(())
        })
    }

    async fn find_version(
        &self,
        function: &FunctionName,
        version: FunctionVersion,
        _: &Sha256Digest,
    ) -> Result<Option<TargetVersion>, TargetError> {
        self.call("find_version", || {
            let name = TargetVersion(version.to_string());
            let found = self.lock().get(function).and_then(|function| function.find(&name));
            Ok(found.map(|_| name))
        })
    }

    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError> {
        self.call("point_alias", || self.point(function, alias, version, None))
    }

    async fn split_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
        further: (&TargetVersion, Weight),
    ) -> Result<(), TargetError> {
        self.call("split_alias", || self.point(function, alias, version, Some(further)))
    }

    async fn delete_alias(&self, function: &FunctionName, alias: &AliasName) -> Result<(), TargetError> {
        self.call("target.delete_alias", || {
            if let Some(function) = self.lock().get_mut(function) {
                function.aliases.remove(alias);
            }
            Ok(())
        })
    }

    async fn delete_version(
        &self,
        function: &FunctionName,
        version: u64,
        _: &BTreeSet<Sha256Digest>,
    ) -> Result<(), TargetError> {
        self.call("target.delete_version", || {
            let mut functions = self.lock();
            let Some(held) = functions.get_mut(function) else { return Ok(()) };
            let points = |pointer: &Pointer| {
                let further = pointer.further.map(|further| further.version);
                pointer.version.number() == Some(version) || further == Some(version)
            };
            let pointing = held.aliases.iter().find(|(_, pointer)| points(pointer));
            if let Some((alias, _)) = pointing {
                let (function, alias) = (function.clone(), alias.clone());
                return Err(TargetError::AliasPoints { function, version, alias });
            }
            held.versions.remove(&version);
            Ok(())
        })
    }

    async fn delete_function(&self, function: &FunctionName) -> Result<(), TargetError> {
        self.call("target.delete_function", || {
            self.lock().remove(function);
            Ok(())
        })
    }
}

fn read(packages: &LocalPackages) -> Result<PublishedVersion, TargetError> {
    let code_sha256 = checked(&packages.code)?;
    let layer_sha256 = packages.layers.iter().map(checked).collect::<Result<_, _>>()?;
    Ok(PublishedVersion { code_sha256, layer_sha256 })
}

/// Versions are called by our numbers.
fn named(version: u64) -> TargetVersion {
    TargetVersion(version.to_string())
}

fn checked(package: &LocalPackage) -> Result<Sha256Digest, TargetError> {
    let bytes = std::fs::read(&package.path).map_err(|error| TargetError::Unavailable(error.to_string()))?;
    let read = Sha256Digest::of(&bytes);
    if read == package.sha256 { Ok(read) } else { Err(TargetError::package_changed(&package.sha256, &read)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::samples;
    use crate::conformance::targets::{self, TargetUnderTest};

    struct WithFiles(MemoryTarget, tempfile::TempDir);

    #[async_trait]
    impl TargetUnderTest for WithFiles {
        fn target(&self) -> &dyn DeployTarget {
            &self.0
        }

        fn packages(&self) -> [LocalPackage; 3] {
            ["a", "b", "c"].map(|content| {
                let path = self.1.path().join(content);
                std::fs::write(&path, content).unwrap();
                LocalPackage {
                    path,
                    sha256: Sha256Digest::of(content.as_bytes()),
                    object: samples::object("signed", content),
                }
            })
        }

        async fn versions(&self, function: &FunctionName) -> Vec<TargetVersion> {
            self.0.versions(function).into_iter().map(named).collect()
        }

        async fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<TargetVersion> {
            let functions = self.0.lock();
            let pointer = functions.get(function)?.aliases.get(alias)?;
            Some(TargetVersion(pointer.version.to_string()))
        }

        async fn latest(&self, function: &FunctionName) -> Option<Sha256Digest> {
            Some(self.0.latest(function)?.code_sha256)
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let files = tempfile::tempdir().unwrap();
        targets::check(&WithFiles(MemoryTarget::new(FaultPlan::default()), files)).await;
    }
}
