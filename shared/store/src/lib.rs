//! The state of both services, over SQLite: profiles, revocations, signing jobs, deployments, code signing configs, and
//! the outbox that tells of every change.
//!
//! A change and its events are one transaction, synced before it is answered; a row that does not parse is
//! [`StoreError::Corrupt`](countersign_ports::StoreError::Corrupt), never a default. This crate never contains a
//! decision, a clock or a message broker.
#![forbid(unsafe_code)]

mod sqlite;

pub use sqlite::SqliteStore;
pub use sqlite::views::{FunctionState, FunctionVersion};
