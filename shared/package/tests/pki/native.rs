//! Packages in AWS Signer's own form, made without our signer.

use cms::signed_data::SignedData;
use countersign_domain::Platform;
use countersign_package::gate::{Archive, Method};
use countersign_package::limits::Limits;
use der::Encode;
use der::asn1::{Any, OctetString, SetOfVec};
use sha2::{Digest, Sha384};
use x509_cert::attr::Attribute;

use super::forge::{self, SF, remove, replace, set_certificates, set_signer, signer};
use super::{Authority, Installation, Leaf, LeafKey, Spec, ecdsa_key, zip_of};

pub(crate) const FILES: [(&str, &[u8]); 2] =
    [("lib/", b""), ("lib/handler.py", b"def handler(event, context): pass\n")];

/// A chain of four certificates, as AWS Signer's.
pub(crate) fn aws_leaf(spec: &Spec) -> (Authority, Leaf) {
    let root = Authority::root("CN=Signer ROOT CA,OU=Cryptography,O=AWS", 21);
    let parent = root.intermediate("CN=Signer parent", 22);
    let regional = parent.intermediate("CN=Signer us-east-1", 23);
    let key = LeafKey::Ecdsa(ecdsa_key(24));
    let leaf = regional.issue(spec, &key);
    let certificates = vec![leaf, regional.certificate, parent.certificate, root.certificate.clone()];
    (root, Leaf { key, certificates })
}

pub(crate) fn plain_leaf() -> Spec {
    Spec { uris: Vec::new(), ..Spec::leaf("") }
}

/// SignedData as AWS Signer makes it: from ours, with the differences that FORMAT.md lists.
pub(crate) fn native_signed_data(leaf: &Leaf, edit: impl FnOnce(&mut Vec<Attribute>)) -> SignedData {
    let ours = Installation::new().signed(Platform::AwsLambdaSha384Ecdsa, &zip_of(&FILES));
    let mut data = forge::signed_data(&forge::content_info(&ours));
    set_certificates(&mut data, &leaf.certificates);
    let mut signer = signer(&data);
    let tbs = leaf.certificates[0].tbs_certificate();
    signer.sid =
        cms::signed_data::SignerIdentifier::IssuerAndSerialNumber(cms::cert::IssuerAndSerialNumber {
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
pub(crate) fn native_package(files: &[(&str, &[u8])], content_info: &[u8]) -> Vec<u8> {
    let pem = forge::pem(content_info);
    let package = zip_of(&[files, &[("META_INF/", b""), (SF, pem.as_bytes())]].concat());
    let archive = Archive::parse(&package, &Limits::default()).unwrap();
    assert_eq!(archive.find(SF).unwrap().method(), Method::Deflated);
    package
}

/// BER of a DER element: indefinite lengths for everything constructed down to `depth`, long definite ones below, and
/// the SET OF of the signed attributes (the only `[0]` in a SEQUENCE of six or more) in reverse order.
pub(crate) fn ber(der: &[u8], depth: u32) -> Vec<u8> {
    let (tag, content) = (der[0], content(der));
    if tag & 0x20 == 0 {
        return der.to_vec();
    }
    let mut children: Vec<Vec<u8>> =
        elements(content).into_iter().map(|child| ber(child, depth.saturating_sub(1))).collect();
    if tag == 0xa0 {
        children.reverse();
    }
    let content = children.concat();
    match depth {
        0 => [vec![tag, 0x83], u32::try_from(content.len()).unwrap().to_be_bytes()[1..].to_vec(), content]
            .concat(),
        _ => [vec![tag, 0x80], content, vec![0, 0]].concat(),
    }
}

/// The elements that follow each other in `bytes`.
pub(crate) fn elements(mut bytes: &[u8]) -> Vec<&[u8]> {
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

pub(crate) fn content(der: &[u8]) -> &[u8] {
    let size = match der[1] {
        short @ ..0x80 => usize::from(short),
        _ => der[2..header_size(der)].iter().fold(0, |size, byte| size << 8 | usize::from(*byte)),
    };
    &der[header_size(der)..header_size(der) + size]
}
