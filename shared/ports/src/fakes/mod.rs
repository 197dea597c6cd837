//! Fakes in memory that keep the ports' contracts and can be told to fail, without effect or after it.

pub mod faults;
pub mod objects;
pub mod targets;

pub use faults::{Fault, FaultPlan};
pub use objects::MemoryObjects;
pub use targets::MemoryTarget;
