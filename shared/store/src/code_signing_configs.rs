//! Code signing configs that the configuration declares.

use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::code_signing::MAX_ALLOWED_PUBLISHERS;
use countersign_domain::{AllowedPublisher, CodeSigningConfig, CodeSigningConfigName};
use countersign_ports::StoreError;
use countersign_ports::deployments::{CodeSigningConfigs, configs_by_name};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::rows::{corrupt, count_revision, from_json, parse, to_json, unavailable};

#[async_trait]
impl CodeSigningConfigs for SqliteStore {
    async fn declare(&self, configs: &[CodeSigningConfig]) -> Result<(), StoreError> {
        let declared = configs_by_name(configs)?;
        let mut change = self.begin_write().await?;
        let standing = all(&mut change).await?;
        if standing == declared {
            return Ok(());
        }
        for name in standing.keys().filter(|name| !declared.contains_key(name)) {
            remove(&mut change, name).await?;
        }
        for config in declared.values() {
            put(&mut change, config).await?;
        }
        count_revision(&mut change).await?;
        self.commit(change).await
    }

    async fn code_signing_config(
        &self,
        name: &CodeSigningConfigName,
    ) -> Result<Option<CodeSigningConfig>, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(unavailable)?;
        find(&mut reader, name).await
    }
}

/// The config of this name.
pub(super) async fn find(
    database: &mut SqliteConnection,
    name: &CodeSigningConfigName,
) -> Result<Option<CodeSigningConfig>, StoreError> {
    let row = sqlx::query_as::<_, ConfigRow>("SELECT * FROM code_signing_configs WHERE name = $1");
    let row = row.bind(name.as_str()).fetch_optional(database).await.map_err(unavailable)?;
    row.map(CodeSigningConfig::try_from).transpose()
}

async fn all(
    change: &mut SqliteConnection,
) -> Result<BTreeMap<CodeSigningConfigName, CodeSigningConfig>, StoreError> {
    let rows = sqlx::query_as::<_, ConfigRow>("SELECT * FROM code_signing_configs").fetch_all(change).await;
    let configs = rows.map_err(unavailable)?.into_iter().map(CodeSigningConfig::try_from);
    configs.map(|config| config.map(|config| (config.name.clone(), config))).collect()
}

async fn remove(change: &mut SqliteConnection, name: &CodeSigningConfigName) -> Result<(), StoreError> {
    let bound =
        sqlx::query_scalar::<_, String>("SELECT name FROM functions WHERE code_signing_config = $1 LIMIT 1");
    let bound = bound.bind(name.as_str()).fetch_optional(&mut *change).await.map_err(unavailable)?;
    if let Some(function) = bound {
        return Err(StoreError::Conflict(format!(
            "function {function} is bound to code signing config {name}, which is no longer declared"
        )));
    }
    let removed = sqlx::query("DELETE FROM code_signing_configs WHERE name = $1").bind(name.as_str());
    removed.execute(change).await.map(drop).map_err(unavailable)
}

async fn put(change: &mut SqliteConnection, config: &CodeSigningConfig) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO code_signing_configs (name, allowed_publishers, untrusted_artifact) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET
             allowed_publishers = excluded.allowed_publishers, untrusted_artifact = excluded.untrusted_artifact",
    )
    .bind(config.name.as_str())
    .bind(to_json("code_signing_configs.allowed_publishers", &config.allowed_publishers)?)
    .bind(config.untrusted_artifact.to_string())
    .execute(change)
    .await
    .map(drop)
    .map_err(unavailable)
}

#[derive(sqlx::FromRow)]
struct ConfigRow {
    name: String,
    allowed_publishers: String,
    untrusted_artifact: String,
}

impl TryFrom<ConfigRow> for CodeSigningConfig {
    type Error = StoreError;

    fn try_from(row: ConfigRow) -> Result<Self, StoreError> {
        let publishers = "code_signing_configs.allowed_publishers";
        let allowed_publishers: Vec<AllowedPublisher> = from_json(publishers, &row.allowed_publishers)?;
        if !(1..=MAX_ALLOWED_PUBLISHERS).contains(&allowed_publishers.len()) {
            return Err(corrupt(publishers, format!("{} publishers", allowed_publishers.len())));
        }
        Ok(Self {
            name: parse("code_signing_configs.name", &row.name)?,
            allowed_publishers,
            untrusted_artifact: parse("code_signing_configs.untrusted_artifact", &row.untrusted_artifact)?,
        })
    }
}
