//! The state in one SQLite file that several processes may open at once.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

use crate::attempt::{Failure, attempt};
use crate::columns::failed;
use crate::database::{Database, Lock, Session};
use crate::statement::{Record, Statement, sql};
use crate::store::Store;

/// The state in an SQLite file.
///
/// Writes go through one connection and begin as writers, so that no two of them can wait for each other; reads see
/// what was committed and never wait. `Ok` means synced to the disk (WAL, `synchronous=FULL`). Events are published by the
/// one process that works on the file; others may look at them.
pub type SqliteStore = Store<SqliteFile>;

/// An open file.
#[derive(Debug, Clone)]
pub struct SqliteFile {
    writer: SqlitePool,
    readers: SqlitePool,
    told: Arc<Notify>,
    appended: Arc<Notify>,
}

impl SqliteStore {
    /// Opens the state at `path`, making it and bringing its schema up to date. Other processes may have it open.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file cannot be opened, is not a database, or has the schema of a newer release.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let mut attempt = 1;
        loop {
            match SqliteFile::open(path).await {
                Err(_) if attempt < OPEN_ATTEMPTS => attempt += 1,
                opened => return opened.map(|database| Self { database }),
            }
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }

    /// Ends the leases that workers of an earlier process held when that process ended, so that their jobs and deployments
    /// are taken up at once.
    ///
    /// Only for a process that knows itself the one worker on this file, before it begins to work.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if nothing could be changed.
    pub async fn recover(&self) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            change.execute(sql("UPDATE jobs SET lease_until = 0 WHERE lease_until IS NOT NULL")).await?;
            change
                .execute(sql("UPDATE deployments SET lease_until = 0 WHERE lease_until IS NOT NULL"))
                .await?;
            change.commit().await
        })
        .await
    }
}

impl SqliteFile {
    async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let failed = |error: &dyn Display| {
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
        Ok(Self { writer, readers, told: Arc::default(), appended: Arc::default() })
    }
}

#[async_trait]
impl Database for SqliteFile {
    type Session = SqliteSession;

    async fn rows<T: Record>(&self, statement: Statement) -> Result<Vec<T>, Failure> {
        let text = AssertSqlSafe(statement.text());
        let query = sqlx::query_as_with::<Sqlite, T, _>(text, statement.arguments::<Sqlite>()?);
        query.fetch_all(&self.readers).await.map_err(failure)
    }

    async fn snapshot(&self) -> Result<SqliteSession, Failure> {
        let transaction = self.readers.begin().await.map_err(failure)?;
        Ok(SqliteSession { transaction, wakes: Vec::new(), file: self.clone() })
    }

    async fn begin(&self) -> Result<SqliteSession, Failure> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        Ok(SqliteSession { transaction, wakes: Vec::new(), file: self.clone() })
    }

    async fn relays(&self, _source: &str) -> Result<bool, Failure> {
        Ok(true)
    }

    async fn told(&self) {
        // What this process commits wakes the relay at once; what another one commits is found by looking.
        let _looked_again = tokio::time::timeout(POLL, self.told.notified()).await;
    }

    async fn appended(&self) {
        let _looked_again = tokio::time::timeout(POLL, self.appended.notified()).await;
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A transaction; of those that write there is one at a time, which is every lock at once.
#[derive(Debug)]
pub struct SqliteSession {
    transaction: Transaction<'static, Sqlite>,
    /// Whom the commit wakes.
    wakes: Vec<Arc<Notify>>,
    file: SqliteFile,
}

#[async_trait]
impl Session for SqliteSession {
    async fn execute(&mut self, statement: Statement) -> Result<u64, Failure> {
        let text = AssertSqlSafe(statement.text());
        let query = sqlx::query_with::<Sqlite, _>(text, statement.arguments::<Sqlite>()?);
        Ok(query.execute(&mut *self.transaction).await.map_err(failure)?.rows_affected())
    }

    async fn rows<T: Record>(&mut self, statement: Statement) -> Result<Vec<T>, Failure> {
        let text = AssertSqlSafe(statement.text());
        let query = sqlx::query_as_with::<Sqlite, T, _>(text, statement.arguments::<Sqlite>()?);
        query.fetch_all(&mut *self.transaction).await.map_err(failure)
    }

    async fn lock(&mut self, _lock: Lock<'_>) -> Result<(), Failure> {
        Ok(())
    }

    async fn tell(&mut self) -> Result<(), Failure> {
        self.wakes.push(self.file.told.clone());
        Ok(())
    }

    async fn append(&mut self) -> Result<(), Failure> {
        self.wakes.push(self.file.appended.clone());
        Ok(())
    }

    async fn commit(self) -> Result<(), Failure> {
        self.transaction.commit().await.map_err(failure)?;
        for waiting in &self.wakes {
            waiting.notify_one();
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failure(error: sqlx::Error) -> Failure {
    Failure::Final(failed(&error))
}

/// How long a connection waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many reads run at once; more only contend for the same disk.
const READERS: u32 = 4;

/// How often opening is tried: of two processes that make one file at once, one finds it locked or half made.
const OPEN_ATTEMPTS: u32 = 10;

/// How long to wait between two tries.
const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// How soon the events and records of another process are noticed.
const POLL: Duration = Duration::from_millis(250);
