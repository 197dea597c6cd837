//! Signing platforms (FORMAT.md section 2).

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// What a profile signs with and where in the package the signature goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// AWS Signer's own format for Lambda: ECDSA P-384, SHA-384, `META_INF/aws_signer_signature_v1.0.SF`.
    AwsLambdaSha384Ecdsa,
    /// RSASSA-PSS with RSA-3072 and SHA-256, `META-INF/countersign.p7s`. The default.
    CountersignSha256Rsa,
    /// ECDSA P-384 and SHA-384, `META-INF/countersign.p7s`.
    CountersignSha384Ecdsa,
}

/// A platform id that names no platform of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a signing platform: use Countersign-SHA256-RSA, Countersign-SHA384-ECDSA or AWSLambda-SHA384-ECDSA"
)]
pub struct UnknownPlatform(String);

impl Platform {
    /// Every platform, the default first.
    pub const ALL: [Self; 3] =
        [Self::CountersignSha256Rsa, Self::CountersignSha384Ecdsa, Self::AwsLambdaSha384Ecdsa];

    /// The platform id of Signer's API.
    pub fn id(self) -> &'static str {
        match self {
            Self::AwsLambdaSha384Ecdsa => "AWSLambda-SHA384-ECDSA",
            Self::CountersignSha256Rsa => "Countersign-SHA256-RSA",
            Self::CountersignSha384Ecdsa => "Countersign-SHA384-ECDSA",
        }
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        let known = Self::ALL.into_iter().find(|platform| platform.id() == text);
        known.ok_or_else(|| UnknownPlatform(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

serde_as_text!(Platform);
