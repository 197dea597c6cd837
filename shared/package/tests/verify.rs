//! Verification: each rule of FORMAT.md sections 4 to 8 broken by someone who holds a key, and its code.

mod pki;

use cms::cert::CertificateChoices;
use cms::content_info::CmsVersion;
use cms::signed_data::{SignedData, SignerIdentifier};
use const_oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_CODE_SIGNING, ID_KP_SERVER_AUTH};
use countersign_domain::Platform;
use countersign_package::limits::Limits;
use countersign_package::verify::{VerifyError, verify};
use der::asn1::{Any, Null, OctetString, SetOfVec, Utf8StringRef};
use der::{Decode, Encode, Tag};
use pki::forge::{self, attribute, rebuilt, remove, replace, resigned, set_signer, signer, with_p7s, with_sf};
use pki::{
    Authority, Installation, Leaf, LeafKey, PROFILE_A, PROFILE_B, SIGNED_AT, Spec, ecdsa_key, instant, key_for,
    new_rsa_key, sign, statement, statement_of, tiny, zip_of,
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::Certificate;
use x509_cert::ext::pkix::KeyUsages;

const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const PROTECTION: &str = "1.2.840.113549.1.9.52";
const CONTENT_HINTS: &str = "1.2.840.113549.1.9.16.2.4";
const JOB_ARN: &str = "1.3.187.137.1.2";
const EXPIRY: &str = "1.3.187.137.1.3";
const PROFILE_VERSION: &str = "1.3.187.137.1.4";

fn utf8(text: &str) -> Any {
    Any::encode_from(&Utf8StringRef::new(text).unwrap()).unwrap()
}

#[test]
fn an_unsigned_package_is_unsigned_and_a_broken_one_refused_by_the_gate() {
    let installation = Installation::new();
    assert!(matches!(installation.verify(&tiny()), Err(VerifyError::Unsigned)));
    assert_eq!(installation.refusal(b"no zip"), "not_a_zip");
}

#[test]
fn an_expired_signature_verifies_and_says_when_it_expired() {
    let installation = Installation::new();
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let much_later = instant("2099-01-01T00:00:00Z");
    let verified = verify(&signed, &installation.root.trusted(), much_later, &Limits::default()).unwrap();
    assert!(verified.statement().expires_at < much_later);
}

#[test]
fn a_signature_from_the_future_is_refused_beyond_five_minutes() {
    let installation = Installation::new();
    let signed = installation.signed(Platform::AwsLambdaSha384Ecdsa, &tiny());
    let at = |text| verify(&signed, &installation.root.trusted(), instant(text), &Limits::default());
    assert!(at("2026-11-21T08:25:00.806Z").is_ok());
    assert_eq!(at("2026-11-21T08:25:00.805Z").unwrap_err().code(), Some("signing_time_in_future"));
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
    let forged = rebuilt(&signed, |data| set_certificates(data, &[leaf, installation.root.certificate.clone()]));
    assert_eq!(installation.refusal(&forged), "invalid_chain");
}

#[test]
fn one_profiles_key_never_speaks_for_another() {
    let installation = Installation::new();
    for platform in Platform::ALL {
        let bravo = installation.leaf_of(platform, PROFILE_B);
        let signed = sign(&tiny(), statement_of(platform, PROFILE_B), &bravo).unwrap().0;
        assert_eq!(installation.verify(&signed).unwrap().statement().profile_version_arn.to_string(), PROFILE_B);
        let forged = resigned(&signed, &bravo.key, |attributes| {
            replace(attributes, PROFILE_VERSION, utf8(PROFILE_A));
        });
        assert_eq!(installation.refusal(&forged), "san_mismatch", "{platform}");
    }
}

#[test]
fn another_key_of_the_same_profile_did_not_make_this_signature() {
    let installation = Installation::new();
    let leaf = installation.leaf(Platform::CountersignSha384Ecdsa);
    let signed = sign(&tiny(), statement(Platform::CountersignSha384Ecdsa), &leaf).unwrap().0;
    let other = LeafKey::Ecdsa(ecdsa_key(42));
    assert_eq!(installation.refusal(&resigned(&signed, &other, |_| {})), "bad_signature");
    assert!(installation.verify(&resigned(&signed, &leaf.key, |_| {})).is_ok(), "the forge itself is sound");
}

#[test]
fn signatures_do_not_move_between_packages_or_platforms() {
    let installation = Installation::new();
    let (one, two) = (tiny(), zip_of(&[("a", b"y")]));
    for platform in Platform::ALL {
        let (first, second) = (installation.signed(platform, &one), installation.signed(platform, &two));
        let (from_first, from_second) = (forge::content_info(&first), forge::content_info(&second));
        for (package, signature) in [(&first, &from_second), (&second, &from_first)] {
            assert_eq!(installation.refusal(&forge::with_signature_like(package, signature)), "digest_mismatch");
        }
    }
    let ours = forge::content_info(&installation.signed(Platform::CountersignSha384Ecdsa, &one));
    let aws = forge::content_info(&installation.signed(Platform::AwsLambdaSha384Ecdsa, &one));
    let rsa = forge::content_info(&installation.signed(Platform::CountersignSha256Rsa, &one));
    assert_eq!(installation.refusal(&with_p7s(&one, &aws)), "unknown_attribute");
    // Without contentHints it would be AWS Signer's own form, with a time in another form.
    assert_eq!(installation.refusal(&with_sf(&one, forge::pem(&ours).as_bytes())), "malformed_attribute");
    assert_eq!(installation.refusal(&with_sf(&one, forge::pem(&rsa).as_bytes())), "malformed_attribute");
}

#[test]
fn our_key_cannot_make_the_weaker_aws_form() {
    let installation = Installation::new();
    let leaf = installation.leaf(Platform::AwsLambdaSha384Ecdsa);
    let signed = installation.signed(Platform::AwsLambdaSha384Ecdsa, &tiny());
    let forged = resigned(&signed, &leaf.key, |attributes| remove(attributes, CONTENT_HINTS));
    assert_eq!(installation.refusal(&forged), "missing_content_hints");
}

#[test]
fn two_signatures_or_one_under_another_name_are_refused() {
    let installation = Installation::new();
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let aws = installation.signed(Platform::AwsLambdaSha384Ecdsa, &tiny());
    assert_eq!(installation.refusal(&with_sf(&signed, &forge::entry(&aws, forge::SF))), "ambiguous_signature");
    let p7s = forge::content_info(&signed);
    assert_eq!(installation.refusal(&with_p7s(&aws, &p7s)), "ambiguous_signature");
    let other_case = zip_of(&[("a", b"x"), ("META-INF/Countersign.p7s", &p7s)]);
    assert_eq!(installation.refusal(&other_case), "ambiguous_signature");
    let repacked = zip_of(&[("a", b"x"), (forge::P7S, &p7s)]);
    assert_eq!(installation.refusal(&repacked), "not_an_append");
}

#[test]
fn the_signature_is_the_last_entry() {
    let installation = Installation::new();
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let longer = with_another_entry(&signed);
    assert_eq!(installation.refusal(&longer), "not_an_append");
}

/// `package` with the entry `b` behind its signature, in the form of an append.
fn with_another_entry(package: &[u8]) -> Vec<u8> {
    use countersign_package::append::{NewEntry, append};
    let archive = countersign_package::gate::Archive::parse(package, &Limits::default()).unwrap();
    let mut longer = Vec::new();
    append(package, &archive, &[NewEntry { name: "b", body: b"new" }], &mut longer).unwrap();
    longer
}

#[test]
fn a_signature_larger_than_a_signature_may_be_is_not_read() {
    let installation = Installation::new();
    let package = zip_of(&[("a", b"x"), (forge::P7S, &vec![0; 1024 * 1024 + 1])]);
    assert_eq!(installation.refusal(&package), "signature_too_large");
}

/// Every attribute, changed by the holder of the right key.
#[test]
fn each_signed_attribute_has_one_form() {
    let generalized = |text: &str| Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap();
    let arn = |from: &str, to: &str| utf8(&pki::JOB.replace(from, to));
    let octets = |bytes: &[u8]| Any::encode_from(&OctetString::new(bytes).unwrap()).unwrap();
    let cases: Vec<(&str, Any, &str)> = vec![
        (CONTENT_TYPE, Any::encode_from(&const_oid::db::rfc5911::ID_SIGNED_DATA).unwrap(), "malformed_attribute"),
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
        for type_ in [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, PROTECTION, JOB_ARN, EXPIRY, PROFILE_VERSION] {
            let forged = resigned(&signed, &leaf.key, |attributes| remove(attributes, type_));
            assert_eq!(installation.refusal(&forged), "missing_attribute", "{platform}, {type_}");
            let forged = resigned(&signed, &leaf.key, |attributes| {
                let again = attributes.iter().find(|attribute| attribute.oid == forge::oid(type_)).unwrap().clone();
                attributes.push(again);
            });
            assert_eq!(installation.refusal(&forged), "repeated_attribute", "{platform}, {type_}");
        }
        let unknown = resigned(&signed, &leaf.key, |attributes| attributes.push(attribute("1.2.3.4", utf8("x"))));
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
        (format!("application/zip;length={size};sha-384={}", digest.to_uppercase()), Some("malformed_attribute")),
        (format!("application/zip; length={size};sha-384={digest}"), Some("malformed_attribute")),
        (format!("application/zip;length={size};sha-384={digest};"), Some("malformed_attribute")),
        (format!("application/jar;length={size};sha-384={digest}"), Some("malformed_attribute")),
        (String::new(), Some("malformed_attribute")),
    ];
    for (description, code) in cases {
        let content = [utf8(&description).to_der().unwrap(), const_oid::db::rfc5911::ID_DATA.to_der().unwrap()];
        let value = Any::new(Tag::Sequence, content.concat()).unwrap();
        let forged = resigned(&signed, &leaf.key, |attributes| replace(attributes, CONTENT_HINTS, value));
        assert_eq!(installation.verify(&forged).err().and_then(|error| error.code()), code, "{description}");
    }
}

/// Names and contents as AWS Signer's own digest sees them, in another zip: contentHints see the difference.
#[test]
fn our_aws_signatures_cover_what_the_aws_digest_does_not() {
    let installation = Installation::new();
    let package = |mode: u16, files: &[(&str, &[u8])]| {
        let mut package = zip_of(files);
        // The mode of the first entry is in the upper half of its external attributes, 38 bytes into its record.
        let record = package.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        package[record + 40..record + 42].copy_from_slice(&(0o100_000 | mode).to_le_bytes());
        package
    };
    let original = package(0o644, &[("app", b".pyX")]);
    let sf = forge::entry(&installation.signed(Platform::AwsLambdaSha384Ecdsa, &original), forge::SF);
    assert!(installation.verify(&with_sf(&original, &sf)).is_ok());
    let executable = package(0o755, &[("app", b".pyX")]);
    assert_eq!(installation.refusal(&with_sf(&executable, &sf)), "digest_mismatch");
    for renamed in [[("app.py", b"X".as_slice())], [("app.pyX", b"")], [("ap", b"p.pyX")]] {
        assert_eq!(installation.refusal(&with_sf(&package(0o644, &renamed), &sf)), "size_mismatch");
    }
}

#[test]
fn signed_data_has_one_shape() {
    let installation = Installation::new();
    let platform = Platform::CountersignSha384Ecdsa;
    let signed = installation.signed(platform, &tiny());
    let leaf = installation.leaf(platform);
    let extra = Authority::root("CN=Extra", 4).certificate;
    let digest = |oid: &str, parameters| AlgorithmIdentifierOwned { oid: forge::oid(oid), parameters };
    let sha256 = digest("2.16.840.1.101.3.4.2.1", None);
    let sha384_null = digest("2.16.840.1.101.3.4.2.2", Some(Any::null()));
    let cases: Vec<(&str, Box<dyn Fn(&mut SignedData)>)> = vec![
        ("malformed_cms", Box::new(|data| data.version = CmsVersion::V3)),
        ("malformed_cms", Box::new(|data| data.encap_content_info.econtent_type = forge::oid("1.2.3"))),
        ("malformed_cms", Box::new(|data| {
            let content = OctetString::new(b"content".as_slice()).unwrap();
            data.encap_content_info.econtent = Some(Any::encode_from(&content).unwrap());
        })),
        ("malformed_cms", Box::new(|data| data.crls = Some(cms::revocation::RevocationInfoChoices(SetOfVec::default())))),
        ("malformed_cms", Box::new(|data| data.digest_algorithms = SetOfVec::default())),
        ("malformed_cms", Box::new({
            let sha256 = sha256.clone();
            move |data| data.digest_algorithms.insert(sha256.clone()).unwrap()
        })),
        ("algorithm_not_allowed", Box::new({
            let sha256 = sha256.clone();
            move |data| data.digest_algorithms = SetOfVec::try_from(vec![sha256.clone()]).unwrap()
        })),
        ("algorithm_not_allowed", Box::new({
            let sha384_null = sha384_null.clone();
            move |data| data.digest_algorithms = SetOfVec::try_from(vec![sha384_null.clone()]).unwrap()
        })),
        ("malformed_cms", Box::new(|data| data.signer_infos.0 = SetOfVec::default())),
        ("malformed_cms", Box::new(|data| {
            let mut second = signer(data);
            second.signature = OctetString::new([7; 8]).unwrap();
            data.signer_infos.0.insert(second).unwrap();
        })),
        ("malformed_cms", Box::new(|data| edit_signer(data, |signer| signer.version = CmsVersion::V3))),
        ("malformed_cms", Box::new(|data| edit_signer(data, |signer| {
            let identifier = OctetString::new([7; 20]).unwrap();
            signer.sid = SignerIdentifier::SubjectKeyIdentifier(identifier.into());
        }))),
        ("malformed_cms", Box::new(|data| edit_signer(data, |signer| {
            signer.unsigned_attrs = Some(SetOfVec::try_from(vec![attribute("1.2.3.4", utf8("x"))]).unwrap());
        }))),
        ("missing_attribute", Box::new(|data| edit_signer(data, |signer| signer.signed_attrs = None))),
        ("malformed_attribute", Box::new(move |data| edit_signer(data, |signer| signer.digest_alg = sha256.clone()))),
        ("malformed_attribute", Box::new(|data| edit_signer(data, |signer| {
            signer.signature_algorithm.oid = forge::oid("1.2.840.10045.4.3.2");
        }))),
        ("malformed_signature_value", Box::new(|data| edit_signer(data, |signer| {
            signer.signature = OctetString::new([0x30, 6, 2, 1, 1, 2, 1, 0]).unwrap();
        }))),
        ("malformed_signature_value", Box::new(|data| edit_signer(data, |signer| {
            let low = p384::ecdsa::Signature::from_der(signer.signature.as_bytes()).unwrap();
            let high = p384::ecdsa::Signature::from_scalars(low.r(), -*low.s()).unwrap();
            signer.signature = OctetString::new(high.to_der().as_bytes()).unwrap();
        }))),
        ("bad_signature", Box::new(|data| edit_signer(data, |signer| {
            signer.signature = OctetString::new([0x30, 6, 2, 1, 1, 2, 1, 1]).unwrap();
        }))),
        ("malformed_cms", Box::new(|data| data.certificates = None)),
        ("malformed_chain", Box::new({
            let all = [leaf.certificates[0].clone(), leaf.certificates[1].clone(), extra.clone()];
            move |data| set_certificates(data, &all)
        })),
        ("malformed_chain", Box::new({
            let without_leaf = [leaf.certificates[1].clone(), extra];
            move |data| set_certificates(data, &without_leaf)
        })),
        ("malformed_chain", Box::new({
            let twice = [leaf.certificates[0].clone(), leaf.certificates[1].clone(), leaf.certificates[1].clone()];
            move |data| set_certificates(data, &twice)
        })),
        ("malformed_cms", Box::new({
            let many: Vec<Certificate> =
                (10..18).map(|seed| Authority::root(&format!("CN={seed}"), seed).certificate).collect();
            let many = [many, leaf.certificates].concat();
            move |data| set_certificates(data, &many)
        })),
    ];
    for (at, (code, edit)) in cases.iter().enumerate() {
        assert_eq!(installation.refusal(&rebuilt(&signed, edit)), *code, "case {at}");
    }
}

#[test]
fn algorithms_are_never_the_packages_choice() {
    // The holder of the right key signs with algorithms that the platform does not use, consistently.
    let installation = Installation::new();
    let platform = Platform::CountersignSha384Ecdsa;
    let leaf = installation.leaf(platform);
    let signed = installation.signed(platform, &tiny());
    let sha384_null =
        AlgorithmIdentifierOwned { oid: forge::oid("2.16.840.1.101.3.4.2.2"), parameters: Some(Any::null()) };
    let forged = rebuilt(&signed, |data| {
        let mut signer = signer(data);
        signer.digest_alg = sha384_null.clone();
        data.digest_algorithms = SetOfVec::try_from(vec![sha384_null.clone()]).unwrap();
        let mut attributes = signer.signed_attrs.take().unwrap().into_vec();
        let signature_algorithm = signer.signature_algorithm.to_der().unwrap();
        let mut protection = sha384_null.to_der().unwrap();
        protection.extend([&[0xa1], &signature_algorithm[1..]].concat());
        replace(&mut attributes, PROTECTION, Any::new(Tag::Sequence, protection).unwrap());
        let attributes = SetOfVec::try_from(attributes).unwrap();
        signer.signature = forge::signature(&leaf.key, &attributes.to_der().unwrap());
        signer.signed_attrs = Some(attributes);
        set_signer(data, signer);
    });
    assert_eq!(installation.refusal(&forged), "algorithm_not_allowed");
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
    for body in [trailing, long_length, indefinite, p7s[..p7s.len() - 1].to_vec(), Vec::new(), b"PKCS7".to_vec()] {
        assert_eq!(installation.refusal(&with_p7s(&tiny(), &body)), "malformed_cms");
    }
    let sf = String::from_utf8(forge::entry(&installation.signed(Platform::AwsLambdaSha384Ecdsa, &tiny()), forge::SF));
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

/// Leaves that may not sign, under our own root: signed by a forger, as our signer refuses them.
#[test]
fn the_leaf_has_one_profile() {
    let installation = Installation::new();
    let good = Spec::leaf(PROFILE_A);
    let ecdsa = || LeafKey::Ecdsa(ecdsa_key(9));
    let cases: Vec<(&str, Spec)> = vec![
        ("unsuitable_leaf", Spec { ca: Some(true), ..good.clone() }),
        ("unsuitable_leaf", Spec { usage: None, ..good.clone() }),
        ("unsuitable_leaf", Spec { usage: Some(KeyUsages::NonRepudiation.into()), ..good.clone() }),
        ("unsuitable_leaf", Spec { usage: Some(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign), ..good.clone() }),
        ("unsuitable_leaf", Spec { extended: None, ..good.clone() }),
        ("unsuitable_leaf", Spec { extended: Some(vec![ID_KP_SERVER_AUTH]), ..good.clone() }),
        ("unsuitable_leaf", Spec { extended: Some(vec![ANY_EXTENDED_KEY_USAGE]), ..good.clone() }),
        (
            "unsuitable_leaf",
            Spec { extended: Some(vec![ID_KP_CODE_SIGNING, ANY_EXTENDED_KEY_USAGE]), ..good.clone() },
        ),
        ("unsuitable_leaf", Spec { uris: vec![PROFILE_A.to_owned(), PROFILE_B.to_owned()], ..good.clone() }),
        ("san_mismatch", Spec { uris: Vec::new(), ..good.clone() }),
        ("san_mismatch", Spec { uris: vec![PROFILE_B.to_owned()], ..good.clone() }),
        ("san_mismatch", Spec { uris: vec![PROFILE_A.replace("arn:", "ARN:")], ..good.clone() }),
        ("invalid_chain", validity(&good, "2026-11-01T00:00:00Z", "2026-11-21T08:29:59Z")),
        ("invalid_chain", validity(&good, "2026-11-21T08:30:01Z", "2026-12-01T00:00:00Z")),
    ];
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    for (at, (code, spec)) in cases.iter().enumerate() {
        let leaf = installation.root.leaf(spec, ecdsa());
        assert_eq!(installation.refusal(&with_leaf(&signed, &leaf)), *code, "case {at}");
    }
    let no_basic_constraints = installation.root.leaf(&Spec { ca: None, ..good.clone() }, ecdsa());
    assert!(installation.verify(&with_leaf(&signed, &no_basic_constraints)).is_ok());
    let small = LeafKey::Rsa(Box::new(new_rsa_key(aws_lc_rs::rsa::KeySize::Rsa2048)));
    let small = installation.root.leaf(&good, small);
    assert_eq!(installation.refusal(&with_leaf(&signed, &small)), "unsuitable_leaf");
}

fn validity(spec: &Spec, from: &str, to: &str) -> Spec {
    Spec { validity: (from.to_owned(), to.to_owned()), ..spec.clone() }
}

/// The package signed again, by `leaf` and with its certificates.
fn with_leaf(signed: &[u8], leaf: &Leaf) -> Vec<u8> {
    let with_certificates = rebuilt(signed, |data| {
        set_certificates(data, &leaf.certificates);
        let tbs = leaf.certificates[0].tbs_certificate();
        edit_signer(data, |signer| {
            signer.sid = SignerIdentifier::IssuerAndSerialNumber(cms::cert::IssuerAndSerialNumber {
                issuer: tbs.issuer().clone(),
                serial_number: tbs.serial_number().clone(),
            });
        });
    });
    resigned(&with_certificates, &leaf.key, |_| {})
}

#[test]
fn a_chain_is_judged_at_the_signing_time() {
    let installation = Installation::new();
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let years_later = instant("2030-01-01T00:00:00Z");
    assert!(verify(&signed, &installation.root.trusted(), years_later, &Limits::default()).is_ok());
}

#[test]
fn a_root_outside_its_validity_is_refused() {
    let mut spec = Spec::leaf(PROFILE_A);
    (spec.subject, spec.serial) = ("CN=Old".to_owned(), 1);
    (spec.ca, spec.uris, spec.extended) = (Some(true), Vec::new(), None);
    spec.usage = Some(KeyUsages::KeyCertSign.into());
    spec.validity = ("2016-01-01T00:00:00Z".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    let old = Authority::root_as(&spec, 5);
    let leaf = old.leaf(&Spec::leaf(PROFILE_A), LeafKey::Ecdsa(ecdsa_key(9)));
    let template = Installation::new().signed(Platform::CountersignSha384Ecdsa, &tiny());
    let signed = with_leaf(&template, &leaf);
    let error = verify(&signed, &old.trusted(), instant(SIGNED_AT), &Limits::default()).unwrap_err();
    assert_eq!(error.code(), Some("invalid_chain"));
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
    let cut = rebuilt(&signed, |data| set_certificates(data, &[certificates[0].clone(), certificates[2].clone()]));
    assert_eq!(installation.refusal(&cut), "malformed_chain");
    let stranger = Authority::root("CN=Root", 7).intermediate("CN=Regional", 8).certificate;
    let swapped = [certificates[0].clone(), stranger, certificates[2].clone()];
    assert_eq!(installation.refusal(&rebuilt(&signed, |data| set_certificates(data, &swapped))), "invalid_chain");
}

#[test]
fn a_leaf_does_not_issue_leaves() {
    let installation = Installation::new();
    let key = ecdsa_key(9);
    let middle = installation.root.issue(&Spec { subject: "CN=Middle".to_owned(), ..Spec::leaf(PROFILE_A) }, &LeafKey::Ecdsa(key));
    let issuer = Authority::with_certificate(middle.clone(), 9);
    let leaf_key = LeafKey::Ecdsa(ecdsa_key(11));
    let certificate = issuer.issue(&Spec { serial: 8, ..Spec::leaf(PROFILE_B) }, &leaf_key);
    let leaf = Leaf { key: leaf_key, certificates: vec![certificate, middle, installation.root.certificate.clone()] };
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
fn the_signature_of_a_rsa_key_is_pss_with_a_32_byte_salt() {
    let installation = Installation::new();
    let platform = Platform::CountersignSha256Rsa;
    let signed = installation.signed(platform, &tiny());
    let LeafKey::Rsa(key) = key_for(platform) else { panic!("an RSA platform has an RSA key") };
    let message = signer(&forge::signed_data(&forge::content_info(&signed))).signed_attrs.unwrap().to_der().unwrap();
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

fn edit_signer(data: &mut SignedData, edit: impl FnOnce(&mut cms::signed_data::SignerInfo)) {
    let mut signer = signer(data);
    edit(&mut signer);
    set_signer(data, signer);
}

fn set_certificates(data: &mut SignedData, certificates: &[Certificate]) {
    let choices = certificates.iter().map(|certificate| {
        CertificateChoices::Certificate(Certificate::from_der(&certificate.to_der().unwrap()).unwrap())
    });
    data.certificates = Some(choices.collect::<Vec<_>>().try_into().unwrap());
}
