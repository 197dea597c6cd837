//! Builds a signature (FORMAT.md sections 4.2 to 4.4).

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
use der::Encode;
use der::asn1::{Any, OctetString, SetOfVec};
use x509_cert::Certificate;
use x509_cert::attr::Attributes;

use super::attributes::{Algorithms, SignedClaims};
use super::{CmsError, Form, SignatureAlgorithm, ber};

/// The signed attributes that say `claims`.
pub(crate) fn signed_attributes(
    claims: &SignedClaims,
    form: Form,
    algorithm: SignatureAlgorithm,
) -> Result<Attributes, CmsError> {
    let (digest, signature) = (algorithm.digest_identifier(), algorithm.signature_identifier()?);
    claims.encode(form, &Algorithms { digest: &digest, signature: &signature })
}

/// DER of the ContentInfo; `chain` is leaf to root, and DER sorts it.
pub(crate) fn content_info(
    algorithm: SignatureAlgorithm,
    chain: &[Certificate],
    attributes: Attributes,
    signature: &[u8],
) -> Result<Vec<u8>, CmsError> {
    let signer = signer_info(algorithm, chain, attributes, signature)?;
    let certificates = chain.iter().cloned().map(CertificateChoices::Certificate).collect::<Vec<_>>();
    let signed_data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![algorithm.digest_identifier()])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: ID_DATA, econtent: None },
        certificates: Some(CertificateSet::try_from(certificates)?),
        crls: None,
        signer_infos: SignerInfos::try_from(vec![signer])?,
    };
    to_der(&signed_data)
}

/// DER of the ContentInfo around `signed_data`. The cms crate orders certificates by another rule than X.690 section
/// 11.6 (it compares their bytes as if each were an INTEGER), so its sets are sorted once more.
pub(super) fn to_der(signed_data: &SignedData) -> Result<Vec<u8>, CmsError> {
    let content_info = ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(signed_data)? };
    ber::to_der(&content_info.to_der()?)
}

fn signer_info(
    algorithm: SignatureAlgorithm,
    chain: &[Certificate],
    attributes: Attributes,
    signature: &[u8],
) -> Result<SignerInfo, CmsError> {
    let leaf = chain.first().ok_or(CmsError::Encoding { detail: "it has no certificate".to_owned() })?;
    let tbs = leaf.tbs_certificate();
    Ok(SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: tbs.issuer().clone(),
            serial_number: tbs.serial_number().clone(),
        }),
        digest_alg: algorithm.digest_identifier(),
        signed_attrs: Some(attributes),
        signature_algorithm: algorithm.signature_identifier()?,
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    })
}
