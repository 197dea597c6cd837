//! The signature itself: CMS SignedData as FORMAT.md section 4 narrows it.
//!
//! `encode` builds it, `decode` takes it apart and refuses every other form. Nothing here decides about trust.

mod algorithm;
mod attributes;
mod ber;
mod decode;
mod encode;
mod error;
mod pem;
mod time;

pub use algorithm::SignatureAlgorithm;
pub use error::CmsError;

pub(crate) use attributes::{ContentHints, SignedClaims};
pub(crate) use decode::{SignatureBlock, decode_p7s, decode_sf};
pub(crate) use encode::{content_info, signed_attributes};
pub(crate) use pem::encode as encode_pem;

/// Which column of FORMAT.md section 4.4 a signature follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `META-INF/countersign.p7s`.
    Countersign,
    /// AWS Signer's layout, made by us: with contentHints.
    OurAws,
    /// AWS Signer's layout, made by AWS Signer: without.
    NativeAws,
}

impl Form {
    /// True where FORMAT.md admits one encoding alone.
    pub(crate) fn is_ours(self) -> bool {
        match self {
            Self::Countersign | Self::OurAws => true,
            Self::NativeAws => false,
        }
    }
}
