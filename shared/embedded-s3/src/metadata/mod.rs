//! What is stored about buckets, versions and uploads, in SQLite: one writer, several readers, WAL, every
//! commit synced.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

pub(crate) mod buckets;
pub(crate) mod configurations;
pub(crate) mod uploads;
pub(crate) mod versions;

pub(crate) use buckets::{Bucket, Versioning};
pub(crate) use uploads::{Part, Upload};
pub(crate) use versions::Version;

/// The database of metadata.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Metadata {
    /// Opens the database at `path`, making it and bringing its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or holds a schema of a newer release.
    pub(crate) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writing = options.clone().create_if_missing(true);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(writing).await?;
        sqlx::migrate!().run(&writer).await?;
        let reading = options.read_only(true);
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(reading).await?;
        Ok(Self { writer, readers })
    }

    /// Where reads go: they see what was committed, and never wait for a writer.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Where single statements write.
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Begins a write; dropping the transaction rolls it back.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Waits for what is under way and closes the database.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Every content named by a version or part, of those whose id begins with `shelf`.
    pub(crate) async fn contents(&self, shelf: &str) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT content FROM versions WHERE content BETWEEN $1 AND $1 || 'g'
             UNION ALL SELECT content FROM parts WHERE content BETWEEN $1 AND $1 || 'g'",
        )
        .bind(shelf)
        .fetch_all(&self.readers)
        .await
    }
}

/// How long a connection waits for another process's lock, such as a backup's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many reads run at once; more only contend for the same disk.
const READERS: u32 = 4;
