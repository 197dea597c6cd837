//! Aliases, held together with their function.

use countersign_domain::{AliasName, FunctionName, FunctionVersion, RevisionId};
use countersign_ports::functions::{Alias, AliasTarget, FunctionError, check_revision};

use countersign_ports::target_changes::Changed;

use super::{AliasRow, Outcome, granted, shown};
use crate::attempt::Failure;
use crate::columns::{bigint, for_people};
use crate::database::{Database, Lock, Session};
use crate::statement::sql;
use crate::target_changes;

pub(super) async fn create(
    database: &impl Database,
    function: &FunctionName,
    name: &AliasName,
    target: &AliasTarget,
    revision: &RevisionId,
) -> Outcome<Alias> {
    let mut change = database.begin().await?;
    change.lock(Lock::Function(function)).await?;
    granted!(shown(&mut change, function).await?);
    if change.row::<AliasRow>(AliasRow::named(function, name)).await?.is_some() {
        return Ok(Err(FunctionError::AliasExists(name.clone())));
    }
    granted!(stands(&mut change, function, target).await?);
    let alias = Alias { name: name.clone(), target: target.clone(), revision: revision.clone() };
    put(&mut change, function, &alias).await?;
    change.commit().await?;
    Ok(Ok(alias))
}

pub(super) async fn update(
    database: &impl Database,
    function: &FunctionName,
    name: &AliasName,
    target: &AliasTarget,
    expected: Option<&RevisionId>,
    revision: &RevisionId,
) -> Outcome<Alias> {
    let mut change = database.begin().await?;
    change.lock(Lock::Function(function)).await?;
    granted!(shown(&mut change, function).await?);
    let standing = change.row::<AliasRow>(AliasRow::named(function, name)).await?;
    let standing = standing.map(Alias::try_from).transpose()?;
    let standing = granted!(standing.ok_or_else(|| FunctionError::NoSuchAlias(name.clone())));
    granted!(check_revision(expected, &standing.revision));
    granted!(stands(&mut change, function, target).await?);
    let alias = Alias { name: name.clone(), target: target.clone(), revision: revision.clone() };
    put(&mut change, function, &alias).await?;
    change.commit().await?;
    Ok(Ok(alias))
}

pub(super) async fn delete(
    database: &impl Database,
    function: &FunctionName,
    name: &AliasName,
) -> Outcome<()> {
    let mut change = database.begin().await?;
    change.lock(Lock::Function(function)).await?;
    granted!(shown(&mut change, function).await?);
    let deleted = sql("DELETE FROM aliases WHERE function_name = $1 AND name = $2");
    change.execute(deleted.bind(function.as_str()).bind(name.as_str())).await?;
    target_changes::note(&mut change, function, &Changed::Alias(name.clone())).await?;
    change.commit().await?;
    Ok(Ok(()))
}

pub(super) async fn list(
    database: &impl Database,
    function: &FunctionName,
    of: Option<FunctionVersion>,
    after: Option<&AliasName>,
    max: u32,
) -> Outcome<Vec<Alias>> {
    let mut snapshot = database.snapshot().await?;
    granted!(shown(&mut snapshot, function).await?);
    let of_version = match of {
        None => "AND CAST($4 AS BIGINT) IS NULL",
        Some(FunctionVersion::Latest) => "AND version IS NULL AND CAST($4 AS BIGINT) IS NULL",
        Some(FunctionVersion::Published(_)) => "AND (version = $4 OR further_version = $4)",
    };
    let number = of.and_then(FunctionVersion::number).map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let which = format!("WHERE function_name = $1 AND name > $2 {of_version} ORDER BY name LIMIT $3");
    let page = AliasRow::select(&which)
        .bind(function.as_str())
        .bind(after.map_or("", AliasName::as_str))
        .bind(i64::from(max))
        .bind(number);
    let rows = snapshot.rows::<AliasRow>(page).await?.into_iter();
    Ok(Ok(rows.map(Alias::try_from).collect::<Result<_, _>>()?))
}

/// Demands that every version of `target` stands.
async fn stands(change: &mut impl Session, function: &FunctionName, target: &AliasTarget) -> Outcome<()> {
    granted!(target.check());
    for number in target.numbers() {
        let version = sql("SELECT version FROM versions WHERE function_name = $1 AND version = $2")
            .bind(function.as_str())
            .bind(i64::try_from(number).unwrap_or(i64::MAX));
        if change.row::<(i64,)>(version).await?.is_none() {
            return Ok(Err(FunctionError::NoSuchVersion(number)));
        }
    }
    Ok(Ok(()))
}

async fn put(change: &mut impl Session, function: &FunctionName, alias: &Alias) -> Result<(), Failure> {
    let AliasTarget { version, description, further } = &alias.target;
    let number = version.number().map(|number| bigint("aliases.version", number)).transpose()?;
    let further_version =
        further.map(|further| bigint("aliases.further_version", further.version)).transpose()?;
    let put = sql(
        "INSERT INTO aliases (function_name, name, version, further_version, weight, description, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (function_name, name) DO UPDATE SET
             version = excluded.version, further_version = excluded.further_version, weight = excluded.weight,
             description = excluded.description, revision = excluded.revision",
    )
    .bind(function.as_str())
    .bind(alias.name.as_str())
    .bind(number)
    .bind(further_version)
    .bind(further.map(|further| further.weight.get().to_string()).as_deref())
    .bind(for_people(description))
    .bind(alias.revision.as_str());
    change.execute(put).await?;
    target_changes::note(change, function, &Changed::Alias(alias.name.clone())).await
}
