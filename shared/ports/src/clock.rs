//! The time, which is always asked for and never assumed.

use countersign_domain::UnixMillis;

/// Tells the time. The one place where a program reads the machine's clock is its adapter of this port.
pub trait Clock: Send + Sync {
    /// The present instant, UTC.
    fn now(&self) -> UnixMillis;
}
