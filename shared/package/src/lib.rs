//! The package format: the gate, the reversible append and the signature of FORMAT.md, whose sections the code cites.
//!
//! Signing takes three steps, so that a key holder never sees a package: [`Unsigned::prepare`](sign::Unsigned::prepare),
//! a signature over [`ToBeSigned`](sign::ToBeSigned), [`Prepared::finish`](sign::Prepared::finish). [`verify`](verify::verify)
//! alone mints a [`VerifiedPackage`](verify::VerifiedPackage). This crate never contains a clock, a network, a task or a private key.
#![forbid(unsafe_code)]

pub mod append;
pub mod chain;
pub mod cms;
pub mod gate;
pub mod limits;
pub mod sign;
pub mod source;
pub mod statement;
pub mod strip;
pub mod verify;

mod digest;
mod signature_entry;
