//! Uploading a file: one request, whose SHA-256 the endpoint checks before the object exists.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::{ObjectLocation, ObjectVersion, Sha256Digest};
use countersign_ports::objects::ObjectError;
use futures::TryStreamExt;
use http_body::Frame;
use http_body_util::StreamBody;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use crate::failure::Subject;
use crate::settings::{UPLOAD_TIMEOUT, timeouts};

/// Is told the number of bytes sent so far; it falls back to zero when the upload begins anew.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// The largest file that is uploaded, in bytes: S3's own limit for an upload in one request. Packages are far smaller
/// (the gate's limits), so there is no multipart upload here.
pub const UPLOAD_LIMIT_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// On what condition the object is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// On none: it becomes the newest version.
    None,
    /// That no object has the key (`If-None-Match: *`).
    NoneThere,
}

/// A file that was read once, so that its bytes can be announced before they are sent.
pub(crate) struct LocalFile {
    path: PathBuf,
    size_bytes: u64,
    sha256: Sha256Digest,
}

impl LocalFile {
    pub(crate) async fn read(path: &Path) -> Result<Self, ObjectError> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || match digest_of(&path) {
            Ok((size_bytes, sha256)) => Ok(Self { path, size_bytes, sha256 }),
            Err(error) => Err(local_file(&path, &error)),
        });
        read.await.unwrap_or_else(|error| Err(ObjectError::Unavailable(error.to_string())))
    }

    /// Not every endpoint checks the checksum header, so the file is held against it here too.
    pub(crate) fn demand(&self, object: &ObjectLocation, sha256: &Sha256Digest) -> Result<(), ObjectError> {
        if self.sha256 == *sha256 {
            return Ok(());
        }
        let reason = format!("the file has SHA-256 {}, not {sha256}", self.sha256);
        Err(ObjectError::Damaged { object: object.to_string(), reason })
    }

    fn demand_size(&self, object: &ObjectLocation) -> Result<i64, ObjectError> {
        let length = i64::try_from(self.size_bytes).ok().filter(|_| self.size_bytes <= UPLOAD_LIMIT_BYTES);
        length.ok_or_else(|| ObjectError::TooLarge {
            object: object.to_string(),
            size_bytes: self.size_bytes,
            limit_bytes: UPLOAD_LIMIT_BYTES,
        })
    }

    /// A body that can be sent again from its start, and never sends more than was announced.
    fn into_body(self, progress: Option<Progress>) -> ByteStream {
        let body = move || match std::fs::File::open(&self.path) {
            Ok(file) => streamed(file, self.size_bytes, progress.clone()),
            Err(error) => failing(error),
        };
        ByteStream::new(SdkBody::retryable(body))
    }
}

pub(crate) async fn send(
    client: &Client,
    object: &ObjectLocation,
    file: LocalFile,
    condition: Condition,
    progress: Option<Progress>,
) -> Result<ObjectVersion, ObjectError> {
    let length = file.demand_size(object)?;
    let checksum = STANDARD.encode(file.sha256.as_bytes());
    let none_match = (condition == Condition::NoneThere).then(|| "*".to_owned());
    let request = client
        .put_object()
        .bucket(object.bucket.as_str())
        .key(object.key.as_str())
        .set_if_none_match(none_match)
        .content_length(length)
        .checksum_sha256(checksum)
        .content_type("application/zip")
        .body(file.into_body(progress));
    let patient = Config::builder().timeout_config(timeouts(UPLOAD_TIMEOUT));
    let answer = request.customize().config_override(patient).send().await;
    let answer = answer.map_err(|error| Subject::Object(object).failed(&error))?;
    version(object, answer.version_id())
}

/// The version that an answer names. S3 names none, or `null`, where the bucket keeps no versions.
pub(crate) fn version(object: &ObjectLocation, id: Option<&str>) -> Result<ObjectVersion, ObjectError> {
    match id {
        None | Some("" | "null") => Err(ObjectError::Unversioned(object.bucket.clone())),
        Some(id) => {
            let version = id.parse().map_err(|error| ObjectError::Refused(format!("{object}: {error}")))?;
            Ok(object.clone().at(version))
        }
    }
}

pub(crate) fn local_file(path: &Path, error: &io::Error) -> ObjectError {
    ObjectError::LocalFile { path: path.display().to_string(), reason: error.to_string() }
}

fn streamed(file: std::fs::File, size_bytes: u64, progress: Option<Progress>) -> SdkBody {
    let sent = AtomicU64::new(0);
    let bounded = tokio::fs::File::from_std(file).take(size_bytes);
    let blocks = ReaderStream::with_capacity(bounded, BLOCK_SIZE).inspect_ok(move |block| {
        let block = block.len() as u64;
        let sent = sent.fetch_add(block, Ordering::Relaxed) + block;
        if let Some(progress) = &progress {
            progress(sent);
        }
    });
    SdkBody::from_body_1_x(StreamBody::new(blocks.map_ok(Frame::data)))
}

/// A body that fails when it is sent: the file was there a moment ago.
fn failing(error: io::Error) -> SdkBody {
    let nothing = futures::stream::once(std::future::ready(Err::<_, io::Error>(error)));
    SdkBody::from_body_1_x(StreamBody::new(nothing.map_ok(Frame::data)))
}

fn digest_of(path: &Path) -> io::Result<(u64, Sha256Digest)> {
    let mut file = std::fs::File::open(path)?;
    let (mut size_bytes, mut hasher, mut block) = (0, Sha256::new(), vec![0; BLOCK_SIZE]);
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((size_bytes, Sha256Digest::new(hasher.finalize().into())));
        }
        hasher.update(&block[..read]);
        size_bytes += read as u64;
    }
}

/// Bytes that are read and sent at once.
const BLOCK_SIZE: usize = 128 * 1024;
