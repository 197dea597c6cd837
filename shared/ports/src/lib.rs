//! What the services need from the world, in domain words.
//!
//! A port is a small trait whose contract stands in its doc comment: what `Ok` means, what survives a crash, what may be
//! repeated. Every adapter of a port passes the port's one conformance suite (`conformance`, feature `testing`). No SDK
//! type, SQL or protocol passes through here, and no port has a method that some adapter would have to stub.
#![forbid(unsafe_code)]

pub mod change;
pub mod clock;
pub mod code_signing_configs;
pub mod deployments;
pub mod exposure;
pub mod functions;
pub mod job_registry;
pub mod jobs;
pub mod keys;
pub mod layers;
pub mod objects;
pub mod permissions;
pub mod profiles;
pub mod queue;
pub mod revocations;
pub mod target_changes;
pub mod targets;
pub mod trail;

mod lease;
mod store_error;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod fakes;

pub use clock::Clock;
pub use lease::{Lease, WorkerId};
pub use store_error::StoreError;
