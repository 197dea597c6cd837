//! Code signing configs that the configuration declares.

use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::code_signing::MAX_ALLOWED_PUBLISHERS;
use countersign_domain::{AllowedPublisher, CodeSigningConfig, CodeSigningConfigName};
use countersign_ports::StoreError;
use countersign_ports::deployments::{CodeSigningConfigs, configs_by_name};

use crate::attempt::{Failure, attempt};
use crate::columns::{corrupt, from_json, parse, to_json};
use crate::database::{Database, Lock, Session};
use crate::revision;
use crate::statement::{Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> CodeSigningConfigs for Store<D> {
    async fn declare(&self, configs: &[CodeSigningConfig]) -> Result<(), StoreError> {
        let declared = &configs_by_name(configs)?;
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            let standing = all(&mut change).await?;
            if standing == *declared {
                return Ok(());
            }
            for name in standing.keys().filter(|name| !declared.contains_key(name)) {
                remove(&mut change, name).await?;
            }
            for config in declared.values() {
                put(&mut change, config).await?;
            }
            revision::advance(&mut change).await?;
            change.commit().await
        })
        .await
    }

    async fn code_signing_config(
        &self,
        name: &CodeSigningConfigName,
    ) -> Result<Option<CodeSigningConfig>, StoreError> {
        attempt(move || async move {
            let rows: Vec<ConfigRow> = self.database.rows(named(name)).await?;
            Ok(rows.into_iter().next().map(CodeSigningConfig::try_from).transpose()?)
        })
        .await
    }
}

/// The config of this name.
pub(crate) async fn find(
    session: &mut impl Session,
    name: &CodeSigningConfigName,
) -> Result<Option<CodeSigningConfig>, Failure> {
    let row: Option<ConfigRow> = session.row(named(name)).await?;
    Ok(row.map(CodeSigningConfig::try_from).transpose()?)
}

fn named(name: &CodeSigningConfigName) -> Statement {
    ConfigRow::select("WHERE name = $1").bind(name.as_str())
}

async fn all(
    change: &mut impl Session,
) -> Result<BTreeMap<CodeSigningConfigName, CodeSigningConfig>, Failure> {
    let rows: Vec<ConfigRow> = change.rows(ConfigRow::select("")).await?;
    let configs = rows.into_iter().map(CodeSigningConfig::try_from);
    let configs = configs.map(|config| config.map(|config| (config.name.clone(), config)));
    Ok(configs.collect::<Result<_, _>>()?)
}

async fn remove(change: &mut impl Session, name: &CodeSigningConfigName) -> Result<(), Failure> {
    let bound = sql("SELECT name FROM functions WHERE code_signing_config = $1 LIMIT 1").bind(name.as_str());
    if let Some((function,)) = change.row::<(String,)>(bound).await? {
        let conflict = format!(
            "function {function} is bound to code signing config {name}, which is no longer declared"
        );
        return Err(StoreError::Conflict(conflict).into());
    }
    change.execute(sql("DELETE FROM code_signing_configs WHERE name = $1").bind(name.as_str())).await?;
    Ok(())
}

async fn put(change: &mut impl Session, config: &CodeSigningConfig) -> Result<(), Failure> {
    let put = sql("INSERT INTO code_signing_configs (name, allowed_publishers, untrusted_artifact) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET
             allowed_publishers = excluded.allowed_publishers, untrusted_artifact = excluded.untrusted_artifact")
    .bind(config.name.as_str())
    .bind(to_json("code_signing_configs.allowed_publishers", &config.allowed_publishers)?)
    .bind(config.untrusted_artifact.to_string());
    change.execute(put).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ConfigRow {
    name: String,
    allowed_publishers: String,
    untrusted_artifact: String,
}

impl ConfigRow {
    fn select(which: &str) -> Statement {
        sql(format!("SELECT name, allowed_publishers, untrusted_artifact FROM code_signing_configs {which}"))
    }
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
