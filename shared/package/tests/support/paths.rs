//! Certificate paths of any content, and what verification says of them. Every package is signed by the key of its leaf.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its part, and a test stops at what it did not expect"
)]

use countersign_domain::Platform;
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_package::verify::verify;
use rand::rngs::SysRng;
use rsa::RsaPrivateKey;
use rsa::rand_core::UnwrapErr;
use x509_cert::Certificate;

use crate::pki::forge::with_leaf;
use crate::pki::{
    Authority, Installation, Leaf, LeafKey, PROFILE_A, SIGNED_AT, Spec, ecdsa_key, instant, tiny,
};

/// What a path says, from the root down.
#[derive(Clone)]
pub(crate) struct Path {
    pub(crate) root: Spec,
    pub(crate) intermediates: Vec<Spec>,
    pub(crate) leaf: Spec,
    pub(crate) key: LeafKey,
}

/// What verification says.
#[must_use]
pub(crate) struct Verdict {
    code: &'static str,
    reason: String,
}

impl Path {
    /// A root, so many intermediates and a leaf, and all is well.
    pub(crate) fn of_length(intermediates: u8) -> Self {
        let intermediate = |number| Spec::authority(&format!("CN=Intermediate {number}"));
        Self {
            root: Spec::authority("CN=Root"),
            intermediates: (1..=intermediates).map(intermediate).collect(),
            leaf: Spec::leaf(PROFILE_A),
            key: LeafKey::Ecdsa(ecdsa_key(LEAF_SEED)),
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The certificates, leaf first, root last.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let mut authority = Authority::root_as(&self.root, ROOT_SEED);
        let mut certificates = vec![authority.certificate.clone()];
        for (seed, spec) in (ROOT_SEED + 1..).zip(&self.intermediates) {
            let certificate = authority.issue(spec, &LeafKey::Ecdsa(ecdsa_key(seed)));
            authority = Authority::with_certificate(certificate, seed);
            certificates.insert(0, authority.certificate.clone());
        }
        certificates.insert(0, authority.issue(&self.leaf, &self.key));
        certificates
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict_of(self.certificates())
    }

    /// Of these certificates, of which the last is trusted.
    pub(crate) fn verdict_of(&self, certificates: Vec<Certificate>) -> Verdict {
        let root = certificates.last().unwrap().clone();
        self.verdict_under(certificates, &Authority::with_certificate(root, ROOT_SEED).trusted())
    }

    pub(crate) fn verdict_under(&self, certificates: Vec<Certificate>, trusted: &TrustRoots) -> Verdict {
        let template = Installation::new().signed(Platform::CountersignSha384Ecdsa, &tiny());
        let signed = with_leaf(&template, &Leaf { key: self.key.clone(), certificates });
        match verify(&signed, trusted, instant(SIGNED_AT), &Limits::default()) {
            Ok(_) => Verdict { code: "verified", reason: String::new() },
            Err(error) => Verdict { code: error.code().unwrap(), reason: error.to_string() },
        }
    }
}

impl Verdict {
    #[track_caller]
    pub(crate) fn is_verified(&self) {
        self.is("verified", "");
    }

    /// With this code, and a reason that has this part.
    #[track_caller]
    pub(crate) fn is(&self, code: &str, reason: &str) {
        assert!(self.code == code && self.reason.contains(reason), "{}: {}", self.code, self.reason);
    }
}

/// A key that `aws_lc_rs` does not make any more.
pub(crate) fn rsa_1024_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut UnwrapErr(SysRng), 1024).unwrap()
}

/// The first intermediate has the next seed, and so on.
pub(crate) const ROOT_SEED: u8 = 30;
pub(crate) const LEAF_SEED: u8 = 9;
