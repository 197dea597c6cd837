//! Ceph's object gateway (RGW).
//!
//! The key stands as it is, with nothing encoded. It also tells of uploads that it refused, with a version that nobody
//! will find, and its delete markers have an empty version.

use super::record::Record;
use super::{EventRefusal, ObjectCreated};

pub(super) fn created(record: &Record) -> Result<Option<ObjectCreated>, EventRefusal> {
    // Its first releases wrote the name with `s3:`, as MinIO does.
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if !name.starts_with("ObjectCreated:") {
        return Ok(None);
    }
    record.object(record.written_key()).map(Some)
}
