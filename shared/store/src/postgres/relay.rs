//! Who publishes the outbox's events, and how it learns of new ones.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_ports::jobs::RELAY_LEASE;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::failures::failure;
use crate::attempt::Failure;

/// This store's part in relaying; clones are one.
#[derive(Debug, Clone)]
pub(super) struct Relay {
    pool: PgPool,
    holder: Arc<str>,
    told: Arc<Notify>,
    listening: Arc<OnceLock<Listening>>,
}

impl Relay {
    pub(super) fn new(pool: PgPool) -> Self {
        let holder = Uuid::new_v4().to_string().into();
        Self { pool, holder, told: Arc::default(), listening: Arc::default() }
    }

    /// True if the lease of `source` is this store's from now on, by the server's clock: it is free, has run out, or was
    /// this store's already.
    pub(super) async fn hold(&self, source: &str) -> Result<bool, Failure> {
        let lease_millis = i64::try_from(RELAY_LEASE.as_millis()).unwrap_or(i64::MAX);
        let held = sqlx::query(
            "INSERT INTO relays (source, holder, until)
             VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
             ON CONFLICT (source) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE relays.holder = excluded.holder OR relays.until <= clock_timestamp()",
        );
        let held = held.bind(source).bind(self.holder.as_ref()).bind(lease_millis);
        Ok(held.execute(&self.pool).await.map_err(failure)?.rows_affected() == 1)
    }

    /// Returns when somebody told events, or after a pause: a notification may be lost with its connection.
    pub(super) async fn told(&self) {
        self.listening.get_or_init(|| Listening(tokio::spawn(listen(self.pool.clone(), self.told.clone()))));
        let _looked_again = tokio::time::timeout(POLL, self.told.notified()).await;
    }

    pub(super) fn stop(&self) {
        if let Some(Listening(task)) = self.listening.get() {
            task.abort();
        }
    }
}

/// The task that hears the server's notifications; it ends with the last clone of its store.
#[derive(Debug)]
struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Hears of every process's commits, on one of the pool's connections.
async fn listen(pool: PgPool, told: Arc<Notify>) {
    while !pool.is_closed() {
        if let Err(error) = hear(&pool, &told).await {
            tracing::debug!(%error, "the notifications of PostgreSQL are not heard; the outbox is polled");
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn hear(pool: &PgPool, told: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // `None` is a connection that was lost and replaced: something may have been missed.
    loop {
        let _notification = listener.try_recv().await?;
        told.notify_one();
    }
}

/// Where a commit that told events is announced.
pub(super) const CHANNEL: &str = "countersign_outbox";

/// How soon events are noticed whose notification was lost.
const POLL: Duration = Duration::from_secs(1);
