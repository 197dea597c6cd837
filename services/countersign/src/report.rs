//! What `--json` prints of a signature. These forms are stable: scripts depend on them.

use countersign_domain::{JobArn, Platform, ProfileVersionArn, Sha256Digest, UnixMillis};
use countersign_package::cms::SignatureAlgorithm;
use countersign_package::statement::Statement;
use countersign_package::verify::{Coverage, Inspection, UnverifiedCertificate, UnverifiedSignature};
use serde::Serialize;

/// Who signed, in which job, when, and until when that counts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatementReport {
    pub(crate) platform: Platform,
    pub(crate) profile_version_arn: ProfileVersionArn,
    pub(crate) job_arn: JobArn,
    pub(crate) signing_time: UnixMillis,
    pub(crate) expires_at: UnixMillis,
}

impl From<&Statement> for StatementReport {
    fn from(statement: &Statement) -> Self {
        Self {
            platform: statement.platform,
            profile_version_arn: statement.profile_version_arn.clone(),
            job_arn: statement.job_arn.clone(),
            signing_time: statement.signing_time,
            expires_at: statement.expires_at,
        }
    }
}

/// A package as it shows itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectionReport {
    entries: usize,
    sha256: Sha256Digest,
    /// `null` if the package is not signed.
    unverified_signature: Option<UnverifiedReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnverifiedReport {
    entry: String,
    algorithm: SignatureAlgorithm,
    claimed: StatementReport,
    claimed_coverage: Coverage,
    message_digest: String,
    certificates: Vec<CertificateReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateReport {
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    sha256: Sha256Digest,
}

impl From<&Inspection> for InspectionReport {
    fn from(inspection: &Inspection) -> Self {
        Self {
            entries: inspection.entries,
            sha256: inspection.package_digest,
            unverified_signature: inspection.unverified_signature.as_ref().map(UnverifiedReport::from),
        }
    }
}

impl From<&UnverifiedSignature> for UnverifiedReport {
    fn from(signature: &UnverifiedSignature) -> Self {
        Self {
            entry: signature.entry.clone(),
            algorithm: signature.algorithm,
            claimed: StatementReport::from(&signature.claimed),
            claimed_coverage: signature.claimed_coverage,
            message_digest: signature.message_digest.clone(),
            certificates: signature.certificates.iter().map(CertificateReport::from).collect(),
        }
    }
}

impl From<&UnverifiedCertificate> for CertificateReport {
    fn from(certificate: &UnverifiedCertificate) -> Self {
        Self {
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            not_before: certificate.not_before.clone(),
            not_after: certificate.not_after.clone(),
            sha256: certificate.sha256,
        }
    }
}
