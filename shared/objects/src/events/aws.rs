//! S3 itself, and what imitates it with the same `eventSource`: LocalStack and moto.
//!
//! The key is form-encoded, a space being `+` (AWS, moto) or `%20` (LocalStack). moto tells no version.

use super::record::Record;
use super::{EventRefusal, ObjectCreated};
use crate::key_encoding;

pub(super) fn created(record: &Record) -> Result<Option<ObjectCreated>, EventRefusal> {
    if !record.event_name.starts_with("ObjectCreated:") {
        return Ok(None);
    }
    let key = key_encoding::decoded(record.written_key())?;
    record.object(&key).map(Some)
}
