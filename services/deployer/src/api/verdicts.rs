//! How a deployment ended, as its caller is told: Lambda's class and text, and beside them which check of which package
//! failed.

use countersign_api::Notes;
use countersign_domain::trail::{AdditionalEventData, SignatureStatus};
use countersign_domain::{Finding, ObjectVersion, Outcome as Checked, PackageRole, Verdict};
use countersign_gateway::ApiError;
use countersign_gateway::error::ACCESS_DENIED;
use countersign_gateway::model::lambda::{
    CODE_SIGNING_CONFIG_NOT_FOUND_ERROR, CODE_STORAGE_EXCEEDED_ERROR, CODE_VERIFICATION_FAILED_ERROR,
};
use countersign_package::gate::GateCode;
use countersign_ports::deployments::Decision;
use serde_json::{Value, json};

use crate::api::errors::{self, function_not_found, in_progress, invalid};
use crate::api::names::Named;
use crate::api::packages::{EMPTY_ZIP, of_s3};
use crate::{Outcome, Undecided};

/// The version that was published, if one was asked for.
///
/// `subject` is what Lambda's texts call the function: its name where it was to be made, else its ARN.
///
/// # Errors
/// When it was blocked, or could not be carried out.
pub(super) fn deployed(
    notes: &mut Notes,
    named: &Named,
    subject: &str,
    ended: Result<Outcome, Undecided>,
) -> Result<Option<u64>, ApiError> {
    match ended {
        Ok(Outcome::Deployed { version, decision, .. }) => {
            notes.checked(checked(&decision));
            Ok(version)
        }
        Ok(Outcome::Blocked { decision }) => {
            notes.checked(checked(&decision));
            Err(blocked(subject, &decision))
        }
        Ok(Outcome::Refused(refusal)) => Err(errors::refused(named, &refusal)),
        Ok(Outcome::Failed { code, detail, decision }) => {
            if let Some(decision) = decision {
                notes.checked(checked(&decision));
            }
            Err(failed(named, &code, &detail))
        }
        Ok(Outcome::EndedBefore(_)) => Err(errors::failed("a call has the id of an earlier one")),
        Err(undecided) => Err(not_decided(named, undecided)),
    }
}

/// What would be deployed.
///
/// # Errors
/// When it would be blocked, or cannot be decided.
pub(super) fn decided(
    notes: &mut Notes,
    named: &Named,
    subject: &str,
    decided: Result<Decision, Undecided>,
) -> Result<Decision, ApiError> {
    let decision = decided.map_err(|undecided| not_decided(named, undecided))?;
    notes.checked(checked(&decision));
    match decision.verdict {
        Verdict::Deploy | Verdict::DeployWithWarning => Ok(decision),
        Verdict::Block => Err(blocked(subject, &decision)),
    }
}

fn checked(decision: &Decision) -> AdditionalEventData {
    let data = AdditionalEventData::of(decision.deployment, &decision.findings);
    match &decision.code.signature {
        Some(signature) => data.signed(signature.profile_version_arn.clone(), signature.job_arn.clone()),
        None => data,
    }
}

fn blocked(subject: &str, decision: &Decision) -> ApiError {
    let findings: Vec<Value> = decision
        .findings
        .iter()
        .filter(|finding| !finding.passed())
        .map(|one| finding(one, decision))
        .collect();
    CODE_VERIFICATION_FAILED_ERROR.error(text(subject, decision)).with("Findings", findings)
}

/// Lambda's text where it is known. What it says of an expired or revoked signature is not.
fn text(subject: &str, decision: &Decision) -> String {
    let why = match SignatureStatus::of(&decision.findings) {
        Some(SignatureStatus::Corrupt) => {
            "The function or layer code is not properly signed. This can mean that the code was signed incorrectly or \
             modified after it was signed."
        }
        Some(SignatureStatus::Mismatch | SignatureStatus::Unsigned) => {
            "The function or layer might be signed using a signature that the client is not configured to accept."
        }
        Some(SignatureStatus::Revoked) => "The signature of the function or layer has been revoked.",
        Some(SignatureStatus::Expired) => "The signature of the function or layer has expired.",
        Some(SignatureStatus::Inconclusive) => "The signature of the function or layer could not be checked.",
        Some(SignatureStatus::Valid) | None => {
            return format!("Lambda cannot deploy the function {subject}: {}.", decision.reason);
        }
    };
    format!("Lambda cannot deploy the function. {why} Check the provided signature for {subject}.")
}

fn finding(finding: &Finding, decision: &Decision) -> Value {
    let (outcome, reason) = match &finding.outcome {
        Checked::Passed => ("passed", None),
        Checked::Failed(reason) => ("failed", Some(reason)),
        Checked::Inconclusive(reason) => ("inconclusive", Some(reason)),
    };
    let object = match finding.package {
        PackageRole::Function => Some(&decision.request.code),
        PackageRole::Layer(position) => {
            let place = usize::try_from(position).ok().and_then(|position| position.checked_sub(1));
            place.and_then(|place| decision.request.layers.get(place))
        }
    };
    json!({
        "Package": finding.package.to_string(),
        "Location": object.map(|object| ObjectVersion::from(object.clone()).to_string()),
        "Check": finding.check.to_string(),
        "Outcome": outcome,
        "Reason": reason,
    })
}

fn not_decided(named: &Named, undecided: Undecided) -> ApiError {
    match undecided {
        Undecided::Refused(refusal) => errors::refused(named, &refusal),
        Undecided::Failed { code, detail } => failed(named, &code, &detail),
        Undecided::Busy(reason) => {
            tracing::info!(reason, "a call found its function busy");
            in_progress(named.unqualified())
        }
        error @ (Undecided::Later(_) | Undecided::Rejected(_)) => errors::failed(error),
    }
}

/// A deployment that could not be carried out, which says nothing about trust. The codes are the pipeline's, the gate's
/// or the target's.
fn failed(named: &Named, code: &str, detail: &str) -> ApiError {
    if let Some(refused) = GateCode::ALL.iter().find(|known| known.as_str() == code) {
        return ungated(*refused).with("Reason", format!("{code}: {detail}"));
    }
    match code {
        "unknown_function" => function_not_found(named.unqualified()),
        "unknown_code_signing_config" => CODE_SIGNING_CONFIG_NOT_FOUND_ERROR.error(detail),
        "package_not_found" => of_s3("NoSuchKey", "The specified key does not exist."),
        "package_access_denied" => ACCESS_DENIED.error(detail),
        "package_too_large" | "package_unreadable" => invalid(detail),
        "target_full" => CODE_STORAGE_EXCEEDED_ERROR.error(detail),
        _ => errors::failed(format!("{}: {code}: {detail}", named.unqualified())),
    }
}

/// A file that the gate refuses, in Lambda's words for one that it cannot unpack.
pub(super) fn ungated(code: GateCode) -> ApiError {
    if code == GateCode::UnpackedSizeExceeded {
        invalid(format!("Unzipped size must be smaller than {UNZIPPED_SIZE_LIMIT} bytes"))
    } else if code == GateCode::EmptyArchive {
        invalid(EMPTY_ZIP)
    } else {
        invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    }
}

/// Bytes that a package may unpack to (Lambda's quota, 250 MiB).
const UNZIPPED_SIZE_LIMIT: u64 = 262_144_000;

#[cfg(test)]
mod tests {
    use countersign_domain::event::DeploymentRequest;
    use countersign_domain::{Check, Code, CodeVersion, Sha256Digest};

    use super::*;

    fn package(key: &str) -> CodeVersion {
        let version = format!("v-{key}").parse().unwrap();
        CodeVersion { bucket: "signed".parse().unwrap(), key: key.parse().unwrap(), version }
    }

    fn decision(findings: Vec<Finding>) -> Decision {
        let code = Code {
            object: package("code.zip"),
            sha256: Sha256Digest::of(b"code"),
            size_bytes: 4,
            signature: None,
        };
        Decision {
            deployment: "0b9f6b8c-6d4a-8f0e-9a51-1d2c3b4a5f60".parse().unwrap(),
            request: DeploymentRequest {
                function_name: "hello".parse().unwrap(),
                code: package("code.zip"),
                layers: vec![package("layer.zip")],
                alias: None,
                target: None,
                create: None,
            },
            revision: 1,
            verdict: Verdict::Block,
            findings,
            reason: "for a reason".into(),
            layers: Vec::new(),
            code,
        }
    }

    fn failed_check(package: PackageRole, check: Check) -> Finding {
        Finding { package, check, outcome: Checked::Failed("two values disagree".into()) }
    }

    #[test]
    fn the_worst_of_the_findings_has_the_text() {
        let told = |checks: &[Check]| {
            let findings = checks.iter().map(|check| failed_check(PackageRole::Function, *check)).collect();
            blocked("hello", &decision(findings)).message().to_owned()
        };
        assert_eq!(
            told(&[Check::Mismatch]),
            "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client \
             is not configured to accept. Check the provided signature for hello."
        );
        assert_eq!(
            told(&[Check::Integrity, Check::Mismatch]),
            "Lambda cannot deploy the function. The function or layer code is not properly signed. This can mean that \
             the code was signed incorrectly or modified after it was signed. Check the provided signature for hello."
        );
        assert!(told(&[Check::Expiry, Check::Revocation]).contains("has been revoked"));
        assert!(told(&[Check::Expiry]).contains("has expired"));
        assert_eq!(told(&[]), "Lambda cannot deploy the function hello: for a reason.");
    }

    #[test]
    fn which_check_of_which_package_failed_is_told_beside_the_text() {
        let passed =
            Finding { package: PackageRole::Function, check: Check::Integrity, outcome: Checked::Passed };
        let error =
            blocked("hello", &decision(vec![passed, failed_check(PackageRole::Layer(1), Check::Expiry)]));
        let expected = json!([{
            "Package": "layer 1",
            "Location": ObjectVersion::from(package("layer.zip")).to_string(),
            "Check": "expiry",
            "Outcome": "failed",
            "Reason": "two values disagree",
        }]);
        assert_eq!(error.members().get("Findings"), Some(&expected));
        assert_eq!(error.class().name, "CodeVerificationFailedException");
    }

    #[test]
    fn a_file_that_is_no_package_is_told_in_lambdas_words() {
        assert!(ungated(GateCode::NotAZip).message().starts_with("Could not unzip uploaded file."));
        assert_eq!(
            ungated(GateCode::UnpackedSizeExceeded).message(),
            "Unzipped size must be smaller than 262144000 bytes"
        );
        assert_eq!(ungated(GateCode::EmptyArchive).message(), "Uploaded file must be a non-empty zip");
    }
}
