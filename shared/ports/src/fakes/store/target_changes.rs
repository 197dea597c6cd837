use async_trait::async_trait;
use countersign_domain::{FunctionName, UnixMillis};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::target_changes::{Changed, TargetChange, TargetChanges};

#[async_trait]
impl TargetChanges for MemoryStore {
    async fn pending(
        &self,
        function: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<TargetChange>, StoreError> {
        self.call("pending", |state| {
            let pending = state.target_changes.iter();
            let of = pending.filter(|change| function.is_none_or(|function| change.function == *function));
            Ok(of.take(max as usize).cloned().collect())
        })
    }

    async fn under_way(
        &self,
        function: &FunctionName,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, StoreError> {
        self.call("under_way", |state| Ok(state.busy_until(function, now)))
    }

    async fn followed(&self, changes: &[TargetChange]) -> Result<(), StoreError> {
        self.call("followed", |state| {
            state.target_changes.retain(|pending| !changes.contains(pending));
            Ok(())
        })
    }
}

impl State {
    /// Notes what a target has to follow.
    pub(super) fn note(&mut self, function: &FunctionName, changed: impl IntoIterator<Item = Changed>) {
        for changed in changed {
            self.changes_noted += 1;
            let (sequence, function) = (self.changes_noted, function.clone());
            self.target_changes.push(TargetChange { sequence, function, changed });
        }
    }
}
