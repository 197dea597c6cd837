//! Events that wait to be published.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{Event, EventId};
use countersign_ports::StoreError;
use countersign_ports::jobs::Outbox;

use super::SqliteStore;
use super::rows::{from_json, unavailable};

#[async_trait]
impl Outbox for SqliteStore {
    async fn unpublished(&self, source: &str, max: usize) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query_scalar::<_, String>(
            "SELECT event FROM outbox WHERE source = $1 ORDER BY sequence LIMIT $2",
        );
        let rows = rows
            .bind(source)
            .bind(i64::try_from(max).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
        rows.iter().map(|event| from_json("outbox.event", event)).collect()
    }

    async fn mark_published(&self, events: &[EventId]) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        for event in events {
            let forgotten = sqlx::query("DELETE FROM outbox WHERE event_id = $1").bind(event.as_str());
            forgotten.execute(&mut *change).await.map_err(unavailable)?;
        }
        change.commit().await.map_err(unavailable)
    }

    async fn wait(&self) {
        // What this process commits wakes the relay at once; what another one commits is found by looking.
        let _looked_again = tokio::time::timeout(POLL, self.committed.notified()).await;
    }
}

/// How soon the events of another process are noticed.
const POLL: Duration = Duration::from_millis(250);
