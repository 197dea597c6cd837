//! Chains: order, roots, and what they say (FORMAT.md section 6); `verify_path` has each way in which a path fails.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use countersign_domain::Platform;
use countersign_package::limits::Limits;
use countersign_package::verify::{VerifyError, verify};
use der::Encode;
use pki::forge::{
    certificates_as_written, content_info, position, rebuilt, set_certificates, signed_data, with_leaf,
};
use pki::{
    Authority, Installation, Leaf, LeafKey, PROFILE_A, PROFILE_B, SIGNED_AT, Spec, ecdsa_key, instant, sign,
    statement, statement_of, tiny,
};
use x509_cert::Certificate;

#[test]
fn a_chain_is_judged_at_the_signing_time() {
    let installation = Installation::new();
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let years_later = instant("2030-01-01T00:00:00Z");
    assert!(verify(&signed, &installation.root.trusted(), years_later, &Limits::default()).is_ok());
}

#[test]
fn intermediates_are_part_of_the_chain() {
    let installation = Installation::new();
    let regional = installation.root.intermediate("CN=Regional", 6);
    let key = LeafKey::Ecdsa(ecdsa_key(9));
    let certificate = regional.issue(&Spec::leaf(PROFILE_A), &key);
    let certificates = vec![certificate, regional.certificate.clone(), installation.root.certificate.clone()];
    let leaf = Leaf { key, certificates: certificates.clone() };
    let signed = sign(&tiny(), statement(Platform::CountersignSha384Ecdsa), &leaf).unwrap().0;
    let verified = installation.verify(&signed).unwrap();
    assert_eq!(verified.chain().fingerprints().len(), 3);
    // Cut, and with a stranger in the intermediate's place.
    let cut =
        rebuilt(&signed, |data| set_certificates(data, &[certificates[0].clone(), certificates[2].clone()]));
    assert_eq!(installation.refusal(&cut), "malformed_chain");
    let stranger = Authority::root("CN=Root", 7).intermediate("CN=Regional", 8).certificate;
    let swapped = [certificates[0].clone(), stranger, certificates[2].clone()];
    assert_eq!(
        installation.refusal(&rebuilt(&signed, |data| set_certificates(data, &swapped))),
        "invalid_chain"
    );
}

/// Chains whose certificates have much the same length, so that the cms crate's own order is often not DER's.
#[test]
fn certificates_are_in_the_order_of_der() {
    let mut orders_differ = false;
    for first in [20, 30, 40, 50, 60, 70] {
        let (root, leaf) = long_chain(first);
        let mut in_order: Vec<Vec<u8>> =
            leaf.certificates.iter().map(|certificate| certificate.to_der().unwrap()).collect();
        in_order.sort();
        for platform in [Platform::CountersignSha384Ecdsa, Platform::AwsLambdaSha384Ecdsa] {
            let signed = sign(&tiny(), statement(platform), &leaf).unwrap().0;
            let content_info = content_info(&signed);
            assert!(position(&content_info, &in_order.concat()).is_some(), "{platform}, {first}");
            orders_differ |= certificates_as_written(&signed_data(&content_info)) != in_order;
            let verified = verify(&signed, &root.trusted(), instant(SIGNED_AT), &Limits::default());
            assert!(verified.is_ok(), "{platform}, {first}");
        }
    }
    assert!(orders_differ, "chains that show nothing");
}

/// A root, five issuers and a leaf, with the keys of the seeds from `first` on.
fn long_chain(first: u8) -> (Authority, Leaf) {
    let mut authorities = vec![Authority::root("CN=Step 00", first)];
    for seed in first + 1..first + 6 {
        let next = authorities.last().unwrap().intermediate(&format!("CN=Step {seed}"), seed);
        authorities.push(next);
    }
    let key = LeafKey::Ecdsa(ecdsa_key(9));
    let mut certificates = vec![authorities.last().unwrap().issue(&Spec::leaf(PROFILE_A), &key)];
    certificates.extend(authorities.iter().rev().map(|authority| authority.certificate.clone()));
    (authorities.remove(0), Leaf { key, certificates })
}

#[test]
fn a_leaf_does_not_issue_leaves() {
    let installation = Installation::new();
    let key = ecdsa_key(9);
    let middle = installation
        .root
        .issue(&Spec { subject: "CN=Middle".to_owned(), ..Spec::leaf(PROFILE_A) }, &LeafKey::Ecdsa(key));
    let issuer = Authority::with_certificate(middle.clone(), 9);
    let leaf_key = LeafKey::Ecdsa(ecdsa_key(11));
    let certificate = issuer.issue(&Spec { serial: 8, ..Spec::leaf(PROFILE_B) }, &leaf_key);
    let leaf = Leaf {
        key: leaf_key,
        certificates: vec![certificate, middle, installation.root.certificate.clone()],
    };
    let template = sign(
        &tiny(),
        statement_of(Platform::CountersignSha384Ecdsa, PROFILE_B),
        &installation.leaf_of(Platform::CountersignSha384Ecdsa, PROFILE_B),
    );
    assert_eq!(installation.refusal(&with_leaf(&template.unwrap().0, &leaf)), "invalid_chain");
}

#[test]
fn certificate_hashes_name_child_and_issuer() {
    let installation = Installation::new();
    let leaf = installation.leaf(Platform::CountersignSha384Ecdsa);
    let hashes = leaf.chain().certificate_hashes().unwrap();
    let of = |certificate: &Certificate| {
        hex::encode(<sha2::Sha384 as sha2::Digest>::digest(certificate.tbs_certificate().to_der().unwrap()))
    };
    let (own, root) = (of(&leaf.certificates[0]), of(&leaf.certificates[1]));
    assert_eq!(hashes, [format!("{own}{root}"), format!("{root}{root}")]);
}

#[test]
fn a_root_that_is_not_trusted_is_a_failure_of_integrity() {
    let installation = Installation::new();
    // The same name, another key: the foreign root claims to be ours.
    let foreign = Installation { root: Authority::root("CN=Root", 3) };
    for platform in Platform::ALL {
        let signed = foreign.signed(platform, &tiny());
        assert!(foreign.verify(&signed).is_ok());
        let error = installation.verify(&signed).unwrap_err();
        assert!(matches!(error, VerifyError::Integrity(_)), "{platform}: {error}");
        assert_eq!(error.code(), Some("untrusted_chain"), "{platform}");
    }
}

#[test]
fn our_root_in_the_package_of_another_key_does_not_help() {
    let installation = Installation::new();
    let foreign = Installation { root: Authority::root("CN=Root", 3) };
    let signed = foreign.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let leaf = foreign.leaf(Platform::CountersignSha384Ecdsa).certificates[0].clone();
    let forged =
        rebuilt(&signed, |data| set_certificates(data, &[leaf, installation.root.certificate.clone()]));
    assert_eq!(installation.refusal(&forged), "invalid_chain");
}
