//! Signatures of Project Wycheproof (`tests/vectors/wycheproof/`), in the place of the signature of a real package: its leaf
//! gets their key, its signed attributes become their message. Leaf, identifiers, value and signature are then checked as in
//! any package.

use std::collections::BTreeMap;

use der::asn1::{Any, Uint};
use der::{Decode, Encode, Tag};
use serde::Deserialize;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::Certificate;

use super::read::{self, ReadSignature};
use super::{IntegrityError, check_signature};
use crate::chain::CertificateChain;
use crate::cms::SignatureAlgorithm;
use crate::gate::Archive;
use crate::limits::Limits;

#[derive(Deserialize)]
struct Group {
    /// Digest, and for RSASSA-PSS the mask's digest and the salt's bytes.
    parameters: String,
    /// SubjectPublicKeyInfo, in hexadecimal.
    key: String,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    #[serde(rename = "tcId")]
    id: u32,
    result: String,
    flags: Vec<String>,
    #[serde(rename = "msg")]
    message: String,
    #[serde(rename = "sig")]
    signature: String,
}

macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str::<Vec<Group>>(include_str!(concat!(
            "../../tests/vectors/wycheproof/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

/// One of our own packages, RSA.
const RSA: &[u8] = include_bytes!("../../vectors/signed-rsa.zip");
/// One of our own packages, ECDSA: s at most n/2.
const ECDSA: &[u8] = include_bytes!("../../vectors/signed-ecdsa.zip");
/// A package in AWS Signer's own form: either s.
const NATIVE: &[u8] = include_bytes!("../../vectors/native-aws-der.zip");

fn signature_of(package: &[u8]) -> ReadSignature {
    let archive = Archive::parse(package, &Limits::default()).unwrap();
    read::signature(package, &archive).unwrap().unwrap()
}

/// What becomes of `signature` over `message` by `key` in a package like `like`: its code, or `verified`.
fn outcome(like: &ReadSignature, key: &[u8], message: &[u8], signature: &[u8]) -> &'static str {
    let check = || -> Result<(), IntegrityError> {
        let signed = with_signature(like, key, message, signature)?;
        signed.block.check_algorithm(signed.chain.leaf().algorithm)?;
        check_signature(&signed)
    };
    check().map_or_else(|error| error.code(), |()| "verified")
}

fn with_signature(
    like: &ReadSignature,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<ReadSignature, IntegrityError> {
    let [leaf, issuers @ ..] = like.chain.certificates() else { panic!("a chain has a leaf") };
    let mut chain = vec![with_key(leaf, key)];
    chain.extend(issuers.iter().map(|issuer| issuer.to_der().unwrap()));
    let mut block = like.block.clone();
    (block.signed_attributes, block.signature) = (message.to_vec(), signature.to_vec());
    let chain = CertificateChain::from_der(&chain)?;
    Ok(ReadSignature { kind: like.kind, block, chain, statement: like.statement.clone() })
}

/// DER of the certificate with another key. Its own signature, which is not looked at here, no longer holds.
fn with_key(certificate: &Certificate, key: &[u8]) -> Vec<u8> {
    let own = certificate.tbs_certificate().subject_public_key_info().to_der().unwrap();
    let tbs = certificate.tbs_certificate().to_der().unwrap();
    let tbs = Any::from_der(&tbs).unwrap().value().to_vec();
    let at = tbs.windows(own.len()).position(|window| window == own).unwrap();
    let tbs = sequence(&[&tbs[..at], key, &tbs[at + own.len()..]].concat());
    let algorithm = certificate.signature_algorithm().to_der().unwrap();
    let signature = certificate.signature().to_der().unwrap();
    sequence(&[tbs, algorithm, signature].concat())
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).unwrap()
}

fn sequence(content: &[u8]) -> Vec<u8> {
    Any::new(Tag::Sequence, content).unwrap().to_der().unwrap()
}

/// How many tests of each result have which outcome.
fn tally(vectors: &[Group], package: &[u8]) -> BTreeMap<(String, &'static str), usize> {
    let like = signature_of(package);
    let mut tally = BTreeMap::new();
    for Group { key, tests, .. } in vectors {
        for test in tests {
            let outcome = outcome(&like, &bytes(key), &bytes(&test.message), &bytes(&test.signature));
            let Test { id, result, flags, .. } = test;
            assert!(result != "invalid" || outcome != "verified", "{id} {flags:?}");
            *tally.entry((result.clone(), outcome)).or_insert(0) += 1;
        }
    }
    tally
}

#[track_caller]
fn assert_tally(vectors: &[Group], package: &[u8], expected: &[(&str, &'static str, usize)]) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(result, outcome, count)| (((*result).to_owned(), *outcome), *count)).collect();
    assert_eq!(tally(vectors, package), expected);
}

#[test]
fn ecdsa_p384_with_sha384_is_verified_with_either_s_in_native_packages() {
    assert_tally(
        &vectors!("ecdsa_secp384r1_sha384"),
        NATIVE,
        &[
            ("valid", "verified", 194),
            ("invalid", "malformed_signature_value", 287),
            ("invalid", "bad_signature", 23),
        ],
    );
}

/// The format is stricter than ECDSA: s is at most n/2 (FORMAT.md section 4.6).
#[test]
fn ecdsa_p384_with_sha384_is_verified_with_the_low_s_in_ours() {
    let vectors = vectors!("ecdsa_secp384r1_sha384");
    let valid = || vectors.iter().flat_map(|group| &group.tests).filter(|test| test.result == "valid");
    let low = valid().filter(|test| has_low_s(&bytes(&test.signature))).count();
    assert_eq!((low, valid().count()), (105, 194));
    assert_tally(
        &vectors,
        ECDSA,
        &[
            ("valid", "verified", low),
            ("valid", "malformed_signature_value", 194 - low),
            ("invalid", "malformed_signature_value", 299),
            ("invalid", "bad_signature", 11),
        ],
    );
}

/// A key holder may give either s; the signer writes the lower one (FORMAT.md section 7, 5).
#[test]
fn the_signer_makes_each_valid_ecdsa_signature_one_of_ours_and_no_invalid_one() {
    let like = signature_of(ECDSA);
    let mut verified = 0;
    for Group { key, tests, .. } in vectors!("ecdsa_secp384r1_sha384") {
        for test in tests {
            let canonical = SignatureAlgorithm::EcdsaP384Sha384.canonical(&bytes(&test.signature));
            let verifies = |signature: Vec<u8>| {
                outcome(&like, &bytes(&key), &bytes(&test.message), &signature) == "verified"
            };
            let verifies = canonical.is_ok_and(verifies);
            assert_eq!(verifies, test.result == "valid", "{} {:?}", test.id, test.flags);
            verified += usize::from(verifies);
        }
    }
    assert_eq!(verified, 194);
}

#[test]
fn rsa_3072_pss_with_sha256_is_verified() {
    assert_tally(
        &vectors!("rsa_pss_3072_sha256_mgf1_32"),
        RSA,
        &[
            ("valid", "verified", 63),
            ("invalid", "malformed_signature_value", 5),
            ("invalid", "bad_signature", 40),
        ],
    );
}

/// Good signatures that no platform uses: stricter on purpose (FORMAT.md sections 2, 4.6 and 6.1).
#[test]
fn what_is_good_elsewhere_is_refused_for_what_it_is() {
    // The curve.
    assert_tally(&vectors!("ecdsa_secp256r1_sha256"), NATIVE, &[("valid", "unsuitable_leaf", 100)]);
    // The digest.
    assert_tally(&vectors!("ecdsa_secp384r1_sha256"), NATIVE, &[("valid", "bad_signature", 92)]);
    assert_tally(&vectors!("ecdsa_secp384r1_sha512"), NATIVE, &[("valid", "bad_signature", 92)]);
    // r || s, not DER.
    let concatenated = vectors!("ecdsa_secp384r1_sha384_p1363");
    assert_tally(&concatenated, NATIVE, &[("valid", "malformed_signature_value", 92)]);
    // The size of the key.
    assert_tally(&vectors!("rsa_pss_2048_sha256_mgf1_32"), RSA, &[("valid", "unsuitable_leaf", 3)]);
    assert_tally(&vectors!("rsa_pss_4096_sha256_mgf1_32"), RSA, &[("valid", "unsuitable_leaf", 3)]);
    assert_tally(&vectors!("rsa_pss_misc"), RSA, &[("valid", "unsuitable_leaf", 30)]);
    // A key for RSASSA-PSS alone (id-RSASSA-PSS), where the format has rsaEncryption.
    assert_tally(&vectors!("rsa_pss_3072_sha256_mgf1_32_params"), RSA, &[("valid", "unsuitable_leaf", 3)]);
}

/// "Acceptable" is a DigestInfo without NULL (`MissingNull`): it is PKCS #1 v1.5 like the others, so refused with them.
#[test]
fn rsa_pkcs1_is_refused() {
    let (small, large) = (vectors!("rsa_signature_2048_sha256"), vectors!("rsa_signature_4096_sha256"));
    assert_tally(&small, RSA, &[("valid", "unsuitable_leaf", 3), ("acceptable", "unsuitable_leaf", 1)]);
    assert_tally(&large, RSA, &[("valid", "unsuitable_leaf", 1), ("acceptable", "unsuitable_leaf", 1)]);
    // The size is right; the second key has the exponent 3.
    let expected =
        [("valid", "bad_signature", 1), ("valid", "unsuitable_leaf", 1), ("acceptable", "bad_signature", 1)];
    assert_tally(&vectors!("rsa_signature_3072_sha256"), RSA, &expected);
    let all = [small, vectors!("rsa_signature_3072_sha256"), large];
    let acceptable = all.iter().flatten().flat_map(|group| &group.tests);
    for test in acceptable.filter(|test| test.result == "acceptable") {
        assert_eq!(test.flags, ["MissingNull"]);
    }
}

/// Behind the check of the key stands the algorithm, which knows one digest, one mask, one length of salt and one curve.
#[test]
fn the_algorithm_alone_refuses_other_parameters() {
    let verified = |algorithm: SignatureAlgorithm, vectors: Vec<Group>| {
        let mut verified = Vec::new();
        for Group { parameters, key, tests } in vectors {
            let key = SubjectPublicKeyInfoOwned::from_der(&bytes(&key)).unwrap();
            let key = key.subject_public_key.raw_bytes();
            for Test { message, signature, .. } in tests {
                let result =
                    algorithm.verification().verify_signature(key, &bytes(&message), &bytes(&signature));
                verified.extend(result.is_ok().then_some(parameters.clone()));
            }
        }
        verified
    };
    let (rsa, ecdsa) = (SignatureAlgorithm::RsaPssSha256, SignatureAlgorithm::EcdsaP384Sha384);
    assert_eq!(verified(rsa, vectors!("rsa_pss_misc")), ["SHA-256 SHA-256 32"]);
    assert_eq!(verified(rsa, vectors!("rsa_signature_2048_sha256")).len(), 0);
    assert_eq!(verified(rsa, vectors!("rsa_signature_4096_sha256")).len(), 0);
    assert_eq!(verified(ecdsa, vectors!("ecdsa_secp256r1_sha256")).len(), 0);
}

/// s of a valid signature is at most n/2; by the number itself, not by the library that the signer uses.
fn has_low_s(signature: &[u8]) -> bool {
    #[derive(der::Sequence)]
    struct Value {
        r: Uint,
        s: Uint,
    }
    let Value { r, s } = Value::from_der(signature).unwrap();
    assert!(r.as_bytes().len() <= 48);
    format!("{:0>96}", hex::encode(s.as_bytes())).as_str() <= HALF_ORDER
}

/// (n - 1) / 2 of P-384 (SP 800-186 section 3.2.1.4).
const HALF_ORDER: &str =
    "7fffffffffffffffffffffffffffffffffffffffffffffffe3b1a6c0fa1b96efac0d06d9245853bd76760cb5666294b9";
