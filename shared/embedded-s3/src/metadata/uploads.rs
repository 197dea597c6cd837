//! Rows of multipart uploads in progress, their parts, and what became of the finished ones.

use s3s::S3ErrorCode;
use sqlx::{SqliteConnection, SqliteExecutor};

use crate::errors::{Result, refusal};
use crate::listing::Start;

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Upload {
    pub(crate) position: i64,
    pub(crate) upload_id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    pub(crate) attributes: String,
    pub(crate) tags: String,
    /// None when the client named none: each part then has its own choice.
    pub(crate) checksum_algorithm: Option<String>,
    pub(crate) checksum_type: Option<String>,
}

/// One uploaded part.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Part {
    pub(crate) upload_id: String,
    /// 1 to 10000.
    pub(crate) number: i32,
    pub(crate) content: String,
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    /// Bytes.
    pub(crate) size: i64,
    /// MD5 as hex.
    pub(crate) etag: String,
    pub(crate) checksum_algorithm: String,
    pub(crate) checksum_value: String,
}

/// The upload, or `NoSuchUpload`.
pub(crate) async fn find(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    key: &str,
    upload_id: &str,
) -> Result<Upload> {
    let query = sqlx::query_as("SELECT * FROM uploads WHERE upload_id = $1 AND bucket = $2 AND key = $3");
    let found = query.bind(upload_id).bind(bucket).bind(key).fetch_optional(db).await?;
    Ok(found.ok_or_else(|| refusal(S3ErrorCode::NoSuchUpload))?)
}

/// Starts an upload; `position` of the argument is ignored.
pub(crate) async fn insert(db: impl SqliteExecutor<'_>, upload: &Upload) -> Result<()> {
    sqlx::query(
        "INSERT INTO uploads
         (upload_id, bucket, key, created_at, attributes, tags, checksum_algorithm, checksum_type)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&upload.upload_id)
    .bind(&upload.bucket)
    .bind(&upload.key)
    .bind(upload.created_at)
    .bind(&upload.attributes)
    .bind(&upload.tags)
    .bind(&upload.checksum_algorithm)
    .bind(&upload.checksum_type)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends an upload; the contents of its parts are returned.
pub(crate) async fn remove(db: &mut SqliteConnection, upload_id: &str) -> Result<Vec<String>> {
    let contents = sqlx::query_scalar("SELECT content FROM parts WHERE upload_id = $1");
    let contents = contents.bind(upload_id).fetch_all(&mut *db).await?;
    sqlx::query("DELETE FROM uploads WHERE upload_id = $1").bind(upload_id).execute(db).await?;
    Ok(contents)
}

/// Writes a part over the one of the same number, whose content is returned.
pub(crate) async fn put_part(db: &mut SqliteConnection, part: &Part) -> Result<Option<String>> {
    let replaced =
        sqlx::query_scalar("DELETE FROM parts WHERE upload_id = $1 AND number = $2 RETURNING content");
    let replaced = replaced.bind(&part.upload_id).bind(part.number).fetch_optional(&mut *db).await?;
    sqlx::query(
        "INSERT INTO parts
         (upload_id, number, content, created_at, size, etag, checksum_algorithm, checksum_value)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&part.upload_id)
    .bind(part.number)
    .bind(&part.content)
    .bind(part.created_at)
    .bind(part.size)
    .bind(&part.etag)
    .bind(&part.checksum_algorithm)
    .bind(&part.checksum_value)
    .execute(db)
    .await?;
    Ok(replaced)
}

/// The parts of an upload whose numbers follow `after`, in order.
pub(crate) async fn parts(
    db: impl SqliteExecutor<'_>,
    upload_id: &str,
    after: i32,
    limit: i64,
) -> Result<Vec<Part>> {
    let query = "SELECT * FROM parts WHERE upload_id = $1 AND number > $2 ORDER BY number LIMIT $3";
    Ok(sqlx::query_as(query).bind(upload_id).bind(after).bind(limit).fetch_all(db).await?)
}

/// The contents of every part uploaded to a bucket.
pub(crate) async fn contents_of_bucket(db: impl SqliteExecutor<'_>, bucket: &str) -> Result<Vec<String>> {
    let query = "SELECT content FROM parts JOIN uploads USING (upload_id) WHERE bucket = $1";
    Ok(sqlx::query_scalar(query).bind(bucket).fetch_all(db).await?)
}

/// Uploads in order of key, oldest first within a key; the rank of an upload is its negated position.
pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    start: &Start,
    limit: i64,
) -> Result<Vec<Upload>> {
    let query = sqlx::query_as(
        "SELECT * FROM uploads
         WHERE bucket = $1 AND key >= $2 AND key < $4 AND (key > $2 OR -position < $3)
         ORDER BY key, position LIMIT $5",
    );
    let query = query.bind(bucket).bind(&start.key).bind(start.rank).bind(&start.end);
    Ok(query.bind(limit).fetch_all(db).await?)
}

/// Remembers which version an upload became.
pub(crate) async fn remember_completed(
    db: impl SqliteExecutor<'_>,
    upload: &Upload,
    version_id: &str,
    completed_at: i64,
) -> Result<()> {
    let insert = "INSERT INTO completed_uploads VALUES ($1, $2, $3, $4, $5)";
    let insert = sqlx::query(insert).bind(&upload.upload_id).bind(&upload.bucket).bind(&upload.key);
    insert.bind(version_id).bind(completed_at).execute(db).await?;
    Ok(())
}

/// The version id that a completed upload became.
pub(crate) async fn completed(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    key: &str,
    upload_id: &str,
) -> Result<Option<String>> {
    let query = "SELECT version_id FROM completed_uploads WHERE upload_id = $1 AND bucket = $2 AND key = $3";
    Ok(sqlx::query_scalar(query).bind(upload_id).bind(bucket).bind(key).fetch_optional(db).await?)
}

/// Forgets the uploads completed before `then`.
pub(crate) async fn forget_completed(db: impl SqliteExecutor<'_>, then: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM completed_uploads WHERE completed_at < $1").bind(then).execute(db).await?;
    Ok(())
}
