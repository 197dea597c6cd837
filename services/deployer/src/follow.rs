//! The targets follow the state. What changed is noted with the change; how it is now, the state says when it is followed.
//!
//! Two processes may follow at once, and a deployment of another process may change an alias meanwhile. So whoever followed
//! looks again: only if nothing was noted, moved or under way since is the note forgotten, and else it is followed once more.
//! The last word has whoever looked last, and that is what the state says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::{AliasName, FunctionName, FunctionVersion, Sha256Digest, UnixMillis};
use countersign_ports::functions::{Alias, FunctionError};
use countersign_ports::target_changes::{Changed, TargetChange};
use countersign_ports::targets::DeployTarget;
use tokio_util::sync::CancellationToken;

use crate::{Deployer, NotChanged};

impl Deployer {
    /// Follows what an earlier process or a target that did not answer left, at once and then every 30 s.
    pub async fn follow_loop(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.follow_all().await {
                tracing::warn!(%error, "a target could not follow; trying again");
            }
            let pause = tokio::time::sleep(FOLLOW_PAUSE);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// Follows every change that was not followed yet. What one function fails at keeps no other.
    ///
    /// # Errors
    /// The last failure.
    pub async fn follow_all(&self) -> Result<(), NotChanged> {
        let pending = self.ports.target_changes.pending(None, PENDING_MAX).await?;
        let functions: BTreeSet<_> = pending.into_iter().map(|change| change.function).collect();
        let mut outcome = Ok(());
        for function in functions {
            let _turn = self.turns.take(function.clone()).await;
            outcome = self.follow(&function).await.or(outcome);
        }
        outcome
    }

    /// Follows what was noted of a function, whose turn the caller has.
    pub(crate) async fn follow(&self, function: &FunctionName) -> Result<(), NotChanged> {
        let mut noted = self.pending(function).await?;
        let mut changed: BTreeSet<Changed> = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            changed.extend(noted.iter().map(|change| change.changed.clone()));
            if changed.is_empty() {
                return Ok(());
            }
            self.await_idle(function).await?;
            let before = self.aliases_of(function, &changed).await?;
            self.follow_once(function, &changed).await?;
            let now = self.pending(function).await?;
            let stands = self.aliases_of(function, &changed).await? == before;
            if now == noted && stands && self.under_way(function).await?.is_none() {
                // CRASH: followed and still noted, so that it is followed again.
                self.ports.target_changes.followed(&noted).await?;
                changed.clear();
                noted = self.pending(function).await?;
            } else {
                noted = now;
            }
        }
        Err(NotChanged::Pending(format!("{function} keeps changing")))
    }

    /// Makes every target what the state says of what changed. Aliases come first: none points to what is deleted.
    async fn follow_once(
        &self,
        function: &FunctionName,
        changed: &BTreeSet<Changed>,
    ) -> Result<(), NotChanged> {
        let stands = self.ports.functions.function(function).await?.is_some();
        if !stands && changed.contains(&Changed::Function) {
            for (_, target) in self.ports.targets.all() {
                target.delete_function(function).await?;
            }
            return Ok(());
        }
        let in_use = self.in_use(function).await?;
        for changed in changed {
            match changed {
                Changed::Alias(alias) => self.follow_alias(function, alias).await?,
                Changed::Version(number) => {
                    for (_, target) in self.ports.targets.all() {
                        target.delete_version(function, *number, &in_use).await?;
                    }
                }
                // Made anew since: what it had before is noted one by one.
                Changed::Function => {}
            }
        }
        Ok(())
    }

    async fn follow_alias(&self, function: &FunctionName, name: &AliasName) -> Result<(), NotChanged> {
        let Some(alias) = self.ports.functions.alias(function, name).await? else {
            for (_, target) in self.ports.targets.all() {
                target.delete_alias(function, name).await?;
            }
            return Ok(());
        };
        let mut points = false;
        for (_, target) in self.ports.targets.all() {
            points |= self.point(target, function, &alias).await?;
        }
        let nowhere = || {
            let version = alias.target.version;
            NotChanged::Pending(format!("no target has version {version} of {function} for the alias {name}"))
        };
        if points { Ok(()) } else { Err(nowhere()) }
    }

    /// False if the alias's version does not stand in this target.
    async fn point(
        &self,
        target: &Arc<dyn DeployTarget>,
        function: &FunctionName,
        alias: &Alias,
    ) -> Result<bool, NotChanged> {
        let find = async |version: FunctionVersion| {
            let Some(standing) = self.ports.functions.version(function, version).await? else {
                return Ok(None);
            };
            Ok::<_, NotChanged>(target.find_version(function, version, &standing.code.sha256).await?)
        };
        let Some(version) = find(alias.target.version).await? else { return Ok(false) };
        let pointed = match alias.target.further {
            None => target.point_alias(function, &alias.name, &version).await,
            Some(part) => {
                let further = find(FunctionVersion::Published(part.version)).await?;
                let Some(further) = further else { return Ok(false) };
                target.split_alias(function, &alias.name, &version, (&further, part.weight)).await
            }
        };
        pointed?;
        Ok(true)
    }

    /// The code of every published version that stands.
    async fn in_use(&self, function: &FunctionName) -> Result<BTreeSet<Sha256Digest>, NotChanged> {
        let (mut in_use, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = match self.ports.functions.versions(function, after, VERSIONS_A_PAGE).await {
                Err(FunctionError::NoSuchFunction(_)) => return Ok(in_use),
                page => page.map_err(|error| NotChanged::Pending(error.to_string()))?,
            };
            let Some(last) = page.last().and_then(|version| version.version.number()) else {
                return Ok(in_use);
            };
            in_use.extend(page.iter().map(|version| version.code.sha256));
            after = last;
        }
    }

    /// What the state says of the aliases among `changed`.
    async fn aliases_of(
        &self,
        function: &FunctionName,
        changed: &BTreeSet<Changed>,
    ) -> Result<Vec<Option<Alias>>, NotChanged> {
        let mut aliases = Vec::new();
        for changed in changed {
            if let Changed::Alias(name) = changed {
                aliases.push(self.ports.functions.alias(function, name).await?);
            }
        }
        Ok(aliases)
    }

    /// Waits until no deployment of the function is under way in another process.
    async fn await_idle(&self, function: &FunctionName) -> Result<(), NotChanged> {
        for _ in 0..IDLE_POLLS_MAX {
            if self.under_way(function).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(IDLE_PAUSE).await;
        }
        Err(NotChanged::Pending(format!("a deployment of {function} is under way")))
    }

    async fn under_way(&self, function: &FunctionName) -> Result<Option<UnixMillis>, NotChanged> {
        Ok(self.ports.target_changes.under_way(function, self.ports.clock.now()).await?)
    }

    async fn pending(&self, function: &FunctionName) -> Result<Vec<TargetChange>, NotChanged> {
        Ok(self.ports.target_changes.pending(Some(function), PENDING_MAX).await?)
    }
}

/// Between two looks for what was not followed.
const FOLLOW_PAUSE: Duration = Duration::from_secs(30);

/// How often a change that something else interferes with is followed.
const ROUNDS_MAX: usize = 8;

/// How often it is asked whether a deployment is still under way, and how long after each answer: 30 s.
const IDLE_POLLS_MAX: usize = 150;
const IDLE_PAUSE: Duration = Duration::from_millis(200);

/// Notes that are read at once. More of a function are followed in the next round.
const PENDING_MAX: u32 = 1000;

/// Versions that are read at once.
const VERSIONS_A_PAGE: u32 = 200;
