//! What every call of an API has in common, whichever service answers it: whose access key it is ([`Access`]), what its
//! caller may ([`Asks`]), and the record that it leaves in the trail ([`Recorded`]).
//!
//! ```text
//! gateway ─► Recorded ─► a service's Handlers: authorize (Allowed) ─► look up ─► do ─► Reply
//!                │                                                                      │
//!                └──── record, durable ◄────────────── Notes ◄─────────────────────────┘ ─► the client
//! ```
//!
//! This crate never contains an operation, and a handler never writes the trail itself.
#![forbid(unsafe_code)]

mod access;
mod asks;
mod keys;
mod record;
mod recorded;

pub use access::Access;
pub use asks::Asks;
pub use keys::KeyRing;
pub use recorded::{Handlers, Notes, Recorded};
