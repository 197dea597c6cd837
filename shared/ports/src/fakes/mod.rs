//! Fakes in memory that keep the ports' contracts and can be told to fail, without effect or after it.

pub mod clock;
pub mod faults;
pub mod objects;
pub mod queue;
pub mod store;
pub mod targets;

pub use clock::ManualClock;
pub use faults::{Fault, FaultPlan};
pub use objects::MemoryObjects;
pub use queue::MemoryQueue;
pub use store::MemoryStore;
pub use targets::MemoryTarget;
