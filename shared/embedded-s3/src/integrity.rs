//! The document that a request carries, such as the list of DeleteObjects, is what the client declares in
//! `Content-MD5` or in a checksum. The protocol layer reads and parses a document itself and compares
//! neither, so the document is hashed on its way there. Bytes of objects are compared where they are received.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Extensions, HeaderMap};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use s3s::crypto::{Checksum as _, Md5};
use s3s::{Body, HttpRequest, StdError};

use crate::checksums::{self, Algorithm, Declared, DeclaredValue, Hasher};
use crate::endpoint::MAX_XML;
use crate::errors::{Failure, Result, invalid_request, not_implemented};

/// Hashes the body of a request that declares a digest, unless it is too long for a document.
pub(crate) fn watch(mut request: HttpRequest) -> HttpRequest {
    let declared = declared(request.headers());
    let declares = request.headers().contains_key(CONTENT_MD5) || !matches!(declared, Ok(None));
    if !declares || request.body().size_hint().lower() > MAX_XML as u64 {
        return request;
    }
    let algorithm = declared.ok().flatten().map(|declared| declared.algorithm);
    let passed = Passed(Arc::new(Mutex::new(Some(Digests::new(algorithm)))));
    request.extensions_mut().insert(passed.clone());
    request.map(|body| Body::http_body_unsync(Watched { body: Box::pin(body), passed }))
}

/// Refuses a document that is not what `headers` declare. Must be called once the body was read, which
/// the protocol layer does before it calls the operation.
///
/// # Errors
/// `BadDigest` for another document, `InvalidDigest` or `InvalidRequest` for a value that is no digest.
pub(crate) fn verify(headers: &HeaderMap, extensions: &mut Extensions) -> Result<()> {
    let md5 = headers.get(CONTENT_MD5).map(|value| value.to_str().unwrap_or_default());
    let declared = declared(headers)?;
    if md5.is_none() && declared.is_none() {
        return Ok(());
    }
    if is_framed(headers) {
        return Err(not_implemented("a digest of a document that is sent in chunks").into());
    }
    let missing = || Failure::Damaged("the document was not hashed".to_owned());
    let digests = extensions.remove::<Passed>().and_then(|passed| passed.take()).ok_or_else(missing)?;
    if let Some(sent) = md5 {
        checksums::require_md5(sent, digests.md5.finalize())?;
    }
    match (declared, digests.checksum) {
        (None, _) => Ok(()),
        (Some(Declared { algorithm, value: DeclaredValue::Header(sent) }), Some(hasher)) => {
            checksums::require_equal(algorithm, &sent, &hasher.finish())
        }
        (Some(_), _) => Err(invalid_request("the checksum of a document is expected in a header").into()),
    }
}

/// What the headers declare about the body; an algorithm named without a value declares nothing.
fn declared(headers: &HeaderMap) -> Result<Option<Declared>> {
    let members = Algorithm::ALL.map(|algorithm| {
        let value = headers.get(algorithm.header());
        (algorithm, value.map(|value| value.to_str().unwrap_or_default().to_owned()))
    });
    let declared = checksums::declared(members, headers)?;
    Ok(declared.filter(|declared| declared.value != DeclaredValue::Computed))
}

/// True if the body is aws-chunked, so that what passes is not the document itself.
fn is_framed(headers: &HeaderMap) -> bool {
    let payload = headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    payload.is_some_and(|payload| payload.starts_with("STREAMING-"))
}

/// The digests of a body that passes; shared between the body and whoever compares.
#[derive(Clone)]
struct Passed(Arc<Mutex<Option<Digests>>>);

struct Digests {
    md5: Md5,
    checksum: Option<Hasher>,
}

impl Passed {
    fn update(&self, bytes: &[u8]) {
        if let Some(digests) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            digests.md5.update(bytes);
            if let Some(hasher) = &mut digests.checksum {
                hasher.update(bytes);
            }
        }
    }

    fn take(&self) -> Option<Digests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Digests {
    fn new(algorithm: Option<Algorithm>) -> Self {
        Self { md5: Md5::new(), checksum: algorithm.map(Hasher::new) }
    }
}

/// A body that is hashed while it is read.
struct Watched {
    body: Pin<Box<Body>>,
    passed: Passed,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let frame = ready!(self.body.as_mut().poll_frame(context));
        if let Some(bytes) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.passed.update(bytes);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

const CONTENT_MD5: &str = "content-md5";

#[cfg(test)]
mod tests {
    use super::*;

    /// What an operation is told about `document` under `headers`, once it was read.
    async fn verdict(document: &'static str, headers: &[(&'static str, &str)]) -> Option<String> {
        let mut request = HttpRequest::new(Body::from(document.to_owned()));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (mut head, mut body) = watch(request).into_parts();
        body.store_all_limited(MAX_XML).await.unwrap();
        let verified = verify(&head.headers, &mut head.extensions);
        verified.err().map(|failure| s3s::S3Error::from(failure).code().as_str().to_owned())
    }

    /// The MD5 of "abc" is that of RFC 1321, its SHA-1 that of FIPS 180.
    #[tokio::test]
    async fn a_document_must_be_what_every_header_declares() {
        let (md5, other) =
            (("content-md5", "kAFQmDzST7DWlj99KOF/cg=="), ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="));
        let sha1 = ("x-amz-checksum-sha1", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(verdict("abc", &[]).await, None);
        assert_eq!(verdict("abc", &[md5, sha1]).await, None);
        assert_eq!(verdict("", &[other]).await, None);
        assert_eq!(verdict("abc", &[other, sha1]).await.as_deref(), Some("BadDigest"));
        assert_eq!(verdict("abd", &[sha1]).await.as_deref(), Some("BadDigest"));
        assert_eq!(verdict("abc", &[("content-md5", "kAFQ")]).await.as_deref(), Some("InvalidDigest"));
        assert_eq!(
            verdict("abc", &[("x-amz-checksum-sha1", "qZk=")]).await.as_deref(),
            Some("InvalidRequest")
        );
        let framed = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        assert_eq!(verdict("abc", &[md5, framed]).await.as_deref(), Some("NotImplemented"));
    }
}
