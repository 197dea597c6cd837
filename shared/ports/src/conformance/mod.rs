//! One suite a port: every adapter passes the same.

pub mod keys;
pub mod objects;
pub mod targets;
