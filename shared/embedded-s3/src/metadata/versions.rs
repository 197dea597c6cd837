//! Rows of versions: what a key holds, now and before.

use sqlx::{SqliteConnection, SqliteExecutor};

use crate::checksums::StoredChecksum;
use crate::errors::{Failure, Result};
use crate::listing::Start;

/// One version of an object, or a delete marker.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Version {
    /// The order in which versions became visible, over all buckets.
    pub(crate) position: i64,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// [`NULL_VERSION`], or an id made by [`crate::store::new_id`].
    pub(crate) version_id: String,
    pub(crate) is_latest: bool,
    pub(crate) is_delete_marker: bool,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    /// None for a delete marker.
    pub(crate) content: Option<String>,
    /// Bytes.
    pub(crate) size: i64,
    /// Without quotes.
    pub(crate) etag: String,
    /// JSON of [`crate::objects::Attributes`].
    pub(crate) attributes: String,
    /// JSON of [`crate::tagging::Tags`].
    pub(crate) tags: String,
    pub(crate) checksum_algorithm: Option<String>,
    pub(crate) checksum_value: Option<String>,
    pub(crate) checksum_type: Option<String>,
    /// JSON array of bytes per part.
    pub(crate) part_sizes: Option<String>,
}

/// The id of the one version that a bucket without versioning keeps.
pub(crate) const NULL_VERSION: &str = "null";

impl Version {
    /// The checksum that was verified when the version was made.
    pub(crate) fn checksum(&self) -> Result<Option<StoredChecksum>> {
        StoredChecksum::from_columns(
            self.checksum_algorithm.as_deref(),
            self.checksum_value.as_deref(),
            self.checksum_type.as_deref(),
        )
    }

    /// The size in bytes.
    pub(crate) fn length(&self) -> Result<u64> {
        Ok(u64::try_from(self.size)?)
    }

    /// The sizes of its parts; None if it was put whole.
    pub(crate) fn parts(&self) -> Result<Option<Vec<u64>>> {
        Ok(self.part_sizes.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// The file that holds its bytes.
    pub(crate) fn content(&self) -> Result<&str> {
        let missing = || Failure::Damaged(format!("{}/{} has no content", self.bucket, self.key));
        self.content.as_deref().ok_or_else(missing)
    }
}

/// The latest version of a key, which may be a delete marker.
pub(crate) async fn latest(db: impl SqliteExecutor<'_>, bucket: &str, key: &str) -> Result<Option<Version>> {
    let query = sqlx::query_as("SELECT * FROM versions WHERE bucket = $1 AND key = $2 AND is_latest = 1");
    Ok(query.bind(bucket).bind(key).fetch_optional(db).await?)
}

/// The version of a key called `version_id`.
pub(crate) async fn named(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    key: &str,
    version_id: &str,
) -> Result<Option<Version>> {
    let query = sqlx::query_as("SELECT * FROM versions WHERE bucket = $1 AND key = $2 AND version_id = $3");
    Ok(query.bind(bucket).bind(key).bind(version_id).fetch_optional(db).await?)
}

/// Writes `version` as the latest of its key. A version of the same id, which only `null` can have, is
/// replaced; the content it had is returned. `position` and `is_latest` of the argument are ignored.
pub(crate) async fn insert(db: &mut SqliteConnection, version: Version) -> Result<(Version, Option<String>)> {
    let replaced = remove_row(db, &version.bucket, &version.key, &version.version_id).await?;
    let displace = "UPDATE versions SET is_latest = 0 WHERE bucket = $1 AND key = $2 AND is_latest = 1";
    sqlx::query(displace).bind(&version.bucket).bind(&version.key).execute(&mut *db).await?;
    let inserted = sqlx::query_as(INSERT)
        .bind(version.bucket)
        .bind(version.key)
        .bind(version.version_id)
        .bind(version.is_delete_marker)
        .bind(version.created_at)
        .bind(version.content)
        .bind(version.size)
        .bind(version.etag)
        .bind(version.attributes)
        .bind(version.tags)
        .bind(version.checksum_algorithm)
        .bind(version.checksum_value)
        .bind(version.checksum_type)
        .bind(version.part_sizes)
        .fetch_one(db)
        .await?;
    Ok((inserted, replaced.and_then(|gone| gone.content)))
}

/// Removes a version for good; the newest of those left becomes the latest.
pub(crate) async fn remove(
    db: &mut SqliteConnection,
    bucket: &str,
    key: &str,
    version_id: &str,
) -> Result<Option<Version>> {
    let removed = remove_row(db, bucket, key, version_id).await?;
    if removed.as_ref().is_some_and(|version| version.is_latest) {
        sqlx::query(PROMOTE).bind(bucket).bind(key).execute(db).await?;
    }
    Ok(removed)
}

/// Replaces the tags of one version.
pub(crate) async fn set_tags(db: impl SqliteExecutor<'_>, position: i64, tags: &str) -> Result<()> {
    let update = sqlx::query("UPDATE versions SET tags = $2 WHERE position = $1");
    update.bind(position).bind(tags).execute(db).await?;
    Ok(())
}

/// The latest versions of a bucket that are no delete markers, in order of key.
pub(crate) async fn list_latest(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    start: &Start,
    limit: i64,
) -> Result<Vec<Version>> {
    let query = sqlx::query_as(LIST_LATEST).bind(bucket).bind(&start.key).bind(start.rank);
    Ok(query.bind(&start.end).bind(limit).fetch_all(db).await?)
}

/// All versions of a bucket, in order of key, newest first.
pub(crate) async fn list_all(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    start: &Start,
    limit: i64,
) -> Result<Vec<Version>> {
    let query = sqlx::query_as(LIST_ALL).bind(bucket).bind(&start.key).bind(start.rank);
    Ok(query.bind(&start.end).bind(limit).fetch_all(db).await?)
}

async fn remove_row(
    db: &mut SqliteConnection,
    bucket: &str,
    key: &str,
    version_id: &str,
) -> Result<Option<Version>> {
    let delete = "DELETE FROM versions WHERE bucket = $1 AND key = $2 AND version_id = $3 RETURNING *";
    Ok(sqlx::query_as(delete).bind(bucket).bind(key).bind(version_id).fetch_optional(db).await?)
}

const INSERT: &str = "INSERT INTO versions
    (bucket, key, version_id, is_latest, is_delete_marker, created_at, content, size, etag, attributes, tags,
     checksum_algorithm, checksum_value, checksum_type, part_sizes)
    VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING *";

const PROMOTE: &str = "UPDATE versions SET is_latest = 1 WHERE position =
    (SELECT max(position) FROM versions WHERE bucket = $1 AND key = $2)";

const LIST_LATEST: &str = "SELECT * FROM versions
    WHERE bucket = $1 AND is_latest = 1 AND is_delete_marker = 0
      AND key >= $2 AND key < $4 AND (key > $2 OR position < $3)
    ORDER BY key LIMIT $5";

const LIST_ALL: &str = "SELECT * FROM versions
    WHERE bucket = $1 AND key >= $2 AND key < $4 AND (key > $2 OR position < $3)
    ORDER BY key, position DESC LIMIT $5";
