//! Packages in AWS Signer's own form: BER, a deflated entry, a leaf without URI, no contentHints (FORMAT.md section 3.6
//! and the last column of 4.4). The test builds them without our signer.

mod pki;

use cms::signed_data::SignedData;
use countersign_domain::Platform;
use countersign_package::gate::{Archive, Method};
use countersign_package::limits::Limits;
use countersign_package::strip::{StripError, strip};
use countersign_package::verify::{Coverage, VerifiedPackage, VerifyError, inspect, verify};
use der::asn1::{Any, OctetString, SetOfVec};
use der::{Encode, Tag};
use pki::forge::{self, SF, attribute, remove, replace, set_signer, signer};
use pki::{Authority, Installation, Leaf, LeafKey, PROFILE_A, SIGNED_AT, Spec, ecdsa_key, instant, zip_of};
use sha2::{Digest, Sha384};
use x509_cert::attr::Attribute;

const FILES: [(&str, &[u8]); 2] = [("lib/", b""), ("lib/handler.py", b"def handler(event, context): pass\n")];

/// A chain of four certificates, as AWS Signer's.
fn aws_leaf(spec: &Spec) -> (Authority, Leaf) {
    let root = Authority::root("CN=Signer ROOT CA,OU=Cryptography,O=AWS", 21);
    let parent = root.intermediate("CN=Signer parent", 22);
    let regional = parent.intermediate("CN=Signer us-east-1", 23);
    let key = LeafKey::Ecdsa(ecdsa_key(24));
    let leaf = regional.issue(spec, &key);
    let certificates = vec![leaf, regional.certificate, parent.certificate, root.certificate.clone()];
    (root, Leaf { key, certificates })
}

fn plain_leaf() -> Spec {
    Spec { uris: Vec::new(), ..Spec::leaf("") }
}

/// SignedData as AWS Signer makes it: from ours, with the differences that FORMAT.md lists.
fn native_signed_data(leaf: &Leaf, edit: impl FnOnce(&mut Vec<Attribute>)) -> SignedData {
    let ours = Installation::new().signed(Platform::AwsLambdaSha384Ecdsa, &zip_of(&FILES));
    let mut data = forge::signed_data(&forge::content_info(&ours));
    let certificates = leaf.certificates.iter().cloned().map(cms::cert::CertificateChoices::Certificate);
    data.certificates = Some(certificates.collect::<Vec<_>>().try_into().unwrap());
    let mut signer = signer(&data);
    let tbs = leaf.certificates[0].tbs_certificate();
    signer.sid = cms::signed_data::SignerIdentifier::IssuerAndSerialNumber(cms::cert::IssuerAndSerialNumber {
        issuer: tbs.issuer().clone(),
        serial_number: tbs.serial_number().clone(),
    });
    let mut attributes = signer.signed_attrs.take().unwrap().into_vec();
    remove(&mut attributes, "1.2.840.113549.1.9.16.2.4");
    let inner = Sha384::digest(b"lib/lib/handler.pydef handler(event, context): pass\nMETA_INF/");
    let digest = OctetString::new(Sha384::digest(inner).to_vec()).unwrap();
    replace(&mut attributes, "1.2.840.113549.1.9.4", Any::encode_from(&digest).unwrap());
    edit(&mut attributes);
    let attributes = SetOfVec::try_from(attributes).unwrap();
    signer.signature = forge::signature(&leaf.key, &attributes.to_der().unwrap());
    signer.signed_attrs = Some(attributes);
    set_signer(&mut data, signer);
    data
}

/// The files, `META_INF/` and the deflated `.SF`, as the zip crate writes them.
fn native_package(files: &[(&str, &[u8])], content_info: &[u8]) -> Vec<u8> {
    let pem = forge::pem(content_info);
    let package = zip_of(&[files, &[("META_INF/", b""), (SF, pem.as_bytes())]].concat());
    let archive = Archive::parse(&package, &Limits::default()).unwrap();
    assert_eq!(archive.find(SF).unwrap().method(), Method::Deflated);
    package
}

/// Verifies against the root of [`aws_leaf`].
fn verified(package: &[u8]) -> Result<VerifiedPackage, VerifyError> {
    let (root, _) = aws_leaf(&plain_leaf());
    verify(package, &root.trusted(), instant(SIGNED_AT), &Limits::default())
}

fn refusal(package: &[u8]) -> &'static str {
    verified(package).unwrap_err().code().unwrap()
}

/// BER of a DER element: indefinite lengths for everything constructed down to `depth`, long definite ones below, and
/// the SET OF of the signed attributes (the only `[0]` in a SEQUENCE of six or more) in reverse order.
fn ber(der: &[u8], depth: u32) -> Vec<u8> {
    let (tag, content) = (der[0], content(der));
    if tag & 0x20 == 0 {
        return der.to_vec();
    }
    let mut children: Vec<Vec<u8>> = elements(content).into_iter().map(|child| ber(child, depth.saturating_sub(1))).collect();
    if tag == 0xa0 {
        children.reverse();
    }
    let content = children.concat();
    match depth {
        0 => [vec![tag, 0x83], u32::try_from(content.len()).unwrap().to_be_bytes()[1..].to_vec(), content].concat(),
        _ => [vec![tag, 0x80], content, vec![0, 0]].concat(),
    }
}

/// The elements that follow each other in `bytes`.
fn elements(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let size = header_size(bytes) + content(bytes).len();
        elements.push(&bytes[..size]);
        bytes = &bytes[size..];
    }
    elements
}

fn header_size(der: &[u8]) -> usize {
    if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) }
}

fn content(der: &[u8]) -> &[u8] {
    let size = match der[1] {
        short @ ..0x80 => usize::from(short),
        _ => der[2..header_size(der)].iter().fold(0, |size, byte| size << 8 | usize::from(*byte)),
    };
    &der[header_size(der)..header_size(der) + size]
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
    let mut signer = signer(&data);
    let low = p384::ecdsa::Signature::from_der(signer.signature.as_bytes()).unwrap();
    let high = p384::ecdsa::Signature::from_scalars(low.r(), -*low.s()).unwrap();
    signer.signature = OctetString::new(high.to_der().as_bytes()).unwrap();
    set_signer(&mut data, signer);
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
