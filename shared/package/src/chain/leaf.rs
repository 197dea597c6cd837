//! The leaf's profile (FORMAT.md section 6.1), as far as it does not depend on the platform.

use const_oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_CODE_SIGNING};
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use super::ChainError;
use crate::cms::SignatureAlgorithm;

/// What a leaf that may sign packages says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) algorithm: SignatureAlgorithm,
    /// The one URI of its subjectAltName.
    pub(crate) uri: Option<String>,
}

impl Leaf {
    pub(super) fn check(certificate: &Certificate) -> Result<Self, ChainError> {
        let tbs = certificate.tbs_certificate();
        if tbs.version() != Version::V3 {
            return Err(unsuitable("it is not X.509 version 3"));
        }
        check_no_ca(tbs)?;
        check_key_usage(tbs)?;
        check_extended_key_usage(tbs)?;
        let algorithm = SignatureAlgorithm::of_key(tbs.subject_public_key_info());
        let algorithm = algorithm.ok_or_else(|| unsuitable("its key is neither RSA-3072 nor EC P-384"))?;
        Ok(Self { algorithm, uri: uri(tbs)? })
    }
}

fn check_no_ca(tbs: &TbsCertificate) -> Result<(), ChainError> {
    let ca = tbs.get_extension::<BasicConstraints>().map_err(malformed)?.is_some_and(|(_, basic)| basic.ca);
    if ca { Err(unsuitable("it is a CA certificate")) } else { Ok(()) }
}

fn check_key_usage(tbs: &TbsCertificate) -> Result<(), ChainError> {
    match tbs.get_extension::<KeyUsage>().map_err(malformed)? {
        None => Err(unsuitable("it has no keyUsage")),
        Some((_, usage)) if !usage.digital_signature() => {
            Err(unsuitable("its keyUsage lacks digitalSignature"))
        }
        Some((_, usage)) if usage.key_cert_sign() || usage.crl_sign() => {
            Err(unsuitable("its keyUsage is that of a CA"))
        }
        Some(_) => Ok(()),
    }
}

fn check_extended_key_usage(tbs: &TbsCertificate) -> Result<(), ChainError> {
    match tbs.get_extension::<ExtendedKeyUsage>().map_err(malformed)? {
        Some((_, ExtendedKeyUsage(usages))) if usages.contains(&ANY_EXTENDED_KEY_USAGE) => {
            Err(unsuitable("its extendedKeyUsage is anyExtendedKeyUsage"))
        }
        Some((_, ExtendedKeyUsage(usages))) if usages.contains(&ID_KP_CODE_SIGNING) => Ok(()),
        Some(_) | None => Err(unsuitable("its extendedKeyUsage lacks codeSigning")),
    }
}

fn uri(tbs: &TbsCertificate) -> Result<Option<String>, ChainError> {
    let names = tbs.get_extension::<SubjectAltName>().map_err(malformed)?.map(|(_, names)| names.0);
    let uris: Vec<String> = names
        .iter()
        .flatten()
        .filter_map(|name| {
            if let GeneralName::UniformResourceIdentifier(uri) = name { Some(uri.to_string()) } else { None }
        })
        .collect();
    match uris.as_slice() {
        [] => Ok(None),
        [uri] => Ok(Some(uri.clone())),
        several => Err(unsuitable(&format!("its subjectAltName has {} URIs", several.len()))),
    }
}

fn malformed(error: der::Error) -> ChainError {
    unsuitable(&format!("an extension is malformed or there twice ({error})"))
}

fn unsuitable(detail: &str) -> ChainError {
    ChainError::Leaf { detail: detail.to_owned() }
}
