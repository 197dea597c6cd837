//! The packages in `vectors/` have the verdicts that `vectors/vectors.json` gives them.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use std::fs;
use std::path::PathBuf;

use const_oid::db::rfc5280::ID_KP_SERVER_AUTH;
use countersign_domain::Platform;
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_package::verify::{VerifiedPackage, VerifyError, verify};
use pki::forge::{self, attribute, edit_signer, high_s, rebuilt, resigned, utf8, with_leaf, with_p7s};
use pki::native::{FILES, aws_leaf, ber, native_package, native_signed_data, plain_leaf};
use pki::{
    Authority, Installation, LeafKey, PROFILE_A, PROFILE_B, SIGNED_AT, Spec, ecdsa_key, instant, sign,
    statement, statement_of, zip_of,
};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// What a verifier says, in the words of `vectors.json`.
fn verdict(result: Result<VerifiedPackage, VerifyError>) -> Value {
    match result {
        Err(error) => json!({ "code": error.code() }),
        Ok(package) => json!({
            "coverage": package.coverage(),
            "unsigned_sha256": package.unsigned_digest(),
            "statement": package.statement(),
        }),
    }
}

fn verdict_of(vector: &Value) -> Value {
    let text = |key: &str| vector[key].as_str().unwrap();
    let roots = TrustRoots::from_pem(&fs::read_to_string(folder().join(text("roots"))).unwrap()).unwrap();
    let package = fs::read(folder().join(text("package"))).unwrap();
    verdict(verify(&package, &roots, instant(text("now")), &Limits::default()))
}

#[test]
fn every_vector_has_its_verdict() {
    let vectors: Value =
        serde_json::from_str(&fs::read_to_string(folder().join("vectors.json")).unwrap()).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() >= 16);
    for vector in vectors {
        assert_eq!(verdict_of(vector), vector["verdict"], "{}", vector["package"]);
    }
}

/// Makes the vectors anew, with new RSA keys: `cargo test -p countersign-package --test verify_vectors -- --ignored`.
/// Read every changed verdict before you commit it.
#[test]
#[ignore = "writes vectors/"]
fn make_vectors() {
    let installation = Installation::new();
    fs::create_dir_all(folder()).unwrap();
    fs::write(folder().join("root.pem"), installation.root.pem()).unwrap();
    fs::write(folder().join("aws-root.pem"), aws_leaf(&plain_leaf()).0.pem()).unwrap();
    let mut vectors = Vec::new();
    let packages = good(&installation).into_iter().chain(bad(&installation));
    for (name, package) in packages {
        let roots = if name.starts_with("native") { "aws-root.pem" } else { "root.pem" };
        let now = if name == "signed-in-the-future" { "2026-11-21T08:24:00Z" } else { SIGNED_AT };
        let file = format!("{name}.zip");
        fs::write(folder().join(&file), package).unwrap();
        let mut vector = json!({ "package": file, "roots": roots, "now": now });
        vector["verdict"] = verdict_of(&vector);
        vectors.push(vector);
    }
    let text = serde_json::to_string_pretty(&vectors).unwrap();
    fs::write(folder().join("vectors.json"), format!("{text}\n")).unwrap();
}

fn unsigned() -> Vec<u8> {
    zip_of(&[("bin/", b""), ("bin/run", b"#!/bin/sh\necho hello\n"), ("main.py", b"print('hello')\n")])
}

fn good(installation: &Installation) -> Vec<(&'static str, Vec<u8>)> {
    let (_, aws) = aws_leaf(&plain_leaf());
    let native = forge::encode(&native_signed_data(&aws, |_| {}));
    vec![
        ("unsigned", unsigned()),
        ("signed-rsa", installation.signed(Platform::CountersignSha256Rsa, &unsigned())),
        ("signed-ecdsa", installation.signed(Platform::CountersignSha384Ecdsa, &unsigned())),
        ("signed-aws", installation.signed(Platform::AwsLambdaSha384Ecdsa, &unsigned())),
        ("signed-in-the-future", installation.signed(Platform::CountersignSha384Ecdsa, &unsigned())),
        ("native-aws-der", native_package(&FILES, &native)),
        ("native-aws-ber", native_package(&FILES, &ber(&native, 4))),
    ]
}

fn bad(installation: &Installation) -> Vec<(&'static str, Vec<u8>)> {
    let platform = Platform::CountersignSha384Ecdsa;
    let leaf = installation.leaf(platform);
    let signed = installation.signed(platform, &unsigned());
    let p7s = forge::content_info(&signed);
    let bravo = installation.leaf_of(platform, PROFILE_B);
    let of_bravo = sign(&unsigned(), statement_of(platform, PROFILE_B), &bravo).unwrap().0;
    let foreign = Installation { root: Authority::root("CN=Root", 3) };
    let with = |spec: Spec| with_leaf(&signed, &installation.root.leaf(&spec, LeafKey::Ecdsa(ecdsa_key(9))));
    let expired = ("2026-11-01T00:00:00Z".to_owned(), "2026-11-20T00:00:00Z".to_owned());
    let indefinite = [&[0x30, 0x80], &p7s[4..], &[0, 0]].concat();
    vec![
        ("changed-mode", changed_mode(&signed)),
        ("other-content", with_p7s(&zip_of(&[("main.py", b"print('evil')\n")]), &p7s)),
        ("repacked", zip_of(&[("main.py", b"print('hello')\n"), (forge::P7S, &p7s)])),
        ("foreign-root", sign(&unsigned(), statement(platform), &foreign.leaf(platform)).unwrap().0),
        (
            "other-profiles-key",
            resigned(&of_bravo, &bravo.key, |attributes| {
                forge::replace(attributes, "1.3.187.137.1.4", utf8(PROFILE_A));
            }),
        ),
        ("other-key", resigned(&signed, &LeafKey::Ecdsa(ecdsa_key(42)), |_| {})),
        ("server-leaf", with(Spec { extended: Some(vec![ID_KP_SERVER_AUTH]), ..Spec::leaf(PROFILE_A) })),
        ("ca-leaf", with(Spec { ca: Some(true), ..Spec::leaf(PROFILE_A) })),
        ("expired-leaf", with(Spec { validity: expired, ..Spec::leaf(PROFILE_A) })),
        (
            "unknown-attribute",
            resigned(&signed, &leaf.key, |attributes| {
                attributes.push(attribute("1.2.3.4", utf8("x")));
            }),
        ),
        ("high-s", rebuilt(&signed, |data| edit_signer(data, high_s))),
        ("ber-p7s", with_p7s(&unsigned(), &indefinite)),
        ("downgraded-aws", {
            let aws = installation.signed(Platform::AwsLambdaSha384Ecdsa, &unsigned());
            resigned(&aws, &leaf.key, |attributes| forge::remove(attributes, "1.2.840.113549.1.9.16.2.4"))
        }),
    ]
}

/// The first file becomes executable; names, contents and the signature stay.
fn changed_mode(signed: &[u8]) -> Vec<u8> {
    let mut changed = signed.to_vec();
    let record = signed.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let next = record + 4 + signed[record + 4..].windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    changed[next + 40] ^= 0o111;
    changed
}
