//! What a deployment makes of its function: the function itself, the numbers of its versions, and what stands.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{AliasName, Code, CodeSigningConfigName, FunctionName, FunctionVersion};
use countersign_ports::StoreError;
use countersign_ports::change::{Change, layers_of};
use countersign_ports::deployments::{Basis, Decision, applicable_config};
use countersign_ports::functions::{Function, Stamp, StandingVersion};

use crate::attempt::Failure;
use crate::code_signing_configs;
use crate::columns::{bigint, corrupt, count, for_people, to_json};
use crate::database::Session;
use crate::functions::{FunctionRow, VersionRow, bury};
use crate::statement::sql;

/// What binds a deployment as `request` asks for it, in one snapshot.
pub(super) async fn basis(
    snapshot: &mut impl Session,
    request: &DeploymentRequest,
) -> Result<Basis, Failure> {
    let function = existing(snapshot, &request.function_name).await?;
    let code_signing_config = match applicable_config(function.as_ref(), request) {
        None => None,
        Some(name) => {
            let config = code_signing_configs::find(snapshot, name).await?;
            Some(config.ok_or_else(|| StoreError::NotFound(format!("code signing config {name}")))?)
        }
    };
    let revision = revision(snapshot, &request.function_name).await?;
    Ok(Basis { function, code_signing_config, revision })
}

/// The number of changes that bear on deployments of `function`. Both counts only grow, so their sum stays the same only
/// if neither changed.
pub(super) async fn revision(session: &mut impl Session, function: &FunctionName) -> Result<u64, Failure> {
    let common = crate::revision::current(session).await?;
    let own = find(session, function).await?.map_or(0, |row| row.binding_changes);
    Ok(common + count("functions.binding_changes", own)?)
}

/// The function, unless it was deleted.
pub(super) async fn existing(
    session: &mut impl Session,
    name: &FunctionName,
) -> Result<Option<Function>, Failure> {
    let row = find(session, name).await?;
    Ok(row.as_ref().map(FunctionRow::existing).transpose()?.flatten())
}

/// Makes the function where that was asked.
pub(super) async fn make(
    session: &mut impl Session,
    change: &Change,
    decision: &Decision,
) -> Result<(), Failure> {
    let name = &decision.request.function_name;
    // One that was made for a deployment that never succeeded is made anew.
    let anew = matches!(change, Change::Create { .. });
    if !anew && existing(session, name).await?.is_some() {
        return Ok(());
    }
    let create = decision.request.create.as_ref();
    let create = create.ok_or_else(|| StoreError::NotFound(format!("function {name}")))?;
    let made = sql("INSERT INTO functions (name, code_signing_config, binding_changes, newest_version, tags)
         VALUES ($1, $2, 1, 0, $3)
         ON CONFLICT (name) DO UPDATE SET
             deleted = 0, code_signing_config = excluded.code_signing_config, tags = excluded.tags,
             binding_changes = functions.binding_changes + 1")
    .bind(name.as_str())
    .bind(create.code_signing_config.as_ref().map(CodeSigningConfigName::as_str))
    .bind(to_json("functions.tags", &change.tags())?);
    session.execute(made).await?;
    Ok(())
}

/// The number of the version that is published of what was decided upon.
pub(super) async fn allot_version(
    session: &mut impl Session,
    change: &Change,
    decision: &Decision,
) -> Result<u64, Failure> {
    let name = &decision.request.function_name;
    let row = find(session, name).await?;
    let row = row.ok_or_else(|| StoreError::NotFound(format!("function {name}")))?;
    let latest = row.existing()?.and_then(|function| function.latest);
    let settings = change.settings(latest.as_ref());
    if let Some(newest) = newest_standing(session, name).await?
        && newest.as_latest()?.has(&decision.code, &layers_of(&settings, &decision.layers), &settings)
    {
        return Ok(count("versions.version", newest.version)?);
    }
    let newest = row.newest_version;
    let next = newest.checked_add(1).ok_or_else(|| corrupt("functions.newest_version", newest))?;
    let given =
        sql("UPDATE functions SET newest_version = $1 WHERE name = $2").bind(next).bind(name.as_str());
    session.execute(given).await?;
    Ok(count("functions.newest_version", next)?)
}

/// What was decided upon stands from now on: `$LATEST`, the version, and the alias that points to it.
pub(super) async fn stand(
    session: &mut impl Session,
    change: &Change,
    decision: &Decision,
    published: Option<(u64, Option<&AliasName>)>,
    stamp: &Stamp,
) -> Result<(), Failure> {
    let name = &decision.request.function_name;
    let before = existing(session, name).await?.and_then(|function| function.latest);
    let settings = change.settings(before.as_ref());
    let latest = StandingVersion {
        version: FunctionVersion::Latest,
        layers: layers_of(&settings, &decision.layers),
        code: decision.code.clone(),
        settings,
        revision: stamp.revision.clone(),
        last_modified: stamp.at,
    };
    if change.sets_latest() {
        set_latest(session, name, &latest, decision).await?;
    }
    let Some((number, alias)) = published else { return Ok(()) };
    let is_new = add_version(session, name, number, change, &latest).await?;
    if is_new && !change.sets_latest() {
        let marked = sql("UPDATE functions SET revision = $1 WHERE name = $2");
        session.execute(marked.bind(stamp.revision.as_str()).bind(name.as_str())).await?;
    }
    if let Some(alias) = alias {
        point(session, name, alias, number, stamp).await?;
    }
    Ok(())
}

/// A function that was made for nothing is not there.
pub(super) async fn unmake(
    session: &mut impl Session,
    change: &Change,
    name: &FunctionName,
) -> Result<(), Failure> {
    if !matches!(change, Change::Create { .. }) {
        return Ok(());
    }
    match existing(session, name).await? {
        Some(Function { latest: None, .. }) => bury(session, name).await,
        Some(_) | None => Ok(()),
    }
}

async fn set_latest(
    session: &mut impl Session,
    name: &FunctionName,
    latest: &StandingVersion,
    decision: &Decision,
) -> Result<(), Failure> {
    let set =
        sql("UPDATE functions SET code = $1, layers = $2, settings = $3, revision = $4, last_modified = $5,
             brought_by = $6
         WHERE name = $7")
        .bind(to_json("functions.code", &latest.code)?)
        .bind(to_json("functions.layers", &latest.layers)?)
        .bind(to_json("functions.settings", &latest.settings)?)
        .bind(latest.revision.as_str())
        .bind(latest.last_modified.as_millis())
        .bind(decision.deployment.to_string())
        .bind(name.as_str());
    session.execute(set).await?;
    let forgotten = sql("DELETE FROM signed_packages WHERE function_name = $1 AND version = 0");
    session.execute(forgotten.bind(name.as_str())).await?;
    remember_signatures(session, name, 0, latest).await
}

/// False if the version stood before.
async fn add_version(
    session: &mut impl Session,
    name: &FunctionName,
    number: u64,
    change: &Change,
    latest: &StandingVersion,
) -> Result<bool, Failure> {
    let description = change.description().map(for_people);
    let number = bigint("versions.version", number)?;
    let digests: Vec<_> = latest.layers.iter().map(|layer| layer.code.sha256).collect();
    let stands = sql(
        "INSERT INTO versions (function_name, version, code_sha256, layer_sha256, code, layers, settings, description,
             revision, last_modified)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (function_name, version) DO NOTHING",
    )
    .bind(name.as_str())
    .bind(number)
    .bind(latest.code.sha256.to_string())
    .bind(to_json("versions.layer_sha256", &digests)?)
    .bind(to_json("versions.code", &latest.code)?)
    .bind(to_json("versions.layers", &latest.layers)?)
    .bind(to_json("versions.settings", &latest.settings)?)
    .bind(description.as_deref())
    .bind(latest.revision.as_str())
    .bind(latest.last_modified.as_millis());
    let is_new = session.execute(stands).await? == 1;
    if is_new {
        remember_signatures(session, name, number, latest).await?;
    }
    Ok(is_new)
}

/// What the signatures state, to find what expires or is revoked while it runs.
async fn remember_signatures(
    session: &mut impl Session,
    name: &FunctionName,
    version: i64,
    standing: &StandingVersion,
) -> Result<(), Failure> {
    let layers = standing.layers.iter().map(|layer| &layer.code);
    let packages = (0_i64..).zip(std::iter::once(&standing.code).chain(layers));
    let signed =
        packages.filter_map(|(package, Code { signature, .. })| Some((package, signature.as_ref()?)));
    for (package, signature) in signed {
        let remembered =
            sql("INSERT INTO signed_packages (function_name, version, package, profile_version_arn, job_arn,
                 signed_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(name.as_str())
            .bind(version)
            .bind(package)
            .bind(signature.profile_version_arn.to_string())
            .bind(signature.job_arn.to_string())
            .bind(signature.signed_at.as_millis())
            .bind(signature.expires_at.as_millis());
        session.execute(remembered).await?;
    }
    Ok(())
}

async fn point(
    session: &mut impl Session,
    function: &FunctionName,
    alias: &AliasName,
    version: u64,
    stamp: &Stamp,
) -> Result<(), Failure> {
    let points = sql("INSERT INTO aliases (function_name, name, version, description, revision) VALUES ($1, $2, $3, '', $4)
         ON CONFLICT (function_name, name) DO UPDATE SET
             version = excluded.version, further_version = NULL, weight = NULL, revision = excluded.revision")
    .bind(function.as_str())
    .bind(alias.as_str())
    .bind(bigint("versions.version", version)?)
    .bind(stamp.revision.as_str());
    session.execute(points).await?;
    Ok(())
}

pub(super) async fn find(
    session: &mut impl Session,
    name: &FunctionName,
) -> Result<Option<FunctionRow>, Failure> {
    session.row(FunctionRow::named(name)).await
}

async fn newest_standing(
    session: &mut impl Session,
    name: &FunctionName,
) -> Result<Option<VersionRow>, Failure> {
    let row = VersionRow::select("WHERE function_name = $1 ORDER BY version DESC LIMIT 1");
    session.row(row.bind(name.as_str())).await
}
