//! Who publishes the outbox's events, and how it learns of new ones; and how new records of the trail are heard of.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_ports::jobs::RELAY_LEASE;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgNotification};
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
    heard: Heard,
    listening: Arc<OnceLock<Listening>>,
}

impl Relay {
    pub(super) fn new(pool: PgPool) -> Self {
        let holder = Uuid::new_v4().to_string().into();
        Self { pool, holder, heard: Heard::default(), listening: Arc::default() }
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
        self.listen();
        let _looked_again = tokio::time::timeout(POLL, self.heard.told.notified()).await;
    }

    /// Returns when somebody appended to the trail, or after a pause.
    pub(super) async fn appended(&self) {
        self.listen();
        let _looked_again = tokio::time::timeout(POLL, self.heard.appended.notified()).await;
    }

    fn listen(&self) {
        self.listening.get_or_init(|| Listening(tokio::spawn(listen(self.pool.clone(), self.heard.clone()))));
    }

    pub(super) fn stop(&self) {
        if let Some(Listening(task)) = self.listening.get() {
            task.abort();
        }
    }
}

/// Who waits for what is heard.
#[derive(Debug, Clone, Default)]
struct Heard {
    told: Arc<Notify>,
    appended: Arc<Notify>,
}

impl Heard {
    fn notify(&self, channel: Option<&str>) {
        if channel != Some(TRAIL_CHANNEL) {
            self.told.notify_one();
        }
        if channel != Some(CHANNEL) {
            self.appended.notify_one();
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
async fn listen(pool: PgPool, heard: Heard) {
    while !pool.is_closed() {
        if let Err(error) = hear(&pool, &heard).await {
            tracing::debug!(%error, "the notifications of PostgreSQL are not heard; they are polled for");
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn hear(pool: &PgPool, heard: &Heard) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([CHANNEL, TRAIL_CHANNEL]).await?;
    // `None` is a connection that was lost and replaced: something may have been missed.
    loop {
        let notification = listener.try_recv().await?;
        heard.notify(notification.as_ref().map(PgNotification::channel));
    }
}

/// Where a commit that told events is announced.
pub(super) const CHANNEL: &str = "countersign_outbox";

/// Where a commit that appended to the trail is announced.
pub(super) const TRAIL_CHANNEL: &str = "countersign_trail";

/// How soon events and records are noticed whose notification was lost.
const POLL: Duration = Duration::from_secs(1);
