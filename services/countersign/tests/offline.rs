//! The commands that need nothing running: exit codes, JSON, and what is left on the disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use serde_json::{Value, json};
use support::{Workshop, listing};

fn outcome<'a>(report: &'a Value, check: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    &checks.iter().find(|entry| entry["check"] == check).unwrap_or_else(|| panic!("no {check} in {report}"))["outcome"]
}

#[test]
fn a_profile_name_is_used_once() {
    let workshop = Workshop::new();
    let created = workshop
        .json(0, &["profile", "create", "releases", "--platform", "Countersign-SHA384-ECDSA", "--json"]);
    assert_eq!(created["name"], "releases");
    let again = workshop.expect(2, &["profile", "create", "releases"]);
    assert!(again.err.contains("never free again"), "{}", again.err);
    let listed = workshop.json(0, &["profile", "list", "--json"]);
    assert_eq!(listed, json!([created]));
    assert!(workshop.expect(0, &["profile", "list"]).out.contains("releases"));
}

#[test]
fn wrong_arguments_end_with_2() {
    let workshop = Workshop::new();
    for arguments in [
        &["profile", "create", "with-hyphen"][..],
        &["profile", "create", "good", "--platform", "RSA"],
        &["profile", "create", "good", "--validity", "200MONTHS"],
        &["profile", "list"],
        &["sign", "no.zip", "--profile", "good", "-o", "out.zip"],
        &["verify", "no.zip"],
        &["frobnicate"],
        &["revoke", "--reason", "none given"],
    ] {
        let ran = workshop.expect(2, arguments);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}");
    }
    assert!(!workshop.exists("data/state.sqlite"), "nothing was made");
}

#[test]
fn what_was_signed_verifies_and_is_given_back_bit_for_bit() {
    let workshop = Workshop::with_signed();
    let report = workshop.json(0, &["verify", "signed.zip", "--trust-root", &workshop.root(), "--json"]);
    assert_eq!(report["valid"], true);
    assert_eq!(report["signature"]["coverage"], "exact-bytes");
    for check in ["integrity", "expiry", "mismatch"] {
        assert_eq!(outcome(&report, check), "passed");
    }
    assert_eq!(outcome(&report, "revocation"), "notChecked");
    workshop.expect(0, &["strip", "signed.zip", "-o", "back.zip"]);
    assert_eq!(workshop.bytes("back.zip"), workshop.bytes("one.zip"));
}

#[test]
fn a_changed_package_fails_integrity() {
    let workshop = Workshop::with_signed();
    let mut bytes = workshop.bytes("signed.zip");
    let place = bytes.windows(3).position(|window| window == b"one").unwrap();
    bytes[place] ^= 1;
    std::fs::write(workshop.path("changed.zip"), bytes).unwrap();
    let report = workshop.json(1, &["verify", "changed.zip", "--trust-root", &workshop.root(), "--json"]);
    assert_eq!(report["valid"], false);
    assert_eq!(outcome(&report, "integrity"), "failed");
    assert_eq!(report["checks"][0]["code"], "crc_mismatch");
    assert_eq!(report["checks"][1].get("code"), None);
    assert_eq!(report.get("signature"), None, "nothing of an unsound package is repeated as if it were so");
}

#[test]
fn each_check_can_fail_on_its_own() {
    let workshop = Workshop::with_signed();
    let root = workshop.root();
    let failing = |more: &[&str], check: &str| {
        let arguments = [&["verify", "signed.zip", "--trust-root", &root, "--json"], more].concat();
        let report = workshop.json(1, &arguments);
        let checks = report["checks"].as_array().unwrap();
        let failed: Vec<&Value> = checks.iter().filter(|entry| entry["outcome"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{report}");
        assert_eq!(failed[0]["check"], check);
    };
    failing(&["--at", "2050-01-01T00:00:00Z"], "expiry");
    let other = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/other";
    failing(&["--allowed-publisher", other], "mismatch");
    let signature =
        workshop.json(0, &["verify", "signed.zip", "--trust-root", &root, "--json"])["signature"].clone();
    let revoked = json!({
        "jobs": [{"jobArn": signature["jobArn"], "revokedAt": "2026-11-21T08:30:00Z", "reason": "test"}],
        "profileVersions": [],
    });
    std::fs::write(workshop.path("revoked.json"), revoked.to_string()).unwrap();
    failing(&["--revocations", "revoked.json"], "revocation");
}

#[test]
fn an_allowed_publisher_and_an_empty_list_of_revocations_pass() {
    let workshop = Workshop::with_signed();
    std::fs::write(workshop.path("none.json"), r#"{"jobs":[],"profileVersions":[]}"#).unwrap();
    let arn = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/quick";
    let root = workshop.root();
    let all = [
        "verify",
        "signed.zip",
        "--trust-root",
        &root,
        "--allowed-publisher",
        arn,
        "--revocations",
        "none.json",
        "--json",
    ];
    assert_eq!(outcome(&workshop.json(0, &all), "revocation"), "passed");
}

#[test]
fn a_list_of_revocations_that_is_not_understood_is_no_empty_list() {
    let workshop = Workshop::with_signed();
    std::fs::write(workshop.path("odd.json"), r#"{"revocations":[]}"#).unwrap();
    let root = workshop.root();
    let ran =
        workshop.expect(2, &["verify", "signed.zip", "--trust-root", &root, "--revocations", "odd.json"]);
    assert!(ran.out.is_empty());
}

#[test]
fn an_unsigned_package_fails_mismatch() {
    let workshop = Workshop::with_signed();
    let report = workshop.json(1, &["verify", "one.zip", "--trust-root", &workshop.root(), "--json"]);
    assert_eq!(outcome(&report, "mismatch"), "failed");
    assert_eq!(report["valid"], false);
}

#[test]
fn another_installations_root_fails_integrity() {
    let (ours, theirs) = (Workshop::with_signed(), Workshop::with_signed());
    let report = ours.json(1, &["verify", "signed.zip", "--trust-root", &theirs.root(), "--json"]);
    assert_eq!(outcome(&report, "integrity"), "failed");
    assert!(report.to_string().contains("untrusted_chain"), "{report}");
}

#[test]
fn without_trust_roots_nothing_is_valid() {
    let workshop = Workshop::with_signed();
    std::fs::write(workshop.path("empty.pem"), "").unwrap();
    workshop.expect(2, &["verify", "signed.zip", "--trust-root", "empty.pem"]);
    workshop.expect(2, &["verify", "signed.zip", "--trust-root", "missing.pem"]);
}

#[test]
fn check_accepts_and_refuses_with_a_stable_code() {
    let workshop = Workshop::new();
    workshop.package("one.zip", "x");
    std::fs::write(workshop.path("no.zip"), "no zip").unwrap();
    assert_eq!(workshop.json(0, &["check", "one.zip", "--json"]), json!({"accepted": true, "entries": 1}));
    let refused = workshop.json(1, &["check", "no.zip", "--json"]);
    assert_eq!((&refused["accepted"], &refused["code"]), (&json!(false), &json!("not_a_zip")));
    assert!(workshop.expect(1, &["check", "no.zip"]).out.contains("not_a_zip"));
    workshop.expect(2, &["check", "missing.zip"]);
    workshop.expect(2, &["check", "."]);
}

#[test]
fn inspect_shows_what_nobody_verified() {
    let workshop = Workshop::with_signed();
    let shown = workshop.json(0, &["inspect", "signed.zip", "--json"]);
    let claimed = &shown["unverifiedSignature"]["claimed"];
    assert!(claimed["profileVersionArn"].as_str().unwrap().contains("/signing-profiles/quick/"), "{shown}");
    assert!(workshop.expect(0, &["inspect", "signed.zip"]).out.contains("UNVERIFIED"));
    assert!(workshop.expect(1, &["inspect", "one.zip"]).out.contains("not signed"));
    workshop.expect(2, &["inspect", "missing.zip"]);
}

#[test]
fn a_refused_command_leaves_nothing_behind() {
    let workshop = Workshop::with_signed();
    let before = listing(&workshop.path("."));
    let again = workshop.expect(2, &["sign", "signed.zip", "--profile", "quick", "-o", "twice.zip"]);
    assert!(again.err.contains("already_signed"), "{}", again.err);
    let unsigned = workshop.expect(1, &["strip", "one.zip", "-o", "out.zip"]);
    assert!(unsigned.err.contains("unsigned"), "{}", unsigned.err);
    workshop.expect(2, &["sign", "one.zip", "--profile", "quick", "-o", "one.zip"]);
    workshop.expect(2, &["strip", "signed.zip", "-o", "signed.zip"]);
    let unknown = workshop.expect(2, &["sign", "one.zip", "--profile", "unknown", "-o", "out.zip"]);
    assert!(unknown.err.contains("unknown_profile"), "{}", unknown.err);
    assert_eq!(listing(&workshop.path(".")), before);
    workshop.expect(0, &["verify", "signed.zip", "--trust-root", &workshop.root()]);
}

#[test]
fn a_revocation_is_asked_for_and_ends_signing() {
    let workshop = Workshop::with_signed();
    let revoke = ["revoke", "--profile", "quick", "--reason", "test"];
    let unasked = workshop.expect(2, &revoke);
    assert!(unasked.err.contains("--yes"), "{}", unasked.err);
    workshop.expect(0, &["sign", "one.zip", "--profile", "quick", "-o", "still.zip"]);
    workshop.expect(0, &[&revoke[..], &["--yes"]].concat());
    let ended = workshop.expect(2, &["sign", "one.zip", "--profile", "quick", "-o", "no-more.zip"]);
    assert!(ended.err.contains("profile_revoked"), "{}", ended.err);
    assert_eq!(workshop.json(0, &["profile", "list", "--json"])[0]["status"], "Revoked");
}

#[test]
fn what_is_not_there_or_forbidden_is_not_revoked() {
    let workshop = Workshop::with_signed();
    let job = "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";
    for what in [
        &["--job", job][..],
        &["--profile", "unknown"],
        &["--profile", "quick", "--effective-time", "2099-01-01T00:00:00Z"],
    ] {
        let ran = workshop.expect(1, &[&["revoke", "--reason", "test", "--yes"], what].concat());
        assert!(ran.err.contains("not revoked"), "{}", ran.err);
    }
    workshop.expect(
        2,
        &["revoke", "--job", job, "--effective-time", "2020-01-01T00:00:00Z", "--reason", "test", "--yes"],
    );
    workshop.expect(2, &["revoke", "--job", "not-a-job", "--reason", "test", "--yes"]);
}

#[test]
fn a_wrong_passphrase_is_told_and_changes_nothing() {
    let workshop = Workshop::with_signed();
    let mut command = workshop.command(&["sign", "one.zip", "--profile", "quick", "-o", "out.zip"]);
    let output = command.env("COUNTERSIGN_KEY_PASSPHRASE", "not the passphrase").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("passphrase"));
    assert!(!workshop.exists("out.zip"));
}

#[test]
fn lost_keys_are_refused_and_never_made_anew() {
    let workshop = Workshop::with_signed();
    let sign = ["sign", "one.zip", "--profile", "quick", "-o", "again.zip"];
    let (passphrase, keys) = (workshop.path("data/secrets/key-passphrase"), workshop.path("data/keys"));
    for (lost, code) in [(passphrase, "passphrase_missing"), (keys, "root_key_missing")] {
        let kept = workshop.path("kept");
        std::fs::rename(&lost, &kept).unwrap();
        let refused = workshop.expect(2, &sign);
        assert!(refused.err.starts_with(&format!("error: {code}: ")), "{}", refused.err);
        assert!(!lost.try_exists().unwrap() && !workshop.exists("again.zip"), "nothing was made");
        std::fs::rename(&kept, &lost).unwrap();
    }
    workshop.expect(0, &sign);
}
