//! The end records with other totals, and else unchanged.

use super::{AppendError, holds_record_signature};
use crate::gate::EndRecords;
use crate::gate::record::{END_RECORD, SENTINEL_16, SENTINEL_32};

/// `ends` with new totals. A sentinel stays a sentinel and a value a value, so that the old totals give `ends` again.
pub(super) fn with_totals(
    ends: &EndRecords,
    entries: u64,
    directory_size: u64,
    directory_offset: u64,
) -> Result<EndRecords, AppendError> {
    let mut ends = ends.clone();
    let record = &mut ends.end_record;
    put_u16(record, 8, "the number of entries", entries)?;
    put_u16(record, 10, "the number of entries", entries)?;
    put_u32(record, 12, "the size of the central directory", directory_size)?;
    put_u32(record, 16, "the offset of the central directory", directory_offset)?;
    if let Some(zip64) = &mut ends.zip64 {
        let zip64_offset = directory_offset.saturating_add(directory_size);
        let fields =
            [(24, entries), (32, entries), (40, directory_size), (48, directory_offset), (64, zip64_offset)];
        for (at, value) in fields {
            put(zip64, at, value.to_le_bytes());
        }
    }
    check_searchable(&ends)?;
    Ok(ends)
}

/// The records as they lie in the file.
pub(super) fn to_bytes(ends: &EndRecords) -> Vec<u8> {
    [ends.zip64.as_ref().map_or(&[][..], |zip64| zip64), &ends.end_record, &ends.comment].concat()
}

/// A backward search for the end record finds it and nothing in its own fields.
fn check_searchable(ends: &EndRecords) -> Result<(), AppendError> {
    let searched = [&ends.end_record[END_RECORD.len()..], &ends.comment].concat();
    if holds_record_signature(&searched) {
        return Err(AppendError::RecordSignature { place: "the end record".to_owned() });
    }
    Ok(())
}

fn put_u16(record: &mut [u8], at: usize, field: &'static str, value: u64) -> Result<(), AppendError> {
    if record.get(at..at + 2) == Some(&SENTINEL_16.to_le_bytes()) {
        return Ok(());
    }
    let narrow = u16::try_from(value).ok().filter(|narrow| *narrow != SENTINEL_16);
    put(record, at, narrow.ok_or(AppendError::WouldChangeForm { field, value })?.to_le_bytes());
    Ok(())
}

fn put_u32(record: &mut [u8], at: usize, field: &'static str, value: u64) -> Result<(), AppendError> {
    if record.get(at..at + 4) == Some(&SENTINEL_32.to_le_bytes()) {
        return Ok(());
    }
    let narrow = u32::try_from(value).ok().filter(|narrow| *narrow != SENTINEL_32);
    put(record, at, narrow.ok_or(AppendError::WouldChangeForm { field, value })?.to_le_bytes());
    Ok(())
}

fn put<const N: usize>(record: &mut [u8], at: usize, value: [u8; N]) {
    record[at..at + N].copy_from_slice(&value);
}
