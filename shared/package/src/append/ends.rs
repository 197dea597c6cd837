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

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(entries: u16, size: u32, offset: u32, zip64: bool) -> EndRecords {
        let mut end_record = [0; 22];
        end_record[..4].copy_from_slice(&END_RECORD);
        end_record[8..10].copy_from_slice(&entries.to_le_bytes());
        end_record[10..12].copy_from_slice(&entries.to_le_bytes());
        end_record[12..16].copy_from_slice(&size.to_le_bytes());
        end_record[16..20].copy_from_slice(&offset.to_le_bytes());
        EndRecords { zip64: zip64.then_some([0; 76]), end_record, comment: Vec::new() }
    }

    #[test]
    fn a_value_never_becomes_a_sentinel() {
        for zip64 in [false, true] {
            let value = ends(1, 50, 100, zip64);
            assert!(with_totals(&value, 0xFFFE, 0xFFFF_FFFE, 0xFFFF_FFFE).is_ok());
            for (entries, size, offset) in
                [(0xFFFF, 1, 1), (1, 0xFFFF_FFFF, 1), (1, 1, 0xFFFF_FFFF), (1, 1, u64::MAX)]
            {
                let outcome = with_totals(&value, entries, size, offset);
                assert!(matches!(outcome, Err(AppendError::WouldChangeForm { .. })), "{outcome:?}");
            }
        }
    }

    #[test]
    fn a_sentinel_stays_and_zip64_holds_the_value() {
        let sentinel = ends(SENTINEL_16, SENTINEL_32, 7, true);
        let new = with_totals(&sentinel, 3, 200, 1 << 31).unwrap();
        assert_eq!(new.end_record[8..16], sentinel.end_record[8..16]);
        assert_eq!(new.end_record[16..20], (1_u32 << 31).to_le_bytes());
        let zip64 = new.zip64.unwrap();
        assert_eq!((zip64[24], zip64[32], zip64[40]), (3, 3, 200));
        assert_eq!(zip64[48..56], (1_u64 << 31).to_le_bytes());
        assert_eq!(zip64[64..72], ((1_u64 << 31) + 200).to_le_bytes());
    }

    #[test]
    fn an_offset_that_reads_as_an_end_record_is_refused() {
        let offset = u32::from_le_bytes(END_RECORD);
        let outcome = with_totals(&ends(1, 50, 100, false), 2, 100, offset.into());
        assert!(matches!(outcome, Err(AppendError::RecordSignature { .. })), "{outcome:?}");
    }
}
