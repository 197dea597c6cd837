//! From findings to a verdict.

use countersign_domain::{Check, CodeSigningConfig, Finding, Outcome, UntrustedArtifact, Verdict};

use crate::checks::findings_of;
use crate::evidence::Evidence;

/// What binds the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The code signing config that applies, if any.
    pub code_signing_config: Option<CodeSigningConfig>,
    /// Refuse functions that have no code signing config. AWS Lambda deploys them unvalidated.
    pub require_code_signing: bool,
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Deploy, deploy with a warning, or block.
    pub verdict: Verdict,
    /// The findings, package by package, in the order of [`Check::ALL`]. Empty if nothing was validated.
    pub findings: Vec<Finding>,
    /// The verdict in words: which packages and checks, and the values that disagree.
    pub reason: String,
}

/// Runs every check on every package, also after one failed, and adds the findings up.
///
/// A function without a code signing config is not validated: it has no findings, and its packages are deployed, unless
/// `require_code_signing` refuses that. Without packages the verdict is always to block.
pub fn evaluate(policy: &Policy, evidence: &Evidence) -> Evaluation {
    if evidence.packages.is_empty() {
        return unvalidated(Verdict::Block, NO_PACKAGE);
    }
    match (&policy.code_signing_config, policy.require_code_signing) {
        (Some(config), _) => validate(config, evidence),
        (None, true) => unvalidated(Verdict::Block, CONFIG_REQUIRED),
        (None, false) => unvalidated(Verdict::Deploy, NOT_VALIDATED),
    }
}

fn unvalidated(verdict: Verdict, reason: &str) -> Evaluation {
    Evaluation { verdict, findings: Vec::new(), reason: reason.to_owned() }
}

fn validate(config: &CodeSigningConfig, evidence: &Evidence) -> Evaluation {
    let packages = &evidence.packages;
    let findings: Vec<Finding> =
        packages.iter().flat_map(|package| findings_of(package, config, evidence.now)).collect();
    let verdict = verdict(&findings, packages.len(), config.untrusted_artifact);
    let reason = reason(verdict, &findings, packages.len(), config);
    Evaluation { verdict, findings, reason }
}

/// The strictest consequence of any finding. Success is never the absence of failure: to deploy without a warning, every
/// check of every package must be there and must have passed.
fn verdict(findings: &[Finding], packages: usize, artifact: UntrustedArtifact) -> Verdict {
    let passed = findings.iter().filter(|finding| finding.passed()).count();
    if passed == packages * Check::ALL.len() && passed == findings.len() {
        return Verdict::Deploy;
    }
    let failed: Vec<&Finding> = findings.iter().filter(|finding| !finding.passed()).collect();
    let unsound = failed.iter().any(|finding| finding.check == Check::Integrity);
    match artifact {
        UntrustedArtifact::Warn if !unsound && !failed.is_empty() => Verdict::DeployWithWarning,
        UntrustedArtifact::Warn | UntrustedArtifact::Enforce => Verdict::Block,
    }
}

fn reason(verdict: Verdict, findings: &[Finding], packages: usize, config: &CodeSigningConfig) -> String {
    let CodeSigningConfig { name, untrusted_artifact, .. } = config;
    let failed = |finding: &&Finding| !matches!(finding.outcome, Outcome::Passed);
    let failures: Vec<String> = findings.iter().filter(failed).map(Finding::to_string).collect();
    let failures = failures.join("; ");
    match verdict {
        Verdict::Deploy => {
            format!("every check of {packages} package(s) passed under code signing config {name}")
        }
        Verdict::DeployWithWarning => {
            format!(
                "deployed with a warning, as code signing config {name} says {untrusted_artifact}: {failures}"
            )
        }
        Verdict::Block => {
            format!("blocked under code signing config {name} ({untrusted_artifact}): {failures}")
        }
    }
}

const NO_PACKAGE: &str = "blocked: there is no package to evaluate";
const NOT_VALIDATED: &str = "not validated: the function has no code signing config";
const CONFIG_REQUIRED: &str =
    "blocked: the function has no code signing config, and require_code_signing is on; bind it to one";
