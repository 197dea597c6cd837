//! The signer on parts in memory, with a real key custody and real packages.

mod support;

mod faults;
mod flow;
mod leases;
mod refusals;
mod sweep;
