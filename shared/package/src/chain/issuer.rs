//! What FORMAT.md section 6.3 (4) demands of a certificate that issues others, as far as webpki leaves it out: its keyUsage
//! (RFC 5280 section 6.1.4 n), and everything that a trust anchor says of itself.

use const_oid::db::rfc5280::ID_KP_CODE_SIGNING;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

/// Checks an issuer that has `below` other issuers between itself and the leaf; the text says what is wrong with it.
pub(super) fn check(issuer: &Certificate, below: usize) -> Result<(), String> {
    let tbs = issuer.tbs_certificate();
    let wrong = |what: &str| Err(format!("the issuer {:?} {what}", tbs.subject().to_string()));
    match tbs.get_extension::<BasicConstraints>() {
        Ok(Some((_, BasicConstraints { ca: true, path_len_constraint }))) => {
            if path_len_constraint.is_some_and(|most| below > usize::from(most)) {
                return wrong("allows fewer issuers below itself (pathLenConstraint)");
            }
        }
        Ok(_) => return wrong("is not a CA certificate"),
        Err(_) => return wrong("has malformed basicConstraints"),
    }
    match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) if !usage.key_cert_sign() => return wrong("has a keyUsage without keyCertSign"),
        Ok(_) => {}
        Err(_) => return wrong("has a malformed keyUsage"),
    }
    match tbs.get_extension::<ExtendedKeyUsage>() {
        Ok(Some((_, usages))) if !usages.0.contains(&ID_KP_CODE_SIGNING) => {
            wrong("has an extendedKeyUsage without codeSigning")
        }
        Ok(_) => Ok(()),
        Err(_) => wrong("has a malformed extendedKeyUsage"),
    }
}
