//! Functions, what they are bound to, and the numbers of their versions.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{AliasName, CodeSigningConfigName, FunctionName, Sha256Digest};
use countersign_ports::StoreError;
use countersign_ports::deployments::{Basis, Decision, Function, applicable_config};
use sqlx::SqliteConnection;

use crate::sqlite::code_signing_configs;
use crate::sqlite::rows::{bigint, corrupt, count, from_json, parse, parse_optional, to_json, unavailable};

/// What binds a deployment as `request` asks for it, in one snapshot.
pub(super) async fn basis(
    snapshot: &mut SqliteConnection,
    request: &DeploymentRequest,
) -> Result<Basis, StoreError> {
    let function = find(snapshot, &request.function_name).await?.map(Function::try_from).transpose()?;
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
pub(super) async fn revision(
    database: &mut SqliteConnection,
    function: &FunctionName,
) -> Result<u64, StoreError> {
    let common = sqlx::query_scalar::<_, i64>("SELECT value FROM revision WHERE id = 1");
    let common = common.fetch_one(&mut *database).await.map_err(unavailable)?;
    let own = find(database, function).await?.map_or(0, |row| row.binding_changes);
    Ok(count("revision.value", common)? + count("functions.binding_changes", own)?)
}

/// The version that a verdict to deploy gives to these packages; makes the function where that was asked.
pub(super) async fn allot_version(
    change: &mut SqliteConnection,
    decision: &Decision,
) -> Result<u64, StoreError> {
    let name = &decision.request.function_name;
    let newest = match (find(change, name).await?, &decision.request.create) {
        (Some(row), _) => row.newest_version,
        (None, Some(create)) => {
            let code_signing_config = create.code_signing_config.clone();
            make(change, &Function { name: name.clone(), code_signing_config }).await?;
            0
        }
        (None, None) => return Err(StoreError::NotFound(format!("function {name}"))),
    };
    if let Some(standing) = newest_standing(change, name).await?
        && standing.has(decision)?
    {
        return count("versions.version", standing.version);
    }
    let next = newest.checked_add(1).ok_or_else(|| corrupt("functions.newest_version", newest))?;
    let given = sqlx::query("UPDATE functions SET newest_version = $1 WHERE name = $2");
    given.bind(next).bind(name.as_str()).execute(change).await.map_err(unavailable)?;
    count("functions.newest_version", next)
}

/// The version stands, and the alias points to it.
pub(super) async fn stand(
    change: &mut SqliteConnection,
    decision: &Decision,
    version: u64,
    alias: Option<&AliasName>,
) -> Result<(), StoreError> {
    let version = bigint("versions.version", version)?;
    let function = decision.request.function_name.as_str();
    sqlx::query(
        "INSERT INTO versions (function_name, version, code_sha256, layer_sha256) VALUES ($1, $2, $3, $4)
         ON CONFLICT (function_name, version) DO NOTHING",
    )
    .bind(function)
    .bind(version)
    .bind(decision.code_sha256.to_string())
    .bind(to_json("versions.layer_sha256", &decision.layer_sha256)?)
    .execute(&mut *change)
    .await
    .map_err(unavailable)?;
    let Some(alias) = alias else { return Ok(()) };
    sqlx::query(
        "INSERT INTO aliases (function_name, name, version) VALUES ($1, $2, $3)
         ON CONFLICT (function_name, name) DO UPDATE SET version = excluded.version",
    )
    .bind(function)
    .bind(alias.as_str())
    .bind(version)
    .execute(change)
    .await
    .map(drop)
    .map_err(unavailable)
}

async fn find(
    database: &mut SqliteConnection,
    name: &FunctionName,
) -> Result<Option<FunctionRow>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM functions WHERE name = $1").bind(name.as_str());
    row.fetch_optional(database).await.map_err(unavailable)
}

async fn make(change: &mut SqliteConnection, function: &Function) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO functions (name, code_signing_config, binding_changes, newest_version) VALUES ($1, $2, 1, 0)",
    )
    .bind(function.name.as_str())
    .bind(function.code_signing_config.as_ref().map(CodeSigningConfigName::as_str))
    .execute(change)
    .await
    .map(drop)
    .map_err(unavailable)
}

async fn newest_standing(
    change: &mut SqliteConnection,
    name: &FunctionName,
) -> Result<Option<VersionRow>, StoreError> {
    let row = sqlx::query_as(
        "SELECT version, code_sha256, layer_sha256 FROM versions
         WHERE function_name = $1 ORDER BY version DESC LIMIT 1",
    );
    row.bind(name.as_str()).fetch_optional(change).await.map_err(unavailable)
}

#[derive(sqlx::FromRow)]
pub(in crate::sqlite) struct FunctionRow {
    name: String,
    code_signing_config: Option<String>,
    binding_changes: i64,
    newest_version: i64,
}

impl TryFrom<FunctionRow> for Function {
    type Error = StoreError;

    fn try_from(row: FunctionRow) -> Result<Self, StoreError> {
        Ok(Self {
            name: parse("functions.name", &row.name)?,
            code_signing_config: parse_optional(
                "functions.code_signing_config",
                row.code_signing_config.as_deref(),
            )?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    code_sha256: String,
    layer_sha256: String,
}

impl VersionRow {
    /// True if the version consists of the packages that were decided upon.
    fn has(&self, decision: &Decision) -> Result<bool, StoreError> {
        let code: Sha256Digest = parse("versions.code_sha256", &self.code_sha256)?;
        let layers: Vec<Sha256Digest> = from_json("versions.layer_sha256", &self.layer_sha256)?;
        Ok((code, layers) == (decision.code_sha256, decision.layer_sha256.clone()))
    }
}
