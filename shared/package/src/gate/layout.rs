//! Rule 1: every byte of the file belongs to exactly one record.
//!
//! The file is entries from byte 0, the central directory, the zip64 end records, the end record and its comment,
//! with nothing between them. This alone ends prefixes, gaps, overlaps, hidden entries and archives stacked in a file.

use std::cmp::Ordering;

use super::GateCode;
use super::entry::Entry;
use super::record::{LOCAL_HEADER, LOCAL_HEADER_SIZE, read_array};
use super::refusal::{GateError, Refusal};
use super::zip64::Ends;
use crate::source::ReadAt;

/// The file begins with an entry, and the central directory ends where the end records begin.
pub(super) fn check_directory_place<S: ReadAt + ?Sized>(source: &S, ends: &Ends) -> Result<(), GateError> {
    if read_array::<4, S>(source, 0)? != LOCAL_HEADER {
        let detail = "the file does not begin with an entry";
        return Err(Refusal::new(GateCode::PrefixData, 0, detail).into());
    }
    if ends.directory_end != ends.offset {
        let detail = format!(
            "the central directory of {} bytes at byte {} does not end where the end records begin, at byte {}",
            ends.directory_size, ends.directory_offset, ends.offset
        );
        return Err(Refusal::new(GateCode::CentralDirectoryMisplaced, ends.offset, detail).into());
    }
    Ok(())
}

/// The directory lists the entries as they lie in the file, and none twice.
pub(super) fn check_order(entries: &[Entry]) -> Result<(), Refusal> {
    for (before, entry) in entries.iter().zip(entries.iter().skip(1)) {
        let code = match entry.header_offset.cmp(&before.header_offset) {
            Ordering::Greater => continue,
            Ordering::Equal => GateCode::OverlappingEntries,
            Ordering::Less => GateCode::EntriesOutOfOrder,
        };
        let detail = format!(
            "it begins at byte {}, the entry listed before it at byte {}",
            entry.header_offset, before.header_offset
        );
        return Err(Refusal::new(code, entry.central_offset, detail).in_entry(entry.name.as_bytes()));
    }
    Ok(())
}

/// There is room for as many local headers as the directory lists, before anything costly is done for them. The last one may be
/// cut off, which is said where it is read.
pub(super) fn check_room(entries: &[Entry], ends: &Ends) -> Result<(), Refusal> {
    let needed = (entries.len() as u64).saturating_sub(1).saturating_mul(LOCAL_HEADER_SIZE);
    if needed <= ends.directory_offset {
        return Ok(());
    }
    let detail = format!(
        "the local headers of {} entries have more than {needed} bytes, and {} stand before the central directory",
        entries.len(),
        ends.directory_offset
    );
    Err(Refusal::new(GateCode::OverlappingEntries, ends.directory_offset, detail))
}

/// `entry` begins at `position`, where the entry before it ended.
pub(super) fn check_adjacent(entry: &Entry, position: u64) -> Result<(), Refusal> {
    let code = match entry.header_offset.cmp(&position) {
        Ordering::Equal => return Ok(()),
        Ordering::Less => GateCode::OverlappingEntries,
        Ordering::Greater if position == 0 => GateCode::PrefixData,
        Ordering::Greater => GateCode::GapBetweenEntries,
    };
    let detail =
        format!("it begins at byte {}, what precedes it ends at byte {position}", entry.header_offset);
    let offset = position.min(entry.header_offset);
    Err(Refusal::new(code, offset, detail).in_entry(entry.name.as_bytes()))
}

/// The last entry ends at `position`, where the central directory begins.
pub(super) fn check_entries_end(position: u64, ends: &Ends) -> Result<(), Refusal> {
    let code = match position.cmp(&ends.directory_offset) {
        Ordering::Equal => return Ok(()),
        Ordering::Less => GateCode::GapBeforeCentralDirectory,
        Ordering::Greater => GateCode::EntryOverlapsCentralDirectory,
    };
    let detail = format!(
        "the last entry ends at byte {position}, the central directory begins at byte {}",
        ends.directory_offset
    );
    Err(Refusal::new(code, position, detail))
}
