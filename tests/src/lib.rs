//! What the end-to-end suites share: a running `countersign up`, packages, and tools.
//!
//! Everything runs on the loopback interface, on ports that the system picks, in temporary directories, and ends with the
//! test that started it.
#![forbid(unsafe_code)]

pub mod elsewhere;
pub mod fleet;
pub mod packages;
pub mod servers;
pub mod tools;
pub mod up;

use std::time::{Duration, Instant};

/// Asks `probe` until it answers, or panics with `what` after `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How long a test waits for what takes a moment on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
