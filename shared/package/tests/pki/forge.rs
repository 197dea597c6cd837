//! Takes a signed package, changes its CMS in any way, signs the attributes again and appends the result to U.

use std::io::{Cursor, Read};

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use const_oid::ObjectIdentifier;
use countersign_package::append::{NewEntry, append};
use countersign_package::gate::Archive;
use countersign_package::limits::Limits;
use countersign_package::strip::strip;
use der::asn1::{Any, OctetString, SetOfVec, Utf8StringRef};
use der::{Decode, Encode};
use sha2::{Digest, Sha256, Sha384};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;

use super::{Leaf, LeafKey};

pub(crate) const P7S: &str = "META-INF/countersign.p7s";
pub(crate) const SF: &str = "META_INF/aws_signer_signature_v1.0.SF";

/// The content of an entry, as the zip crate reads it.
pub(crate) fn entry(package: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut content = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
    content
}

fn has_p7s(package: &[u8]) -> bool {
    Archive::parse(package, &Limits::default()).unwrap().find(P7S).is_some()
}

pub(crate) fn stripped(package: &[u8]) -> Vec<u8> {
    let mut unsigned = Vec::new();
    strip(package, &Limits::default(), &mut unsigned).unwrap();
    unsigned
}

/// DER of the ContentInfo in either kind of package.
pub(crate) fn content_info(package: &[u8]) -> Vec<u8> {
    if has_p7s(package) { entry(package, P7S) } else { der::pem::decode_vec(&entry(package, SF)).unwrap().1 }
}

pub(crate) fn signed_data(content_info: &[u8]) -> SignedData {
    ContentInfo::from_der(content_info).unwrap().content.decode_as().unwrap()
}

/// DER: the cms crate has an order of its own for certificates, so they are sorted here.
pub(crate) fn encode(signed_data: &SignedData) -> Vec<u8> {
    let content_type = const_oid::db::rfc5911::ID_SIGNED_DATA;
    let mut der =
        ContentInfo { content_type, content: Any::encode_from(signed_data).unwrap() }.to_der().unwrap();
    let mut certificates = certificates_as_written(signed_data);
    let written = certificates.concat();
    certificates.sort();
    if let Some(at) = position(&der, &written) {
        der.splice(at..at + written.len(), certificates.concat());
    }
    der
}

/// Each certificate in DER, in the cms crate's order.
pub(crate) fn certificates_as_written(signed_data: &SignedData) -> Vec<Vec<u8>> {
    let set = signed_data.certificates.as_ref();
    set.map(|set| set.0.iter().map(|choice| choice.to_der().unwrap()).collect()).unwrap_or_default()
}

/// Where `part`, which is not empty, begins in `whole`.
pub(crate) fn position(whole: &[u8], part: &[u8]) -> Option<usize> {
    (!part.is_empty()).then(|| whole.windows(part.len()).position(|window| window == part)).flatten()
}

/// `unsigned` with this signature entry, as an append writes it.
pub(crate) fn with_p7s(unsigned: &[u8], body: &[u8]) -> Vec<u8> {
    appended(unsigned, &[NewEntry { name: P7S, body }])
}

pub(crate) fn with_sf(unsigned: &[u8], body: &[u8]) -> Vec<u8> {
    appended(unsigned, &[NewEntry { name: "META_INF/", body: &[] }, NewEntry { name: SF, body }])
}

fn appended(unsigned: &[u8], entries: &[NewEntry<'_>]) -> Vec<u8> {
    let archive = Archive::parse(unsigned, &Limits::default()).unwrap();
    let mut package = Vec::new();
    append(unsigned, &archive, entries, &mut package).unwrap();
    package
}

/// The package with its attributes edited and signed again by `key`.
pub(crate) fn resigned(package: &[u8], key: &LeafKey, edit: impl FnOnce(&mut Vec<Attribute>)) -> Vec<u8> {
    rebuilt(package, |data| {
        let mut signer = signer(data);
        let mut attributes = signer.signed_attrs.take().unwrap().into_vec();
        edit(&mut attributes);
        let attributes = SetOfVec::try_from(attributes).unwrap();
        signer.signature = signature(key, &attributes.to_der().unwrap());
        signer.signed_attrs = Some(attributes);
        set_signer(data, signer);
    })
}

/// The package with its SignedData edited, and nothing signed again.
pub(crate) fn rebuilt(package: &[u8], edit: impl FnOnce(&mut SignedData)) -> Vec<u8> {
    let mut data = signed_data(&content_info(package));
    edit(&mut data);
    with_signature_like(package, &encode(&data))
}

/// The package with another ContentInfo, in the same kind of entry.
pub(crate) fn with_signature_like(package: &[u8], content_info: &[u8]) -> Vec<u8> {
    let unsigned = stripped(package);
    if has_p7s(package) {
        with_p7s(&unsigned, content_info)
    } else {
        with_sf(&unsigned, pem(content_info).as_bytes())
    }
}

pub(crate) fn pem(content_info: &[u8]) -> String {
    der::pem::encode_string("PKCS7", der::pem::LineEnding::LF, content_info).unwrap()
}

pub(crate) fn signature(key: &LeafKey, message: &[u8]) -> OctetString {
    let digest = match key {
        LeafKey::Rsa(_) => Sha256::digest(message).to_vec(),
        LeafKey::Ecdsa(_) => Sha384::digest(message).to_vec(),
    };
    let signature = key.sign(&digest);
    let signature = match key {
        LeafKey::Rsa(_) => signature,
        LeafKey::Ecdsa(_) => {
            p384::ecdsa::Signature::from_der(&signature).unwrap().normalize_s().to_der().as_bytes().to_vec()
        }
    };
    OctetString::new(signature).unwrap()
}

pub(crate) fn signer(data: &SignedData) -> SignerInfo {
    data.signer_infos.0.get(0).unwrap().clone()
}

pub(crate) fn set_signer(data: &mut SignedData, signer: SignerInfo) {
    data.signer_infos.0 = SetOfVec::try_from(vec![signer]).unwrap();
}

pub(crate) fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new(text).unwrap()
}

pub(crate) fn attribute(type_: &str, value: Any) -> Attribute {
    Attribute { oid: oid(type_), values: SetOfVec::try_from(vec![value]).unwrap() }
}

pub(crate) fn utf8(text: &str) -> Any {
    Any::encode_from(&Utf8StringRef::new(text).unwrap()).unwrap()
}

/// Replaces the value of one attribute.
pub(crate) fn replace(attributes: &mut [Attribute], type_: &str, value: Any) {
    let found = attributes.iter_mut().find(|attribute| attribute.oid == oid(type_)).unwrap();
    found.values = SetOfVec::try_from(vec![value]).unwrap();
}

pub(crate) fn remove(attributes: &mut Vec<Attribute>, type_: &str) {
    let before = attributes.len();
    attributes.retain(|attribute| attribute.oid != oid(type_));
    assert_eq!(attributes.len() + 1, before, "{type_}");
}

/// Edits the one SignerInfo.
pub(crate) fn edit_signer(data: &mut SignedData, edit: impl FnOnce(&mut SignerInfo)) {
    let mut signer = signer(data);
    edit(&mut signer);
    set_signer(data, signer);
}

/// The other s of an ECDSA signature, as valid as the first.
pub(crate) fn high_s(signer: &mut SignerInfo) {
    let low = p384::ecdsa::Signature::from_der(signer.signature.as_bytes()).unwrap();
    let high = p384::ecdsa::Signature::from_scalars(low.r(), -*low.s()).unwrap();
    signer.signature = OctetString::new(high.to_der().as_bytes()).unwrap();
}

pub(crate) fn set_certificates(data: &mut SignedData, certificates: &[Certificate]) {
    let choices = certificates.iter().map(|certificate| {
        CertificateChoices::Certificate(Certificate::from_der(&certificate.to_der().unwrap()).unwrap())
    });
    data.certificates = Some(choices.collect::<Vec<_>>().try_into().unwrap());
}

/// The package signed again, by `leaf` and with its certificates.
pub(crate) fn with_leaf(signed: &[u8], leaf: &Leaf) -> Vec<u8> {
    let with_certificates = rebuilt(signed, |data| {
        set_certificates(data, &leaf.certificates);
        let tbs = leaf.certificates[0].tbs_certificate();
        edit_signer(data, |signer| {
            signer.sid = SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: tbs.issuer().clone(),
                serial_number: tbs.serial_number().clone(),
            });
        });
    });
    resigned(&with_certificates, &leaf.key, |_| {})
}
