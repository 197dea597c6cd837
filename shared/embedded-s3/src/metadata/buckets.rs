//! Rows of buckets.

use s3s::S3ErrorCode;
use sqlx::SqliteExecutor;

use crate::errors::{Result, refusal};

/// A bucket.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    pub(crate) versioning: Versioning,
    /// The notification configuration as XML.
    pub(crate) notification: Option<String>,
}

/// What becomes of the version before, when a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
pub(crate) enum Versioning {
    /// Never enabled: it is replaced.
    Disabled,
    /// It stays, and the new one has an id of its own.
    Enabled,
    /// Ids made before stay; the version called `null` is replaced.
    Suspended,
}

impl Versioning {
    /// The version id to tell a client: S3 names none in a bucket that never had versions.
    pub(crate) fn told(self, version_id: &str) -> Option<String> {
        (self != Self::Disabled).then(|| version_id.to_owned())
    }
}

/// The bucket called `name`, or `NoSuchBucket`.
pub(crate) async fn find(db: impl SqliteExecutor<'_>, name: &str) -> Result<Bucket> {
    let found = sqlx::query_as("SELECT * FROM buckets WHERE name = $1").bind(name).fetch_optional(db).await?;
    Ok(found.ok_or_else(|| refusal(S3ErrorCode::NoSuchBucket))?)
}

/// Buckets whose names begin with `prefix` and follow `after`, in order.
pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Bucket>> {
    let rows = sqlx::query_as(
        "SELECT * FROM buckets WHERE substr(name, 1, length($1)) = $1 AND name > $2 ORDER BY name LIMIT $3",
    );
    Ok(rows.bind(prefix).bind(after).bind(limit).fetch_all(db).await?)
}

/// Makes a bucket; false if there was one of that name.
pub(crate) async fn insert(
    db: impl SqliteExecutor<'_>,
    name: &str,
    created_at: i64,
) -> Result<bool, sqlx::Error> {
    let made = sqlx::query("INSERT INTO buckets (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    Ok(made.bind(name).bind(created_at).execute(db).await?.rows_affected() == 1)
}

/// Removes a bucket that holds no version; its unfinished uploads go with it.
pub(crate) async fn delete(db: impl SqliteExecutor<'_>, name: &str) -> Result<()> {
    sqlx::query("DELETE FROM buckets WHERE name = $1").bind(name).execute(db).await?;
    Ok(())
}

/// True if the bucket holds any version, delete markers included.
pub(crate) async fn holds_versions(db: impl SqliteExecutor<'_>, name: &str) -> Result<bool> {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM versions WHERE bucket = $1)");
    Ok(query.bind(name).fetch_one(db).await?)
}

/// Sets the versioning; false if there is no such bucket.
pub(crate) async fn set_versioning(
    db: impl SqliteExecutor<'_>,
    name: &str,
    versioning: Versioning,
) -> Result<bool, sqlx::Error> {
    let update = sqlx::query("UPDATE buckets SET versioning = $2 WHERE name = $1");
    Ok(update.bind(name).bind(versioning).execute(db).await?.rows_affected() == 1)
}

/// Sets the notification configuration; false if there is no such bucket.
pub(crate) async fn set_notification(db: impl SqliteExecutor<'_>, name: &str, xml: &str) -> Result<bool> {
    let update = sqlx::query("UPDATE buckets SET notification = $2 WHERE name = $1");
    Ok(update.bind(name).bind(xml).execute(db).await?.rows_affected() == 1)
}
