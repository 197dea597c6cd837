//! Decides whether packages may be deployed: `evaluate(policy, evidence)` gives findings, a verdict and its reason.
//!
//! This crate is pure. It never contains I/O, a clock, cryptography or a zip: the evidence was gathered before.
//!
//! # What each kind of evidence yields
//!
//! | signature | Integrity | Expiry | Mismatch | Revocation |
//! |---|---|---|---|---|
//! | verified | passed | by the signed expiry | by the allowed publishers | by the revocation source |
//! | unsigned | no finding | no finding | failed | no finding |
//! | broken | failed | inconclusive | inconclusive | inconclusive |
//! | unreadable | inconclusive | inconclusive | inconclusive | inconclusive |
//!
//! An unsigned package claims nothing that could be whole, current or revoked. To call those three checks passed would
//! say more than is known; to call them failed would block under Warn, which AWS Lambda does not do. So they have no
//! finding, and the failed Mismatch alone decides. A broken signature does claim something, but nobody can know what:
//! its other checks are inconclusive.
#![forbid(unsafe_code)]

mod checks;
mod evaluate;
mod evidence;

pub use evaluate::{Evaluation, Policy, evaluate};
pub use evidence::{Evidence, PackageEvidence, RevocationEvidence, SignatureEvidence, SignedStatement};

#[cfg(test)]
mod tests;
