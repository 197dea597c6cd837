//! What every [`DeployTarget`] has to do.

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName};

use crate::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};

/// A target to be tested, without functions at first.
#[async_trait]
pub trait TargetUnderTest: Send + Sync {
    /// The target.
    fn target(&self) -> &dyn DeployTarget;

    /// Three packages of different bytes that it would deploy.
    fn packages(&self) -> [LocalPackage; 3];

    /// The versions of `function` that stand, in order, as an invoker would see them.
    async fn versions(&self, function: &FunctionName) -> Vec<u64>;

    /// The version that `alias` points to, as an invoker would see it.
    async fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<u64>;
}

/// Checks the whole contract.
///
/// # Panics
/// Where the target breaks it.
pub async fn check(under_test: &dyn TargetUnderTest) {
    let [a, b, c] = under_test.packages();
    let suite = Suite { under_test, target: under_test.target(), a, b, c };
    suite.a_version_is_published_once_and_never_changed().await;
    suite.layers_belong_to_the_version().await;
    suite.a_package_that_changed_is_refused_and_leaves_nothing().await;
    suite.an_alias_points_to_what_stands().await;
    suite.functions_do_not_mix().await;
    suite.of_concurrent_versions_one_stands().await;
}

struct Suite<'a> {
    under_test: &'a dyn TargetUnderTest,
    target: &'a dyn DeployTarget,
    a: LocalPackage,
    b: LocalPackage,
    c: LocalPackage,
}

impl Suite<'_> {
    async fn a_version_is_published_once_and_never_changed(&self) {
        let function = function("once");
        assert_eq!(self.under_test.versions(&function).await, [0_u64; 0]);
        assert_eq!(self.publish(&function, 1, &self.a, &[]).await, Ok(()));
        assert_eq!(self.publish(&function, 1, &self.a, &[]).await, Ok(()), "repeating it is no error");
        let taken = Err(TargetError::VersionTaken { function: function.clone(), version: 1 });
        assert_eq!(self.publish(&function, 1, &self.b, &[]).await, taken);
        assert_eq!(self.publish(&function, 1, &self.a, &[]).await, Ok(()), "it still stands as it was");
        assert_eq!(self.publish(&function, 3, &self.a, &[]).await, Ok(()), "numbers may be left out");
        assert_eq!(self.publish(&function, 2, &self.b, &[]).await, Ok(()));
        assert_eq!(self.under_test.versions(&function).await, [1, 2, 3]);
    }

    async fn layers_belong_to_the_version(&self) {
        let function = function("layers");
        let [a, b, c] = [&self.a, &self.b, &self.c];
        assert_eq!(self.publish(&function, 1, a, &[b, c]).await, Ok(()));
        assert_eq!(self.publish(&function, 1, a, &[b, c]).await, Ok(()));
        let taken = Err(TargetError::VersionTaken { function: function.clone(), version: 1 });
        for layers in [&[c, b][..], &[b], &[]] {
            assert_eq!(self.publish(&function, 1, a, layers).await, taken);
        }
        assert_eq!(self.publish(&function, 2, a, &[b, b]).await, Ok(()), "one layer may come twice");
    }

    async fn a_package_that_changed_is_refused_and_leaves_nothing(&self) {
        let function = function("changed");
        let swapped = LocalPackage { sha256: self.a.sha256, ..self.b.clone() };
        let as_code = self.publish(&function, 1, &swapped, &[]).await;
        let as_layer = self.publish(&function, 1, &self.a, &[&self.c, &swapped]).await;
        for error in [as_code, as_layer] {
            let Err(TargetError::Refused { code, .. }) = &error else { panic!("{error:?}") };
            assert_eq!(code, "package_changed");
        }
        assert_eq!(self.under_test.versions(&function).await, [0_u64; 0]);
        let absent = LocalPackage { path: self.a.path.with_extension("absent"), ..self.a.clone() };
        assert!(self.publish(&function, 1, &absent, &[]).await.is_err());
        assert_eq!(self.under_test.versions(&function).await, [0_u64; 0]);
        assert_eq!(self.publish(&function, 1, &self.b, &[]).await, Ok(()), "the number is still free");
    }

    async fn an_alias_points_to_what_stands(&self) {
        let function = function("alias");
        let live: AliasName = "live".parse().expect("a legal alias");
        let missing = |version| Err(TargetError::NoSuchVersion { function: function.clone(), version });
        assert_eq!(self.target.point_alias(&function, &live, &named(1)).await, missing(named(1)));
        assert_eq!(self.publish(&function, 1, &self.a, &[]).await, Ok(()));
        assert_eq!(self.publish(&function, 2, &self.b, &[]).await, Ok(()));
        assert_eq!(self.under_test.resolve(&function, &live).await, None);
        for version in [1, 2, 2, 1] {
            assert_eq!(self.target.point_alias(&function, &live, &named(version)).await, Ok(()));
            assert_eq!(self.under_test.resolve(&function, &live).await, Some(version));
        }
        assert_eq!(self.target.point_alias(&function, &live, &named(7)).await, missing(named(7)));
        assert_eq!(self.under_test.resolve(&function, &live).await, Some(1), "it points where it did");
        assert_eq!(self.under_test.versions(&function).await, [1, 2], "an alias is no version");
    }

    async fn functions_do_not_mix(&self) {
        let [one, other] = [function("mix"), function("mix-2")];
        assert_eq!(self.publish(&one, 1, &self.a, &[]).await, Ok(()));
        assert_eq!(self.publish(&other, 1, &self.b, &[]).await, Ok(()), "another function's number");
        let live: AliasName = "live".parse().expect("a legal alias");
        assert_eq!(self.target.point_alias(&one, &live, &named(1)).await, Ok(()));
        assert_eq!(self.under_test.resolve(&other, &live).await, None);
    }

    async fn of_concurrent_versions_one_stands(&self) {
        let function = function("race");
        let publish = |package| self.publish(&function, 1, package, &[]);
        let (a, again, b) = tokio::join!(publish(&self.a), publish(&self.a), publish(&self.b));
        let taken = Err(TargetError::VersionTaken { function: function.clone(), version: 1 });
        let outcomes = (a, again, b);
        let a_stands = (Ok(()), Ok(()), taken.clone());
        let b_stands = (taken.clone(), taken, Ok(()));
        assert!(outcomes == a_stands || outcomes == b_stands, "{outcomes:?}");
        assert_eq!(self.under_test.versions(&function).await, [1]);
    }

    async fn publish(
        &self,
        function: &FunctionName,
        version: u64,
        code: &LocalPackage,
        layers: &[&LocalPackage],
    ) -> Result<(), TargetError> {
        let layers = layers.iter().map(|layer| (*layer).clone()).collect();
        let packages = LocalPackages { code: code.clone(), layers };
        self.target.publish_version(function, version, &packages).await.map(drop)
    }
}

fn named(version: u64) -> TargetVersion {
    TargetVersion(version.to_string())
}

fn function(name: &str) -> FunctionName {
    name.parse().expect("a legal function name")
}
