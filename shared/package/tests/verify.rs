//! Verification: who signed what, and when (FORMAT.md sections 3.5, 6.1 and 8), broken by someone who holds a key.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use countersign_domain::Platform;
use countersign_package::append::{NewEntry, append};
use countersign_package::gate::Archive;
use countersign_package::limits::Limits;
use countersign_package::verify::{VerifyError, verify};
use pki::forge::{self, remove, replace, resigned, utf8, with_p7s, with_sf};
use pki::{
    Installation, LeafKey, PROFILE_A, PROFILE_B, ecdsa_key, instant, sign, statement, statement_of, tiny,
    zip_of,
};

const CONTENT_HINTS: &str = "1.2.840.113549.1.9.16.2.4";
const PROFILE_VERSION: &str = "1.3.187.137.1.4";

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
fn one_profiles_key_never_speaks_for_another() {
    let installation = Installation::new();
    for platform in Platform::ALL {
        let bravo = installation.leaf_of(platform, PROFILE_B);
        let signed = sign(&tiny(), statement_of(platform, PROFILE_B), &bravo).unwrap().0;
        assert_eq!(
            installation.verify(&signed).unwrap().statement().profile_version_arn.to_string(),
            PROFILE_B
        );
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
            assert_eq!(
                installation.refusal(&forge::with_signature_like(package, signature)),
                "digest_mismatch"
            );
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
    assert_eq!(
        installation.refusal(&with_sf(&signed, &forge::entry(&aws, forge::SF))),
        "ambiguous_signature"
    );
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
    let archive = Archive::parse(package, &Limits::default()).unwrap();
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
