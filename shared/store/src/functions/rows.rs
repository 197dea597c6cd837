//! The rows of functions, versions and aliases.

use countersign_domain::{AliasName, CodeSigningConfigName, FunctionName, FunctionVersion};
use countersign_ports::StoreError;
use countersign_ports::functions::{Alias, AliasTarget, Function, FurtherVersion, StandingVersion, Weight};

use crate::columns::{corrupt, count, from_json, instant, parse, parse_optional};
use crate::statement::{Statement, sql};

#[derive(sqlx::FromRow)]
pub(crate) struct FunctionRow {
    name: String,
    code_signing_config: Option<String>,
    pub(crate) binding_changes: i64,
    pub(crate) newest_version: i64,
    deleted: i64,
    tags: String,
    code: Option<String>,
    layers: String,
    settings: String,
    revision: Option<String>,
    last_modified: i64,
    pub(crate) brought_by: Option<String>,
}

impl FunctionRow {
    pub(crate) fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT name, code_signing_config, binding_changes, newest_version, deleted, tags, code, layers, settings,
                 revision, last_modified, brought_by
             FROM functions {which}"
        ))
    }

    pub(crate) fn named(name: &FunctionName) -> Statement {
        Self::select("WHERE name = $1").bind(name.as_str())
    }

    /// The function, unless it was deleted.
    pub(crate) fn existing(&self) -> Result<Option<Function>, StoreError> {
        if self.deleted != 0 {
            return Ok(None);
        }
        let config = self.code_signing_config.as_deref();
        let code_signing_config: Option<CodeSigningConfigName> =
            parse_optional("functions.code_signing_config", config)?;
        Ok(Some(Function {
            name: parse("functions.name", &self.name)?,
            code_signing_config,
            tags: from_json("functions.tags", &self.tags)?,
            latest: self.code.as_deref().map(|code| self.latest(code)).transpose()?,
        }))
    }

    fn latest(&self, code: &str) -> Result<StandingVersion, StoreError> {
        Ok(StandingVersion {
            version: FunctionVersion::Latest,
            code: from_json("functions.code", code)?,
            layers: from_json("functions.layers", &self.layers)?,
            settings: from_json("functions.settings", &self.settings)?,
            revision: parse("functions.revision", self.revision.as_deref().unwrap_or_default())?,
            last_modified: instant("functions.last_modified", self.last_modified)?,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct VersionRow {
    pub(crate) version: i64,
    code: Option<String>,
    layers: String,
    settings: String,
    description: Option<String>,
    revision: Option<String>,
    last_modified: i64,
}

impl VersionRow {
    pub(crate) fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT version, code, layers, settings, description, revision, last_modified FROM versions {which}"
        ))
    }

    /// The version as `$LATEST` was when it was published.
    pub(crate) fn as_latest(&self) -> Result<StandingVersion, StoreError> {
        Ok(StandingVersion {
            version: FunctionVersion::Published(count("versions.version", self.version)?),
            code: from_json("versions.code", self.code.as_deref().unwrap_or_default())?,
            layers: from_json("versions.layers", &self.layers)?,
            settings: from_json("versions.settings", &self.settings)?,
            revision: parse("versions.revision", self.revision.as_deref().unwrap_or_default())?,
            last_modified: instant("versions.last_modified", self.last_modified)?,
        })
    }
}

impl TryFrom<VersionRow> for StandingVersion {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        let mut version = row.as_latest()?;
        if let Some(description) = row.description {
            version.settings.description = description;
        }
        Ok(version)
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct AliasRow {
    name: String,
    version: Option<i64>,
    further_version: Option<i64>,
    weight: Option<String>,
    description: String,
    revision: String,
}

impl AliasRow {
    pub(crate) fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT name, version, further_version, weight, description, revision FROM aliases {which}"
        ))
    }

    pub(crate) fn named(function: &FunctionName, name: &AliasName) -> Statement {
        let which = "WHERE function_name = $1 AND name = $2";
        Self::select(which).bind(function.as_str()).bind(name.as_str())
    }
}

/// What `aliases.version` says.
pub(crate) fn alias_version(version: Option<i64>) -> Result<FunctionVersion, StoreError> {
    let number = version.map(|version| count("aliases.version", version)).transpose()?;
    Ok(number.map_or(FunctionVersion::Latest, FunctionVersion::Published))
}

impl TryFrom<AliasRow> for Alias {
    type Error = StoreError;

    fn try_from(row: AliasRow) -> Result<Self, StoreError> {
        let further = row.further_version.zip(row.weight).map(|(version, weight)| {
            let given: f64 = parse("aliases.weight", &weight)?;
            let weight = Weight::new(given).ok_or_else(|| corrupt("aliases.weight", given))?;
            Ok(FurtherVersion { version: count("aliases.further_version", version)?, weight })
        });
        let target = AliasTarget {
            version: alias_version(row.version)?,
            description: row.description,
            further: further.transpose()?,
        };
        let revision = parse("aliases.revision", &row.revision)?;
        Ok(Self { name: parse("aliases.name", &row.name)?, target, revision })
    }
}
