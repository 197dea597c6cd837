//! Where packages are deployed. At present: a directory of this machine.
//!
//! A version is extracted with the gate's own parse, by the bytes that were decided upon, and becomes visible all at
//! once or not at all. This crate never decides whether a package may be deployed, and follows no symbolic link on
//! its way to a file.
#![forbid(unsafe_code)]

mod directory;
mod disk;
mod extract;
mod failure;
mod folder;
mod sweep;
mod tree;

pub use directory::DirectoryTarget;
