//! The headers of an object that S3 keeps and gives back.

use std::collections::BTreeMap;

use s3s::S3ErrorCode;
use s3s::dto::{Metadata, Timestamp, TimestampFormat};
use serde::{Deserialize, Serialize};

use crate::errors::{Failure, Result, refusal};

/// Standard headers and user metadata, as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_type: Option<String>,
    /// An HTTP date.
    pub(crate) expires: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) website_redirect_location: Option<String>,
}

/// The attributes in the input of an operation that makes an object; S3 repeats these members in each.
macro_rules! attributes_of {
    ($input:expr) => {
        $crate::objects::Attributes {
            cache_control: $input.cache_control.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_encoding: $input.content_encoding.clone(),
            content_language: $input.content_language.clone(),
            content_type: $input.content_type.clone(),
            website_redirect_location: $input.website_redirect_location.clone(),
            ..$crate::objects::Attributes::default()
        }
        .with($input.metadata.clone(), $input.expires.as_ref())
    };
}
pub(crate) use attributes_of;

impl Attributes {
    /// These attributes with user metadata and expiry, checked and in the form in which they are kept.
    pub(crate) fn with(mut self, metadata: Option<Metadata>, expires: Option<&Timestamp>) -> Result<Self> {
        self.metadata = metadata.unwrap_or_default().into_iter().collect();
        let size: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > MAX_METADATA {
            return Err(refusal(S3ErrorCode::MetadataTooLarge).into());
        }
        self.expires = expires.map(http_date).transpose()?;
        self.content_encoding = self.content_encoding.as_deref().and_then(without_transfer_coding);
        self.content_type.get_or_insert_with(|| DEFAULT_CONTENT_TYPE.to_owned());
        Ok(self)
    }

    /// Attributes as a row holds them.
    pub(crate) fn from_column(json: &str) -> Result<Self> {
        Ok(serde_json::from_str(json)?)
    }

    /// The text for a row.
    pub(crate) fn to_column(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// The expiry as a response carries it.
    pub(crate) fn expiry(&self) -> Option<Timestamp> {
        Timestamp::parse(TimestampFormat::HttpDate, self.expires.as_deref()?).ok()
    }
}

/// `aws-chunked` is how the request came, not what the object is.
fn without_transfer_coding(encoding: &str) -> Option<String> {
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.concat().is_empty()).then(|| kept.join(","))
}

fn http_date(timestamp: &Timestamp) -> Result<String> {
    let mut text = Vec::new();
    let formatted = timestamp.format(TimestampFormat::HttpDate, &mut text);
    formatted.map_err(|error| Failure::Damaged(error.to_string()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// S3's limit on user metadata, in bytes: what lies in metadata is read with every listing.
const MAX_METADATA: usize = 2048;

/// What S3 says of an object whose type nobody told.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transfer_coding_is_not_kept() {
        assert_eq!(without_transfer_coding("aws-chunked"), None);
        assert_eq!(without_transfer_coding("aws-chunked, gzip").as_deref(), Some("gzip"));
        assert_eq!(without_transfer_coding("gzip,br").as_deref(), Some("gzip,br"));
        assert_eq!(without_transfer_coding(""), None);
    }

    #[test]
    fn too_much_metadata_is_refused() {
        let of = |length| Metadata::from([("k".to_owned(), "v".repeat(length))]);
        assert!(Attributes::default().with(Some(of(2047)), None).is_ok());
        assert!(Attributes::default().with(Some(of(2048)), None).is_err());
    }
}
