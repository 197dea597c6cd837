//! What the process of one service is made of: its arguments, the servers that its configuration names, its health, its
//! reload and its end.
//!
//! `countersign-signer` and `countersign-deployer` are each a [`Service`] and this crate's [`main`]. It opens what both
//! have in common and never a key custody, so that the deployer cannot reach one through it; it never contains a
//! decision.
#![forbid(unsafe_code)]

pub mod api;
pub mod parts;

mod args;
mod service;
mod tasks;

pub use service::{Context, Service, main};
pub use tasks::Tasks;
