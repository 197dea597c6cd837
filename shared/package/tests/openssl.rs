//! Nobody has to trust our verifier: OpenSSL checks the same signatures (FORMAT.md section 11).
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use std::fs;
use std::process::Command;

use countersign_domain::Platform;
use pki::forge::{self, P7S, SF};
use pki::{Installation, PROFILE_A, Spec, key_for, sign, statement, tiny, zip_of};
use sha2::{Digest, Sha384};
use tempfile::TempDir;

/// A package signed by a leaf that is valid whenever this test runs.
fn signed(installation: &Installation, platform: Platform, unsigned: &[u8]) -> Vec<u8> {
    let validity = ("2020-01-01T00:00:00Z".to_owned(), "2046-01-01T00:00:00Z".to_owned());
    let leaf = installation.root.leaf(&Spec { validity, ..Spec::leaf(PROFILE_A) }, key_for(platform));
    sign(unsigned, statement(platform), &leaf).unwrap().0
}

/// Whether `openssl cms -verify` accepts `signature` over `content`, now.
fn openssl_accepts(installation: &Installation, signature: &[u8], content: &[u8]) -> bool {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("countersign.p7s"), signature).unwrap();
    fs::write(path("U"), content).unwrap();
    fs::write(path("root.pem"), installation.root.pem()).unwrap();
    let output = Command::new("openssl")
        .current_dir(folder.path())
        .args(
            "cms -verify -binary -inform DER -in countersign.p7s -content U -CAfile root.pem -purpose any"
                .split(' '),
        )
        .args(["-out", "out"])
        .output()
        .unwrap();
    if output.status.success() {
        assert_eq!(fs::read(path("out")).unwrap(), content);
    }
    output.status.success()
}

#[test]
fn openssl_verifies_over_the_unsigned_package_and_over_no_other() {
    let installation = Installation::new();
    let unsigned = zip_of(&[("main.py", b"print(1)\r\n"), ("binary", &[0, 10, 13, 26, 255])]);
    let other = zip_of(&[("main.py", b"print(2)\r\n"), ("binary", &[0, 10, 13, 26, 255])]);
    for platform in [Platform::CountersignSha256Rsa, Platform::CountersignSha384Ecdsa] {
        let signature = forge::entry(&signed(&installation, platform, &unsigned), P7S);
        assert!(openssl_accepts(&installation, &signature, &unsigned), "{platform}");
        assert!(!openssl_accepts(&installation, &signature, &other), "{platform}");
        let foreign = Installation { root: pki::Authority::root("CN=Root", 3) };
        assert!(!openssl_accepts(&foreign, &signature, &unsigned), "{platform}");
    }
}

#[test]
fn openssl_verifies_the_aws_form_over_the_inner_digest() {
    let installation = Installation::new();
    let signed = signed(&installation, Platform::AwsLambdaSha384Ecdsa, &tiny());
    let signature = der::pem::decode_vec(&forge::entry(&signed, SF)).unwrap().1;
    let inner = Sha384::digest(b"axMETA_INF/");
    assert!(openssl_accepts(&installation, &signature, &inner));
    assert!(!openssl_accepts(&installation, &signature, &Sha384::digest(b"ax")));
    assert!(!openssl_accepts(&installation, &signature, &tiny()));
}

#[test]
fn openssl_reads_the_attributes_as_the_format_names_them() {
    let installation = Installation::new();
    for platform in Platform::ALL {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("signature");
        fs::write(&path, forge::content_info(&installation.signed(platform, &tiny()))).unwrap();
        let printed = Command::new("openssl")
            .args(["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in"])
            .arg(&path)
            .output()
            .unwrap();
        let text = String::from_utf8(printed.stdout).unwrap();
        for expected in [
            "signingTime (1.2.840.113549.1.9.5)",
            "undefined (1.3.187.137.1.2)",
            "undefined (1.3.187.137.1.3)",
            "undefined (1.3.187.137.1.4)",
            "1.2.840.113549.1.9.52",
            pki::JOB,
            pki::PROFILE_A,
        ] {
            assert!(text.contains(expected), "{platform}: {expected} is missing in\n{text}");
        }
        let hints = text.contains("id-smime-aa-contentHint");
        assert_eq!(hints, platform == Platform::AwsLambdaSha384Ecdsa, "{text}");
    }
}
