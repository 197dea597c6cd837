//! The deployer on parts in memory, with really signed packages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod alter;
mod api;
mod audit;
mod authorization;
mod calls;
mod examine;
mod faults;
mod flow;
mod intake;
mod trust;
