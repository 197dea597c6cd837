//! The signed attributes (FORMAT.md section 4.4).

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{
    ID_AA_CONTENT_HINT, ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNING_TIME,
};
use countersign_domain::{JobArn, ProfileVersionArn, UnixMillis};
use der::asn1::{Any, OctetStringRef, SetOfVec, Utf8StringRef};
use der::{Encode, Sequence};
use spki::AlgorithmIdentifierOwned;
use x509_cert::attr::{Attribute, Attributes};

use super::{CmsError, Form, time};

/// What the signed attributes say, besides what the format fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedClaims {
    pub(crate) message_digest: Vec<u8>,
    pub(crate) signing_time: UnixMillis,
    pub(crate) job_arn: JobArn,
    pub(crate) expires_at: UnixMillis,
    pub(crate) profile_version_arn: ProfileVersionArn,
    pub(crate) content_hints: Option<ContentHints>,
}

/// The exact bytes of U, as contentHints names them (FORMAT.md section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentHints {
    pub(crate) size: u64,
    pub(crate) sha384: [u8; 48],
}

/// RFC 6211.
#[derive(Sequence)]
struct AlgorithmProtection {
    digest_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT")]
    signature_algorithm: AlgorithmIdentifierOwned,
}

/// RFC 2634 section 2.9.
#[derive(Sequence)]
struct RawContentHints {
    description: String,
    content_type: ObjectIdentifier,
}

/// The algorithms that CMSAlgorithmProtection protects: SignerInfo's.
pub(super) struct Algorithms<'a> {
    pub(super) digest: &'a AlgorithmIdentifierOwned,
    pub(super) signature: &'a AlgorithmIdentifierOwned,
}

impl SignedClaims {
    pub(super) fn encode(&self, form: Form, algorithms: &Algorithms<'_>) -> Result<Attributes, CmsError> {
        let mut attributes = vec![
            attribute(ID_CONTENT_TYPE, Any::encode_from(&ID_DATA)?)?,
            attribute(ID_MESSAGE_DIGEST, Any::encode_from(&OctetStringRef::new(&self.message_digest)?)?)?,
            attribute(ID_SIGNING_TIME, time::encode_signing_time(self.signing_time, form)?)?,
            attribute(ID_ALGORITHM_PROTECTION, algorithms.protection()?)?,
            attribute(ID_JOB, utf8(&self.job_arn.to_string())?)?,
            attribute(ID_EXPIRY, time::encode_expiry(self.expires_at)?)?,
            attribute(ID_PROFILE_VERSION, utf8(&self.profile_version_arn.to_string())?)?,
        ];
        if let Some(hints) = &self.content_hints {
            attributes.push(attribute(ID_AA_CONTENT_HINT, hints.encode()?)?);
        }
        Ok(SetOfVec::try_from(attributes)?)
    }

    /// Reads every attribute, each once, and in our own forms none besides.
    pub(super) fn decode(
        attributes: &Attributes,
        form: Form,
        algorithms: &Algorithms<'_>,
    ) -> Result<Self, CmsError> {
        let values = Values::collect(attributes, form)?;
        let content_type = values.required(ID_CONTENT_TYPE, "contentType")?;
        check_equal("contentType", content_type, &Any::encode_from(&ID_DATA)?)?;
        match values.optional(ID_ALGORITHM_PROTECTION) {
            Some(value) => check_equal("CMSAlgorithmProtection", value, &algorithms.protection()?)?,
            None if form.is_ours() => {
                return Err(CmsError::MissingAttribute { attribute: "CMSAlgorithmProtection" });
            }
            None => {}
        }
        Ok(Self {
            message_digest: message_digest(values.required(ID_MESSAGE_DIGEST, "messageDigest")?)?,
            signing_time: time::decode_signing_time(values.required(ID_SIGNING_TIME, "signingTime")?, form)
                .ok_or_else(|| {
                malformed("signingTime", "not a time in the form of the platform")
            })?,
            job_arn: arn("signing job", values.required(ID_JOB, "signing job")?)?,
            expires_at: time::decode_expiry(values.required(ID_EXPIRY, "signature expiry")?, form)
                .ok_or_else(|| malformed("signature expiry", "not a time in the form of the platform"))?,
            profile_version_arn: arn(
                "profile version",
                values.required(ID_PROFILE_VERSION, "profile version")?,
            )?,
            content_hints: values.optional(ID_AA_CONTENT_HINT).map(ContentHints::decode).transpose()?,
        })
    }
}

/// True if the attributes say that we made this AWS package (FORMAT.md section 2).
pub(super) fn has_content_hints(attributes: &Attributes) -> bool {
    attributes.iter().any(|attribute| attribute.oid == ID_AA_CONTENT_HINT)
}

impl Algorithms<'_> {
    fn protection(&self) -> der::Result<Any> {
        Any::encode_from(&AlgorithmProtection {
            digest_algorithm: self.digest.clone(),
            signature_algorithm: self.signature.clone(),
        })
    }
}

impl ContentHints {
    fn encode(&self) -> der::Result<Any> {
        let sha384 = hex::encode(self.sha384);
        let description = format!("{DESCRIPTION_TYPE}length={};sha-384={sha384}", self.size);
        Any::encode_from(&RawContentHints { description, content_type: ID_DATA })
    }

    fn decode(value: &Any) -> Result<Self, CmsError> {
        let malformed = |detail: &str| malformed("contentHints", detail);
        let raw: RawContentHints =
            value.decode_as().map_err(|error: der::Error| malformed(&error.to_string()))?;
        let parse = || {
            let fields = raw.description.strip_prefix(DESCRIPTION_TYPE)?.strip_prefix("length=")?;
            let (size, sha384) = fields.split_once(";sha-384=")?;
            let mut bytes = [0; 48];
            hex::decode_to_slice(sha384, &mut bytes).ok()?;
            Some(Self { size: size.parse().ok()?, sha384: bytes })
        };
        let hints = parse().ok_or_else(|| malformed("not application/zip;length=…;sha-384=…"))?;
        // Leading zeros, upper case and another contentType end here.
        if hints.encode()? == *value { Ok(hints) } else { Err(malformed("not in its one allowed form")) }
    }
}

/// The one value of each attribute.
struct Values<'a>(Vec<(ObjectIdentifier, &'a Any)>);

impl<'a> Values<'a> {
    fn collect(attributes: &'a Attributes, form: Form) -> Result<Self, CmsError> {
        let mut values: Vec<(ObjectIdentifier, &Any)> = Vec::new();
        for Attribute { oid, values: set } in attributes.iter() {
            let known = KNOWN.contains(oid) && (*oid != ID_AA_CONTENT_HINT || form == Form::OurAws);
            if form.is_ours() && !known {
                return Err(CmsError::UnknownAttribute { oid: oid.to_string() });
            }
            match set.as_slice() {
                [value] if values.iter().all(|(seen, _)| seen != oid) => values.push((*oid, value)),
                _ => return Err(CmsError::RepeatedAttribute { oid: oid.to_string() }),
            }
        }
        Ok(Self(values))
    }

    fn optional(&self, oid: ObjectIdentifier) -> Option<&'a Any> {
        self.0.iter().find(|(seen, _)| *seen == oid).map(|(_, value)| *value)
    }

    fn required(&self, oid: ObjectIdentifier, attribute: &'static str) -> Result<&'a Any, CmsError> {
        self.optional(oid).ok_or(CmsError::MissingAttribute { attribute })
    }
}

fn attribute(oid: ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

fn utf8(text: &str) -> der::Result<Any> {
    Any::encode_from(&Utf8StringRef::new(text)?)
}

fn arn<T: std::str::FromStr<Err: std::fmt::Display>>(
    attribute: &'static str,
    value: &Any,
) -> Result<T, CmsError> {
    let text: Utf8StringRef<'_> =
        value.decode_as().map_err(|error: der::Error| malformed(attribute, error.to_string()))?;
    text.as_str().parse().map_err(|error: T::Err| malformed(attribute, error.to_string()))
}

fn message_digest(value: &Any) -> Result<Vec<u8>, CmsError> {
    let octets: &OctetStringRef =
        value.decode_as().map_err(|error: der::Error| malformed("messageDigest", error.to_string()))?;
    Ok(octets.as_bytes().to_vec())
}

fn check_equal(attribute: &'static str, value: &Any, expected: &Any) -> Result<(), CmsError> {
    let shown = |any: &Any| any.to_der().map(hex::encode).unwrap_or_default();
    if value == expected {
        return Ok(());
    }
    Err(malformed(attribute, format!("it is {}, and must be {}", shown(value), shown(expected))))
}

fn malformed(attribute: &'static str, detail: impl Into<String>) -> CmsError {
    CmsError::Attribute { attribute, detail: detail.into() }
}

/// RFC 6211.
const ID_ALGORITHM_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.52");
/// AWS Signer's own: the signing job's ARN.
const ID_JOB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.187.137.1.2");
/// AWS Signer's own: when the signature expires.
const ID_EXPIRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.187.137.1.3");
/// AWS Signer's own: the signing profile version's ARN.
const ID_PROFILE_VERSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.187.137.1.4");

const KNOWN: [ObjectIdentifier; 8] = [
    ID_CONTENT_TYPE,
    ID_MESSAGE_DIGEST,
    ID_SIGNING_TIME,
    ID_ALGORITHM_PROTECTION,
    ID_AA_CONTENT_HINT,
    ID_JOB,
    ID_EXPIRY,
    ID_PROFILE_VERSION,
];

const DESCRIPTION_TYPE: &str = "application/zip;";
