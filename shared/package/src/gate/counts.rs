//! Rule 3: one disk, counts that agree, and a central directory that its records fill exactly.

use super::GateCode;
use super::entry::Entry;
use super::record::{CENTRAL_RECORD_SIZE, CentralRecord, Window};
use super::refusal::{GateError, Refusal};
use super::zip64::Ends;
use crate::limits::Limits;
use crate::source::{BLOCK_SIZE, ReadAt};

/// All disk numbers of the end records are zero: no set of disks, no split archive.
pub(super) fn check_disks(offset: u64, disks: &[u32]) -> Result<(), Refusal> {
    match disks.iter().find(|disk| **disk != 0) {
        None => Ok(()),
        Some(disk) => {
            Err(Refusal::new(GateCode::MultiDisk, offset, format!("disk number {disk}, expected 0")))
        }
    }
}

/// The counts are within the limits and possible for the directory's size, so that memory may be set aside for them.
pub(super) fn check_totals(ends: &Ends, limits: &Limits) -> Result<(), Refusal> {
    let refuse = |code, detail| Err(Refusal::new(code, ends.offset, detail));
    if ends.entries == 0 && ends.directory_size == 0 {
        return refuse(GateCode::EmptyArchive, "the archive has no entry".to_owned());
    }
    check_entry_count(ends.entries, ends.offset, limits)?;
    let size = ends.directory_size;
    check_directory_size(size, ends.offset, limits)?;
    if ends.entries == 0 || ends.entries.saturating_mul(CENTRAL_RECORD_SIZE) > size {
        let detail = format!("{} entries do not make a central directory of {size} bytes", ends.entries);
        return refuse(GateCode::EntryCountMismatch, detail);
    }
    Ok(())
}

/// No more entries than the limit; `offset` is that of the record that counts them.
pub(super) fn check_entry_count(count: u64, offset: u64, limits: &Limits) -> Result<(), Refusal> {
    if count <= limits.entries_max {
        return Ok(());
    }
    let detail = format!("{count} entries, the limit is {}", limits.entries_max);
    Err(Refusal::new(GateCode::TooManyEntries, offset, detail))
}

/// No larger central directory than the limit.
pub(super) fn check_directory_size(size: u64, offset: u64, limits: &Limits) -> Result<(), Refusal> {
    let size_max = limits.central_directory_size_max;
    if size <= size_max {
        return Ok(());
    }
    let detail = format!("the central directory has {size} bytes, the limit is {size_max}");
    Err(Refusal::new(GateCode::CentralDirectoryTooLarge, offset, detail))
}

/// Reads the `ends.entries` records and gives each to `admit`; they must fill the directory to its last byte.
pub(super) fn read_directory<S: ReadAt + ?Sized>(
    source: &S,
    ends: &Ends,
    mut admit: impl FnMut(&CentralRecord) -> Result<Entry, Refusal>,
) -> Result<Vec<Entry>, GateError> {
    let end = ends.directory_end;
    let mut window = Window::new(source, end, BLOCK_SIZE as u64);
    let mut entries = Vec::with_capacity(usize::try_from(ends.entries).unwrap_or_default());
    let mut offset = ends.directory_offset;
    for index in 0..ends.entries {
        let record = CentralRecord::read(&mut window, offset, end)?
            .ok_or_else(|| no_record(offset, end, index, ends.entries))?;
        check_disks(offset, &[record.disk.into()])?;
        offset += record.record_size();
        entries.push(admit(&record)?);
    }
    if offset != end {
        return Err(left_over(&mut window, offset, end, ends.entries)?.into());
    }
    Ok(entries)
}

fn no_record(offset: u64, end: u64, index: u64, count: u64) -> Refusal {
    if offset == end {
        let detail = format!("the central directory ends after {index} of {count} entries");
        return Refusal::new(GateCode::EntryCountMismatch, offset, detail);
    }
    let detail = format!("record {} of {count} has no signature or runs past byte {end}", index + 1);
    Refusal::new(GateCode::CentralRecordInvalid, offset, detail)
}

/// Bytes behind the last counted record: a record that the count hides, or no record.
fn left_over<S: ReadAt + ?Sized>(
    window: &mut Window<'_, S>,
    offset: u64,
    end: u64,
    count: u64,
) -> Result<Refusal, GateError> {
    if CentralRecord::read(window, offset, end)?.is_some() {
        let detail = format!("the central directory holds more than the {count} entries it counts");
        return Ok(Refusal::new(GateCode::EntryCountMismatch, offset, detail));
    }
    let detail = format!("{} bytes of the central directory belong to no record", end - offset);
    Ok(Refusal::new(GateCode::CentralDirectorySizeMismatch, offset, detail))
}
