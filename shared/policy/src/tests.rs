//! The table of decisions, whole, and what the findings say.

use countersign_domain::{CodeSigningConfig, Outcome, PackageRole, UnixMillis, UntrustedArtifact, Verdict};
use countersign_ports::revocations::{Revocation, RevocationStatus};

use countersign_package::gate::{Archive, GateError};
use countersign_package::limits::Limits;
use countersign_package::verify::{IntegrityError, VerifyError};

use crate::{
    Evaluation, Evidence, PackageEvidence, Policy, RevocationEvidence, SignatureEvidence, SignedStatement,
    evaluate,
};

/// Written by hand from AWS's table of checks and what README.md promises beyond it. Findings are those of Integrity, Expiry, Mismatch,
/// Revocation: P passed, F failed, I inconclusive, - none. Verdicts: D deploy, W deploy with a warning, B block.
///
/// | signature | expiry | publisher | revocation | findings | Warn | Enforce | no CSC | no CSC, required |
const TABLE: [&str; 15] = [
    "verified   current allowed clear       PPPP D D D B",
    "verified   current allowed revoked     PPPF W B D B",
    "verified   current allowed unknown     PPPI W B D B",
    "verified   current foreign clear       PPFP W B D B",
    "verified   current foreign revoked     PPFF W B D B",
    "verified   current foreign unknown     PPFI W B D B",
    "verified   expired allowed clear       PFPP W B D B",
    "verified   expired allowed revoked     PFPF W B D B",
    "verified   expired allowed unknown     PFPI W B D B",
    "verified   expired foreign clear       PFFP W B D B",
    "verified   expired foreign revoked     PFFF W B D B",
    "verified   expired foreign unknown     PFFI W B D B",
    "unsigned   -       -       -           --F- W B D B",
    "broken     -       -       -           FIII B B D B",
    "unreadable -       -       -           IIII B B D B",
];

/// Every way to come by a word of the table, so that both sides of each boundary are in it.
const SIGNATURES: [&str; 4] = ["verified", "unsigned", "broken", "unreadable"];
const EXPIRIES: [(&str, i64); 4] =
    [("current", 86_400_000), ("current", 0), ("expired", -1), ("expired", -86_400_000)];
const PUBLISHERS: [(&str, &str); 5] = [
    ("allowed", "team/AbCdEfGhIj"),
    ("allowed", "any/AbCdEfGhIj"),
    ("allowed", "any/XbCdEfGhIj"),
    ("foreign", "team/XbCdEfGhIj"),
    ("foreign", "other/AbCdEfGhIj"),
];

const NOW: &str = "2026-11-21T12:00:00Z";
const SIGNED: &str = "2026-11-20T12:00:00Z";
const ARN: &str = "arn:aws:signer:us-east-1:000000000000:";

#[test]
fn every_check_outcome_policy_and_role_meets_the_table() {
    let mut rows_met = std::collections::BTreeSet::new();
    for (words, package) in every_package() {
        let (findings, verdicts) = row(&words);
        rows_met.insert(words.clone());
        for (policy, verdict) in policies().iter().zip(verdicts) {
            for role in [PackageRole::Function, PackageRole::Layer(1), PackageRole::Layer(5)] {
                let package = PackageEvidence { role: role.clone(), ..package.clone() };
                let bad = format!("{words:?} as {role} under {policy:?}");
                let alone = evaluate(policy, &evidence([package.clone()]));
                assert_eq!(alone.verdict, verdict, "{bad}");
                assert_eq!(
                    letters(&alone),
                    if policy.code_signing_config.is_some() { findings } else { "----" },
                    "{bad}"
                );
                let beside = evaluate(
                    policy,
                    &evidence([trusted(PackageRole::Function), package, trusted(PackageRole::Layer(2))]),
                );
                assert_eq!(beside.verdict, verdict, "{bad}, between two that pass");
            }
        }
    }
    assert_eq!(rows_met.len(), TABLE.len(), "every row has evidence that leads to it");
}

#[test]
fn of_two_packages_the_stricter_verdict_counts() {
    let packages = every_package();
    for policy in &policies()[..2] {
        for (_, first) in packages.iter().step_by(3) {
            for (_, second) in packages.iter().step_by(3) {
                let second = PackageEvidence { role: PackageRole::Layer(1), ..second.clone() };
                let alone =
                    [first, &second].map(|package| evaluate(policy, &evidence([package.clone()])).verdict);
                let strictest = ["D", "W", "B"].into_iter().rev().map(verdict_of).find(|v| alone.contains(v));
                let both = evaluate(policy, &evidence([first.clone(), second]));
                assert_eq!(Some(both.verdict), strictest);
            }
        }
    }
}

#[test]
fn without_packages_nothing_succeeds() {
    for policy in policies() {
        let evaluation = evaluate(&policy, &evidence([]));
        assert_eq!(evaluation.verdict, Verdict::Block, "{policy:?}");
        assert_eq!(evaluation.findings, []);
        assert_eq!(evaluation.reason, "blocked: there is no package to evaluate");
    }
}

#[test]
fn a_config_without_publishers_trusts_nobody() {
    let mut policy = policies()[1].clone();
    policy.code_signing_config.as_mut().unwrap().allowed_publishers.clear();
    assert_eq!(evaluate(&policy, &evidence([trusted(PackageRole::Function)])).verdict, Verdict::Block);
}

#[test]
fn findings_follow_the_packages_and_then_the_checks() {
    let packages = [PackageRole::Function, PackageRole::Layer(1), PackageRole::Layer(2)].map(trusted);
    let evaluation = evaluate(&policies()[1], &evidence(packages));
    let order: Vec<String> = evaluation.findings.iter().map(ToString::to_string).collect();
    let mut expected = Vec::new();
    for package in ["function", "layer 1", "layer 2"] {
        for check in ["integrity", "expiry", "mismatch", "revocation"] {
            expected.push(format!("{package}: {check} passed"));
        }
    }
    assert_eq!(order, expected);
    assert_eq!(evaluation.reason, "every check of 3 package(s) passed under code signing config default");
}

#[test]
fn a_failed_finding_names_both_values_that_disagree() {
    let signature = verified("other/AbCdEfGhIj", -1);
    let revocation = RevocationEvidence::Known(RevocationStatus {
        job: Some(revoked("2026-11-21T10:00:00Z")),
        profile: Some(revoked("2026-11-19T00:00:00Z")),
    });
    let package = PackageEvidence { role: PackageRole::Layer(2), signature, revocation };
    let evaluation = evaluate(&policies()[1], &evidence([package]));
    assert_eq!(
        evaluation.reason,
        "blocked under code signing config default (Enforce): \
         layer 2: expiry failed: the signature expired at 2026-11-21T11:59:59.999Z, and it is 2026-11-21T12:00:00.000Z; \
         layer 2: mismatch failed: signed by arn:aws:signer:us-east-1:000000000000:/signing-profiles/other/AbCdEfGhIj, \
         but code signing config default allows only \
         [arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/AbCdEfGhIj, \
         arn:aws:signer:us-east-1:000000000000:/signing-profiles/any]; \
         layer 2: revocation failed: signing job \
         arn:aws:signer:us-east-1:000000000000:/signing-jobs/c85aae70-b0a8-4fa4-abd9-3e39ade1ad97 \
         of 2026-11-20T12:00:00.000Z was revoked at 2026-11-21T11:00:00.000Z (key lost); \
         signed at 2026-11-20T12:00:00.000Z, but profile version \
         arn:aws:signer:us-east-1:000000000000:/signing-profiles/other/AbCdEfGhIj is revoked from \
         2026-11-19T00:00:00.000Z on (key lost)"
    );
}

#[test]
fn an_unsigned_package_has_the_one_finding_that_is_known() {
    let package =
        PackageEvidence { signature: SignatureEvidence::Unsigned, ..trusted(PackageRole::Function) };
    let evaluation = evaluate(&policies()[0], &evidence([package]));
    assert_eq!(
        evaluation.reason,
        "deployed with a warning, as code signing config default says Warn: function: mismatch failed: the package is \
         not signed, but code signing config default allows only \
         [arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/AbCdEfGhIj, \
         arn:aws:signer:us-east-1:000000000000:/signing-profiles/any]"
    );
}

#[test]
fn a_broken_package_is_named_by_its_code() {
    let signature = SignatureEvidence::Broken { code: "digest".into(), reason: "1 is not 2".into() };
    let package = PackageEvidence { signature, ..trusted(PackageRole::Function) };
    let evaluation = evaluate(&policies()[0], &evidence([package]));
    assert_eq!(evaluation.findings[0].to_string(), "function: integrity failed: 1 is not 2 (digest)");
}

#[test]
fn what_verification_says_becomes_evidence() {
    let io = VerifyError::Io(std::io::Error::other("connection reset"));
    let reason = "connection reset".to_owned();
    assert_eq!(SignatureEvidence::from(&io), SignatureEvidence::Unreadable { reason });
    assert_eq!(SignatureEvidence::from(&VerifyError::Unsigned), SignatureEvidence::Unsigned);
    let broken = VerifyError::Integrity(IntegrityError::BadSignature);
    let reason = broken.to_string();
    let code = "bad_signature".to_owned();
    assert_eq!(SignatureEvidence::from(&broken), SignatureEvidence::Broken { code, reason });
    let GateError::Refused(refusal) = Archive::parse(b"no zip".as_slice(), &Limits::default()).unwrap_err()
    else {
        panic!("six bytes are read without error");
    };
    let refused = VerifyError::Gate(refusal);
    let SignatureEvidence::Broken { code, reason } = (&refused).into() else { panic!("{refused}") };
    assert_eq!((Some(code.as_str()), reason), (refused.code(), refused.to_string()));
}

fn every_package() -> Vec<(Vec<&'static str>, PackageEvidence)> {
    let mut packages = Vec::new();
    for signature in SIGNATURES {
        for (expiry, remaining) in EXPIRIES {
            for (publisher, signer) in PUBLISHERS {
                for (revocation, evidence) in revocations() {
                    let (evidenced, words) = match signature {
                        "unsigned" => (SignatureEvidence::Unsigned, vec![signature, "-", "-", "-"]),
                        "broken" => (broken(), vec![signature, "-", "-", "-"]),
                        "unreadable" => (unreadable(), vec![signature, "-", "-", "-"]),
                        _ => (verified(signer, remaining), vec![signature, expiry, publisher, revocation]),
                    };
                    let package = PackageEvidence {
                        role: PackageRole::Function,
                        signature: evidenced,
                        revocation: evidence,
                    };
                    packages.push((words, package));
                }
            }
        }
    }
    packages
}

fn revocations() -> Vec<(&'static str, RevocationEvidence)> {
    let known = |job: Option<&str>, profile: Option<&str>| {
        RevocationEvidence::Known(RevocationStatus { job: job.map(revoked), profile: profile.map(revoked) })
    };
    vec![
        ("clear", known(None, None)),
        ("clear", known(None, Some(SIGNED))),
        ("clear", known(None, Some("2026-11-20T12:00:00.001Z"))),
        ("revoked", known(None, Some("2026-11-20T11:59:59.999Z"))),
        ("revoked", known(Some("1970-01-01T00:00:00Z"), None)),
        ("revoked", known(Some("2026-11-21T00:00:00Z"), None)),
        ("revoked", known(Some("1970-01-01T00:00:00Z"), Some("1970-01-01T00:00:00Z"))),
        ("unknown", RevocationEvidence::Unavailable("connection refused".into())),
        ("unknown", RevocationEvidence::NotAsked),
    ]
}

fn row(words: &[&str]) -> (&'static str, [Verdict; 4]) {
    let cells = TABLE.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let cells = cells.iter().find(|cells| cells[..4] == *words).expect("a row for every evidence");
    (cells[4], [5, 6, 7, 8].map(|column| verdict_of(cells[column])))
}

fn verdict_of(letter: &str) -> Verdict {
    match letter {
        "D" => Verdict::Deploy,
        "W" => Verdict::DeployWithWarning,
        "B" => Verdict::Block,
        other => panic!("{other} is no verdict"),
    }
}

/// The columns of the table: Warn, Enforce, no CSC, no CSC although required.
fn policies() -> [Policy; 4] {
    let config = |untrusted_artifact| CodeSigningConfig {
        name: "default".parse().unwrap(),
        allowed_publishers: ["team/AbCdEfGhIj", "any"]
            .map(|name| format!("{ARN}/signing-profiles/{name}").parse().unwrap())
            .into(),
        untrusted_artifact,
    };
    let policy =
        |code_signing_config, require_code_signing| Policy { code_signing_config, require_code_signing };
    [
        policy(Some(config(UntrustedArtifact::Warn)), false),
        policy(Some(config(UntrustedArtifact::Enforce)), true),
        policy(None, false),
        policy(None, true),
    ]
}

fn letters(evaluation: &Evaluation) -> String {
    let letter = |check| {
        let found = evaluation.findings.iter().find(|finding| finding.check == check);
        found.map_or('-', |finding| match finding.outcome {
            Outcome::Passed => 'P',
            Outcome::Failed(_) => 'F',
            Outcome::Inconclusive(_) => 'I',
        })
    };
    countersign_domain::Check::ALL.map(letter).into_iter().collect()
}

fn evidence<const N: usize>(packages: [PackageEvidence; N]) -> Evidence {
    Evidence { now: NOW.parse().unwrap(), packages: packages.into() }
}

fn trusted(role: PackageRole) -> PackageEvidence {
    let revocation = RevocationEvidence::Known(RevocationStatus::default());
    PackageEvidence { role, signature: verified("team/AbCdEfGhIj", 1), revocation }
}

fn verified(signer: &str, remaining_millis: i64) -> SignatureEvidence {
    let now: UnixMillis = NOW.parse().unwrap();
    SignatureEvidence::Verified(SignedStatement::unverified(
        format!("{ARN}/signing-jobs/c85aae70-b0a8-4fa4-abd9-3e39ade1ad97").parse().unwrap(),
        format!("{ARN}/signing-profiles/{signer}").parse().unwrap(),
        SIGNED.parse().unwrap(),
        now.plus_millis(remaining_millis),
    ))
}

fn broken() -> SignatureEvidence {
    SignatureEvidence::Broken { code: "digest".into(), reason: "the digests differ".into() }
}

fn unreadable() -> SignatureEvidence {
    SignatureEvidence::Unreadable { reason: "connection reset".into() }
}

fn revoked(effective_from: &str) -> Revocation {
    Revocation {
        effective_from: effective_from.parse().unwrap(),
        revoked_at: "2026-11-21T11:00:00Z".parse().unwrap(),
        reason: "key lost".into(),
    }
}
