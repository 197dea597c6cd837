//! What every [`DeployTarget`] has to do.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, FunctionVersion, ObjectVersion, Sha256Digest};

use crate::functions::Weight;
use crate::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};

/// A target to be tested, without functions at first.
#[async_trait]
pub trait TargetUnderTest: Send + Sync {
    /// The target.
    fn target(&self) -> &dyn DeployTarget;

    /// Three packages of different bytes that it would deploy.
    fn packages(&self) -> [LocalPackage; 3];

    /// False if it refuses every layer, with the code `layers_unsupported`.
    fn takes_layers(&self) -> bool {
        true
    }

    /// False if it may make two versions of one that is published twice at the same moment. The store's leases let nobody
    /// do that; the target is the second wall.
    fn settles_races(&self) -> bool {
        true
    }

    /// False if an alias that stands cannot be given a second version.
    fn splits_aliases(&self) -> bool {
        true
    }

    /// False if it deletes a version that an alias points to. The store refuses that first; the target is the second wall.
    fn keeps_what_aliases_need(&self) -> bool {
        true
    }

    /// The versions of `function` that stand, as an invoker would see them, in any order.
    async fn versions(&self, function: &FunctionName) -> Vec<TargetVersion>;

    /// The version that `alias` points to, as an invoker would see it.
    async fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<TargetVersion>;

    /// The digest of the code that is `$LATEST`, as an invoker would see it.
    async fn latest(&self, function: &FunctionName) -> Option<Sha256Digest>;
}

/// Checks the whole contract.
///
/// # Panics
/// Where the target breaks it.
pub async fn check(under_test: &dyn TargetUnderTest) {
    let [a, b, c] = under_test.packages();
    let suite = Suite { under_test, target: under_test.target(), a, b, c };
    suite.a_version_is_published_once_and_never_changed().await;
    if under_test.takes_layers() {
        suite.layers_belong_to_the_version().await;
        suite.a_layer_that_changed_is_refused_and_leaves_nothing().await;
    } else {
        suite.layers_are_refused_and_leave_nothing().await;
    }
    suite.a_package_that_changed_is_refused_and_leaves_nothing().await;
    suite.an_alias_points_to_what_stands().await;
    suite.functions_do_not_mix().await;
    suite.latest_is_what_was_put_last().await;
    suite.an_alias_of_latest_follows_it().await;
    if under_test.splits_aliases() {
        suite.a_split_alias_points_to_its_first_version().await;
    }
    suite.a_version_is_found_by_our_number().await;
    suite.what_is_deleted_is_gone_and_deleted_again().await;
    suite.a_function_that_was_deleted_begins_anew().await;
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
        self.stand(&function, &[]).await;
        let first = self.published(&function, 1, &self.a, &[]).await;
        assert_eq!(self.published(&function, 1, &self.a, &[]).await, first, "repeating it is no error");
        let taken = Err(TargetError::VersionTaken { function: function.clone(), version: 1 });
        assert_eq!(self.publish(&function, 1, &self.b, &[]).await, taken);
        assert_eq!(self.published(&function, 1, &self.a, &[]).await, first, "it still stands as it was");
        let third = self.published(&function, 3, &self.a, &[]).await;
        let second = self.published(&function, 2, &self.b, &[]).await;
        assert!(second != first && second != third, "other bytes are another version");
        self.stand(&function, &[first, second, third]).await;
    }

    async fn layers_belong_to_the_version(&self) {
        let function = function("layers");
        let [a, b, c] = [&self.a, &self.b, &self.c];
        let first = self.published(&function, 1, a, &[b, c]).await;
        assert_eq!(self.published(&function, 1, a, &[b, c]).await, first);
        let taken = Err(TargetError::VersionTaken { function: function.clone(), version: 1 });
        for layers in [&[c, b][..], &[b], &[]] {
            assert_eq!(self.publish(&function, 1, a, layers).await, taken);
        }
        let second = self.published(&function, 2, a, &[b, b]).await;
        self.stand(&function, &[first, second]).await;
    }

    async fn layers_are_refused_and_leave_nothing(&self) {
        let function = function("layers");
        for layers in [&[&self.b][..], &[&self.b, &self.c]] {
            let refused = self.publish(&function, 1, &self.a, layers).await;
            assert_refused(&refused, "layers_unsupported");
        }
        self.stand(&function, &[]).await;
        let first = self.published(&function, 1, &self.a, &[]).await;
        let refused = self.publish(&function, 1, &self.a, &[&self.b]).await;
        assert_refused(&refused, "layers_unsupported");
        self.stand(&function, &[first]).await;
    }

    async fn a_package_that_changed_is_refused_and_leaves_nothing(&self) {
        let function = function("changed");
        let swapped = self.swapped();
        assert_refused(&self.publish(&function, 1, &swapped, &[]).await, "package_changed");
        self.stand(&function, &[]).await;
        assert!(self.publish(&function, 1, &self.absent(), &[]).await.is_err());
        self.stand(&function, &[]).await;
        let first = self.published(&function, 1, &self.b, &[]).await;
        assert_refused(&self.publish(&function, 2, &swapped, &[]).await, "package_changed");
        self.stand(&function, &[first]).await;
    }

    async fn a_layer_that_changed_is_refused_and_leaves_nothing(&self) {
        let function = function("changed-layer");
        let refused = self.publish(&function, 1, &self.a, &[&self.c, &self.swapped()]).await;
        assert_refused(&refused, "package_changed");
        self.stand(&function, &[]).await;
    }

    async fn an_alias_points_to_what_stands(&self) {
        let function = function("alias");
        self.refuses_alias_to(&function, &["1"]).await;
        let first = self.published(&function, 1, &self.a, &[]).await;
        let second = self.published(&function, 2, &self.b, &[]).await;
        assert_eq!(self.under_test.resolve(&function, &live()).await, None);
        for version in [&first, &second, &second, &first] {
            assert_eq!(self.target.point_alias(&function, &live(), version).await, Ok(()));
            assert_eq!(self.under_test.resolve(&function, &live()).await.as_ref(), Some(version));
        }
        let padded = format!("0{first}");
        self.refuses_alias_to(&function, &["7", "", "live", "+1", "..", &padded]).await;
        let pointed = self.under_test.resolve(&function, &live()).await;
        assert_eq!(pointed.as_ref(), Some(&first), "it points where it did");
        self.stand(&function, &[first, second]).await;
    }

    async fn refuses_alias_to(&self, function: &FunctionName, versions: &[&str]) {
        for version in versions {
            let version = TargetVersion((*version).to_owned());
            let missing = TargetError::NoSuchVersion { function: function.clone(), version: version.clone() };
            assert_eq!(self.target.point_alias(function, &live(), &version).await, Err(missing));
        }
    }

    async fn functions_do_not_mix(&self) {
        let [one, other] = [function("mix"), function("mix-2")];
        let first = self.published(&one, 1, &self.a, &[]).await;
        self.published(&other, 1, &self.b, &[]).await;
        assert_eq!(self.target.point_alias(&one, &live(), &first).await, Ok(()));
        assert_eq!(self.under_test.resolve(&other, &live()).await, None);
    }

    async fn latest_is_what_was_put_last(&self) {
        let function = function("latest");
        assert_eq!(self.under_test.latest(&function).await, None);
        for package in [&self.a, &self.a, &self.b, &self.c, &self.a] {
            self.put(&function, package).await;
            assert_eq!(self.under_test.latest(&function).await, Some(package.sha256));
        }
        self.stand(&function, &[]).await;
        // Other bytes than those that stand, where again others were decided upon.
        let code = LocalPackage { sha256: self.c.sha256, ..self.b.clone() };
        let refused = self.target.put_latest(&function, &LocalPackages { code, layers: Vec::new() }).await;
        assert!(
            matches!(&refused, Err(TargetError::Refused { code, .. }) if code == "package_changed"),
            "{refused:?}"
        );
        let first = self.published(&function, 1, &self.b, &[]).await;
        self.put(&function, &self.c).await;
        self.stand(&function, &[first]).await;
        assert_eq!(self.under_test.latest(&function).await, Some(self.c.sha256));
    }

    async fn an_alias_of_latest_follows_it(&self) {
        let function = function("alias-latest");
        self.put(&function, &self.a).await;
        assert_eq!(self.target.point_alias(&function, &live(), &TargetVersion::latest()).await, Ok(()));
        assert_eq!(self.under_test.resolve(&function, &live()).await, Some(TargetVersion::latest()));
        self.put(&function, &self.b).await;
        assert_eq!(self.under_test.resolve(&function, &live()).await, Some(TargetVersion::latest()));
    }

    async fn a_split_alias_points_to_its_first_version(&self) {
        let function = function("split");
        let first = self.published(&function, 1, &self.a, &[]).await;
        let second = self.published(&function, 2, &self.b, &[]).await;
        let weight = Weight::new(0.25).expect("a weight");
        for (version, further) in [(&first, &second), (&second, &first), (&first, &first)] {
            let split = self.target.split_alias(&function, &live(), version, (further, weight)).await;
            assert_eq!(split, Ok(()));
            assert_eq!(self.under_test.resolve(&function, &live()).await.as_ref(), Some(version));
        }
        let missing = TargetVersion("7".to_owned());
        for (version, further) in [(&missing, &first), (&second, &missing)] {
            let split = self.target.split_alias(&function, &live(), version, (further, weight)).await;
            assert!(matches!(split, Err(TargetError::NoSuchVersion { .. })), "{split:?}");
        }
        assert_eq!(self.under_test.resolve(&function, &live()).await, Some(first));
    }

    async fn a_version_is_found_by_our_number(&self) {
        let function = function("found");
        assert_eq!(self.found(&function, 1, &self.a).await, None);
        let latest = self.target.find_version(&function, FunctionVersion::Latest, &self.a.sha256).await;
        assert_eq!(latest, Ok(None));
        let first = self.published(&function, 1, &self.a, &[]).await;
        let second = self.published(&function, 2, &self.b, &[]).await;
        assert_eq!(self.found(&function, 1, &self.a).await, Some(first));
        assert_eq!(self.found(&function, 2, &self.b).await, Some(second));
        assert_eq!(self.found(&function, 3, &self.c).await, None);
        self.put(&function, &self.b).await;
        let latest = self.target.find_version(&function, FunctionVersion::Latest, &self.b.sha256).await;
        assert_eq!(latest, Ok(Some(TargetVersion::latest())));
    }

    async fn what_is_deleted_is_gone_and_deleted_again(&self) {
        let function = function("deleted");
        let in_use = [self.b.sha256].into();
        assert_eq!(self.target.delete_version(&function, 1, &in_use).await, Ok(()));
        assert_eq!(self.target.delete_alias(&function, &live()).await, Ok(()));
        let first = self.published(&function, 1, &self.a, &[]).await;
        let second = self.published(&function, 2, &self.b, &[]).await;
        assert_eq!(self.target.point_alias(&function, &live(), &first).await, Ok(()));
        if self.under_test.keeps_what_aliases_need() {
            assert!(
                self.target.delete_version(&function, 1, &in_use).await.is_err(),
                "an alias points to it"
            );
        }
        self.stand(&function, &[first, second.clone()]).await;
        for _ in 0..2 {
            assert_eq!(self.target.delete_alias(&function, &live()).await, Ok(()));
            assert_eq!(self.under_test.resolve(&function, &live()).await, None);
        }
        for _ in 0..2 {
            assert_eq!(self.target.delete_version(&function, 1, &in_use).await, Ok(()));
            self.stand(&function, std::slice::from_ref(&second)).await;
        }
        assert_eq!(self.found(&function, 1, &self.a).await, None);
    }

    async fn a_function_that_was_deleted_begins_anew(&self) {
        let function = function("gone");
        assert_eq!(self.target.delete_function(&function).await, Ok(()));
        let first = self.published(&function, 1, &self.a, &[]).await;
        self.put(&function, &self.b).await;
        assert_eq!(self.target.point_alias(&function, &live(), &first).await, Ok(()));
        for _ in 0..2 {
            assert_eq!(self.target.delete_function(&function).await, Ok(()));
            self.stand(&function, &[]).await;
            assert_eq!(self.under_test.resolve(&function, &live()).await, None);
            assert_eq!(self.under_test.latest(&function).await, None);
        }
        let second = self.published(&function, 2, &self.c, &[]).await;
        self.put(&function, &self.c).await;
        self.stand(&function, &[second]).await;
        assert_eq!(self.under_test.latest(&function).await, Some(self.c.sha256));
    }

    async fn put(&self, function: &FunctionName, code: &LocalPackage) {
        let packages = LocalPackages { code: code.clone(), layers: Vec::new() };
        assert_eq!(self.target.put_latest(function, &packages).await, Ok(()));
    }

    async fn found(
        &self,
        function: &FunctionName,
        version: u64,
        code: &LocalPackage,
    ) -> Option<TargetVersion> {
        let version = FunctionVersion::Published(version);
        self.target.find_version(function, version, &code.sha256).await.expect("the target answers")
    }

    async fn of_concurrent_versions_one_stands(&self) {
        if !self.under_test.settles_races() {
            return;
        }
        let function = function("race");
        let publish = |package| self.insist(&function, 1, package);
        let (a, again, b) = tokio::join!(publish(&self.a), publish(&self.a), publish(&self.b));
        let taken = TargetError::VersionTaken { function: function.clone(), version: 1 };
        let stands = match (a, again, b) {
            (Ok(one), Ok(other), Err(error)) if one == other && error == taken => one,
            (Err(one), Err(other), Ok(stands)) if one == taken && other == taken => stands,
            outcomes => panic!("{outcomes:?}"),
        };
        self.stand(&function, &[stands]).await;
    }

    /// Publishes, and again as long as the target says to try later: it may let only one of several pass.
    async fn insist(
        &self,
        function: &FunctionName,
        version: u64,
        code: &LocalPackage,
    ) -> Result<TargetVersion, TargetError> {
        for _ in 0..ATTEMPTS_MAX {
            match self.publish(function, version, code, &[]).await {
                Err(TargetError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
                outcome => return outcome,
            }
        }
        self.publish(function, version, code, &[]).await
    }

    async fn published(
        &self,
        function: &FunctionName,
        version: u64,
        code: &LocalPackage,
        layers: &[&LocalPackage],
    ) -> TargetVersion {
        let published = self.publish(function, version, code, layers).await;
        published.unwrap_or_else(|error| panic!("version {version} of {function}: {error}"))
    }

    async fn publish(
        &self,
        function: &FunctionName,
        version: u64,
        code: &LocalPackage,
        layers: &[&LocalPackage],
    ) -> Result<TargetVersion, TargetError> {
        let layers = layers.iter().map(|layer| (*layer).clone()).collect();
        let packages = LocalPackages { code: code.clone(), layers };
        self.target.publish_version(function, version, &packages).await
    }

    /// These versions stand and no others. A target may give one of its own for two of ours that are the same.
    async fn stand(&self, function: &FunctionName, expected: &[TargetVersion]) {
        let set = |versions: &[TargetVersion]| -> BTreeSet<String> {
            versions.iter().map(ToString::to_string).collect()
        };
        let found = self.under_test.versions(function).await;
        assert_eq!(set(&found), set(expected), "the versions of {function}");
    }

    /// The bytes of one package where another was decided upon.
    fn swapped(&self) -> LocalPackage {
        LocalPackage { sha256: self.a.sha256, ..self.b.clone() }
    }

    /// A package that is neither here nor in the store.
    fn absent(&self) -> LocalPackage {
        let version = "absent".parse().expect("a legal version id");
        let object = ObjectVersion { version, ..self.a.object.clone() };
        LocalPackage { path: self.a.path.with_extension("absent"), object, ..self.a.clone() }
    }
}

fn assert_refused(outcome: &Result<TargetVersion, TargetError>, expected: &str) {
    let Err(TargetError::Refused { code, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(code, expected);
}

fn function(name: &str) -> FunctionName {
    name.parse().expect("a legal function name")
}

fn live() -> AliasName {
    "live".parse().expect("a legal alias")
}

/// How often a target may ask to be tried again.
const ATTEMPTS_MAX: usize = 50;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(200);
