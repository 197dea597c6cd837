//! The signer on parts in memory, with a real key custody and real packages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod faults;
mod flow;
mod leases;
mod refusals;
mod requests;
mod sweep;
