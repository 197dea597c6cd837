//! What FORMAT.md section 6.3 (4) demands of every certificate of a path. webpki does too, but of no trust anchor, and without
//! a word on which certificate it is.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{
    ID_CE_BASIC_CONSTRAINTS, ID_CE_EXT_KEY_USAGE, ID_CE_KEY_USAGE, ID_CE_NAME_CONSTRAINTS,
    ID_CE_SUBJECT_ALT_NAME,
};
use const_oid::db::rfc5912::ECDSA_WITH_SHA_384;
use countersign_domain::UnixMillis;
use x509_cert::Certificate;

/// Checks a certificate at `at`; the text says what is wrong with it.
pub(super) fn check(certificate: &Certificate, at: UnixMillis) -> Result<(), String> {
    let tbs = certificate.tbs_certificate();
    let wrong = |what: String| Err(format!("the certificate {:?} {what}", tbs.subject().to_string()));
    let validity = tbs.validity();
    let (begin, end) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
    if !(begin.as_secs()..=end.as_secs()).contains(&at.as_secs()) {
        return wrong(format!("is valid from {} to {}", validity.not_before, validity.not_after));
    }
    let mut critical = tbs.extensions().into_iter().flatten().filter(|extension| extension.critical);
    if let Some(unknown) = critical.find(|extension| !UNDERSTOOD.contains(&extension.extn_id)) {
        return wrong(format!("has the critical extension {}, which is not understood", unknown.extn_id));
    }
    let algorithm = certificate.signature_algorithm().oid;
    // A root's signature on itself says nothing.
    if algorithm != ECDSA_WITH_SHA_384 && tbs.issuer() != tbs.subject() {
        return wrong(format!("is signed with {algorithm}, and must be with ECDSA P-384 and SHA-384"));
    }
    Ok(())
}

/// The extensions that the verification of a path looks at.
const UNDERSTOOD: [ObjectIdentifier; 5] = [
    ID_CE_BASIC_CONSTRAINTS,
    ID_CE_EXT_KEY_USAGE,
    ID_CE_KEY_USAGE,
    ID_CE_NAME_CONSTRAINTS,
    ID_CE_SUBJECT_ALT_NAME,
];
