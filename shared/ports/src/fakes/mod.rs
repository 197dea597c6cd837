//! Fakes in memory that keep the ports' contracts and can be told to fail, without effect or after it.

pub mod faults;

pub use faults::{Fault, FaultPlan};
