//! Takes a signature apart and refuses every form but the one that FORMAT.md section 4 describes.

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
use der::asn1::{Any, ObjectIdentifier};
use der::{Decode, Encode};
use spki::AlgorithmIdentifierOwned;
use x509_cert::Certificate;

use super::attributes::{Algorithms, has_content_hints};
use super::{CmsError, Form, SignatureAlgorithm, SignedClaims, ber, encode, pem};

/// A well-formed signature, of which nothing has been verified.
#[derive(Debug, Clone)]
pub(crate) struct SignatureBlock {
    pub(crate) form: Form,
    /// In the order of DER, which says nothing.
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) signer: IssuerAndSerialNumber,
    pub(crate) claims: SignedClaims,
    /// DER of the signed attributes as SET OF: the message that is signed.
    pub(crate) signed_attributes: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    digest_algorithms: [AlgorithmIdentifierOwned; 2],
    signature_algorithm: AlgorithmIdentifierOwned,
}

impl SignatureBlock {
    /// Checks every algorithm identifier, and the form of the signature value, against the key's algorithm.
    pub(crate) fn check_algorithm(&self, algorithm: SignatureAlgorithm) -> Result<(), CmsError> {
        let [in_signed_data, in_signer_info] = &self.digest_algorithms;
        let digest = algorithm.digest_identifier();
        self.check_identifier("digestAlgorithms", in_signed_data, &digest)?;
        self.check_identifier("digestAlgorithm", in_signer_info, &digest)?;
        let signature = algorithm.signature_identifier()?;
        self.check_identifier("signatureAlgorithm", &self.signature_algorithm, &signature)?;
        algorithm.check_value(&self.signature, self.form)
    }

    fn check_identifier(
        &self,
        field: &'static str,
        found: &AlgorithmIdentifierOwned,
        expected: &AlgorithmIdentifierOwned,
    ) -> Result<(), CmsError> {
        let null = found.parameters.as_ref().is_some_and(Any::is_null) && expected.parameters.is_none();
        let same_but_null = null && !self.form.is_ours() && found.oid == expected.oid;
        if found == expected || same_but_null {
            return Ok(());
        }
        Err(CmsError::Algorithm { field, expected: shown(expected), found: shown(found) })
    }
}

/// Decodes the body of `META-INF/countersign.p7s`: DER, one encoding.
pub(crate) fn decode_p7s(der: &[u8]) -> Result<SignatureBlock, CmsError> {
    let signed_data = signed_data(der)?;
    check_canonical(&signed_data, der)?;
    block(signed_data, |_| Form::Countersign)
}

/// Decodes the body of AWS Signer's `.SF`: PEM around DER in our packages, around BER in AWS Signer's.
pub(crate) fn decode_sf(text: &[u8]) -> Result<SignatureBlock, CmsError> {
    let encoded = pem::decode(text)?;
    let der = ber::to_der(&encoded)?;
    let signed_data = signed_data(&der)?;
    let checked = check_canonical(&signed_data, &encoded)
        .and_then(|()| if pem::encode(&encoded)?.as_bytes() == text { Ok(()) } else { Err(not_canonical()) });
    let block = block(
        signed_data,
        |attributes_have_hints| {
            if attributes_have_hints { Form::OurAws } else { Form::NativeAws }
        },
    )?;
    if block.form.is_ours() { checked.map(|()| block) } else { Ok(block) }
}

fn signed_data(der: &[u8]) -> Result<SignedData, CmsError> {
    let outer = ContentInfo::from_der(der)?;
    check_oid("contentType", outer.content_type, ID_SIGNED_DATA, "id-signedData")?;
    Ok(outer.content.decode_as::<SignedData>()?)
}

/// What was read, written again, is the same: no second encoding of one signature (FORMAT.md section 4.1).
fn check_canonical(signed_data: &SignedData, der: &[u8]) -> Result<(), CmsError> {
    if encode::to_der(signed_data)? == der { Ok(()) } else { Err(not_canonical()) }
}

fn block(data: SignedData, form: impl FnOnce(bool) -> Form) -> Result<SignatureBlock, CmsError> {
    check_version("SignedData.version", data.version)?;
    check_oid("eContentType", data.encap_content_info.econtent_type, ID_DATA, "id-data")?;
    check_absent("eContent", data.encap_content_info.econtent.is_none())?;
    check_absent("crls", data.crls.is_none())?;
    let digest_algorithm = only("digestAlgorithms", data.digest_algorithms.into_vec())?;
    let signer = only("signerInfos", data.signer_infos.0.into_vec())?;
    let certificates = certificates(data.certificates.map(|set| set.0.into_vec()).unwrap_or_default())?;
    let signed =
        signer.signed_attrs.as_ref().ok_or(CmsError::MissingAttribute { attribute: "contentType" })?;
    let form = form(has_content_hints(signed));
    let algorithms = Algorithms { digest: &signer.digest_alg, signature: &signer.signature_algorithm };
    Ok(SignatureBlock {
        form,
        certificates,
        claims: SignedClaims::decode(signed, form, &algorithms)?,
        signed_attributes: signed.to_der()?,
        signer: signer_identifier(&signer)?,
        signature: signer.signature.as_bytes().to_vec(),
        digest_algorithms: [digest_algorithm, signer.digest_alg],
        signature_algorithm: signer.signature_algorithm,
    })
}

fn signer_identifier(signer: &SignerInfo) -> Result<IssuerAndSerialNumber, CmsError> {
    check_version("SignerInfo.version", signer.version)?;
    check_absent("unsignedAttrs", signer.unsigned_attrs.is_none())?;
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => Ok(id.clone()),
        SignerIdentifier::SubjectKeyIdentifier(_) => Err(CmsError::Field {
            field: "sid",
            expected: "issuerAndSerialNumber",
            found: "subjectKeyIdentifier".to_owned(),
        }),
    }
}

fn certificates(choices: Vec<CertificateChoices>) -> Result<Vec<Certificate>, CmsError> {
    let expected = "2 to 8 X.509 certificates";
    let error = |found: String| CmsError::Field { field: "certificates", expected, found };
    if !(2..=MAX_CERTIFICATES).contains(&choices.len()) {
        return Err(error(choices.len().to_string()));
    }
    let certificate = |choice| match choice {
        CertificateChoices::Certificate(certificate) => Ok(certificate),
        CertificateChoices::Other(other) => {
            Err(error(format!("a certificate of type {}", other.other_cert_format)))
        }
    };
    choices.into_iter().map(certificate).collect()
}

fn only<T>(field: &'static str, mut elements: Vec<T>) -> Result<T, CmsError> {
    let found = elements.len();
    match (elements.pop(), found) {
        (Some(element), 1) => Ok(element),
        (_, found) => {
            Err(CmsError::Field { field, expected: "exactly one", found: format!("{found} elements") })
        }
    }
}

fn check_version(field: &'static str, version: CmsVersion) -> Result<(), CmsError> {
    let found = || format!("{version:?}").to_lowercase();
    (version == CmsVersion::V1).then_some(()).ok_or_else(|| CmsError::Field {
        field,
        expected: "v1",
        found: found(),
    })
}

fn check_oid(
    field: &'static str,
    found: ObjectIdentifier,
    expected: ObjectIdentifier,
    name: &'static str,
) -> Result<(), CmsError> {
    let error = || CmsError::Field { field, expected: name, found: found.to_string() };
    (found == expected).then_some(()).ok_or_else(error)
}

fn check_absent(field: &'static str, absent: bool) -> Result<(), CmsError> {
    let error = || CmsError::Field { field, expected: "absent", found: "present".to_owned() };
    absent.then_some(()).ok_or_else(error)
}

fn not_canonical() -> CmsError {
    CmsError::Encoding { detail: "it is not in its one allowed encoding".to_owned() }
}

/// `1.2.840.10045.4.3.3`, or with parameters the whole identifier in hexadecimal.
fn shown(identifier: &AlgorithmIdentifierOwned) -> String {
    match &identifier.parameters {
        None => identifier.oid.to_string(),
        Some(parameters) => {
            let parameters = parameters.to_der().map(hex::encode).unwrap_or_default();
            format!("{} with parameters {parameters}", identifier.oid)
        }
    }
}

/// Certificates in a signature. Stops path building from being the work of an attacker's choice; AWS Signer has 4.
const MAX_CERTIFICATES: usize = 8;
