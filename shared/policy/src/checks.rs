//! The four checks of one package (reference: AWS Lambda's "configuring code signing", Signer's time model).

use countersign_domain::{Check, CodeSigningConfig, Finding, Outcome, UnixMillis};
use countersign_ports::revocations::{Revocation, RevocationStatus};

use crate::evidence::{PackageEvidence, RevocationEvidence, SignatureEvidence, SignedStatement};

/// The findings of one package, in the order of [`Check::ALL`].
pub(crate) fn findings_of(
    package: &PackageEvidence,
    config: &CodeSigningConfig,
    now: UnixMillis,
) -> Vec<Finding> {
    let finding = |(check, outcome)| Finding { package: package.role.clone(), check, outcome };
    outcomes(package, config, now).into_iter().map(finding).collect()
}

fn outcomes(package: &PackageEvidence, config: &CodeSigningConfig, now: UnixMillis) -> Vec<(Check, Outcome)> {
    match &package.signature {
        SignatureEvidence::Verified(statement) => vec![
            (Check::Integrity, Outcome::Passed),
            (Check::Expiry, expiry(statement, now)),
            (Check::Mismatch, mismatch(statement, config)),
            (Check::Revocation, revocation(statement, &package.revocation)),
        ],
        SignatureEvidence::Unsigned => vec![(Check::Mismatch, unsigned(config))],
        SignatureEvidence::Broken { code, reason } => {
            with_the_rest_unknown(Outcome::Failed(format!("{reason} ({code})")), UNKNOWN_SINCE_BROKEN)
        }
        SignatureEvidence::Unreadable { reason } => {
            let integrity = Outcome::Inconclusive(format!("the package could not be read: {reason}"));
            with_the_rest_unknown(integrity, UNKNOWN_SINCE_UNREAD)
        }
    }
}

fn with_the_rest_unknown(integrity: Outcome, why: &str) -> Vec<(Check, Outcome)> {
    let unknown = || Outcome::Inconclusive(why.to_owned());
    vec![
        (Check::Integrity, integrity),
        (Check::Expiry, unknown()),
        (Check::Mismatch, unknown()),
        (Check::Revocation, unknown()),
    ]
}

/// The signature is valid up to and including its expiry.
fn expiry(statement: &SignedStatement, now: UnixMillis) -> Outcome {
    let expires_at = statement.expires_at();
    if now <= expires_at {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("the signature expired at {expires_at}, and it is {now}"))
    }
}

fn mismatch(statement: &SignedStatement, config: &CodeSigningConfig) -> Outcome {
    let signer = statement.signer();
    if config.allowed_publishers.iter().any(|publisher| publisher.admits(signer)) {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("signed by {signer}, but {}", allowed(config)))
    }
}

fn unsigned(config: &CodeSigningConfig) -> Outcome {
    Outcome::Failed(format!("the package is not signed, but {}", allowed(config)))
}

fn allowed(config: &CodeSigningConfig) -> String {
    let publishers: Vec<String> = config.allowed_publishers.iter().map(ToString::to_string).collect();
    format!("code signing config {} allows only [{}]", config.name, publishers.join(", "))
}

fn revocation(statement: &SignedStatement, evidence: &RevocationEvidence) -> Outcome {
    let status = match evidence {
        RevocationEvidence::Known(status) => status,
        RevocationEvidence::Unavailable(why) => {
            return Outcome::Inconclusive(format!("the revocation source could not be asked: {why}"));
        }
        RevocationEvidence::NotAsked => {
            return Outcome::Inconclusive("the revocation source was not asked".to_owned());
        }
    };
    let reasons: Vec<String> =
        revoked_job(statement, status).into_iter().chain(revoked_profile(statement, status)).collect();
    if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons.join("; ")) }
}

/// A revoked job has no effective time: its signature is not trusted, whenever it was made.
fn revoked_job(statement: &SignedStatement, status: &RevocationStatus) -> Option<String> {
    let Revocation { revoked_at, reason, .. } = status.job.as_ref()?;
    let (job, signed) = (statement.job(), statement.signing_time());
    Some(format!("signing job {job} of {signed} was revoked at {revoked_at} ({reason})"))
}

/// A revoked profile version is not trusted for what it signed strictly after the effective time.
fn revoked_profile(statement: &SignedStatement, status: &RevocationStatus) -> Option<String> {
    let (signer, signed) = (statement.signer(), statement.signing_time());
    let Revocation { effective_from, reason, .. } = status.of_signature_made_at(signed).profile?;
    Some(format!(
        "signed at {signed}, but profile version {signer} is revoked from {effective_from} on ({reason})"
    ))
}

const UNKNOWN_SINCE_BROKEN: &str = "not known, since the signature is broken";
const UNKNOWN_SINCE_UNREAD: &str = "not known, since the package could not be read";
