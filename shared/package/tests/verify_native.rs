//! Packages in AWS Signer's own form: BER, a deflated entry, a leaf without URI, no contentHints (FORMAT.md section 3.6
//! and the last column of 4.4). The test builds them without our signer.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use std::io::Read;

use countersign_package::gate::Archive;
use countersign_package::limits::Limits;
use countersign_package::strip::{StripError, strip};
use countersign_package::verify::{Coverage, VerifiedPackage, VerifyError, inspect, verify};
use der::asn1::{Any, OctetString};
use der::{Encode, Tag};
use pki::forge::{self, SF, attribute, edit_signer, high_s, remove, replace, signer};
use pki::native::{FILES, aws_leaf, ber, native_package, native_signed_data, plain_leaf};
use pki::{Installation, PROFILE_A, SIGNED_AT, Spec, instant, zip_of};
use x509_cert::attr::Attribute;

/// Verifies against the root of [`aws_leaf`].
fn verified(package: &[u8]) -> Result<VerifiedPackage, VerifyError> {
    let (root, _) = aws_leaf(&plain_leaf());
    verify(package, &root.trusted(), instant(SIGNED_AT), &Limits::default())
}

fn refusal(package: &[u8]) -> &'static str {
    verified(package).unwrap_err().code().unwrap()
}

#[test]
fn a_native_package_verifies_with_coverage_names_and_contents() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let der = forge::encode(&native_signed_data(&leaf, |_| {}));
    let as_ber = ber(&der, 4);
    assert_eq!(as_ber[..2], [0x30, 0x80]);
    for content_info in [der, as_ber] {
        let package = native_package(&FILES, &content_info);
        let verified = verified(&package).unwrap();
        assert_eq!(verified.coverage(), Coverage::NamesAndContents);
        assert_eq!(verified.unsigned_digest(), None);
        assert_eq!(verified.statement().profile_version_arn.to_string(), PROFILE_A);
        assert_eq!(verified.statement().signing_time, instant(SIGNED_AT));
        assert_eq!(verified.chain().fingerprints().len(), 4);
        let shown = inspect(&package, &Limits::default()).unwrap().unverified_signature.unwrap();
        assert_eq!(shown.claimed_coverage, Coverage::NamesAndContents);
    }
}

#[test]
fn every_depth_of_ber_is_the_same_signature() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let der = forge::encode(&native_signed_data(&leaf, |_| {}));
    for depth in 0..16 {
        assert!(verified(&native_package(&FILES, &ber(&der, depth))).is_ok(), "{depth}");
    }
    let octets_in_pieces = with_signature_in_pieces(&der);
    assert!(verified(&native_package(&FILES, &octets_in_pieces)).is_ok());
}

/// The last element of SignerInfo, the signature, as a constructed OCTET STRING of two.
fn with_signature_in_pieces(der: &[u8]) -> Vec<u8> {
    let indefinite = ber(der, 16);
    let signature = signer(&forge::signed_data(der)).signature;
    let whole = signature.to_der().unwrap();
    let (one, two) = signature.as_bytes().split_at(40);
    let piece = |bytes: &[u8]| OctetString::new(bytes).unwrap().to_der().unwrap();
    let pieces = [vec![0x24, 0x80], piece(one), piece(two), vec![0, 0]].concat();
    let at = indefinite.windows(whole.len()).position(|window| window == whole).unwrap();
    [&indefinite[..at], &pieces, &indefinite[at + whole.len()..]].concat()
}

#[test]
fn what_aws_signer_may_vary_is_accepted() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let time = |text: &str| Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap();
    let without_protection = |attributes: &mut Vec<Attribute>| remove(attributes, "1.2.840.113549.1.9.52");
    let padded = |attributes: &mut Vec<Attribute>| {
        replace(attributes, "1.2.840.113549.1.9.5", time("20261121083000.800Z"));
        replace(attributes, "1.3.187.137.1.3", time("20361121083000.000Z"));
    };
    let unknown = |attributes: &mut Vec<Attribute>| attributes.push(attribute("1.2.3.4", Any::null()));
    for data in [
        native_signed_data(&leaf, without_protection),
        native_signed_data(&leaf, padded),
        native_signed_data(&leaf, unknown),
    ] {
        assert!(verified(&native_package(&FILES, &forge::encode(&data))).is_ok());
    }
    // Either s.
    let mut data = native_signed_data(&leaf, |_| {});
    edit_signer(&mut data, high_s);
    assert!(verified(&native_package(&FILES, &forge::encode(&data))).is_ok());
}

#[test]
fn names_and_contents_are_covered() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let content_info = forge::encode(&native_signed_data(&leaf, |_| {}));
    let handler = FILES[1];
    for files in [
        vec![FILES[0], ("lib/handler.py", b"def handler(event, context): evil\n")],
        vec![FILES[0], ("lib/handler2.py", handler.1)],
        vec![handler, FILES[0]],
        vec![handler],
        vec![FILES[0], handler, ("extra", b"")],
    ] {
        assert_eq!(refusal(&native_package(&files, &content_info)), "digest_mismatch");
    }
    // Known weakness of AWS Signer's digest, which is why the coverage says so: names and bodies have no boundaries.
    let moved = [FILES[0], ("lib/handler.pydef", b" handler(event, context): pass\n".as_slice())];
    let package = native_package(&moved, &content_info);
    assert_eq!(verified(&package).unwrap().coverage(), Coverage::NamesAndContents);
}

/// What nothing covers are times, modes, and how a body is packed (FORMAT.md section 3.6).
#[test]
fn each_single_bit_of_names_and_contents_counts() {
    let (root, leaf) = aws_leaf(&plain_leaf());
    let package = native_package(&FILES, &forge::encode(&native_signed_data(&leaf, |_| {})));
    let verified = |package: &[u8]| {
        let verified = verify(package, &root.trusted(), instant(SIGNED_AT), &Limits::default()).ok()?;
        Some((entries(package, verified.archive()), verified.statement().clone()))
    };
    let original = verified(&package).unwrap();
    let mut flipped = package.clone();
    for bit in 0..package.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Some(found) = verified(&flipped) {
            assert!(found == original, "bit {} of byte {}", bit % 8, bit / 8);
        }
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Names and contents but the signature's.
fn entries(package: &[u8], archive: &Archive) -> Vec<(String, Vec<u8>)> {
    let entries = archive.entries().iter().filter(|entry| entry.name() != SF);
    let content = |entry| {
        let mut content = Vec::new();
        archive.reader(package, entry).read_to_end(&mut content).unwrap();
        content
    };
    entries.map(|entry| (entry.name().to_owned(), content(entry))).collect()
}

#[test]
fn the_digest_covers_the_meta_inf_directory() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let content_info = forge::encode(&native_signed_data(&leaf, |_| {}));
    let pem = forge::pem(&content_info);
    let without = zip_of(&[FILES[0], FILES[1], (SF, pem.as_bytes())]);
    assert_eq!(refusal(&without), "digest_mismatch");
}

#[test]
fn a_root_a_leaf_and_a_form_still_count() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let native = native_package(&FILES, &forge::encode(&native_signed_data(&leaf, |_| {})));
    assert_eq!(Installation::new().refusal(&native), "untrusted_chain");
    let (_, with_uri) = aws_leaf(&Spec::leaf(PROFILE_A));
    let data = native_signed_data(&with_uri, |_| {});
    assert_eq!(refusal(&native_package(&FILES, &forge::encode(&data))), "missing_content_hints");
    let server = Spec { extended: Some(vec![const_oid::db::rfc5280::ID_KP_SERVER_AUTH]), ..plain_leaf() };
    let data = native_signed_data(&aws_leaf(&server).1, |_| {});
    assert_eq!(refusal(&native_package(&FILES, &forge::encode(&data))), "unsuitable_leaf");
    let mut data = native_signed_data(&leaf, |_| {});
    data.encap_content_info.econtent = Some(Any::encode_from(&OctetString::new([7; 48]).unwrap()).unwrap());
    assert_eq!(refusal(&native_package(&FILES, &forge::encode(&data))), "malformed_cms");
    let deep = [[0x30, 0x80]; 100].concat();
    assert_eq!(refusal(&native_package(&FILES, &deep)), "malformed_cms");
}

#[test]
fn a_native_package_cannot_be_stripped_and_says_so() {
    let (_, leaf) = aws_leaf(&plain_leaf());
    let package = native_package(&FILES, &forge::encode(&native_signed_data(&leaf, |_| {})));
    let error = strip(&package, &Limits::default(), &mut Vec::new()).unwrap_err();
    assert!(matches!(error, StripError::NotAnAppend(_)), "{error}");
}
