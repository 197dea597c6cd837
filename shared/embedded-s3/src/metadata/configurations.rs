//! Rows of what buckets are configured to, one a sub-resource.

use sqlx::SqliteExecutor;

use crate::errors::Result;

/// A sub-resource of a bucket whose document is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "camelCase")]
pub(crate) enum Subresource {
    /// JSON of [`crate::tagging::Tags`].
    Tagging,
    /// XML of a `PublicAccessBlockConfiguration`.
    PublicAccessBlock,
    /// XML of an `OwnershipControls`.
    OwnershipControls,
}

/// The document that was put last, and not removed since.
pub(crate) async fn find(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    name: Subresource,
) -> Result<Option<String>> {
    let query = "SELECT document FROM bucket_configurations WHERE bucket = $1 AND name = $2";
    Ok(sqlx::query_scalar(query).bind(bucket).bind(name).fetch_optional(db).await?)
}

/// Writes the document of a bucket that exists over the one before.
pub(crate) async fn put(
    db: impl SqliteExecutor<'_>,
    bucket: &str,
    name: Subresource,
    document: &str,
) -> Result<()> {
    let put = sqlx::query(
        "INSERT INTO bucket_configurations (bucket, name, document) VALUES ($1, $2, $3)
         ON CONFLICT DO UPDATE SET document = excluded.document",
    );
    put.bind(bucket).bind(name).bind(document).execute(db).await?;
    Ok(())
}

/// Removes the document, if there is one.
pub(crate) async fn remove(db: impl SqliteExecutor<'_>, bucket: &str, name: Subresource) -> Result<()> {
    let remove = sqlx::query("DELETE FROM bucket_configurations WHERE bucket = $1 AND name = $2");
    remove.bind(bucket).bind(name).execute(db).await?;
    Ok(())
}
