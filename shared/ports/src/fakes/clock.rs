//! A clock that a test steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use countersign_domain::UnixMillis;

use crate::Clock;

/// A [`Clock`] that stands still until it is told otherwise. Clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: UnixMillis) -> Self {
        Self { millis: Arc::new(AtomicI64::new(now.as_millis())) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.set(self.now().plus_millis(by));
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: UnixMillis) {
        self.millis.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// A clock that shows 2026-11-21T08:30:00Z.
    fn default() -> Self {
        Self { millis: Arc::new(AtomicI64::new(START_MILLIS)) }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        let epoch = UnixMillis::new(0).expect("the epoch is an instant");
        epoch.plus_millis(self.millis.load(Ordering::SeqCst))
    }
}

/// 2026-11-21T08:30:00Z.
const START_MILLIS: i64 = 1_795_249_800_000;
