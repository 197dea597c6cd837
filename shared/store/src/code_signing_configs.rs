//! Code signing configs: those that the configuration declares, and those that the API makes.

use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::code_signing::MAX_ALLOWED_PUBLISHERS;
use countersign_domain::{
    CodeSigningConfig, CodeSigningConfigId, CodeSigningConfigName, FunctionName, PublisherArn, Scope, TagKey,
    Tags, UnixMillis,
};
use countersign_ports::StoreError;
use countersign_ports::code_signing_configs::{
    CodeSigningConfigs, ConfigError, ConfigUpdate, KeptConfig, NewConfig, check_publishers, declared_by_name,
};

use crate::attempt::{Failure, attempt};
use crate::columns::{corrupt, for_people, from_json, instant, parse, parse_optional, to_json};
use crate::database::{Database, Lock, Session};
use crate::revision;
use crate::statement::{Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> CodeSigningConfigs for Store<D> {
    async fn declare(
        &self,
        scope: &Scope,
        configs: &[CodeSigningConfig],
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        let declared = &declared_by_name(scope, configs, at)?;
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            let standing = all_declared(&mut change).await?;
            let demanded = declared.iter().map(|(name, kept)| (name.clone(), (Some(kept.id.clone()), kept.demands())));
            if standing == demanded.collect() {
                return Ok(());
            }
            for name in standing.keys().filter(|name| !declared.contains_key(name)) {
                if let Some(function) = bound_to(&mut change, name).await? {
                    let conflict = format!(
                        "function {function} is bound to code signing config {name}, which is no longer declared"
                    );
                    return Err(StoreError::Conflict(conflict).into());
                }
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
            Ok(rows.first().map(ConfigRow::demands).transpose()?)
        })
        .await
    }

    async fn create_config(&self, config: &NewConfig) -> Result<KeptConfig, ConfigError> {
        check_publishers(&config.publishers)?;
        let kept = &KeptConfig::from(config);
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            if find_kept(&mut change, &config.id).await?.is_some() {
                return Ok(Err(ConfigError::Exists(config.id.clone())));
            }
            put(&mut change, kept).await?;
            change.commit().await?;
            Ok(Ok(kept.clone()))
        })
        .await?
    }

    async fn config(&self, id: &CodeSigningConfigId) -> Result<Option<KeptConfig>, StoreError> {
        let rows = attempt(move || self.database.rows::<ConfigRow>(with_id(id))).await?;
        rows.into_iter().next().map(KeptConfig::try_from).transpose()
    }

    async fn config_named(&self, name: &CodeSigningConfigName) -> Result<Option<KeptConfig>, StoreError> {
        let rows = attempt(move || self.database.rows::<ConfigRow>(named(name))).await?;
        rows.into_iter().next().map(KeptConfig::try_from).transpose()
    }

    async fn update_config(
        &self,
        id: &CodeSigningConfigId,
        update: &ConfigUpdate,
        at: UnixMillis,
    ) -> Result<KeptConfig, ConfigError> {
        update.publishers.as_deref().map_or(Ok(()), check_publishers)?;
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            let standing = match made(&mut change, id).await? {
                Ok(standing) if *update == ConfigUpdate::default() => return Ok(Ok(standing)),
                Ok(standing) => standing,
                Err(refused) => return Ok(Err(refused)),
            };
            let updated = standing.updated(update, at);
            put(&mut change, &updated).await?;
            if updated.demands() != standing.demands() {
                revision::advance(&mut change).await?;
            }
            change.commit().await?;
            Ok(Ok(updated))
        })
        .await?
    }

    async fn delete_config(&self, id: &CodeSigningConfigId) -> Result<(), ConfigError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            let kept = match made(&mut change, id).await? {
                Ok(kept) => kept,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Some(function) = bound_to(&mut change, &kept.name).await? {
                let function = parse("functions.name", &function)?;
                return Ok(Err(ConfigError::Bound { id: id.clone(), function }));
            }
            remove(&mut change, &kept.name).await?;
            revision::advance(&mut change).await?;
            change.commit().await?;
            Ok(Ok(()))
        })
        .await?
    }

    async fn configs(
        &self,
        after: Option<&CodeSigningConfigId>,
        max: u32,
    ) -> Result<Vec<KeptConfig>, StoreError> {
        let after = after.map_or("", CodeSigningConfigId::as_str);
        let page =
            || ConfigRow::select("WHERE id > $1 ORDER BY id LIMIT $2").bind(after).bind(i64::from(max));
        let rows = attempt(|| self.database.rows::<ConfigRow>(page())).await?;
        rows.into_iter().map(KeptConfig::try_from).collect()
    }

    async fn functions_of_config(
        &self,
        id: &CodeSigningConfigId,
        after: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<FunctionName>, ConfigError> {
        let after = after.map_or("", FunctionName::as_str);
        attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            let Some(config) = find_kept(&mut snapshot, id).await? else {
                return Ok(Err(ConfigError::NoSuchConfig(id.clone())));
            };
            let page = sql("SELECT name FROM functions
                 WHERE code_signing_config = $1 AND name > $2 AND deleted = 0 AND code IS NOT NULL ORDER BY name LIMIT $3");
            let page = page.bind(config.name.as_str()).bind(after).bind(i64::from(max));
            let names = snapshot.rows::<(String,)>(page).await?.into_iter();
            Ok(Ok(names.map(|(name,)| parse("functions.name", &name)).collect::<Result<_, _>>()?))
        })
        .await?
    }

    async fn tag_config(
        &self,
        id: &CodeSigningConfigId,
        tags: &Tags,
        removed: &[TagKey],
    ) -> Result<(), ConfigError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.lock(Lock::PolicyChanges).await?;
            let kept = match made(&mut change, id).await? {
                Ok(kept) => kept,
                Err(refused) => return Ok(Err(refused)),
            };
            let tags = match kept.tags.without(removed).with(tags) {
                Ok(tags) => tags,
                Err(too_many) => return Ok(Err(too_many.into())),
            };
            put(&mut change, &KeptConfig { tags, ..kept }).await?;
            change.commit().await?;
            Ok(Ok(()))
        })
        .await?
    }
}

/// What the config of this name demands.
pub(crate) async fn find(
    session: &mut impl Session,
    name: &CodeSigningConfigName,
) -> Result<Option<CodeSigningConfig>, Failure> {
    let row: Option<ConfigRow> = session.row(named(name)).await?;
    Ok(row.as_ref().map(ConfigRow::demands).transpose()?)
}

fn named(name: &CodeSigningConfigName) -> Statement {
    ConfigRow::select("WHERE name = $1").bind(name.as_str())
}

fn with_id(id: &CodeSigningConfigId) -> Statement {
    ConfigRow::select("WHERE id = $1").bind(id.as_str())
}

async fn find_kept(
    session: &mut impl Session,
    id: &CodeSigningConfigId,
) -> Result<Option<KeptConfig>, Failure> {
    let row: Option<ConfigRow> = session.row(with_id(id)).await?;
    Ok(row.map(KeptConfig::try_from).transpose()?)
}

/// A config that the API made and may change.
async fn made(
    change: &mut impl Session,
    id: &CodeSigningConfigId,
) -> Result<Result<KeptConfig, ConfigError>, Failure> {
    Ok(match find_kept(change, id).await? {
        None => Err(ConfigError::NoSuchConfig(id.clone())),
        Some(kept) if kept.declared => Err(ConfigError::Declared(kept.name)),
        Some(kept) => Ok(kept),
    })
}

type Declared = BTreeMap<CodeSigningConfigName, (Option<CodeSigningConfigId>, CodeSigningConfig)>;

/// The declared configs with their ids; one that an earlier release declared has none.
async fn all_declared(change: &mut impl Session) -> Result<Declared, Failure> {
    let rows: Vec<ConfigRow> = change.rows(ConfigRow::select("WHERE declared = 1")).await?;
    let configs = rows.iter().map(|row| {
        let id = parse_optional("code_signing_configs.id", row.id.as_deref())?;
        let demands = row.demands()?;
        Ok((demands.name.clone(), (id, demands)))
    });
    Ok(configs.collect::<Result<_, StoreError>>()?)
}

async fn bound_to(
    change: &mut impl Session,
    name: &CodeSigningConfigName,
) -> Result<Option<String>, Failure> {
    let bound = sql("SELECT name FROM functions WHERE code_signing_config = $1 LIMIT 1").bind(name.as_str());
    Ok(change.row::<(String,)>(bound).await?.map(|(function,)| function))
}

async fn remove(change: &mut impl Session, name: &CodeSigningConfigName) -> Result<(), Failure> {
    change.execute(sql("DELETE FROM code_signing_configs WHERE name = $1").bind(name.as_str())).await?;
    Ok(())
}

async fn put(change: &mut impl Session, config: &KeptConfig) -> Result<(), Failure> {
    let put = sql("INSERT INTO code_signing_configs (name, allowed_publishers, untrusted_artifact, id, declared, description,
             tags, last_modified)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (name) DO UPDATE SET
             allowed_publishers = excluded.allowed_publishers, untrusted_artifact = excluded.untrusted_artifact,
             id = excluded.id, declared = excluded.declared, description = excluded.description, tags = excluded.tags,
             last_modified = excluded.last_modified")
    .bind(config.name.as_str())
    .bind(to_json("code_signing_configs.allowed_publishers", &config.publishers)?)
    .bind(config.untrusted_artifact.to_string())
    .bind(config.id.as_str())
    .bind(i64::from(config.declared))
    .bind(config.description.as_deref().map(for_people).as_deref())
    .bind(to_json("code_signing_configs.tags", &config.tags)?)
    .bind(config.last_modified.as_millis());
    change.execute(put).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ConfigRow {
    name: String,
    allowed_publishers: String,
    untrusted_artifact: String,
    id: Option<String>,
    declared: i64,
    description: Option<String>,
    tags: String,
    last_modified: i64,
}

impl ConfigRow {
    fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT name, allowed_publishers, untrusted_artifact, id, declared, description, tags, last_modified
             FROM code_signing_configs {which}"
        ))
    }

    fn publishers(&self) -> Result<Vec<PublisherArn>, StoreError> {
        let column = "code_signing_configs.allowed_publishers";
        let publishers: Vec<PublisherArn> = from_json(column, &self.allowed_publishers)?;
        if !(1..=MAX_ALLOWED_PUBLISHERS).contains(&publishers.len()) {
            return Err(corrupt(column, format!("{} publishers", publishers.len())));
        }
        Ok(publishers)
    }

    fn demands(&self) -> Result<CodeSigningConfig, StoreError> {
        Ok(CodeSigningConfig {
            name: parse("code_signing_configs.name", &self.name)?,
            allowed_publishers: self.publishers()?.iter().filter_map(PublisherArn::publisher).collect(),
            untrusted_artifact: parse("code_signing_configs.untrusted_artifact", &self.untrusted_artifact)?,
        })
    }
}

impl TryFrom<ConfigRow> for KeptConfig {
    type Error = StoreError;

    fn try_from(row: ConfigRow) -> Result<Self, StoreError> {
        let demands = row.demands()?;
        Ok(Self {
            id: parse("code_signing_configs.id", row.id.as_deref().unwrap_or_default())?,
            name: demands.name,
            declared: row.declared != 0,
            publishers: row.publishers()?,
            untrusted_artifact: demands.untrusted_artifact,
            tags: from_json("code_signing_configs.tags", &row.tags)?,
            last_modified: instant("code_signing_configs.last_modified", row.last_modified)?,
            description: row.description,
        })
    }
}
