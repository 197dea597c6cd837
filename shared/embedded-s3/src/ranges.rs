//! A `Range` that means nothing is passed over, and the whole object is answered (RFC 9110 section 14.2; S3
//! does so). The protocol layer would refuse it instead, and the header may be signed, so that it cannot be
//! taken away before the signature was verified. So such a read is taken out between the two, and goes on in
//! a second protocol layer that verifies no signature.

use http::header::{AUTHORIZATION, RANGE};
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri};
use s3s::route::S3Route;
use s3s::service::S3Service;
use s3s::{Body, HttpRequest, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::admission::VerifiedKey;
use crate::errors::refusal;

/// Takes the reads whose range the protocol layer would not read as it is meant.
pub(crate) struct UnreadableRanges {
    /// Admits whatever reaches it: only what this route passes on may.
    pub(crate) verified: S3Service,
}

#[async_trait::async_trait]
impl S3Route for UnreadableRanges {
    fn is_match(&self, method: &Method, _: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        let reads = *method == Method::GET || *method == Method::HEAD;
        reads && readable(headers).as_ref() != headers.get(RANGE)
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        match request.credentials {
            Some(_) => Ok(()),
            None => Err(refusal(S3ErrorCode::AccessDenied)),
        }
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let range = readable(&request.headers);
        let mut verified = HttpRequest::new(request.input);
        let key = request.credentials.map(|credentials| VerifiedKey(credentials.access_key));
        verified.extensions_mut().insert(key.ok_or_else(|| refusal(S3ErrorCode::AccessDenied))?);
        *verified.method_mut() = request.method;
        *verified.uri_mut() = without_signature(&request.uri)?;
        *verified.headers_mut() = request.headers;
        verified.headers_mut().remove(AUTHORIZATION);
        verified.headers_mut().remove(RANGE);
        verified.headers_mut().extend(range.map(|range| (RANGE, range)));
        let answered = self.verified.call(verified).await;
        let answered =
            answered.map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, error.into()))?;
        let (head, body) = answered.into_parts();
        let mut response = S3Response::with_headers(body, head.headers);
        response.status = Some(head.status);
        Ok(response)
    }
}

/// The range that the client means, as the protocol layer reads it: positions beyond every object are all the
/// same. None for what is no range, or several, of which S3 answers none.
fn readable(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (first, last) = value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first, last) {
        ("", "") => return None,
        ("", length) => format!("bytes=-{}", position(length)?),
        (first, "") => format!("bytes={}-", position(first)?),
        (first, last) => match (position(first)?, position(last)?) {
            (first, last) if first > last => return None,
            (first, last) => format!("bytes={first}-{last}"),
        },
    };
    HeaderValue::from_str(&range).ok()
}

/// A number of any length.
fn position(digits: &str) -> Option<u64> {
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| digits.parse().unwrap_or(BEYOND_EVERY_OBJECT).min(BEYOND_EVERY_OBJECT))
}

/// What is left of a presigned query: the headers that stood in it are headers by now.
fn without_signature(uri: &Uri) -> S3Result<Uri> {
    let Some(query) = uri.query() else { return Ok(uri.clone()) };
    let kept = query
        .split('&')
        .filter(|pair| !pair.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX)));
    let kept = kept.collect::<Vec<_>>().join("&");
    let unusable = |_| refusal(S3ErrorCode::InvalidURI);
    format!("{}?{kept}", uri.path()).parse().map_err(unusable)
}

const PREFIX: &str = "x-amz-";

/// The last position that the protocol layer takes.
const BEYOND_EVERY_OBJECT: u64 = i64::MAX.cast_unsigned();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use s3s::dto::Range;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (RANGE, value.parse().unwrap())).collect()
    }

    #[test]
    fn what_is_no_range_is_passed_over() {
        for ranges in [
            &["bytes=abc"][..],
            &["bytes=5-2"],
            &["bytes=-"],
            &["bytes=0-1,3-4"],
            &["items=0-1"],
            &["0-1"],
            &[""],
            &["bytes= 0-1"],
            &["bytes=+1-2"],
            &["bytes=0-1", "bytes=2-3"],
        ] {
            let headers = headers(ranges);
            assert!(readable(&headers).is_none(), "{ranges:?}");
        }
    }

    #[test]
    fn a_range_of_any_length_keeps_its_meaning() {
        let meant =
            |range: &str| readable(&headers(&[range])).map(|value| value.to_str().unwrap().to_owned());
        let largest = i64::MAX;
        assert_eq!(meant("bytes=99999999999999999999-"), Some(format!("bytes={largest}-")));
        assert_eq!(meant("bytes=3-99999999999999999999"), Some(format!("bytes=3-{largest}")));
        assert_eq!(meant("bytes=-99999999999999999999"), Some(format!("bytes=-{largest}")));
        for range in ["bytes=0-", "bytes=-5", "bytes=2-4"] {
            assert_eq!(meant(range).as_deref(), Some(range));
        }
    }

    proptest! {
        #[test]
        fn what_is_passed_on_is_what_the_protocol_layer_reads(text in "(bytes=)?[0-9]{0,3}[-, +x]?[0-9]{0,20}") {
            let read = readable(&headers(&[&text]));
            let read = read.map(|range| Range::parse(range.to_str().unwrap()).unwrap());
            // A suffix without a length, which is no range by the grammar, is one of length 0 to it.
            if let (Ok(expected), false) = (Range::parse(&text), text == "bytes=-") {
                prop_assert_eq!(read, Some(within_every_object(expected)));
            }
        }
    }

    /// A suffix is longer than every object, whether it is longer than positions can be or not.
    fn within_every_object(range: Range) -> Range {
        match range {
            Range::Suffix { length } => Range::Suffix { length: length.min(BEYOND_EVERY_OBJECT) },
            other @ Range::Int { .. } => other,
        }
    }

    #[test]
    fn nothing_of_a_signature_is_passed_on() {
        let uri = Uri::from_static(
            "/b/k?versionId=null&X-Amz-Signature=0&x-amz-checksum-mode=ENABLED&x-id=GetObject",
        );
        assert_eq!(without_signature(&uri).unwrap(), "/b/k?versionId=null&x-id=GetObject");
    }
}
