//! One suite a port: every adapter passes the same.

pub mod code_signing_configs;
pub mod deployments;
pub mod exposure;
pub mod functions;
pub mod job_registry;
pub mod jobs;
pub mod keys;
pub mod layers;
pub mod objects;
pub mod outbox;
pub mod permissions;
pub mod profiles;
pub mod queue;
pub mod revocations;
pub mod target_changes;
pub mod targets;
pub mod trail;

pub(crate) mod samples;
