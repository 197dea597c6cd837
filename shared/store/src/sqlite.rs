//! The state in one SQLite file that several processes may open at once.

mod code_signing_configs;
mod deployments;
mod jobs;
mod outbox;
mod profiles;
mod revocations;
mod rows;
pub(crate) mod views;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

use rows::unavailable;

/// The state in an SQLite file. Clones share their connections.
///
/// Writes go through one connection and begin as writers, so that no two of them can wait for each other; reads see
/// what was committed and never wait. `Ok` means synced to the disk (WAL, `synchronous=FULL`).
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    committed: Arc<Notify>,
}

impl SqliteStore {
    /// Opens the state at `path`, making it and bringing its schema up to date. Other processes may have it open.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file cannot be opened, is not a database, or has the schema of a newer release.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let mut attempt = 1;
        loop {
            match Self::connect(path).await {
                Err(_) if attempt < OPEN_ATTEMPTS => attempt += 1,
                opened => return opened,
            }
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }

    async fn connect(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let failed = |error: &dyn std::fmt::Display| {
            let path = path.display();
            StoreError::Unavailable(format!("{path}: {error}; a damaged file is restored from a backup"))
        };
        let writing = options.clone().create_if_missing(true);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(writing).await;
        let writer = writer.map_err(|error| failed(&error))?;
        sqlx::migrate!("migrations/sqlite").run(&writer).await.map_err(|error| failed(&error))?;
        let reading = options.read_only(true);
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(reading).await;
        let readers = readers.map_err(|error| failed(&error))?;
        Ok(Self { writer, readers, committed: Arc::default() })
    }

    /// Ends the leases that workers of an earlier process held when that process ended, so that their jobs and deployments
    /// are taken up at once.
    ///
    /// Only for a process that knows itself the one worker on this file, before it begins to work.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if nothing could be changed.
    pub async fn recover(&self) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        for leases in [
            "UPDATE jobs SET lease_until = 0 WHERE lease_until IS NOT NULL",
            "UPDATE deployments SET lease_until = 0 WHERE lease_until IS NOT NULL",
        ] {
            sqlx::query(leases).execute(&mut *change).await.map_err(unavailable)?;
        }
        change.commit().await.map_err(unavailable)
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a change; dropping it takes everything back.
    async fn begin_write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)
    }

    /// Makes a change durable and wakes the relay.
    async fn commit(&self, change: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
        change.commit().await.map_err(unavailable)?;
        self.committed.notify_one();
        Ok(())
    }
}

/// How long a connection waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many reads run at once; more only contend for the same disk.
const READERS: u32 = 4;

/// How often opening is tried: of two processes that make one file at once, one finds it locked or half made.
const OPEN_ATTEMPTS: u32 = 10;

/// How long to wait between two tries.
const OPEN_PAUSE: Duration = Duration::from_millis(50);
