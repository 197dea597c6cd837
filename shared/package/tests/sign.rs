//! Signing: what comes out, and what is refused before anything is written (FORMAT.md sections 3.4 and 7).
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;

use std::io::Write;

use countersign_domain::{Platform, Sha256Digest};
use countersign_package::chain::{CertificateChain, TrustRoots};
use countersign_package::gate::{Archive, Entry};
use countersign_package::limits::Limits;
use countersign_package::sign::{SignError, Unsigned};
use countersign_package::source::ReadAt;
use countersign_package::statement::Statement;
use countersign_package::strip::{StripError, strip};
use countersign_package::verify::{Coverage, inspect, verify};
use pki::forge::{self, P7S, SF};
use pki::{
    Installation, PROFILE_A, PROFILE_B, SIGNED_AT, instant, sign, statement, statement_of, tiny, zip_of,
};

#[path = "support/tools.rs"]
mod tools;

fn files() -> Vec<u8> {
    zip_of(&[("bin/", b""), ("bin/run", b"#!/bin/sh\n"), ("data.txt", &[b'x'; 5000]), ("größe.py", b"1")])
}

#[test]
fn what_was_signed_verifies_and_strips_to_what_it_was() {
    let installation = Installation::new();
    for platform in Platform::ALL {
        let unsigned = files();
        let (signed, facts) = sign(&unsigned, statement(platform), &installation.leaf(platform)).unwrap();
        assert_eq!(facts.package_digest, Sha256Digest::of(&signed), "{platform}");
        assert_eq!((facts.unsigned_digest, facts.size), (Sha256Digest::of(&unsigned), signed.len() as u64));
        assert_eq!(forge::stripped(&signed), unsigned, "{platform}");
        let verified = installation.verify(&signed).unwrap();
        assert_eq!(*verified.statement(), statement(platform).rounded(), "{platform}");
        assert_eq!(*verified.statement(), facts.statement);
        assert_eq!(verified.coverage(), Coverage::ExactBytes);
        assert_eq!(verified.unsigned_digest(), Some(facts.unsigned_digest));
        assert_eq!(verified.package_digest(), facts.package_digest);
        assert_eq!(verified.chain().leaf_uri(), Some(PROFILE_A));
        assert!(verified.archive().find("größe.py").is_some());
    }
}

#[test]
fn zips_of_every_tool_round_trip() {
    let installation = Installation::new();
    let zips = tools::zips();
    assert!(zips.len() > 10);
    for (tool, unsigned) in zips {
        for platform in Platform::ALL {
            let signed = installation.signed(platform, &unsigned);
            assert!(forge::stripped(&signed) == unsigned, "{tool}, {platform}");
            assert!(installation.verify(&signed).is_ok(), "{tool}, {platform}");
        }
    }
}

#[test]
fn the_aws_entries_are_in_the_digest_and_in_order() {
    let signed = Installation::new().signed(Platform::AwsLambdaSha384Ecdsa, &tiny());
    let archive = Archive::parse(&signed, &Limits::default()).unwrap();
    let names: Vec<&str> = archive.entries().iter().map(Entry::name).collect();
    assert_eq!(names, ["a", "META_INF/", SF]);
    let inner = <sha2::Sha384 as sha2::Digest>::digest(b"axMETA_INF/");
    let digest = hex::encode(<sha2::Sha384 as sha2::Digest>::digest(inner));
    let signature = inspect(&signed, &Limits::default()).unwrap().unverified_signature.unwrap();
    assert_eq!(signature.message_digest, digest);
    assert!(forge::entry(&signed, SF).starts_with(b"-----BEGIN PKCS7-----\nMII"));
}

#[test]
fn a_signed_package_is_not_signed_again() {
    let installation = Installation::new();
    for first in Platform::ALL {
        let signed = installation.signed(first, &tiny());
        for second in Platform::ALL {
            let error = Unsigned::open(&signed, &Limits::default(), second).unwrap_err();
            assert!(matches!(error, SignError::Unsignable(_)), "{first}, {second}: {error}");
        }
    }
}

#[test]
fn names_that_stand_in_the_way_are_refused() {
    let refused: [(&str, &[Platform]); 8] = [
        (P7S, &Platform::ALL),
        ("meta-inf/COUNTERSIGN.P7S", &Platform::ALL),
        (SF, &Platform::ALL),
        ("meta_inf/aws_\u{17f}igner_\u{17f}ignature_v1.0.sf", &Platform::ALL),
        ("META_INF/", &[Platform::AwsLambdaSha384Ecdsa]),
        ("meta_inf/other", &[Platform::AwsLambdaSha384Ecdsa]),
        ("META_INF", &[Platform::AwsLambdaSha384Ecdsa]),
        ("meta-inf", &[Platform::CountersignSha256Rsa, Platform::CountersignSha384Ecdsa]),
    ];
    for (name, platforms) in refused {
        let package = zip_of(&[("a", b"x"), (name, b"")]);
        for platform in Platform::ALL {
            let opened = Unsigned::open(&package, &Limits::default(), platform);
            assert_eq!(opened.is_err(), platforms.contains(&platform), "{name}, {platform}");
        }
    }
}

#[test]
fn an_unfit_package_is_refused_by_the_gate() {
    for package in [b"".as_slice(), b"no zip", &zip_of(&[])] {
        let error =
            Unsigned::open(package, &Limits::default(), Platform::CountersignSha384Ecdsa).unwrap_err();
        assert!(matches!(error, SignError::Gate(_)), "{error}");
    }
}

#[test]
fn nothing_is_written_for_a_signature_that_does_not_verify() {
    let installation = Installation::new();
    for platform in Platform::ALL {
        let unsigned = tiny();
        let leaf = installation.leaf(platform);
        let prepared = || {
            let package = Unsigned::open(&unsigned, &Limits::default(), platform).unwrap();
            package.prepare(statement(platform), leaf.chain()).unwrap()
        };
        let mut other_digest = prepared().digest().digest().to_vec();
        other_digest[0] ^= 1;
        for signature in [leaf.key.sign(&other_digest), Vec::new(), vec![0; 384]] {
            let mut out = Vec::new();
            assert!(prepared().finish(&signature, &mut out).is_err(), "{platform}");
            assert!(out.is_empty());
        }
    }
}

#[test]
fn either_s_is_taken_and_the_low_one_written() {
    let installation = Installation::new();
    let leaf = installation.leaf(Platform::CountersignSha384Ecdsa);
    let unsigned = tiny();
    let sign_with = |high: bool| {
        let package =
            Unsigned::open(&unsigned, &Limits::default(), Platform::CountersignSha384Ecdsa).unwrap();
        let prepared = package.prepare(statement(Platform::CountersignSha384Ecdsa), leaf.chain()).unwrap();
        let signature = p384::ecdsa::Signature::from_der(&leaf.sign(&prepared.digest())).unwrap();
        let low = signature.normalize_s();
        let signature =
            if high { p384::ecdsa::Signature::from_scalars(low.r(), -*low.s()).unwrap() } else { low };
        let mut signed = Vec::new();
        prepared.finish(signature.to_der().as_bytes(), &mut signed).unwrap();
        signed
    };
    assert_eq!(sign_with(true), sign_with(false));
}

#[test]
fn statement_leaf_and_platform_must_fit() {
    let installation = Installation::new();
    let platform = Platform::CountersignSha384Ecdsa;
    let unsigned = tiny();
    let prepare = |statement: Statement, chain: CertificateChain| {
        let package = Unsigned::open(&unsigned, &Limits::default(), platform).unwrap();
        package.prepare(statement, chain).err()
    };
    let chain = || installation.leaf(platform).chain();
    let good = statement(platform);
    assert!(prepare(good.clone(), chain()).is_none());
    let other_platform = prepare(statement(Platform::AwsLambdaSha384Ecdsa), chain());
    assert!(matches!(other_platform, Some(SignError::OtherPlatform { .. })));
    let other_key = prepare(good.clone(), installation.leaf(Platform::CountersignSha256Rsa).chain());
    assert!(matches!(other_key, Some(SignError::OtherKey { .. })));
    let other_profile = prepare(statement_of(platform, PROFILE_B), chain());
    assert!(matches!(other_profile, Some(SignError::OtherProfile { .. })));
    let backwards = Statement { expires_at: good.signing_time, ..good.clone() };
    assert!(matches!(prepare(backwards, chain()), Some(SignError::Statement(_))));
    let late = Statement { signing_time: instant("2026-11-23T00:00:00Z"), ..good };
    assert!(matches!(prepare(late, chain()), Some(SignError::Chain(_))));
}

#[test]
fn strip_needs_a_signature_that_was_appended() {
    let installation = Installation::new();
    let strip = |package: &[u8]| strip(package, &Limits::default(), &mut Vec::new()).unwrap_err();
    assert!(matches!(strip(&tiny()), StripError::Unsigned));
    assert_eq!(strip(b"no zip").code(), Some("not_a_zip"));
    // A signature entry that some other tool packed.
    let repacked = zip_of(&[("a", b"x"), (P7S, &[7; 3000])]);
    assert_eq!(strip(&repacked).code(), Some("not_an_append"));
    let signed = installation.signed(Platform::CountersignSha384Ecdsa, &tiny());
    let mut out = Vec::new();
    let stripped = countersign_package::strip::strip(&signed, &Limits::default(), &mut out).unwrap();
    assert_eq!((stripped.digest, stripped.size), (Sha256Digest::of(&tiny()), tiny().len() as u64));
}

#[test]
fn inspection_shows_and_never_judges() {
    let installation = Installation::new();
    let unsigned = inspect(&tiny(), &Limits::default()).unwrap();
    assert!(unsigned.unverified_signature.is_none());
    for platform in Platform::ALL {
        let signed = installation.signed(platform, &tiny());
        let shown = inspect(&signed, &Limits::default()).unwrap().unverified_signature.unwrap();
        assert_eq!(shown.claimed, statement(platform).rounded());
        assert_eq!(shown.certificates.len(), 2);
        assert_eq!(shown.certificates[1].subject, "CN=Root");
        let json = serde_json::to_value(&shown).unwrap();
        assert_eq!(json["claimed"]["profile_version_arn"], PROFILE_A);
        assert_eq!(json["claimed_coverage"], "exact-bytes");
    }
}

#[test]
fn trust_roots_are_strict() {
    let installation = Installation::new();
    let pem = installation.root.pem();
    let two = format!("# our root\n\n{pem}{}", pki::Authority::root("CN=Second", 2).pem());
    assert_eq!(TrustRoots::from_pem(&two).unwrap().fingerprints().len(), 2);
    assert!(TrustRoots::from_pem(&pem.replace('\n', "\r\n")).is_ok());
    let leaf = installation.leaf(Platform::CountersignSha384Ecdsa).certificates[0].clone();
    let leaf = der::EncodePem::to_pem(&leaf, der::pem::LineEnding::LF).unwrap();
    for bundle in [
        String::new(),
        "# nothing\n".to_owned(),
        "root".to_owned(),
        format!("subject=CN=Root\n{pem}"),
        pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
        pem.replace("-----END CERTIFICATE-----\n", ""),
        pem.replacen("MII", "MIJ", 1),
        leaf,
    ] {
        assert!(TrustRoots::from_pem(&bundle).is_err(), "{bundle}");
    }
}

/// A package that is never in memory as a whole, and says so when someone asks for too much of it at once.
struct OnDisk(std::fs::File);

impl ReadAt for OnDisk {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<()> {
        assert!(buf.len() <= 128 * 1024, "{} bytes at once", buf.len());
        self.0.read_exact_at(offset, buf)
    }
}

#[test]
fn no_step_holds_a_package_in_memory() {
    let installation = Installation::new();
    let random: Vec<u8> =
        (0..3_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let mut unsigned = OnDisk(tempfile::tempfile().unwrap());
    unsigned.0.write_all(&zip_of(&[("large", &random), ("small", b"x")])).unwrap();
    for platform in Platform::ALL {
        let leaf = installation.leaf(platform);
        let package = Unsigned::open(&unsigned, &Limits::default(), platform).unwrap();
        let prepared = package.prepare(statement(platform), leaf.chain()).unwrap();
        let signature = leaf.sign(&prepared.digest());
        let mut signed = OnDisk(tempfile::tempfile().unwrap());
        prepared.finish(&signature, &mut signed.0).unwrap();
        verify(&signed, &installation.root.trusted(), instant(SIGNED_AT), &Limits::default()).unwrap();
        strip(&signed, &Limits::default(), &mut std::io::sink()).unwrap();
    }
}
