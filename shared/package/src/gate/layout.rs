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
        return Err(Refusal::new(GateCode::CentralDirectoryMisplaced, ends.directory_offset, detail).into());
    }
    Ok(())
}

/// The directory lists the entries as they lie in the file, none twice, and each with room for what it declares: so a directory
/// of many records needs as many entries before anything costly is done for them.
pub(super) fn check_order(entries: &[Entry], ends: &Ends) -> Result<(), Refusal> {
    for (before, entry) in entries.iter().zip(entries.iter().skip(1)) {
        let code = match entry.header_offset.cmp(&before.header_offset) {
            Ordering::Less => GateCode::EntriesOutOfOrder,
            Ordering::Equal | Ordering::Greater if entry.header_offset < least_end(before) => {
                GateCode::OverlappingEntries
            }
            Ordering::Equal | Ordering::Greater => continue,
        };
        let detail = format!(
            "it begins at byte {}, the entry listed before it at byte {} and ends at byte {} or later",
            entry.header_offset,
            before.header_offset,
            least_end(before)
        );
        return Err(Refusal::new(code, entry.central_offset, detail).in_entry(entry.name.as_bytes()));
    }
    match entries.last() {
        Some(last) if least_end(last) > ends.directory_offset => {
            let detail = format!(
                "it ends at byte {} or later, the central directory begins at byte {}",
                least_end(last),
                ends.directory_offset
            );
            let code = GateCode::EntryOverlapsCentralDirectory;
            Err(Refusal::new(code, last.central_offset, detail).in_entry(last.name.as_bytes()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Where an entry ends if its local header has no extra field and no descriptor follows.
fn least_end(entry: &Entry) -> u64 {
    let header = LOCAL_HEADER_SIZE.saturating_add(entry.name.len() as u64);
    entry.header_offset.saturating_add(header).saturating_add(entry.compressed_size)
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
    Err(Refusal::new(code, entry.header_offset, detail).in_entry(entry.name.as_bytes()))
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
