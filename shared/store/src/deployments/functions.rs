//! Functions, what they are bound to, and the numbers of their versions.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{AliasName, CodeSigningConfigName, FunctionName, Sha256Digest};
use countersign_ports::StoreError;
use countersign_ports::deployments::{Basis, Decision, Function, applicable_config};

use crate::attempt::Failure;
use crate::code_signing_configs;
use crate::columns::{bigint, corrupt, count, from_json, parse, parse_optional, to_json};
use crate::database::Session;
use crate::statement::{Statement, sql};

/// What binds a deployment as `request` asks for it, in one snapshot.
pub(super) async fn basis(
    snapshot: &mut impl Session,
    request: &DeploymentRequest,
) -> Result<Basis, Failure> {
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
pub(super) async fn revision(session: &mut impl Session, function: &FunctionName) -> Result<u64, Failure> {
    let common = crate::revision::current(session).await?;
    let own = find(session, function).await?.map_or(0, |row| row.binding_changes);
    Ok(common + count("functions.binding_changes", own)?)
}

/// The version that a verdict to deploy gives to these packages; makes the function where that was asked.
pub(super) async fn allot_version(change: &mut impl Session, decision: &Decision) -> Result<u64, Failure> {
    let name = &decision.request.function_name;
    let newest = match (find(change, name).await?, &decision.request.create) {
        (Some(row), _) => row.newest_version,
        (None, Some(create)) => {
            let code_signing_config = create.code_signing_config.clone();
            make(change, &Function { name: name.clone(), code_signing_config }).await?;
            0
        }
        (None, None) => return Err(StoreError::NotFound(format!("function {name}")).into()),
    };
    if let Some(standing) = newest_standing(change, name).await?
        && standing.has(decision)?
    {
        return Ok(count("versions.version", standing.version)?);
    }
    let next = newest.checked_add(1).ok_or_else(|| corrupt("functions.newest_version", newest))?;
    let given =
        sql("UPDATE functions SET newest_version = $1 WHERE name = $2").bind(next).bind(name.as_str());
    change.execute(given).await?;
    Ok(count("functions.newest_version", next)?)
}

/// The version stands, and the alias points to it.
pub(super) async fn stand(
    change: &mut impl Session,
    decision: &Decision,
    version: u64,
    alias: Option<&AliasName>,
) -> Result<(), Failure> {
    let version = bigint("versions.version", version)?;
    let function = decision.request.function_name.as_str();
    let stands = sql(
        "INSERT INTO versions (function_name, version, code_sha256, layer_sha256) VALUES ($1, $2, $3, $4)
         ON CONFLICT (function_name, version) DO NOTHING",
    )
    .bind(function)
    .bind(version)
    .bind(decision.code_sha256.to_string())
    .bind(to_json("versions.layer_sha256", &decision.layer_sha256)?);
    change.execute(stands).await?;
    let Some(alias) = alias else { return Ok(()) };
    let points = sql("INSERT INTO aliases (function_name, name, version) VALUES ($1, $2, $3)
         ON CONFLICT (function_name, name) DO UPDATE SET version = excluded.version")
    .bind(function)
    .bind(alias.as_str())
    .bind(version);
    change.execute(points).await?;
    Ok(())
}

async fn find(session: &mut impl Session, name: &FunctionName) -> Result<Option<FunctionRow>, Failure> {
    session.row(FunctionRow::select("WHERE name = $1").bind(name.as_str())).await
}

async fn make(change: &mut impl Session, function: &Function) -> Result<(), Failure> {
    let made = sql("INSERT INTO functions (name, code_signing_config, binding_changes, newest_version)
         VALUES ($1, $2, 1, 0)")
    .bind(function.name.as_str())
    .bind(function.code_signing_config.as_ref().map(CodeSigningConfigName::as_str));
    change.execute(made).await?;
    Ok(())
}

async fn newest_standing(
    change: &mut impl Session,
    name: &FunctionName,
) -> Result<Option<VersionRow>, Failure> {
    let row = sql("SELECT version, code_sha256, layer_sha256 FROM versions
         WHERE function_name = $1 ORDER BY version DESC LIMIT 1");
    change.row(row.bind(name.as_str())).await
}

#[derive(sqlx::FromRow)]
pub(crate) struct FunctionRow {
    name: String,
    code_signing_config: Option<String>,
    binding_changes: i64,
    newest_version: i64,
}

impl FunctionRow {
    pub(crate) fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT name, code_signing_config, binding_changes, newest_version FROM functions {which}"
        ))
    }
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
