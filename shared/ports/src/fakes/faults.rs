//! Which call fails, and whether its effect is there all the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// How a call fails. To the caller both look alike: that is the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and nothing was done.
    WithoutEffect,
    /// It fails although everything was done: the answer got lost.
    AfterEffect,
}

/// A list of faults to come, shared by all fakes of a test. Each fault names the operation it waits for.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    pending: Arc<Mutex<VecDeque<Pending>>>,
    seen: Arc<Mutex<Vec<&'static str>>>,
}

/// A fault that waits for a call.
#[derive(Debug, Clone, Copy)]
struct Pending {
    operation: &'static str,
    /// How many calls pass before it.
    passes: usize,
    fault: Fault,
}

impl FaultPlan {
    /// The next call of `operation` fails as `fault` says.
    pub fn fail_next(&self, operation: &'static str, fault: Fault) {
        self.fail_after(operation, 0, fault);
    }

    /// The call of `operation` that follows `passes` further ones fails as `fault` says.
    pub fn fail_after(&self, operation: &'static str, passes: usize, fault: Fault) {
        lock(&self.pending).push_back(Pending { operation, passes, fault });
    }

    /// The operations that were called so far, in order: a test walks them to fail each in turn.
    pub fn operations(&self) -> Vec<&'static str> {
        lock(&self.seen).clone()
    }

    /// True if every planned fault has happened.
    pub fn is_spent(&self) -> bool {
        lock(&self.pending).is_empty()
    }

    /// A fake's call of `operation`: does the effect as planned and answers what the caller sees.
    ///
    /// # Errors
    /// `lost` where a fault was planned, else what `effect` gives.
    pub fn apply<T, E>(
        &self,
        operation: &'static str,
        lost: impl FnOnce() -> E,
        effect: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        lock(&self.seen).push(operation);
        match self.take(operation) {
            None => effect(),
            Some(Fault::WithoutEffect) => Err(lost()),
            Some(Fault::AfterEffect) => {
                effect()?;
                Err(lost())
            }
        }
    }

    fn take(&self, operation: &'static str) -> Option<Fault> {
        let mut pending = lock(&self.pending);
        let position = pending.iter().position(|waiting| waiting.operation == operation)?;
        let waiting = pending.get_mut(position)?;
        if waiting.passes > 0 {
            waiting.passes -= 1;
            return None;
        }
        pending.remove(position).map(|waiting| waiting.fault)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
