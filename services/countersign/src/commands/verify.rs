//! `countersign verify`: the four checks, without any network.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use countersign_domain::{
    AllowedPublisher, Check, CodeSigningConfig, Finding, Outcome, PackageRole, UnixMillis, UntrustedArtifact,
};
use countersign_package::chain::TrustRoots;
use countersign_package::verify::{VerifiedPackage, VerifyError, verify};
use countersign_policy::{
    Evidence, PackageEvidence, Policy, RevocationEvidence, SignatureEvidence, SignedStatement, evaluate,
};
use countersign_ports::Clock;
use countersign_runtime::SystemClock;
use serde::Serialize;

use crate::exit::Exit;
use crate::limit_args::LimitArgs;
use crate::report::StatementReport;
use crate::revocations_file::RevocationsFile;
use crate::{output, package_file};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The package
    zip: PathBuf,
    /// The trust roots: a PEM bundle. Trust comes from here alone, never from the package
    #[arg(long, value_name = "PEM")]
    trust_root: PathBuf,
    /// Who may have signed: a profile ARN or a profile version ARN; may be repeated. Without it, any signer under the
    /// trust roots will do
    #[arg(long, value_name = "ARN")]
    allowed_publisher: Vec<AllowedPublisher>,
    /// Judge as of this instant (RFC 3339) [default: now]
    #[arg(long, value_name = "RFC3339")]
    at: Option<UnixMillis>,
    /// What is revoked, as JSON. Without it, revocation is not checked
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

const HELP: &str = "\
The checks are integrity, expiry, mismatch and revocation; each is judged, also after one failed.
 - Without --allowed-publisher, mismatch asks only whether the package is signed; the signer is printed.
 - Without --revocations, revocation is `not checked`, which does not fail. The file, both lists always present:
   {\"jobs\": [{\"jobArn\": \"arn:...\", \"revokedAt\": \"2026-11-21T08:30:00Z\", \"reason\": \"...\"}],
    \"profileVersions\": [{\"profileVersionArn\": \"arn:...\", \"effectiveFrom\": \"2026-11-20T00:00:00Z\",
                         \"revokedAt\": \"2026-11-21T08:30:00Z\", \"reason\": \"...\"}]}

Exit codes: 0 every check that was asked for passed, 1 a check failed or is inconclusive, 2 it could not run.

Examples:
  countersign verify signed.zip --trust-root countersign-data/trust/root.pem
  countersign verify signed.zip --trust-root root.pem --at 2026-11-21T08:30:00Z --json
  countersign verify signed.zip --trust-root root.pem \\
      --allowed-publisher arn:aws:signer:us-east-1:000000000000:/signing-profiles/releases";

#[derive(Debug, Serialize)]
struct Report {
    valid: bool,
    at: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    checks: Vec<CheckReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    #[serde(flatten)]
    statement: StatementReport,
    coverage: String,
    signed_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsigned_sha256: Option<String>,
}

#[derive(Debug, Serialize)]
struct CheckReport {
    check: Check,
    outcome: Judged,
    /// Of an integrity that failed: the stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// How a check ended here: as in a deployment, or not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Judged {
    Passed,
    Failed,
    Inconclusive,
    NotChecked,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let bundle = std::fs::read_to_string(&args.trust_root);
    let bundle = bundle.with_context(|| format!("cannot read {}", args.trust_root.display()))?;
    let roots = TrustRoots::from_pem(&bundle).with_context(|| args.trust_root.display().to_string())?;
    let revocations = args.revocations.as_deref().map(RevocationsFile::read).transpose()?;
    let now = args.at.unwrap_or_else(|| SystemClock.now());
    let file = package_file::open_package(&args.zip)?;
    let report = match verify(&file, &roots, now, &args.limits.limits()) {
        Ok(package) => judge_verified(args, &package, revocations.as_ref(), now),
        Err(error @ VerifyError::Io(_)) => return Err(error.into()),
        Err(error) => judge_refused(args, &error, now),
    };
    show(args, &report)?;
    Ok(Exit::of(report.valid))
}

fn judge_refused(args: &Args, error: &VerifyError, now: UnixMillis) -> Report {
    let mut report = judge(args, SignatureEvidence::from(error), RevocationEvidence::NotAsked, now);
    for check in report.checks.iter_mut().filter(|check| check.check == Check::Integrity) {
        check.code = error.code();
    }
    report
}

fn judge_verified(
    args: &Args,
    package: &VerifiedPackage,
    revocations: Option<&RevocationsFile>,
    now: UnixMillis,
) -> Report {
    let statement = package.statement();
    let revocation = revocations.map_or(RevocationEvidence::NotAsked, |list| {
        RevocationEvidence::Known(list.status(&statement.job_arn, &statement.profile_version_arn))
    });
    let signature = SignatureEvidence::Verified(SignedStatement::from(package));
    let signed = Signature {
        statement: StatementReport::from(statement),
        coverage: package.coverage().to_string(),
        signed_sha256: package.package_digest().to_string(),
        unsigned_sha256: package.unsigned_digest().map(|digest| digest.to_string()),
    };
    Report { signature: Some(signed), ..judge(args, signature, revocation, now) }
}

/// The policy's own judgement, under a config made of the arguments.
fn judge(
    args: &Args,
    signature: SignatureEvidence,
    revocation: RevocationEvidence,
    now: UnixMillis,
) -> Report {
    let config = config_of(args, &signature);
    let package = PackageEvidence { role: PackageRole::Function, signature, revocation };
    let policy = Policy { code_signing_config: Some(config), require_code_signing: true };
    let evaluation = evaluate(&policy, &Evidence { now, packages: vec![package] });
    let checks: Vec<CheckReport> =
        Check::ALL.into_iter().filter_map(|check| report(args, check, &evaluation.findings)).collect();
    let passed = |check: &CheckReport| matches!(check.outcome, Judged::Passed | Judged::NotChecked);
    let valid = checks.len() == Check::ALL.len() && checks.iter().all(passed);
    Report { valid, at: now, signature: None, checks }
}

/// Without allowed publishers, whoever signed is one.
fn config_of(args: &Args, signature: &SignatureEvidence) -> CodeSigningConfig {
    let signer = match signature {
        SignatureEvidence::Verified(statement) => Some(AllowedPublisher::Version(statement.signer().clone())),
        SignatureEvidence::Unsigned
        | SignatureEvidence::Broken { .. }
        | SignatureEvidence::Unreadable { .. } => None,
    };
    let allowed_publishers = match args.allowed_publisher.as_slice() {
        [] => signer.into_iter().collect(),
        given => given.to_vec(),
    };
    let name = CONFIG_NAME.parse().expect("a legal name");
    CodeSigningConfig { name, allowed_publishers, untrusted_artifact: UntrustedArtifact::Enforce }
}

/// What to say of one check. A signed package's revocation is not checked where no list was given.
fn report(args: &Args, check: Check, findings: &[Finding]) -> Option<CheckReport> {
    let outcome = &findings.iter().find(|finding| finding.check == check)?.outcome;
    if check == Check::Revocation && args.revocations.is_none() {
        let reason = Some("no --revocations were given".to_owned());
        return Some(CheckReport { check, outcome: Judged::NotChecked, code: None, reason });
    }
    let (outcome, reason) = match outcome {
        Outcome::Passed => (Judged::Passed, None),
        // Without a list this check asks for nothing but a signature.
        Outcome::Failed(_) if check == Check::Mismatch && args.allowed_publisher.is_empty() => {
            (Judged::Failed, Some("the package is not signed".to_owned()))
        }
        Outcome::Failed(reason) => (Judged::Failed, Some(reason.clone())),
        Outcome::Inconclusive(reason) => (Judged::Inconclusive, Some(reason.clone())),
    };
    Some(CheckReport { check, outcome, code: None, reason })
}

fn show(args: &Args, report: &Report) -> anyhow::Result<()> {
    if args.json {
        return output::json(report);
    }
    let mut lines = vec![format!(
        "{}: {}",
        output::shown(args.zip.display()),
        if report.valid { "valid" } else { "NOT VALID" }
    )];
    if let Some(Signature { statement, coverage, .. }) = &report.signature {
        lines.push(format!("  signed by   {}", statement.profile_version_arn));
        lines.push(format!("  job         {}", statement.job_arn));
        lines.push(format!("  signed      {}, expires {}", statement.signing_time, statement.expires_at));
        lines.push(format!("  coverage    {coverage}"));
    }
    for CheckReport { check, outcome, reason, .. } in &report.checks {
        let reason = reason.as_ref().map(|reason| format!(": {}", output::shown(reason))).unwrap_or_default();
        lines.push(format!("  {check:<11} {outcome}{reason}"));
    }
    output::result(&lines.join("\n"))
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Inconclusive => "inconclusive",
            Self::NotChecked => "not checked",
        })
    }
}

/// The config that the arguments stand for, as reasons name it.
const CONFIG_NAME: &str = "of-this-command";
