//! The state in a PostgreSQL database that many processes on many machines share.

mod failures;
mod relay;
mod session;
mod settings;

use std::time::Duration;

use async_trait::async_trait;
use countersign_ports::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres};

use crate::attempt::Failure;
use crate::database::Database;
use crate::statement::{Record, Statement};
use crate::store::Store;
use failures::{failure, unavailable};
use relay::Relay;
use session::PostgresSession;
pub use settings::PostgresSettings;

/// The state in a PostgreSQL database.
///
/// Transactions are READ COMMITTED and hold the rows that they decide on; what has no row yet is kept apart by advisory
/// locks. None is held while anything but this database works. `Ok` means what the server's `synchronous_commit` means.
pub type PostgresStore = Store<PostgresDatabase>;

/// Connections to a database.
#[derive(Debug, Clone)]
pub struct PostgresDatabase {
    pool: PgPool,
    relay: Relay,
}

impl PostgresStore {
    /// Connects and brings the schema up to date. Many processes may do so at once; one of them changes the schema and
    /// the others wait for it.
    ///
    /// A connection that is lost later is replaced by the operations that need one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the settings are wrong, the database does not answer within `connect_timeout`,
    /// refuses the user, is not encoded in UTF-8, or has the schema of a newer release.
    pub async fn connect(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let options = settings.options()?;
        bring_up_to_date(&options, settings.connect_timeout).await?;
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(settings.connect_timeout)
            .connect_lazy_with(options.options(LIMITS));
        let relay = Relay::new(pool.clone());
        Ok(Self { database: PostgresDatabase { pool, relay } })
    }
}

/// Migrates, which may take longer than any other statement; sqlx keeps other processes waiting with a lock of its own.
async fn bring_up_to_date(options: &PgConnectOptions, timeout: Duration) -> Result<(), StoreError> {
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(timeout);
    let one = one.connect_with(options.clone()).await.map_err(|error| unavailable(&error))?;
    let encoding = sqlx::query_scalar::<_, String>("SHOW server_encoding").fetch_one(&one).await;
    let encoding = encoding.map_err(|error| unavailable(&error))?;
    if encoding != "UTF8" {
        return Err(StoreError::Unavailable(format!(
            "the database is encoded in {encoding}; create it with ENCODING 'UTF8'"
        )));
    }
    let migrated = sqlx::migrate!("migrations/postgres").run(&one).await;
    one.close().await;
    migrated.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[async_trait]
impl Database for PostgresDatabase {
    type Session = PostgresSession;

    async fn rows<T: Record>(&self, statement: Statement) -> Result<Vec<T>, Failure> {
        let text = AssertSqlSafe(statement.text());
        let query = sqlx::query_as_with::<Postgres, T, _>(text, statement.arguments::<Postgres>()?);
        query.fetch_all(&self.pool).await.map_err(failure)
    }

    async fn snapshot(&self) -> Result<PostgresSession, Failure> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        self.pool.begin_with(begin).await.map(PostgresSession::new).map_err(failure)
    }

    async fn begin(&self) -> Result<PostgresSession, Failure> {
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
        self.pool.begin_with(begin).await.map(PostgresSession::new).map_err(failure)
    }

    async fn relays(&self, source: &str) -> Result<bool, Failure> {
        self.relay.hold(source).await
    }

    async fn told(&self) {
        self.relay.told().await;
    }

    async fn appended(&self) {
        self.relay.appended().await;
    }

    async fn close(&self) {
        self.relay.stop();
        self.pool.close().await;
    }
}

/// How long a statement may take, wait for another one's lock, and leave a transaction idle: a process that stands still
/// or loses its network keeps the others waiting for no longer than this.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "10s")];
