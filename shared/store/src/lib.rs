//! The state of both services, over SQLite and PostgreSQL: profiles, their permissions, revocations, signing jobs,
//! deployments, functions, layers, code signing configs, the outbox that tells of every change, and the trail of who did what.
//!
//! One state machine, [`Store`], over both databases: what differs between them stands in `sqlite.rs` and `postgres/`.
//! A change and its events are one transaction, durable before it is answered; a row that does not parse is
//! [`StoreError::Corrupt`](countersign_ports::StoreError::Corrupt), never a default. This crate never contains a
//! decision, a clock or a message broker.
#![forbid(unsafe_code)]

mod jobs;

mod code_signing_configs;
mod deployments;
mod exposure;
mod functions;
mod layers;
mod permissions;
mod profiles;
mod revision;
mod revocations;

mod outbox;
mod target_changes;
mod trail;
mod views;

mod attempt;
mod columns;
mod database;
mod postgres;
mod sqlite;
mod statement;
mod store;

#[cfg(test)]
mod tests;

pub use postgres::{PostgresSettings, PostgresStore};
pub use sqlite::SqliteStore;
pub use store::Store;
pub use views::{FunctionState, VersionState};
