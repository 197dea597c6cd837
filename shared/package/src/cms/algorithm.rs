//! The two ways to sign (FORMAT.md sections 4.5 and 4.6). A platform fixes which; no package chooses.

use const_oid::db::{rfc5912, rfc5912::ID_EC_PUBLIC_KEY, rfc5912::RSA_ENCRYPTION, rfc5912::SECP_384_R_1};
use countersign_domain::Platform;
use der::asn1::{Any, ObjectIdentifier};
use p384::ecdsa::Signature as EcdsaSignature;
use rsa::pkcs1::{RsaPssParams, RsaPublicKey};
use rustls_pki_types::SignatureVerificationAlgorithm;
use serde::Serialize;
use sha2::{Digest, Sha256, Sha384};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::{CmsError, Form};

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureAlgorithm {
    /// RSASSA-PSS over a SHA-256 digest, MGF1 with SHA-256, 32 bytes of salt, key of 3072 bits.
    RsaPssSha256,
    /// ECDSA over a SHA-384 digest with a P-384 key.
    EcdsaP384Sha384,
}

impl SignatureAlgorithm {
    /// The algorithm of a platform (FORMAT.md section 2).
    pub fn of(platform: Platform) -> Self {
        match platform {
            Platform::CountersignSha256Rsa => Self::RsaPssSha256,
            Platform::CountersignSha384Ecdsa | Platform::AwsLambdaSha384Ecdsa => Self::EcdsaP384Sha384,
        }
    }

    /// The algorithm that a key can sign with; none for a key that no platform uses.
    pub(crate) fn of_key(key: &SubjectPublicKeyInfoOwned) -> Option<Self> {
        let parameters = key.algorithm.parameters.as_ref();
        match key.algorithm.oid {
            RSA_ENCRYPTION if parameters.is_some_and(Any::is_null) => {
                is_rsa_3072(key.subject_public_key.as_bytes()?).then_some(Self::RsaPssSha256)
            }
            ID_EC_PUBLIC_KEY => {
                let curve: ObjectIdentifier = parameters?.decode_as().ok()?;
                (curve == SECP_384_R_1).then_some(Self::EcdsaP384Sha384)
            }
            _ => None,
        }
    }

    /// H of FORMAT.md section 2.
    pub(crate) fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::RsaPssSha256 => Sha256::digest(bytes).to_vec(),
            Self::EcdsaP384Sha384 => Sha384::digest(bytes).to_vec(),
        }
    }

    pub(crate) fn digest_identifier(self) -> AlgorithmIdentifierOwned {
        let oid = match self {
            Self::RsaPssSha256 => rfc5912::ID_SHA_256,
            Self::EcdsaP384Sha384 => rfc5912::ID_SHA_384,
        };
        AlgorithmIdentifierOwned { oid, parameters: None }
    }

    pub(crate) fn signature_identifier(self) -> der::Result<AlgorithmIdentifierOwned> {
        Ok(match self {
            Self::RsaPssSha256 => AlgorithmIdentifierOwned {
                oid: rfc5912::ID_RSASSA_PSS,
                parameters: Some(Any::encode_from(&RsaPssParams::new::<Sha256>(PSS_SALT_SIZE))?),
            },
            Self::EcdsaP384Sha384 => {
                AlgorithmIdentifierOwned { oid: rfc5912::ECDSA_WITH_SHA_384, parameters: None }
            }
        })
    }

    /// The verification of this signature over a message, by the library that also judges the chain.
    pub(crate) fn verification(self) -> &'static dyn SignatureVerificationAlgorithm {
        match self {
            Self::RsaPssSha256 => webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            Self::EcdsaP384Sha384 => webpki::aws_lc_rs::ECDSA_P384_SHA384,
        }
    }

    /// A key holder's signature in the one form that FORMAT.md section 4.6 admits from us.
    pub(crate) fn canonical(self, signature: &[u8]) -> Result<Vec<u8>, CmsError> {
        match self {
            Self::RsaPssSha256 if signature.len() == RSA_SIZE => Ok(signature.to_vec()),
            Self::RsaPssSha256 => Err(CmsError::SignatureValue { detail: "it must be 384 bytes" }),
            Self::EcdsaP384Sha384 => Ok(ecdsa(signature)?.normalize_s().to_der().as_bytes().to_vec()),
        }
    }

    /// Checks that a signature's value has a form that `form` admits (FORMAT.md section 4.6).
    pub(crate) fn check_value(self, signature: &[u8], form: Form) -> Result<(), CmsError> {
        let high_s =
            || CmsError::SignatureValue { detail: "s is above n/2, and the other s is the allowed one" };
        match self {
            Self::EcdsaP384Sha384 if !form.is_ours() => ecdsa(signature).map(drop),
            Self::RsaPssSha256 | Self::EcdsaP384Sha384 => {
                (self.canonical(signature)? == signature).then_some(()).ok_or_else(high_s)
            }
        }
    }
}

/// Strict DER of ECDSA-Sig-Value: what is read, written again, is the same.
fn ecdsa(signature: &[u8]) -> Result<EcdsaSignature, CmsError> {
    let malformed = CmsError::SignatureValue { detail: "it must be DER of two numbers between 0 and n" };
    match EcdsaSignature::from_der(signature) {
        Ok(parsed) if parsed.to_der().as_bytes() == signature => Ok(parsed),
        Ok(_) | Err(_) => Err(malformed),
    }
}

fn is_rsa_3072(key: &[u8]) -> bool {
    let Ok(key) = RsaPublicKey::<der::asn1::UintRef<'_>>::try_from(key) else { return false };
    let modulus = key.modulus.as_bytes();
    modulus.len() == RSA_SIZE
        && modulus.first().is_some_and(|byte| byte & 0x80 != 0)
        && key.public_exponent.as_bytes() == RSA_EXPONENT
}

/// Bytes of salt: the length of the digest, as RFC 4055 recommends.
const PSS_SALT_SIZE: u8 = 32;
/// Bytes of an RSA-3072 modulus, and so of a signature.
const RSA_SIZE: usize = 384;
/// 65537.
const RSA_EXPONENT: &[u8] = &[1, 0, 1];

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;

    #[test]
    fn identifiers_are_the_bytes_of_the_specification() {
        let hex = |identifier: AlgorithmIdentifierOwned| hex::encode(identifier.to_der().unwrap());
        assert_eq!(hex(SignatureAlgorithm::RsaPssSha256.digest_identifier()), "300b0609608648016503040201");
        assert_eq!(
            hex(SignatureAlgorithm::EcdsaP384Sha384.digest_identifier()),
            "300b0609608648016503040202"
        );
        assert_eq!(
            hex(SignatureAlgorithm::EcdsaP384Sha384.signature_identifier().unwrap()),
            "300a06082a8648ce3d040303"
        );
        assert_eq!(
            hex(SignatureAlgorithm::RsaPssSha256.signature_identifier().unwrap()),
            "304106092a864886f70d01010a3034a00f300d06096086480165030402010500\
             a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
        );
    }

    #[test]
    fn an_ecdsa_value_has_one_form() {
        let algorithm = SignatureAlgorithm::EcdsaP384Sha384;
        let high = p384::ecdsa::Signature::from_scalars(one(), minus_one()).unwrap().to_der();
        let low = algorithm.canonical(high.as_bytes()).unwrap();
        assert_eq!(low, [0x30, 6, 2, 1, 1, 2, 1, 1]);
        assert!(algorithm.check_value(&low, Form::Countersign).is_ok());
        assert!(algorithm.check_value(high.as_bytes(), Form::Countersign).is_err());
        assert!(algorithm.check_value(high.as_bytes(), Form::OurAws).is_err());
        assert!(algorithm.check_value(high.as_bytes(), Form::NativeAws).is_ok());
    }

    #[test]
    fn ber_and_out_of_range_ecdsa_values_are_refused() {
        for value in [
            [0x30, 7, 2, 2, 0, 1, 2, 1, 1].as_slice(),
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 0, 2, 1, 1],
            &[0x30, 6, 2, 1, 0xff, 2, 1, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[],
        ] {
            assert!(SignatureAlgorithm::EcdsaP384Sha384.canonical(value).is_err(), "{value:02x?}");
        }
    }

    fn one() -> p384::FieldBytes {
        let mut bytes = p384::FieldBytes::default();
        bytes[47] = 1;
        bytes
    }

    /// n - 1
    fn minus_one() -> p384::FieldBytes {
        let scalar = -p384::Scalar::ONE;
        scalar.into()
    }
}
