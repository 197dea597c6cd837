//! GetObject and HeadObject.

use http::{HeaderMap, HeaderValue};
use s3s::dto::{
    ChecksumMode, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, StreamingBlob,
};
use s3s::{S3ErrorCode, S3Response};

use super::Attributes;
use super::source::{Found, Reading, Selection};
use crate::checksums::set_checksum;
use crate::conditions::{ReadConditions, Verdict};
use crate::errors::{Failure, Result, refusal};
use crate::metadata::Version;
use crate::store::{Store, timestamp};
use crate::tagging::Tags;

/// What a get or head asks to read; the two inputs share these members.
macro_rules! reading_of {
    ($input:expr) => {
        Reading {
            bucket: $input.bucket.clone(),
            key: $input.key.clone(),
            version_id: $input.version_id.clone(),
            conditions: ReadConditions {
                if_match: $input.if_match.clone(),
                if_none_match: $input.if_none_match.clone(),
                if_modified_since: $input.if_modified_since.clone(),
                if_unmodified_since: $input.if_unmodified_since.clone(),
            },
            selection: Selection::of($input.range, $input.part_number)?,
        }
    };
}

/// What a get or head answers about an object; the two outputs share these members.
macro_rules! described {
    ($output:ident, $found:expr, $checksum_mode:expr, $part_number:expr) => {{
        let Found { bucket, version, .. } = &$found;
        let attributes = Attributes::from_column(&version.attributes)?;
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(i64::try_from($found.length)?),
            content_range: $found.content_range(),
            e_tag: Some(ETag::Strong(version.etag.clone())),
            expires: attributes.expiry(),
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_type: attributes.content_type,
            last_modified: Some(timestamp(version.created_at)),
            metadata: Some(attributes.metadata.into_iter().collect()),
            version_id: bucket.versioning.told(&version.version_id),
            website_redirect_location: attributes.website_redirect_location,
            ..$output::default()
        };
        if $part_number.is_some() {
            output.parts_count = version.parts()?.map(|parts| i32::try_from(parts.len())).transpose()?;
        }
        let wanted = $checksum_mode.as_ref().is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        if let Some(checksum) = version.checksum()?.filter(|_| wanted && !$found.partial) {
            set_checksum!(output, checksum.algorithm, checksum.value);
            output.checksum_type = Some(checksum.wire_type());
        }
        output
    }};
}

impl Store {
    pub(crate) async fn get_object(&self, input: &GetObjectInput) -> Result<GetObjectOutput> {
        let reading = reading_of!(input);
        let (found, bytes) = self.open_object(&reading, condition_failed).await?;
        let mut output = described!(GetObjectOutput, found, input.checksum_mode, input.part_number);
        output.tag_count = Tags::from_column(&found.version.tags)?.count();
        output.body = Some(StreamingBlob::wrap(bytes));
        Ok(output)
    }

    pub(crate) async fn head_object(&self, input: &HeadObjectInput) -> Result<S3Response<HeadObjectOutput>> {
        let reading = reading_of!(input);
        let found = self.find_object(&reading, condition_failed).await?;
        let output = described!(HeadObjectOutput, found, input.checksum_mode, input.part_number);
        let headers = overridden_headers(input)?;
        Ok(S3Response::with_headers(output, headers))
    }
}

impl Found {
    fn content_range(&self) -> Option<String> {
        let last = (self.offset + self.length).checked_sub(1)?;
        self.partial.then(|| format!("bytes {}-{last}/{}", self.offset, self.version.size))
    }
}

/// RFC 9110 section 13.1: a read that finds nothing new is no error, but it has no body either.
fn condition_failed(verdict: Verdict, version: &Version) -> Option<Failure> {
    match verdict {
        Verdict::Proceed => None,
        Verdict::Failed => Some(refusal(S3ErrorCode::PreconditionFailed).into()),
        Verdict::NotModified => {
            let mut unchanged = refusal(S3ErrorCode::NotModified);
            if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", version.etag)) {
                unchanged.set_headers(HeaderMap::from_iter([(http::header::ETAG, etag)]));
            }
            Some(unchanged.into())
        }
    }
}

/// The `response-…` parameters; for a get the protocol layer applies them itself.
fn overridden_headers(input: &HeadObjectInput) -> Result<HeaderMap> {
    let wanted = [
        (http::header::CACHE_CONTROL, &input.response_cache_control),
        (http::header::CONTENT_DISPOSITION, &input.response_content_disposition),
        (http::header::CONTENT_ENCODING, &input.response_content_encoding),
        (http::header::CONTENT_LANGUAGE, &input.response_content_language),
        (http::header::CONTENT_TYPE, &input.response_content_type),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        if let Some(value) = value {
            let invalid = |_| crate::errors::invalid_argument(format!("response-{name} is no header value"));
            headers.insert(name.clone(), HeaderValue::from_str(value).map_err(invalid)?);
        }
    }
    Ok(headers)
}
