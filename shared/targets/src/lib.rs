//! Where packages are deployed: a directory of this machine, or AWS Lambda.
//!
//! Only the very bytes that were decided upon are deployed. A directory gets them extracted with the gate's own parse;
//! Lambda fetches the object version by itself and has to answer with the digest of these bytes before a version of
//! them is published. This crate never decides whether a package may be deployed, follows no symbolic link on its way
//! to a file, and relies on no check of Lambda's own.
#![forbid(unsafe_code)]

mod directory;
mod disk;
mod extract;
mod failure;
mod folder;
mod lambda;
mod latest;
mod removal;
mod sweep;
mod tree;

pub use directory::DirectoryTarget;
pub use lambda::{LambdaCreate, LambdaSettings, LambdaTarget, StaticKeys};
