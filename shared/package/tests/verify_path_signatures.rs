//! Certificate paths: the signatures on certificates (FORMAT.md section 6.3, 4), made with other algorithms, keys and digests.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/paths.rs"]
mod paths;
mod pki;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P521_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, BitString};
use der::{Decode, Encode, Tag};
use p384::ecdsa::{Signature, SigningKey};
use paths::{Path, ROOT_SEED, rsa_1024_key};
use pki::ecdsa_key;
use pki::native::{content, elements};
use sha2::{Digest, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashSigner;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::Certificate;

type Hash = fn(&[u8]) -> Vec<u8>;

/// The leaf's certificate, then the intermediate's.
#[test]
fn a_certificate_is_signed_by_its_issuer_with_the_one_algorithm() {
    let path = Path::of_length(1);
    for (which, issuer) in [(0, ecdsa_key(ROOT_SEED + 1)), (1, ecdsa_key(ROOT_SEED))] {
        let verdict = |change: &dyn Fn(&Certificate) -> Certificate| {
            let mut certificates = path.certificates();
            certificates[which] = change(&certificates[which]);
            path.verdict_of(certificates)
        };
        let by_issuer = |algorithm: &str, hash: Hash| {
            verdict(&|certificate| {
                sealed(certificate, algorithm, |_| {}, |tbs| ecdsa_signature(&issuer, &hash(tbs)))
            })
        };
        by_issuer(ECDSA_SHA384, sha384).is_verified();
        verdict(&with_another_signature).is("invalid_chain", "InvalidSignatureForPublicKey");
        by_issuer(ECDSA_SHA384, sha256).is("invalid_chain", "InvalidSignatureForPublicKey");
        for (algorithm, hash) in OTHER_DIGESTS {
            let reason = format!("is signed with {algorithm}, and must be with ECDSA P-384 and SHA-384");
            by_issuer(algorithm, hash).is("invalid_chain", &reason);
        }
        verdict(&with_another_algorithm_inside).is("invalid_chain", "SignatureAlgorithmMismatch");
    }
}

#[test]
fn an_issuer_with_an_rsa_key_is_refused() {
    let path = Path::of_length(1);
    let [leaf, intermediate, root] = path.certificates().try_into().unwrap();
    let rsa = rsa_1024_key();
    let sign = |tbs: &[u8]| rsa.sign(rsa::Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(tbs)).unwrap();
    let key = SubjectPublicKeyInfoOwned::from_key(&rsa.to_public_key()).unwrap().to_der().unwrap();
    let leaf = sealed(&leaf, RSA_SHA256, |_| {}, sign);
    let verdict = path.verdict_of(vec![leaf, with_key(&intermediate, key), root]);
    verdict.is("invalid_chain", "\"CN=leaf\" is signed with 1.2.840.113549.1.1.11");
}

/// The algorithm is the right one.
#[test]
fn an_issuer_with_a_key_of_another_curve_is_refused() {
    let path = Path::of_length(1);
    let [leaf, intermediate, root] = path.certificates().try_into().unwrap();
    let p521 = EcdsaKeyPair::generate(&ECDSA_P521_SHA384_ASN1_SIGNING).unwrap();
    let sign = |tbs: &[u8]| p521.sign(&SystemRandom::new(), tbs).unwrap().as_ref().to_vec();
    let key = AsDer::<PublicKeyX509Der<'_>>::as_der(p521.public_key()).unwrap().as_ref().to_vec();
    let leaf = sealed(&leaf, ECDSA_SHA384, |_| {}, sign);
    let verdict = path.verdict_of(vec![leaf, with_key(&intermediate, key), root]);
    verdict.is("invalid_chain", "UnsupportedSignatureAlgorithmForPublicKey");
}

/// A trust anchor is trusted for its name and key (RFC 5280 section 6.1.1); the operator chose it byte for byte.
#[test]
fn a_roots_signature_on_itself_is_not_looked_at() {
    let path = Path::of_length(0);
    let [leaf, root] = path.certificates().try_into().unwrap();
    path.verdict_of(vec![leaf, with_another_signature(&root)]).is_verified();
}

/// The certificate with its fields edited, and signed with this algorithm.
fn sealed(
    certificate: &Certificate,
    algorithm: &str,
    edit: impl FnOnce(&mut Vec<Vec<u8>>),
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Certificate {
    let algorithm = identifier(algorithm);
    let mut fields = fields(&parts(certificate)[0]);
    fields[SIGNATURE_ALGORITHM].clone_from(&algorithm);
    edit(&mut fields);
    let tbs = sequence(&fields.concat());
    let value = BitString::from_bytes(&sign(&tbs)).unwrap().to_der().unwrap();
    assembled(&tbs, &algorithm, &value)
}

/// The root's certificate for another key, in DER.
fn with_key(certificate: &Certificate, key: Vec<u8>) -> Certificate {
    let sign = |tbs: &[u8]| ecdsa_signature(&ecdsa_key(ROOT_SEED), &sha384(tbs));
    sealed(certificate, ECDSA_SHA384, |fields| fields[PUBLIC_KEY] = key, sign)
}

fn with_another_signature(certificate: &Certificate) -> Certificate {
    let [tbs, algorithm, mut value] = parts(certificate);
    *value.last_mut().unwrap() ^= 1;
    assembled(&tbs, &algorithm, &value)
}

fn with_another_algorithm_inside(certificate: &Certificate) -> Certificate {
    let [tbs, algorithm, value] = parts(certificate);
    let mut fields = fields(&tbs);
    fields[SIGNATURE_ALGORITHM] = identifier(ECDSA_SHA256);
    assembled(&sequence(&fields.concat()), &algorithm, &value)
}

/// DER of TBSCertificate, algorithm and signature.
fn parts(certificate: &Certificate) -> [Vec<u8>; 3] {
    fields(&certificate.to_der().unwrap()).try_into().unwrap()
}

/// DER of each element of a SEQUENCE.
fn fields(der: &[u8]) -> Vec<Vec<u8>> {
    elements(content(der)).into_iter().map(<[u8]>::to_vec).collect()
}

fn assembled(tbs: &[u8], algorithm: &[u8], value: &[u8]) -> Certificate {
    Certificate::from_der(&sequence(&[tbs, algorithm, value].concat())).unwrap()
}

fn identifier(oid: &str) -> Vec<u8> {
    let oid = ObjectIdentifier::new(oid).unwrap();
    AlgorithmIdentifierOwned { oid, parameters: None }.to_der().unwrap()
}

fn sequence(content: &[u8]) -> Vec<u8> {
    Any::new(Tag::Sequence, content).unwrap().to_der().unwrap()
}

fn ecdsa_signature(key: &SigningKey, digest: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign_prehash(digest).unwrap();
    signature.to_der().as_bytes().to_vec()
}

fn sha384(message: &[u8]) -> Vec<u8> {
    Sha384::digest(message).to_vec()
}

fn sha256(message: &[u8]) -> Vec<u8> {
    [&[0; 16], Sha256::digest(message).as_slice()].concat()
}

/// Digests as the numbers that a P-384 key signs.
const OTHER_DIGESTS: [(&str, Hash); 3] = [
    (ECDSA_SHA1, |message| [&[0; 28], digest(&SHA1_FOR_LEGACY_USE_ONLY, message).as_ref()].concat()),
    (ECDSA_SHA256, sha256),
    (ECDSA_SHA512, |message| Sha512::digest(message)[..48].to_vec()),
];

const ECDSA_SHA1: &str = "1.2.840.10045.4.1";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";
const RSA_SHA256: &str = "1.2.840.113549.1.1.11";

/// Places in TBSCertificate (RFC 5280 section 4.1).
const SIGNATURE_ALGORITHM: usize = 2;
const PUBLIC_KEY: usize = 6;
