//! What the store needs from a database.

use async_trait::async_trait;
use countersign_domain::FunctionName;

use crate::attempt::Failure;
use crate::statement::{Record, Statement};

/// A database that holds the state.
#[async_trait]
pub trait Database: Clone + Send + Sync + 'static {
    /// Its transactions.
    type Session: Session;

    /// The rows of a statement that reads, as they were committed.
    async fn rows<T: Record>(&self, statement: Statement) -> Result<Vec<T>, Failure>;

    /// Begins reading: every statement sees the same state.
    async fn snapshot(&self) -> Result<Self::Session, Failure>;

    /// Begins a change; dropping it takes everything back.
    async fn begin(&self) -> Result<Self::Session, Failure>;

    /// True if this store is the one that publishes the events of `source`, for another
    /// [`RELAY_LEASE`](countersign_ports::jobs::RELAY_LEASE).
    async fn relays(&self, source: &str) -> Result<bool, Failure>;

    /// Returns when events may have been committed, or after a pause.
    async fn told(&self);

    /// Returns when records may have been appended to the trail, or after a pause.
    async fn appended(&self);

    /// Waits for what is under way and closes the connections.
    async fn close(&self);
}

/// A transaction.
#[async_trait]
pub trait Session: Send {
    /// Runs a statement that writes; the number of rows that it changed.
    async fn execute(&mut self, statement: Statement) -> Result<u64, Failure>;

    /// The rows of a statement that reads.
    async fn rows<T: Record>(&mut self, statement: Statement) -> Result<Vec<T>, Failure>;

    /// The first row of a statement that reads.
    async fn row<T: Record>(&mut self, statement: Statement) -> Result<Option<T>, Failure> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Waits for a lock and holds it until the transaction ends.
    async fn lock(&mut self, lock: Lock<'_>) -> Result<(), Failure>;

    /// From now to the commit nobody else tells events, so that their order is that of the commits; with the commit the
    /// relays are woken. Only the trail is waited for after it.
    async fn tell(&mut self) -> Result<(), Failure>;

    /// From now to the commit nobody else appends to the trail, so that its order is that of the commits; with the commit
    /// those who follow it are woken. Nothing is waited for after it.
    async fn append(&mut self) -> Result<(), Failure>;

    /// Makes the change durable.
    async fn commit(self) -> Result<(), Failure>;
}

/// What changes wait for where rows alone do not tell them apart.
///
/// Where writers meet, every change waits in one order, so that no two wait for each other: the function, then the row of
/// the job, deployment or profile, then the policy, then the outbox ([`Session::tell`]), then the trail
/// ([`Session::append`]).
#[derive(Debug, Clone, Copy)]
pub enum Lock<'a> {
    /// The beginning of deployments of one function: the next one has no row yet.
    Function(&'a FunctionName),
    /// Code signing configs and revocations stay as they are. Many may hold it.
    PolicyStands,
    /// Code signing configs or revocations are changed.
    PolicyChanges,
}
