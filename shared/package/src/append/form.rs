//! The one form of an appended entry: stored, no flags, no extra field, no comment, 1980-01-01 00:00:00, made on Unix.
//! With the form fixed, only the body is free.

use super::{AppendError, BODY_SIZE_MAX, GateCode, NewEntry, holds_record_signature};
use crate::gate::record::{CENTRAL_RECORD, CENTRAL_RECORD_SIZE, LOCAL_HEADER, SENTINEL_32};
use crate::gate::{DosTime, Entry, EntryKind, Method, Refusal};

/// `new` as the entry whose local header begins at `offset`.
pub(super) fn entry(new: &NewEntry<'_>, offset: u64) -> Result<Entry, AppendError> {
    let size = new.body.len() as u64;
    if size > BODY_SIZE_MAX {
        return Err(AppendError::BodyTooLarge { name: new.name.to_owned(), size });
    }
    if holds_record_signature(new.body) {
        return Err(AppendError::RecordSignature { place: format!("the entry {:?}", new.name) });
    }
    let directory = new.name.ends_with('/');
    if directory && size > 0 {
        let detail = format!("a directory with {size} bytes of content");
        let refusal = Refusal::new(GateCode::DirectoryWithData, offset, detail);
        return Err(refusal.in_entry(new.name.as_bytes()).into());
    }
    Ok(Entry {
        name: new.name.to_owned(),
        kind: if directory { EntryKind::Directory } else { EntryKind::File },
        permissions: if directory { 0o755 } else { 0o644 },
        method: Method::Stored,
        flags: 0,
        modified: MODIFIED,
        crc32: crc32fast::hash(new.body),
        compressed_size: size,
        size,
        central_offset: 0,
        header_offset: offset,
        data_offset: 0,
    })
}

/// Local header and body.
pub(super) fn write_local(entry: &Entry, body: &[u8], out: &mut Vec<u8>) -> Result<(), AppendError> {
    out.extend_from_slice(&LOCAL_HEADER);
    write_common(entry, out)?;
    out.extend_from_slice(entry.name.as_bytes());
    out.extend_from_slice(body);
    Ok(())
}

/// The record of the central directory.
pub(super) fn write_central(entry: &Entry, out: &mut Vec<u8>) -> Result<(), AppendError> {
    let mode = match entry.kind {
        EntryKind::Directory => 0o040_755_u32,
        EntryKind::File | EntryKind::Symlink { .. } => 0o100_644,
    };
    let header_offset = u32::try_from(entry.header_offset).ok().filter(|offset| *offset != SENTINEL_32);
    let header_offset = header_offset.ok_or(AppendError::WouldChangeForm {
        field: "the offset of the new entry",
        value: entry.header_offset,
    })?;
    out.extend_from_slice(&CENTRAL_RECORD);
    out.extend_from_slice(&MADE_BY.to_le_bytes());
    write_common(entry, out)?;
    // Comment length, disk, internal attributes.
    out.extend_from_slice(&[0; 6]);
    out.extend_from_slice(&(mode << 16).to_le_bytes());
    out.extend_from_slice(&header_offset.to_le_bytes());
    out.extend_from_slice(entry.name.as_bytes());
    Ok(())
}

/// Bytes of the record that [`write_central`] writes.
pub(super) fn central_size(entry: &Entry) -> u64 {
    CENTRAL_RECORD_SIZE + entry.name.len() as u64
}

/// The 26 bytes that both headers share, from the version needed to the length of the extra field.
fn write_common(entry: &Entry, out: &mut Vec<u8>) -> Result<(), AppendError> {
    let version: u16 = if entry.kind == EntryKind::Directory { 20 } else { 10 };
    let too_large = |_| AppendError::BodyTooLarge { name: entry.name.clone(), size: entry.size };
    let size = u32::try_from(entry.size).map_err(too_large)?;
    let name_size = u16::try_from(entry.name.len()).map_err(too_large)?;
    let (flags, method, extra_size) = (0_u16, 0_u16, 0_u16);
    for field in [version, flags, method, entry.modified.time, entry.modified.date] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for field in [entry.crc32, size, size] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for field in [name_size, extra_size] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    Ok(())
}

/// Unix, version 2.0.
const MADE_BY: u16 = 0x0314;
/// 1980-01-01 00:00:00, the earliest there is.
const MODIFIED: DosTime = DosTime { time: 0, date: 1 << 5 | 1 };
