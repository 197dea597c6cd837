//! What is counted, for whoever watches the process.

use countersign_domain::{Check, Finding, Verdict};
use countersign_ports::deployments::Decision;

use crate::intake::Asked;

/// Counts the checks that failed of a deployment that ended, whether it was blocked or let pass with a warning. A version of
/// what stands was counted when that was deployed.
pub(crate) fn count(asked: &Asked, decision: &Decision) {
    if decision.verdict == Verdict::Deploy || !asked.change.sets_latest() {
        return;
    }
    let function = &decision.request.function_name;
    for Finding { check, .. } in decision.findings.iter().filter(|finding| !finding.passed()) {
        let labels = [("function", function.to_string()), ("check", name(*check).to_owned())];
        metrics::counter!(SIGNATURE_VALIDATION_ERRORS, &labels).increment(1);
    }
}

fn name(check: Check) -> &'static str {
    match check {
        Check::Integrity => "Integrity",
        Check::Expiry => "Expiry",
        Check::Mismatch => "Mismatch",
        Check::Revocation => "Revocation",
    }
}

/// As Lambda's own metric is called.
const SIGNATURE_VALIDATION_ERRORS: &str = "SignatureValidationErrors";
