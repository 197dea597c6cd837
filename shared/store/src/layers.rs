//! Layers.

use async_trait::async_trait;
use countersign_domain::{LayerName, LayerPermission, RevisionId, StatementId};
use countersign_ports::StoreError;
use countersign_ports::layers::{LayerError, LayerPolicy, LayerVersion, Layers, NewLayerVersion};

use crate::attempt::{Failure, attempt};
use crate::columns::{bigint, count, from_json, instant, parse, to_json};
use crate::database::{Database, Session};
use crate::statement::{Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> Layers for Store<D> {
    async fn publish_layer(
        &self,
        layer: &LayerName,
        new: &NewLayerVersion,
    ) -> Result<LayerVersion, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            // The layer's row is held until the commit, so that numbers are given one after the other.
            let given = sql("INSERT INTO layers (name, newest_version) VALUES ($1, 1)
                 ON CONFLICT (name) DO UPDATE SET newest_version = layers.newest_version + 1");
            change.execute(given.bind(layer.as_str())).await?;
            let newest = sql("SELECT newest_version FROM layers WHERE name = $1").bind(layer.as_str());
            let (number,) = change.row::<(i64,)>(newest).await?.unwrap_or_default();
            let published =
                sql("INSERT INTO layer_versions (layer_name, version, content, about, created_at)
                 VALUES ($1, $2, $3, $4, $5)")
                .bind(layer.as_str())
                .bind(number)
                .bind(to_json("layer_versions.content", &new.content)?)
                .bind(to_json("layer_versions.about", &new.about)?)
                .bind(new.created_at.as_millis());
            change.execute(published).await?;
            change.commit().await?;
            let NewLayerVersion { content, about, created_at } = new.clone();
            let version = count("layers.newest_version", number)?;
            Ok(LayerVersion { layer: layer.clone(), version, content, about, created_at })
        })
        .await
    }

    async fn layer_version(
        &self,
        layer: &LayerName,
        version: u64,
    ) -> Result<Option<LayerVersion>, StoreError> {
        let Ok(number) = i64::try_from(version) else { return Ok(None) };
        let rows = attempt(|| self.database.rows::<LayerRow>(LayerRow::numbered(layer, number))).await?;
        rows.into_iter().next().map(LayerVersion::try_from).transpose()
    }

    async fn list_layers(
        &self,
        after: Option<&LayerName>,
        max: u32,
    ) -> Result<Vec<LayerVersion>, StoreError> {
        let newest = "WHERE layer_name > $1 AND version =
                 (SELECT max(n.version) FROM layer_versions n WHERE n.layer_name = layer_versions.layer_name)
             ORDER BY layer_name LIMIT $2";
        let after = after.map_or("", LayerName::as_str);
        let page = || LayerRow::select(newest).bind(after).bind(i64::from(max));
        let rows = attempt(|| self.database.rows::<LayerRow>(page())).await?;
        rows.into_iter().map(LayerVersion::try_from).collect()
    }

    async fn layer_versions(
        &self,
        layer: &LayerName,
        before: Option<u64>,
        max: u32,
    ) -> Result<Vec<LayerVersion>, StoreError> {
        // No number is the highest there is: as many as that are never given.
        let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let which = "WHERE layer_name = $1 AND version < $2 ORDER BY version DESC LIMIT $3";
        let page = || LayerRow::select(which).bind(layer.as_str()).bind(before).bind(i64::from(max));
        let rows = attempt(|| self.database.rows::<LayerRow>(page())).await?;
        rows.into_iter().map(LayerVersion::try_from).collect()
    }

    async fn delete_layer_version(&self, layer: &LayerName, version: u64) -> Result<(), StoreError> {
        let Ok(number) = i64::try_from(version) else { return Ok(()) };
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let deleted = sql("DELETE FROM layer_versions WHERE layer_name = $1 AND version = $2");
            change.execute(deleted.bind(layer.as_str()).bind(number)).await?;
            change.commit().await
        })
        .await
    }

    async fn layer_policy(&self, layer: &LayerName, version: u64) -> Result<Option<LayerPolicy>, StoreError> {
        let Ok(number) = i64::try_from(version) else { return Ok(None) };
        let rows = attempt(|| self.database.rows::<PolicyRow>(PolicyRow::of(layer, number))).await?;
        rows.into_iter().next().map(PolicyRow::policy).transpose().map(Option::flatten)
    }

    async fn add_layer_permission(
        &self,
        layer: &LayerName,
        version: u64,
        permission: &LayerPermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), LayerError> {
        let add = |policy| LayerPolicy::with(policy, permission, expected, new).map(Some);
        attempt(|| change_policy(&self.database, layer, version, &add)).await?
    }

    async fn remove_layer_permission(
        &self,
        layer: &LayerName,
        version: u64,
        statement: &StatementId,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), LayerError> {
        let remove = |policy| LayerPolicy::without(policy, statement, expected, new);
        attempt(|| change_policy(&self.database, layer, version, &remove)).await?
    }
}

/// Changes the policy of a version while its row is held.
async fn change_policy(
    database: &impl Database,
    layer: &LayerName,
    version: u64,
    change: &(impl Fn(Option<LayerPolicy>) -> Result<Option<LayerPolicy>, LayerError> + Sync),
) -> Result<Result<(), LayerError>, Failure> {
    let missing = LayerError::NoSuchVersion { layer: layer.clone(), version };
    let Ok(number) = i64::try_from(version) else { return Ok(Err(missing)) };
    let mut session = database.begin().await?;
    let row: Option<PolicyRow> =
        session.row(PolicyRow::of(layer, number).for_update("layer_versions")).await?;
    let Some(row) = row else { return Ok(Err(missing)) };
    let policy = match change(row.policy()?) {
        Ok(policy) => policy,
        Err(refused) => return Ok(Err(refused)),
    };
    let revision = policy.as_ref().map(|policy| policy.revision.as_str());
    let statements = policy.as_ref().map(|policy| to_json("layer_versions.policy", &policy.permissions));
    let written = sql(
        "UPDATE layer_versions SET policy_revision = $1, policy = $2 WHERE layer_name = $3 AND version = $4",
    )
    .bind(revision)
    .bind(statements.transpose()?.as_deref())
    .bind(layer.as_str())
    .bind(bigint("layer_versions.version", version)?);
    session.execute(written).await?;
    session.commit().await?;
    Ok(Ok(()))
}

#[derive(sqlx::FromRow)]
struct LayerRow {
    layer_name: String,
    version: i64,
    content: String,
    about: String,
    created_at: i64,
}

impl LayerRow {
    fn select(which: &str) -> Statement {
        sql(format!("SELECT layer_name, version, content, about, created_at FROM layer_versions {which}"))
    }

    fn numbered(layer: &LayerName, number: i64) -> Statement {
        Self::select("WHERE layer_name = $1 AND version = $2").bind(layer.as_str()).bind(number)
    }
}

impl TryFrom<LayerRow> for LayerVersion {
    type Error = StoreError;

    fn try_from(row: LayerRow) -> Result<Self, StoreError> {
        Ok(Self {
            layer: parse("layer_versions.layer_name", &row.layer_name)?,
            version: count("layer_versions.version", row.version)?,
            content: from_json("layer_versions.content", &row.content)?,
            about: from_json("layer_versions.about", &row.about)?,
            created_at: instant("layer_versions.created_at", row.created_at)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    policy_revision: Option<String>,
    policy: Option<String>,
}

impl PolicyRow {
    fn of(layer: &LayerName, number: i64) -> Statement {
        let policy =
            "SELECT policy_revision, policy FROM layer_versions WHERE layer_name = $1 AND version = $2";
        sql(policy).bind(layer.as_str()).bind(number)
    }

    fn policy(self) -> Result<Option<LayerPolicy>, StoreError> {
        let Some((revision, permissions)) = self.policy_revision.zip(self.policy) else { return Ok(None) };
        Ok(Some(LayerPolicy {
            revision: parse("layer_versions.policy_revision", &revision)?,
            permissions: from_json("layer_versions.policy", &permissions)?,
        }))
    }
}
