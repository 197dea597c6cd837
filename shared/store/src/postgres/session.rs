//! Transactions, and the locks that keep them apart.

use async_trait::async_trait;
use countersign_domain::Sha256Digest;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::failures::{commit_failure, failure};
use super::relay::{CHANNEL, TRAIL_CHANNEL};
use crate::attempt::Failure;
use crate::database::{Lock, Session};
use crate::statement::{Record, Statement};

/// A transaction.
#[derive(Debug)]
pub struct PostgresSession {
    transaction: Transaction<'static, Postgres>,
}

impl PostgresSession {
    pub(super) fn new(transaction: Transaction<'static, Postgres>) -> Self {
        Self { transaction }
    }

    async fn advisory(&mut self, lock: &'static str, class: i32, key: i32) -> Result<(), Failure> {
        let locked = sqlx::query(lock).bind(class).bind(key).execute(&mut *self.transaction).await;
        locked.map(drop).map_err(failure)
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn execute(&mut self, statement: Statement) -> Result<u64, Failure> {
        let text = AssertSqlSafe(statement.text());
        let query = sqlx::query_with::<Postgres, _>(text, statement.arguments::<Postgres>()?);
        Ok(query.execute(&mut *self.transaction).await.map_err(failure)?.rows_affected())
    }

    async fn rows<T: Record>(&mut self, statement: Statement) -> Result<Vec<T>, Failure> {
        let text = AssertSqlSafe(statement.locking_text());
        let query = sqlx::query_as_with::<Postgres, T, _>(text, statement.arguments::<Postgres>()?);
        query.fetch_all(&mut *self.transaction).await.map_err(failure)
    }

    async fn lock(&mut self, lock: Lock<'_>) -> Result<(), Failure> {
        match lock {
            // Two functions with one key only wait for each other.
            Lock::Function(name) => {
                let [a, b, c, d, ..] = *Sha256Digest::of(name.as_str().as_bytes()).as_bytes();
                self.advisory(EXCLUSIVE, FUNCTIONS, i32::from_be_bytes([a, b, c, d])).await
            }
            Lock::PolicyStands => self.advisory(SHARED, POLICY, 0).await,
            Lock::PolicyChanges => self.advisory(EXCLUSIVE, POLICY, 0).await,
        }
    }

    async fn tell(&mut self) -> Result<(), Failure> {
        self.advisory(EXCLUSIVE, OUTBOX, 0).await?;
        let notify = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL);
        notify.execute(&mut *self.transaction).await.map(drop).map_err(failure)
    }

    async fn append(&mut self) -> Result<(), Failure> {
        self.advisory(EXCLUSIVE, TRAIL, 0).await?;
        let notify = sqlx::query("SELECT pg_notify($1, '')").bind(TRAIL_CHANNEL);
        notify.execute(&mut *self.transaction).await.map(drop).map_err(failure)
    }

    async fn commit(self) -> Result<(), Failure> {
        self.transaction.commit().await.map_err(commit_failure)
    }
}

const EXCLUSIVE: &str = "SELECT pg_advisory_xact_lock($1, $2)";
const SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1, $2)";

// The classes of our advisory locks: "CSg" and a number. sqlx's own lock has one key of 64 bits, which is another space.
const FUNCTIONS: i32 = 0x4353_6701;
const POLICY: i32 = 0x4353_6702;
const OUTBOX: i32 = 0x4353_6703;
const TRAIL: i32 = 0x4353_6704;
