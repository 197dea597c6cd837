//! A deploy target in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, Sha256Digest};

use super::FaultPlan;
use crate::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};

/// A [`DeployTarget`] in memory: it remembers digests, not files. Clones share their functions. Operations carry the
/// names of the port's methods in the [`FaultPlan`].
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
    versions: BTreeMap<u64, PublishedVersion>,
    aliases: BTreeMap<AliasName, u64>,
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

    /// The version that `alias` points to.
    pub fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<u64> {
        self.lock().get(function)?.aliases.get(alias).copied()
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

#[async_trait]
impl DeployTarget for MemoryTarget {
    async fn publish_version(
        &self,
        function: &FunctionName,
        version: u64,
        packages: &LocalPackages,
    ) -> Result<TargetVersion, TargetError> {
        self.faults.apply(
            "publish_version",
            || lost("publish_version"),
            || {
                let code_sha256 = checked(&packages.code)?;
                let layer_sha256 = packages.layers.iter().map(checked).collect::<Result<_, _>>()?;
                self.publish(function, version, PublishedVersion { code_sha256, layer_sha256 })
            },
        )
    }

    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError> {
        self.faults.apply(
            "point_alias",
            || lost("point_alias"),
            || {
                let mut functions = self.lock();
                let missing =
                    || TargetError::NoSuchVersion { function: function.clone(), version: version.clone() };
                let standing = functions.get_mut(function).ok_or_else(missing)?;
                let number = standing.versions.keys().copied().find(|number| named(*number) == *version);
                standing.aliases.insert(alias.clone(), number.ok_or_else(missing)?);
                Ok(())
            },
        )
    }
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

fn lost(operation: &str) -> TargetError {
    TargetError::Unavailable(format!("{operation} was told to fail"))
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
            self.0.resolve(function, alias).map(named)
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let files = tempfile::tempdir().unwrap();
        targets::check(&WithFiles(MemoryTarget::new(FaultPlan::default()), files)).await;
    }
}
