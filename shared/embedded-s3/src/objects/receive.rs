//! Receiving a body: bounded, timed, hashed, written and made durable, and compared with what was declared.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, StdError, TrailingHeaders};

use crate::checksums::{self, Algorithm, Declared, DeclaredValue, Hasher};
use crate::content::{Bytestream, ContentStore, Durable, Staged};
use crate::errors::{Failure, Result, custom, invalid_request, refusal};

/// Bytes that become a content.
pub(crate) struct Body(Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>);

/// What the request declares about its body.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) length: Option<i64>,
    /// `Content-MD5`.
    pub(crate) md5: Option<String>,
    pub(crate) checksum: Option<Declared>,
    pub(crate) trailers: Option<TrailingHeaders>,
}

/// A body that is durable and is what was declared.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) content: Durable,
    /// Bytes.
    pub(crate) size: i64,
    /// MD5 as hex.
    pub(crate) etag: String,
    pub(crate) algorithm: Algorithm,
    /// Base64.
    pub(crate) checksum: String,
}

impl From<Option<StreamingBlob>> for Body {
    fn from(body: Option<StreamingBlob>) -> Self {
        let chunks = futures::stream::iter(body).flatten();
        Self(Box::pin(chunks.map(|chunk| chunk.map_err(|error| broken_body(&error).into()))))
    }
}

impl From<Bytestream> for Body {
    fn from(content: Bytestream) -> Self {
        Self(Box::pin(content.map(|chunk| chunk.map_err(Failure::Content))))
    }
}

impl Body {
    /// The contents that `opened` yields, one after the other, each opened when its turn comes.
    pub(crate) fn joined<O>(opened: Vec<O>) -> Self
    where
        O: Future<Output = Result<Bytestream>> + Send + 'static,
    {
        let contents = futures::stream::iter(opened).then(|open| open);
        Self(Box::pin(contents.map_ok(|content| content.map_err(Failure::Content)).try_flatten()))
    }

    /// Writes the body, of at most `limit` bytes, into `contents`.
    pub(crate) async fn receive(
        self,
        contents: &ContentStore,
        expected: Expected,
        limit: i64,
    ) -> Result<Received> {
        if expected.length.is_some_and(|length| length > limit) {
            return Err(refusal(S3ErrorCode::EntityTooLarge).into());
        }
        let algorithm = expected.checksum.as_ref().map_or(Algorithm::DEFAULT, |declared| declared.algorithm);
        let mut intake = Intake {
            staged: contents.stage().await?,
            size: 0,
            limit,
            md5: Md5::new(),
            hasher: Hasher::new(algorithm),
        };
        let mut chunks = self.0;
        while let Some(chunk) = next_chunk(&mut chunks).await? {
            intake.take(&chunk).await?;
        }
        intake.finish(algorithm, expected).await
    }
}

impl Expected {
    fn verify(&self, size: i64, md5: [u8; 16], algorithm: Algorithm, checksum: &str) -> Result<()> {
        if self.length.is_some_and(|length| length != size) {
            return Err(refusal(S3ErrorCode::IncompleteBody).into());
        }
        if let Some(sent) = &self.md5 {
            checksums::require_md5(sent, md5)?;
        }
        match self.checksum.as_ref().map(|declared| &declared.value) {
            Some(DeclaredValue::Header(sent)) => checksums::require_equal(algorithm, sent, checksum),
            Some(DeclaredValue::Trailer) => {
                checksums::require_equal(algorithm, &self.trailer(algorithm)?, checksum)
            }
            Some(DeclaredValue::Computed) | None => Ok(()),
        }
    }

    /// Trailers are there once the body was read to its end.
    fn trailer(&self, algorithm: Algorithm) -> Result<String> {
        let missing = || invalid_request(format!("the announced trailer {} is missing", algorithm.header()));
        let trailers = self.trailers.as_ref().and_then(TrailingHeaders::take).ok_or_else(missing)?;
        let value = trailers.get(algorithm.header()).and_then(|value| value.to_str().ok());
        Ok(value.ok_or_else(missing)?.trim().to_owned())
    }
}

struct Intake {
    staged: Staged,
    size: i64,
    limit: i64,
    md5: Md5,
    hasher: Hasher,
}

impl Intake {
    async fn take(&mut self, chunk: &[u8]) -> Result<()> {
        self.size = self.size.saturating_add(i64::try_from(chunk.len())?);
        if self.size > self.limit {
            return Err(refusal(S3ErrorCode::EntityTooLarge).into());
        }
        self.md5.update(chunk);
        self.hasher.update(chunk);
        Ok(self.staged.write(chunk).await?)
    }

    async fn finish(self, algorithm: Algorithm, expected: Expected) -> Result<Received> {
        let (md5, checksum) = (self.md5.finalize(), self.hasher.finish());
        expected.verify(self.size, md5, algorithm, &checksum)?;
        let content = self.staged.finish().await?;
        Ok(Received { content, size: self.size, etag: hex::encode(md5), algorithm, checksum })
    }
}

async fn next_chunk(chunks: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) -> Result<Option<Bytes>> {
    match tokio::time::timeout(BODY_IDLE, chunks.next()).await {
        Ok(chunk) => chunk.transpose(),
        Err(_) => Err(refusal(S3ErrorCode::RequestTimeout).into()),
    }
}

/// The protocol layer verifies payload hash, chunk signatures and framing while the body streams, and tells
/// of a failure by the text of its error alone.
fn broken_body(error: &StdError) -> S3Error {
    let text = error.to_string();
    match () {
        () if text.contains("Sha256Mismatch") => custom(
            "XAmzContentSHA256Mismatch",
            http::StatusCode::BAD_REQUEST,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        () if text.contains("SignatureMismatch") => refusal(S3ErrorCode::SignatureDoesNotMatch),
        () => refusal(S3ErrorCode::IncompleteBody),
    }
}

/// S3's limit for one put or part: 5 GiB. It bounds what one request can make the disk hold.
pub(crate) const MAX_OBJECT: i64 = 5 * 1024 * 1024 * 1024;

/// How long a client may send nothing in the middle of a body; a slow drip would hold a connection for ever.
const BODY_IDLE: Duration = Duration::from_secs(60);
