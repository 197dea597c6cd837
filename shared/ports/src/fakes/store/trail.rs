use async_trait::async_trait;
use countersign_domain::TrailRecord;

use super::{MemoryStore, State};
use crate::StoreError;
use crate::trail::{PAGE_MAX, Position, Trail, TrailFilter, TrailPage};

#[async_trait]
impl Trail for MemoryStore {
    async fn append(&self, records: &[TrailRecord]) -> Result<(), StoreError> {
        let appended = self.call("append", |state| {
            state.append(records);
            Ok(())
        });
        self.appended.notify_one();
        appended
    }

    async fn page(&self, filter: &TrailFilter, after: Position, max: usize) -> Result<TrailPage, StoreError> {
        self.call("page", |state| {
            let found = state.placed().filter(|(place, record)| *place > after && filter.admits(record));
            let records: Vec<_> = found.take(max.min(PAGE_MAX)).collect();
            let full = (records.len() == max.min(PAGE_MAX)).then(|| records.last().map(|(place, _)| *place));
            let next = full.map_or(state.last(), |last| last.unwrap_or(after));
            Ok(TrailPage { records, next: next.max(after) })
        })
    }

    async fn newest(&self, filter: &TrailFilter, max: usize) -> Result<TrailPage, StoreError> {
        self.call("newest", |state| {
            let mut records: Vec<_> = state.placed().filter(|(_, record)| filter.admits(record)).collect();
            records.drain(..records.len().saturating_sub(max.min(PAGE_MAX)));
            Ok(TrailPage { records, next: state.last() })
        })
    }

    async fn wait(&self) {
        let pause = tokio::time::sleep(std::time::Duration::from_millis(50));
        tokio::select! {
            () = self.appended.notified() => {}
            () = pause => {}
        }
    }
}

impl State {
    pub(super) fn append(&mut self, records: &[TrailRecord]) {
        for record in records {
            if self.trail.iter().all(|other| other.id() != record.id()) {
                self.trail.push(record.clone());
            }
        }
    }

    fn placed(&self) -> impl Iterator<Item = (Position, TrailRecord)> {
        (1..).map(Position::new).zip(self.trail.iter().cloned())
    }

    fn last(&self) -> Position {
        Position::new(self.trail.len() as u64)
    }
}
