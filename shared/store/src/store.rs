//! The store itself: what its ports, one module each, are implemented on.

use countersign_ports::StoreError;

use crate::attempt::attempt;
use crate::database::Database;
use crate::statement::sql;

/// The state in a database: [`SqliteStore`](crate::SqliteStore) or [`PostgresStore`](crate::PostgresStore). Clones share
/// their connections.
///
/// A change that the database took back for certain (a deadlock, a connection that was lost before the commit) is made
/// again a few times. One whose commit got no answer is [`StoreError::Unavailable`], since it may have been made.
#[derive(Debug, Clone)]
pub struct Store<D> {
    pub(crate) database: D,
}

impl<D: Database> Store<D> {
    /// Asks the database for an answer, for readiness.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        attempt(move || self.database.rows::<(i64,)>(sql("SELECT CAST(1 AS BIGINT)"))).await.map(drop)
    }

    /// Waits for what is under way and closes the connections.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
