//! One suite a port: every adapter passes the same.
