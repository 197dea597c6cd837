//! What the fuzz targets do and demand. The targets themselves, in `fuzz_targets/`, only hand their input over, so that
//! everything here is safe Rust.
//!
//! A target fails by a panic. What it demands beyond the absence of panics stands at the head of its function.
#![forbid(unsafe_code)]

mod differential;
mod dissect;
mod edits;
mod grammar;
mod mutators;
mod parse;
mod readers;
mod seeds;
mod signatures;
mod strip;
mod structure;
mod tlv;

// The builders of zips and signatures that the tests of the package have.
#[path = "../../../shared/package/tests/support/broken_content.rs"]
mod broken_content;
#[path = "../../../shared/package/tests/support/broken_structure.rs"]
mod broken_structure;
#[path = "../../../shared/package/tests/pki/mod.rs"]
mod pki;
#[path = "../../../shared/package/tests/support/zips.rs"]
mod zips;

pub use differential::differential;
pub use mutators::{Plain, cross_packages, mutate_cms, mutate_package};
pub use parse::parse;
pub use seeds::{Seed, seeds};
pub use signatures::{cms, verify};
pub use strip::strip;
pub use structure::structure;

use countersign_package::limits::Limits;

/// Strict, so that an input never costs much: what is refused for a limit here teaches nothing.
fn limits() -> Limits {
    Limits { entries_max: 4096, unpacked_size_max: 1024 * 1024, ..Limits::default() }
}
