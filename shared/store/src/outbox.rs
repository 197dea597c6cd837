//! Events that wait to be published.

use async_trait::async_trait;
use countersign_domain::{Event, EventId};
use countersign_ports::StoreError;
use countersign_ports::jobs::Outbox;

use crate::attempt::{Failure, attempt};
use crate::columns::{from_json, to_json};
use crate::database::{Database, Session};
use crate::statement::{Statement, placeholders, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> Outbox for Store<D> {
    async fn unpublished(&self, source: &str, max: usize) -> Result<Vec<Event>, StoreError> {
        attempt(move || async move {
            if !self.database.relays(source).await? {
                return Ok(Vec::new());
            }
            let rows: Vec<(String,)> = self
                .database
                .rows(
                    sql("SELECT event FROM outbox WHERE source = $1 ORDER BY sequence LIMIT $2")
                        .bind(source)
                        .bind(i64::try_from(max).unwrap_or(i64::MAX)),
                )
                .await?;
            Ok(rows.iter().map(|(event,)| from_json("outbox.event", event)).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn mark_published(&self, events: &[EventId]) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            for batch in events.chunks(EVENTS_A_STATEMENT) {
                let ids = placeholders(1, batch.len());
                let forgotten = sql(format!("DELETE FROM outbox WHERE event_id IN {ids}"));
                let forgotten = batch.iter().map(EventId::as_str).fold(forgotten, Statement::bind);
                change.execute(forgotten).await?;
            }
            change.commit().await
        })
        .await
    }

    async fn wait(&self) {
        self.database.told().await;
    }
}

/// Puts events into the outbox, in the transaction of the change that they tell of.
pub(crate) async fn tell(change: &mut impl Session, events: &[Event]) -> Result<(), Failure> {
    if events.is_empty() {
        return Ok(());
    }
    change.tell().await?;
    for event in events {
        change
            .execute(
                sql("INSERT INTO outbox (event_id, source, event) VALUES ($1, $2, $3)
                     ON CONFLICT (event_id) DO NOTHING")
                .bind(event.id.as_str())
                .bind(event.source.as_str())
                .bind(to_json("outbox.event", event)?),
            )
            .await?;
    }
    Ok(())
}

/// How many events one statement forgets, far below the parameters that either database allows.
const EVENTS_A_STATEMENT: usize = 500;
