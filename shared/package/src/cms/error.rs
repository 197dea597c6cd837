//! What can be wrong with a signature before anyone asks whether it is trusted.

/// A signature that is not of the form of FORMAT.md section 4.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// The PEM around an AWS signature (section 4.1).
    #[error("the signature is not one PEM block of type PKCS7: {detail}")]
    Pem {
        /// What is wrong with it.
        detail: String,
    },
    /// The ASN.1 does not parse, or is not the one encoding that is allowed (sections 4.1 and 4.7).
    #[error("the signature is not well-formed CMS: {detail}")]
    Encoding {
        /// What is wrong with it.
        detail: String,
    },
    /// A field of SignedData or SignerInfo has another value than the format fixes (sections 4.2 and 4.3).
    #[error("the signature's {field} is {found}, and must be {expected}")]
    Field {
        /// The field's name in RFC 5652.
        field: &'static str,
        /// What the format demands.
        expected: &'static str,
        /// What the signature has.
        found: String,
    },
    /// An algorithm that the platform does not use (section 4.5).
    #[error("the signature's {field} is {found}, and the platform uses {expected}")]
    Algorithm {
        /// The field's name in RFC 5652.
        field: &'static str,
        /// What the platform uses.
        expected: String,
        /// What the signature has.
        found: String,
    },
    /// A signed attribute that must be there and is not (section 4.4).
    #[error("the signed attribute {attribute} is missing")]
    MissingAttribute {
        /// The attribute's name in FORMAT.md.
        attribute: &'static str,
    },
    /// A signed attribute that is there twice, or with several values or none (section 4.4).
    #[error("the signed attribute {oid} must occur once, with one value")]
    RepeatedAttribute {
        /// The attribute's object identifier.
        oid: String,
    },
    /// A signed attribute that the format does not know (section 4.4).
    #[error("the signed attribute {oid} is not one of this format")]
    UnknownAttribute {
        /// The attribute's object identifier.
        oid: String,
    },
    /// A signed attribute whose value has the wrong type or form (sections 4.4 and 5.3).
    #[error("the signed attribute {attribute} is malformed: {detail}")]
    Attribute {
        /// The attribute's name in FORMAT.md.
        attribute: &'static str,
        /// What is wrong with its value.
        detail: String,
    },
    /// A signature value in another encoding than section 4.6 allows.
    #[error("the signature value is not in its one allowed encoding: {detail}")]
    SignatureValue {
        /// What is wrong with it.
        detail: &'static str,
    },
}

impl CmsError {
    /// The stable code of FORMAT.md section 10.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pem { .. } => "malformed_pem",
            Self::Encoding { .. } | Self::Field { .. } => "malformed_cms",
            Self::Algorithm { .. } => "algorithm_not_allowed",
            Self::MissingAttribute { .. } => "missing_attribute",
            Self::RepeatedAttribute { .. } => "repeated_attribute",
            Self::UnknownAttribute { .. } => "unknown_attribute",
            Self::Attribute { .. } => "malformed_attribute",
            Self::SignatureValue { .. } => "malformed_signature_value",
        }
    }
}

impl From<der::Error> for CmsError {
    fn from(error: der::Error) -> Self {
        Self::Encoding { detail: error.to_string() }
    }
}
