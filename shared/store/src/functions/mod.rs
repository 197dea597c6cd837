//! Functions as the API shows them, with their versions and aliases.

mod aliases;
mod rows;

use async_trait::async_trait;
use countersign_domain::{
    AliasName, CodeSigningConfigName, FunctionName, FunctionSettings, FunctionVersion, RevisionId, TagKey,
    Tags, UnixMillis,
};
use countersign_ports::StoreError;
use countersign_ports::functions::{
    Alias, AliasTarget, Function, FunctionError, Functions, Stamp, StandingVersion, check_revision,
};

use countersign_ports::target_changes::Changed;

use crate::attempt::{Failure, attempt};
use crate::code_signing_configs;
use crate::columns::{bigint, parse, to_json};
use crate::database::{Database, Lock, Session};
use crate::deployments;
use crate::statement::sql;
use crate::store::Store;
use crate::target_changes;
pub(crate) use rows::{AliasRow, FunctionRow, VersionRow, alias_version};

/// What a change answers: whether it was made, or why not.
type Outcome<T> = Result<Result<T, FunctionError>, Failure>;

/// Gives up with a refusal, which is no failure of the attempt.
macro_rules! granted {
    ($outcome:expr) => {
        match $outcome {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(FunctionError::from(refused))),
        }
    };
}
use granted;

#[async_trait]
impl<D: Database> Functions for Store<D> {
    async fn function(&self, name: &FunctionName) -> Result<Option<Function>, StoreError> {
        let rows = attempt(|| self.database.rows::<FunctionRow>(FunctionRow::named(name))).await?;
        let function = rows.first().map(FunctionRow::existing).transpose()?.flatten();
        Ok(function.filter(|function| function.latest.is_some()))
    }

    async fn list_functions(
        &self,
        after: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<Function>, StoreError> {
        let after = after.map_or("", FunctionName::as_str);
        let which = "WHERE name > $1 AND deleted = 0 AND code IS NOT NULL ORDER BY name LIMIT $2";
        let page = || FunctionRow::select(which).bind(after).bind(i64::from(max));
        let rows = attempt(|| self.database.rows::<FunctionRow>(page())).await?;
        let functions = rows.iter().map(FunctionRow::existing).collect::<Result<Vec<_>, _>>()?;
        Ok(functions.into_iter().flatten().collect())
    }

    async fn bind(
        &self,
        name: &FunctionName,
        config: Option<&CodeSigningConfigName>,
    ) -> Result<(), FunctionError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::Function(name)).await?;
            // The config stays until the function is bound to it.
            change.lock(Lock::PolicyStands).await?;
            if let Some(config) = config
                && code_signing_configs::find(&mut change, config).await?.is_none()
            {
                return Ok(Err(FunctionError::NoSuchConfig(config.clone())));
            }
            let function = granted!(shown(&mut change, name).await?);
            if function.code_signing_config.as_ref() != config {
                let bound = sql(
                    "UPDATE functions SET code_signing_config = $1, binding_changes = binding_changes + 1
                     WHERE name = $2",
                );
                let bound = bound.bind(config.map(CodeSigningConfigName::as_str)).bind(name.as_str());
                change.execute(bound).await?;
            }
            change.commit().await?;
            Ok(Ok(()))
        })
        .await?
    }

    async fn update_settings(
        &self,
        name: &FunctionName,
        settings: &FunctionSettings,
        expected: Option<&RevisionId>,
        stamp: &Stamp,
    ) -> Result<StandingVersion, FunctionError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::Function(name)).await?;
            let latest = granted!(latest(&mut change, name).await?);
            granted!(check_revision(expected, &latest.revision));
            granted!(idle(&mut change, name, stamp.at).await?);
            if latest.settings.layers != settings.layers {
                return Ok(Err(FunctionError::OtherLayers));
            }
            let (settings, revision) = (settings.clone(), stamp.revision.clone());
            let updated = StandingVersion { settings, revision, last_modified: stamp.at, ..latest };
            let update =
                sql("UPDATE functions SET settings = $1, revision = $2, last_modified = $3 WHERE name = $4")
                    .bind(to_json("functions.settings", &updated.settings)?)
                    .bind(updated.revision.as_str())
                    .bind(stamp.at.as_millis())
                    .bind(name.as_str());
            change.execute(update).await?;
            change.commit().await?;
            Ok(Ok(updated))
        })
        .await?
    }

    async fn version(
        &self,
        name: &FunctionName,
        version: FunctionVersion,
    ) -> Result<Option<StandingVersion>, StoreError> {
        let Some(number) = version.number() else {
            return Ok(self.function(name).await?.and_then(|function| function.latest));
        };
        let number = bigint("versions.version", number)?;
        let which = "WHERE function_name = $1 AND version = $2";
        let select = || VersionRow::select(which).bind(name.as_str()).bind(number);
        let rows = attempt(|| self.database.rows::<VersionRow>(select())).await?;
        rows.into_iter().next().map(StandingVersion::try_from).transpose()
    }

    async fn versions(
        &self,
        name: &FunctionName,
        after: u64,
        max: u32,
    ) -> Result<Vec<StandingVersion>, FunctionError> {
        attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            granted!(shown(&mut snapshot, name).await?);
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let page =
                VersionRow::select("WHERE function_name = $1 AND version > $2 ORDER BY version LIMIT $3");
            let page = page.bind(name.as_str()).bind(after).bind(i64::from(max));
            let rows = snapshot.rows::<VersionRow>(page).await?.into_iter();
            Ok(Ok(rows.map(StandingVersion::try_from).collect::<Result<_, _>>()?))
        })
        .await?
    }

    async fn delete_version(&self, name: &FunctionName, version: u64) -> Result<(), FunctionError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::Function(name)).await?;
            granted!(shown(&mut change, name).await?);
            let Ok(number) = i64::try_from(version) else {
                return Ok(Err(FunctionError::NoSuchVersion(version)));
            };
            let pointing =
                "SELECT name FROM aliases WHERE function_name = $1 AND (version = $2 OR further_version = $2)
                 ORDER BY name LIMIT 1";
            let pointing = sql(pointing).bind(name.as_str()).bind(number);
            if let Some((alias,)) = change.row::<(String,)>(pointing).await? {
                return Ok(Err(FunctionError::AliasPoints(parse("aliases.name", &alias)?)));
            }
            for table in ["signed_packages", "versions"] {
                let deleted = sql(format!("DELETE FROM {table} WHERE function_name = $1 AND version = $2"));
                let rows = change.execute(deleted.bind(name.as_str()).bind(number)).await?;
                if table == "versions" && rows == 0 {
                    return Ok(Err(FunctionError::NoSuchVersion(version)));
                }
            }
            target_changes::note(&mut change, name, &Changed::Version(version)).await?;
            change.commit().await?;
            Ok(Ok(()))
        })
        .await?
    }

    async fn delete_function(&self, name: &FunctionName, now: UnixMillis) -> Result<(), FunctionError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::Function(name)).await?;
            granted!(shown(&mut change, name).await?);
            granted!(idle(&mut change, name, now).await?);
            deployments::end_left_behind(&mut change, name).await?;
            target_changes::note_all(&mut change, name).await?;
            bury(&mut change, name).await?;
            change.commit().await?;
            Ok(Ok(()))
        })
        .await?
    }

    async fn tag_function(
        &self,
        name: &FunctionName,
        tags: &Tags,
        removed: &[TagKey],
    ) -> Result<(), FunctionError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::Function(name)).await?;
            let function = granted!(shown(&mut change, name).await?);
            let tags = granted!(function.tags.without(removed).with(tags));
            let tagged = sql("UPDATE functions SET tags = $1 WHERE name = $2");
            change.execute(tagged.bind(to_json("functions.tags", &tags)?).bind(name.as_str())).await?;
            change.commit().await?;
            Ok(Ok(()))
        })
        .await?
    }

    async fn create_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        revision: &RevisionId,
    ) -> Result<Alias, FunctionError> {
        attempt(move || aliases::create(&self.database, function, name, alias, revision)).await?
    }

    async fn alias(&self, function: &FunctionName, name: &AliasName) -> Result<Option<Alias>, StoreError> {
        let rows = attempt(|| self.database.rows::<AliasRow>(AliasRow::named(function, name))).await?;
        rows.into_iter().next().map(Alias::try_from).transpose()
    }

    async fn update_alias(
        &self,
        function: &FunctionName,
        name: &AliasName,
        alias: &AliasTarget,
        expected: Option<&RevisionId>,
        revision: &RevisionId,
    ) -> Result<Alias, FunctionError> {
        attempt(move || aliases::update(&self.database, function, name, alias, expected, revision)).await?
    }

    async fn delete_alias(&self, function: &FunctionName, name: &AliasName) -> Result<(), FunctionError> {
        attempt(move || aliases::delete(&self.database, function, name)).await?
    }

    async fn aliases(
        &self,
        function: &FunctionName,
        of: Option<FunctionVersion>,
        after: Option<&AliasName>,
        max: u32,
    ) -> Result<Vec<Alias>, FunctionError> {
        attempt(move || aliases::list(&self.database, function, of, after, max)).await?
    }
}

/// The function, once something was deployed to it.
async fn shown(session: &mut impl Session, name: &FunctionName) -> Outcome<Function> {
    let row = session.row::<FunctionRow>(FunctionRow::named(name)).await?;
    let function = row.as_ref().map(FunctionRow::existing).transpose()?.flatten();
    let shown = function.filter(|function| function.latest.is_some());
    Ok(shown.ok_or_else(|| FunctionError::NoSuchFunction(name.clone())))
}

async fn latest(session: &mut impl Session, name: &FunctionName) -> Outcome<StandingVersion> {
    let latest = shown(session, name).await?.map(|function| function.latest);
    Ok(latest.and_then(|latest| latest.ok_or_else(|| FunctionError::NoSuchFunction(name.clone()))))
}

/// Demands that no deployment of the function is under way. None begins before this transaction ends.
async fn idle(change: &mut impl Session, name: &FunctionName, now: UnixMillis) -> Outcome<()> {
    let leases = deployments::leases_of(name).for_update("deployments");
    let until = deployments::under_way_until(change, leases, now).await?;
    Ok(until.map_or(Ok(()), |until| Err(FunctionError::Busy(until))))
}

/// Forgets everything of a function but its numbers.
pub(crate) async fn bury(change: &mut impl Session, name: &FunctionName) -> Result<(), Failure> {
    for table in ["aliases", "signed_packages", "versions"] {
        let deleted = sql(format!("DELETE FROM {table} WHERE function_name = $1"));
        change.execute(deleted.bind(name.as_str())).await?;
    }
    let buried =
        "UPDATE functions SET deleted = 1, code_signing_config = NULL, binding_changes = binding_changes + 1,
             tags = '{}', code = NULL, layers = '[]', settings = '{}', revision = NULL, brought_by = NULL
         WHERE name = $1";
    change.execute(sql(buried).bind(name.as_str())).await?;
    Ok(())
}
