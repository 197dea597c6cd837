//! The form of the signature: each field and attribute of FORMAT.md section 4 broken by someone who holds the right key.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use cms::content_info::CmsVersion;
use cms::revocation::RevocationInfoChoices;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use countersign_domain::Platform;
use der::asn1::{Any, Null, OctetString, SetOfVec};
use der::{Encode, Tag};
use pki::forge::{
    self, attribute, edit_signer, high_s, rebuilt, remove, replace, resigned, set_certificates, signer, utf8,
    with_p7s, with_sf,
};
use pki::{Authority, Installation, LeafKey, key_for, tiny};
use spki::AlgorithmIdentifierOwned;
use x509_cert::Certificate;

const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const PROTECTION: &str = "1.2.840.113549.1.9.52";
const CONTENT_HINTS: &str = "1.2.840.113549.1.9.16.2.4";
const SHA1: &str = "1.3.14.3.2.26";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const ECDSA_SHA1: &str = "1.2.840.10045.4.1";
const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const JOB_ARN: &str = "1.3.187.137.1.2";
const EXPIRY: &str = "1.3.187.137.1.3";
const PROFILE_VERSION: &str = "1.3.187.137.1.4";

/// Every attribute, changed by the holder of the right key.
#[test]
fn each_signed_attribute_has_one_form() {
    let generalized = |text: &str| Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap();
    let arn = |from: &str, to: &str| utf8(&pki::JOB.replace(from, to));
    let octets = |bytes: &[u8]| Any::encode_from(&OctetString::new(bytes).unwrap()).unwrap();
    let cases: Vec<(&str, Any, &str)> = vec![
        (
            CONTENT_TYPE,
            Any::encode_from(&const_oid::db::rfc5911::ID_SIGNED_DATA).unwrap(),
            "malformed_attribute",
        ),
        (MESSAGE_DIGEST, octets(&[7; 48]), "digest_mismatch"),
        (MESSAGE_DIGEST, octets(&[]), "digest_mismatch"),
        (MESSAGE_DIGEST, utf8("digest"), "malformed_attribute"),
        (SIGNING_TIME, Any::new(Tag::UtcTime, b"2611210830Z".as_slice()).unwrap(), "malformed_attribute"),
        (PROTECTION, Any::encode_from(&Null).unwrap(), "malformed_attribute"),
        (JOB_ARN, arn("us-east-1", "eu-west-1"), "scope_mismatch"),
        (JOB_ARN, arn("signing-jobs", "signing-jobz"), "malformed_attribute"),
        (JOB_ARN, octets(pki::JOB.as_bytes()), "malformed_attribute"),
        (EXPIRY, generalized("20261121083000Z"), "expires_before_signing"),
        (EXPIRY, generalized("20361121083000"), "malformed_attribute"),
        (EXPIRY, utf8("20361121083000Z"), "malformed_attribute"),
        (PROFILE_VERSION, utf8("default"), "malformed_attribute"),
    ];
    let installation = Installation::new();
    for platform in Platform::ALL {
        let signed = installation.signed(platform, &tiny());
        let leaf = installation.leaf(platform);
        for (type_, value, code) in &cases {
            let forged = resigned(&signed, &leaf.key, |attributes| replace(attributes, type_, value.clone()));
            assert_eq!(installation.refusal(&forged), *code, "{platform}, {type_}");
        }
        for type_ in
            [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, PROTECTION, JOB_ARN, EXPIRY, PROFILE_VERSION]
        {
            let forged = resigned(&signed, &leaf.key, |attributes| remove(attributes, type_));
            assert_eq!(installation.refusal(&forged), "missing_attribute", "{platform}, {type_}");
            let forged = resigned(&signed, &leaf.key, |attributes| {
                let again =
                    attributes.iter().find(|attribute| attribute.oid == forge::oid(type_)).unwrap().clone();
                attributes.push(again);
            });
            assert_eq!(installation.refusal(&forged), "repeated_attribute", "{platform}, {type_}");
        }
        let unknown =
            resigned(&signed, &leaf.key, |attributes| attributes.push(attribute("1.2.3.4", utf8("x"))));
        assert_eq!(installation.refusal(&unknown), "unknown_attribute", "{platform}");
        let two_values = resigned(&signed, &leaf.key, |attributes| {
            attributes[0].values.insert(utf8("x")).unwrap();
        });
        assert_eq!(installation.refusal(&two_values), "repeated_attribute", "{platform}");
    }
}

#[test]
fn content_hints_bind_the_exact_bytes() {
    let installation = Installation::new();
    let leaf = installation.leaf(Platform::AwsLambdaSha384Ecdsa);
    let signed = installation.signed(Platform::AwsLambdaSha384Ecdsa, &tiny());
    let digest = hex::encode(<sha2::Sha384 as sha2::Digest>::digest(tiny()));
    let size = tiny().len();
    let cases = [
        (format!("application/zip;length={size};sha-384={digest}"), None),
        (format!("application/zip;length={};sha-384={digest}", size + 1), Some("size_mismatch")),
        (format!("application/zip;length={size};sha-384={}", "0".repeat(96)), Some("digest_mismatch")),
        (format!("application/zip;length=0{size};sha-384={digest}"), Some("malformed_attribute")),
        (format!("application/zip;length=+{size};sha-384={digest}"), Some("malformed_attribute")),
        (
            format!("application/zip;length={size};sha-384={}", digest.to_uppercase()),
            Some("malformed_attribute"),
        ),
        (format!("application/zip; length={size};sha-384={digest}"), Some("malformed_attribute")),
        (format!("application/zip;length={size};sha-384={digest};"), Some("malformed_attribute")),
        (format!("application/jar;length={size};sha-384={digest}"), Some("malformed_attribute")),
        (String::new(), Some("malformed_attribute")),
    ];
    for (description, code) in cases {
        let content =
            [utf8(&description).to_der().unwrap(), const_oid::db::rfc5911::ID_DATA.to_der().unwrap()];
        let value = Any::new(Tag::Sequence, content.concat()).unwrap();
        let forged = resigned(&signed, &leaf.key, |attributes| replace(attributes, CONTENT_HINTS, value));
        assert_eq!(installation.verify(&forged).err().and_then(|error| error.code()), code, "{description}");
    }
}

type Edit<'a> = &'a dyn Fn(&mut SignedData);

/// Case by case: the code, and what was done to SignedData after it was signed.
fn refuses_each(cases: &[(&str, Edit<'_>)]) {
    let installation = Installation::new();
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    for (at, (code, edit)) in cases.iter().enumerate() {
        assert_eq!(installation.refusal(&rebuilt(&signed, edit)), *code, "case {at}");
    }
}

fn set_digest(data: &mut SignedData, oid: &str, parameters: Option<Any>) {
    let identifier = AlgorithmIdentifierOwned { oid: forge::oid(oid), parameters };
    data.digest_algorithms = SetOfVec::try_from(vec![identifier]).unwrap();
}

#[test]
fn signed_data_has_one_shape() {
    refuses_each(&[
        ("malformed_cms", &|data| data.version = CmsVersion::V3),
        ("malformed_cms", &|data| data.encap_content_info.econtent_type = forge::oid("1.2.3")),
        ("malformed_cms", &|data| {
            let content = OctetString::new(b"content".as_slice()).unwrap();
            data.encap_content_info.econtent = Some(Any::encode_from(&content).unwrap());
        }),
        ("malformed_cms", &|data| data.crls = Some(RevocationInfoChoices(SetOfVec::default()))),
        ("malformed_cms", &|data| data.digest_algorithms = SetOfVec::default()),
        ("malformed_cms", &|data| {
            let sha256 = AlgorithmIdentifierOwned { oid: forge::oid(SHA256), parameters: None };
            data.digest_algorithms.insert(sha256).unwrap();
        }),
        ("algorithm_not_allowed", &|data| set_digest(data, SHA256, None)),
        ("algorithm_not_allowed", &|data| set_digest(data, SHA384, Some(Any::null()))),
        ("malformed_cms", &|data| data.signer_infos.0 = SetOfVec::default()),
        ("malformed_cms", &|data| {
            let mut second = signer(data);
            second.signature = OctetString::new([7; 8]).unwrap();
            data.signer_infos.0.insert(second).unwrap();
        }),
    ]);
}

#[test]
fn signer_info_has_one_shape() {
    let set = |edit: fn(&mut SignerInfo)| move |data: &mut SignedData| edit_signer(data, edit);
    let value = |bytes: &'static [u8]| {
        move |data: &mut SignedData| {
            edit_signer(data, |signer| signer.signature = OctetString::new(bytes).unwrap());
        }
    };
    refuses_each(&[
        ("malformed_cms", &set(|signer| signer.version = CmsVersion::V3)),
        (
            "malformed_cms",
            &set(|signer| {
                let identifier = OctetString::new([7; 20]).unwrap();
                signer.sid = SignerIdentifier::SubjectKeyIdentifier(identifier.into());
            }),
        ),
        (
            "malformed_cms",
            &set(|signer| {
                signer.unsigned_attrs =
                    Some(SetOfVec::try_from(vec![attribute("1.2.3.4", utf8("x"))]).unwrap());
            }),
        ),
        ("missing_attribute", &set(|signer| signer.signed_attrs = None)),
        ("malformed_attribute", &set(|signer| signer.digest_alg.oid = forge::oid(SHA256))),
        ("malformed_attribute", &set(|signer| signer.signature_algorithm.oid = forge::oid(ECDSA_SHA256))),
        ("malformed_signature_value", &value(&[0x30, 6, 2, 1, 1, 2, 1, 0])),
        ("malformed_signature_value", &value(&[0x30, 7, 2, 2, 0, 1, 2, 1, 1])),
        ("malformed_signature_value", &value(&[])),
        ("malformed_signature_value", &set(high_s)),
        ("bad_signature", &value(&[0x30, 6, 2, 1, 1, 2, 1, 1])),
    ]);
}

#[test]
fn the_certificates_are_the_chain_and_nothing_else() {
    let installation = Installation::new();
    let chain = installation.leaf(Platform::CountersignSha384Ecdsa).certificates;
    let extra = Authority::root("CN=Extra", 4).certificate;
    let with =
        |certificates: Vec<Certificate>| move |data: &mut SignedData| set_certificates(data, &certificates);
    let many = (10..18).map(|seed| Authority::root(&format!("CN={seed}"), seed).certificate);
    refuses_each(&[
        ("malformed_cms", &|data| data.certificates = None),
        ("malformed_cms", &with(vec![chain[0].clone()])),
        ("malformed_cms", &with(many.chain(chain.clone()).collect())),
        ("malformed_chain", &with(vec![chain[0].clone(), chain[1].clone(), extra.clone()])),
        ("malformed_chain", &with(vec![chain[1].clone(), extra])),
        ("malformed_chain", &with(vec![chain[0].clone(), chain[1].clone(), chain[1].clone()])),
    ]);
}

#[test]
fn algorithms_are_never_the_packages_choice() {
    // The holder of the right key names other algorithms than the platform's, consistently.
    let installation = Installation::new();
    let platform = Platform::CountersignSha384Ecdsa;
    let leaf = installation.leaf(platform);
    let signed = installation.signed(platform, &tiny());
    let without = |text: &str| AlgorithmIdentifierOwned { oid: forge::oid(text), parameters: None };
    let with_null = |text: &str| AlgorithmIdentifierOwned { parameters: Some(Any::null()), ..without(text) };
    let named = |digest: AlgorithmIdentifierOwned, signature: AlgorithmIdentifierOwned| {
        let algorithms_set = rebuilt(&signed, |data| {
            data.digest_algorithms = SetOfVec::try_from(vec![digest.clone()]).unwrap();
            edit_signer(data, |signer| {
                signer.digest_alg = digest.clone();
                signer.signature_algorithm = signature.clone();
            });
        });
        let signature = signature.to_der().unwrap();
        let protection = [digest.to_der().unwrap(), vec![0xa1], signature[1..].to_vec()].concat();
        resigned(&algorithms_set, &leaf.key, |attributes| {
            replace(attributes, PROTECTION, Any::new(Tag::Sequence, protection).unwrap());
        })
    };
    let [digest, signature] = [SHA384, ECDSA_SHA384].map(without);
    assert!(installation.verify(&named(digest.clone(), signature.clone())).is_ok());
    for other in [without(SHA1), without(SHA256), with_null(SHA384)] {
        let package = named(other, signature.clone());
        assert_eq!(installation.refusal(&package), "algorithm_not_allowed");
    }
    for other in [without(ECDSA_SHA1), without(ECDSA_SHA256), with_null(ECDSA_SHA384)] {
        let package = named(digest.clone(), other);
        assert_eq!(installation.refusal(&package), "algorithm_not_allowed");
    }
}

#[test]
fn there_is_one_encoding() {
    let installation = Installation::new();
    let p7s = forge::content_info(&installation.signed(Platform::CountersignSha384Ecdsa, &tiny()));
    let trailing = [p7s.as_slice(), &[0]].concat();
    let mut long_length = vec![0x30, 0x83, 0x00];
    long_length.extend(&p7s[2..]);
    let mut indefinite = vec![0x30, 0x80];
    indefinite.extend(&p7s[4..]);
    indefinite.extend([0, 0]);
    for body in
        [trailing, long_length, indefinite, p7s[..p7s.len() - 1].to_vec(), Vec::new(), b"PKCS7".to_vec()]
    {
        assert_eq!(installation.refusal(&with_p7s(&tiny(), &body)), "malformed_cms");
    }
    let sf = String::from_utf8(forge::entry(
        &installation.signed(Platform::AwsLambdaSha384Ecdsa, &tiny()),
        forge::SF,
    ));
    let sf = sf.unwrap();
    let der = der::pem::decode_vec(sf.as_bytes()).unwrap().1;
    let mut indefinite = vec![0x30, 0x80];
    indefinite.extend(&der[4..]);
    indefinite.extend([0, 0]);
    for (body, code) in [
        (sf.replace('\n', "\r\n"), "malformed_cms"),
        (sf.trim_end().to_owned(), "malformed_cms"),
        (forge::pem(&indefinite), "malformed_cms"),
        (format!("{sf}\n\n"), "malformed_pem"),
        (format!("# x\n{sf}"), "malformed_pem"),
        (sf.replace("PKCS7", "CMS"), "malformed_pem"),
        (sf.replacen("MII", "M!I", 1), "malformed_pem"),
    ] {
        assert_eq!(installation.refusal(&with_sf(&tiny(), body.as_bytes())), code, "{body}");
    }
}

#[test]
fn the_signature_of_a_rsa_key_is_pss_with_a_32_byte_salt() {
    let installation = Installation::new();
    let platform = Platform::CountersignSha256Rsa;
    let signed = installation.signed(platform, &tiny());
    let LeafKey::Rsa(key) = key_for(platform) else { panic!("an RSA platform has an RSA key") };
    let message =
        signer(&forge::signed_data(&forge::content_info(&signed))).signed_attrs.unwrap().to_der().unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&message);
    let pkcs1 = key.sign(rsa::Pkcs1v15Sign::new::<sha2::Sha256>(), &digest).unwrap();
    let short_salt = {
        use signature::SignatureEncoding;
        use signature::hazmat::RandomizedPrehashSigner;
        let key = rsa::pss::SigningKey::<sha2::Sha256>::new_with_salt_len(key.as_ref().clone(), 20);
        let mut rng = rsa::rand_core::UnwrapErr(rand::rngs::SysRng);
        key.sign_prehash_with_rng(&mut rng, &digest).unwrap().to_vec()
    };
    for signature in [pkcs1, short_salt] {
        let forged = rebuilt(&signed, |data| {
            edit_signer(data, |signer| signer.signature = OctetString::new(signature.clone()).unwrap());
        });
        assert_eq!(installation.refusal(&forged), "bad_signature");
    }
}
