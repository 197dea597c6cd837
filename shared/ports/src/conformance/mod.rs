//! One suite a port: every adapter passes the same.

pub mod objects;
pub mod targets;
