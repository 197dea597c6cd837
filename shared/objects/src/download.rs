//! Fetching exactly one version: bounded, counted and hashed while it streams.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use countersign_domain::{ObjectVersion, Sha256Digest};
use countersign_ports::objects::{Fetched, ObjectError};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::failure::{Subject, shortened};
use crate::upload::local_file;

pub(crate) async fn fetch(
    client: &Client,
    object: &ObjectVersion,
    limit_bytes: u64,
    into: &Path,
) -> Result<Fetched, ObjectError> {
    let request = client.get_object().bucket(object.bucket.as_str()).key(object.key.as_str());
    let answer = request.version_id(object.version.as_str()).send().await;
    let answer = answer.map_err(|error| Subject::Version(object).failed(&error))?;
    demand_version(object, answer.version_id())?;
    let announced = announced_size(object, answer.content_length())?;
    let limit = Limit { object, limit_bytes };
    limit.admit(announced)?;
    let file = File::create(into).await.map_err(|error| local_file(into, &error))?;
    let fetched = limit.write(answer.body, file, into).await?;
    if fetched.size_bytes != announced {
        let reason = format!("{announced} bytes were announced and {} came", fetched.size_bytes);
        return Err(ObjectError::Damaged { object: object.to_string(), reason });
    }
    Ok(fetched)
}

/// An endpoint that knows no versions answers with the newest bytes; those are not what was asked for.
pub(crate) fn demand_version(object: &ObjectVersion, answered: Option<&str>) -> Result<(), ObjectError> {
    match answered {
        Some(version) if version == object.version.as_str() => Ok(()),
        other => {
            let reason = format!("the answer is version {}", shortened(other.unwrap_or("none")));
            Err(ObjectError::Damaged { object: object.to_string(), reason })
        }
    }
}

/// The length that the store announces. Without one, a transfer that ends early would look complete.
pub(crate) fn announced_size(object: &ObjectVersion, length: Option<i64>) -> Result<u64, ObjectError> {
    length.and_then(|length| u64::try_from(length).ok()).ok_or_else(|| ObjectError::Damaged {
        object: object.to_string(),
        reason: "the answer tells no length".to_owned(),
    })
}

struct Limit<'a> {
    object: &'a ObjectVersion,
    limit_bytes: u64,
}

impl Limit<'_> {
    fn admit(&self, size_bytes: u64) -> Result<(), ObjectError> {
        if size_bytes <= self.limit_bytes {
            return Ok(());
        }
        let object = self.object.to_string();
        Err(ObjectError::TooLarge { object, size_bytes, limit_bytes: self.limit_bytes })
    }

    /// The announced length is a claim; what is counted is what comes.
    async fn write(&self, mut body: ByteStream, mut file: File, into: &Path) -> Result<Fetched, ObjectError> {
        let (mut size_bytes, mut hasher) = (0_u64, Sha256::new());
        while let Some(block) = body.try_next().await.map_err(|error| self.broken(&error))? {
            size_bytes = size_bytes.saturating_add(block.len() as u64);
            self.admit(size_bytes)?;
            hasher.update(&block);
            file.write_all(&block).await.map_err(|error| local_file(into, &error))?;
        }
        file.flush().await.map_err(|error| local_file(into, &error))?;
        Ok(Fetched { size_bytes, sha256: Sha256Digest::new(hasher.finalize().into()) })
    }

    fn broken(&self, error: &dyn std::error::Error) -> ObjectError {
        ObjectError::Unavailable(format!("{}: the transfer broke off: {error}", self.object))
    }
}
