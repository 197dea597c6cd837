//! MinIO.
//!
//! Its message repeats the event and the key beside the records, and nothing there is read. The key in a record is what Go's
//! `url.QueryEscape` makes of it: form-encoded, with `/` as `%2F`.

use super::record::Record;
use super::{EventRefusal, ObjectCreated};
use crate::key_encoding;

pub(super) fn created(record: &Record) -> Result<Option<ObjectCreated>, EventRefusal> {
    if !record.event_name.starts_with("s3:ObjectCreated:") {
        return Ok(None);
    }
    let key = key_encoding::decoded(record.written_key())?;
    record.object(&key).map(Some)
}
