//! Rule 4: zip64 says the same as the fields it replaces (4.3.14, 4.3.15, 4.5.3).
//!
//! A 32-bit field is either the sentinel, and then its value stands in zip64, or the value itself. Where both are
//! present they agree, so that readers with and without zip64 see one archive.

use super::GateCode;
use super::counts;
use super::end_record::EndRecord;
use super::features;
use super::record::{
    CentralRecord, Fields, LocalHeader, SENTINEL_16, SENTINEL_32, ZIP64_END_RECORD, ZIP64_ENDS_SIZE,
    ZIP64_LOCATOR, read_array,
};
use super::refusal::{GateError, Refusal};
use crate::source::ReadAt;

/// What all end records together say about the central directory.
#[derive(Debug)]
pub(super) struct Ends {
    /// Where the first end record begins.
    pub(super) offset: u64,
    pub(super) zip64: Option<[u8; ZIP64_ENDS_SIZE]>,
    pub(super) entries: u64,
    pub(super) directory_offset: u64,
    pub(super) directory_size: u64,
    pub(super) directory_end: u64,
}

/// Reads the zip64 end record and locator, where there are any, and reconciles them with `end`.
pub(super) fn reconcile<S: ReadAt + ?Sized>(source: &S, end: &EndRecord) -> Result<Ends, GateError> {
    counts::check_disks(end.offset, &[end.disk.into(), end.directory_disk.into()])?;
    let zip64 = read_ends(source, end)?;
    let totals = match &zip64 {
        Some((offset, bytes)) => Zip64Totals::read(*offset, end.offset, bytes)?,
        None => Zip64Totals::absent(end)?,
    };
    totals.agree_with(end)?;
    let offset = zip64.map_or(end.offset, |(offset, _)| offset);
    let directory_end = totals.directory_offset.saturating_add(totals.directory_size);
    let Zip64Totals { entries, directory_offset, directory_size, .. } = totals;
    let zip64 = zip64.map(|(_, bytes)| bytes);
    Ok(Ends { offset, zip64, entries, directory_offset, directory_size, directory_end })
}

/// Record and locator lie directly before the end record. Without a locator there, there is no zip64.
fn read_ends<S: ReadAt + ?Sized>(
    source: &S,
    end: &EndRecord,
) -> Result<Option<(u64, [u8; ZIP64_ENDS_SIZE])>, GateError> {
    const LOCATOR_SIZE: u64 = 20;
    let Some(locator) = end.offset.checked_sub(LOCATOR_SIZE) else { return Ok(None) };
    if read_array::<4, S>(source, locator)? != ZIP64_LOCATOR {
        return Ok(None);
    }
    let offset = end.offset.checked_sub(ZIP64_ENDS_SIZE as u64).ok_or_else(|| {
        Refusal::new(GateCode::Zip64RecordInvalid, locator, "a zip64 locator without zip64 end record")
    })?;
    Ok(Some((offset, read_array(source, offset)?)))
}

/// The 64-bit values, or the 32-bit ones widened where there is no zip64.
#[derive(Debug)]
struct Zip64Totals {
    disk_entries: u64,
    entries: u64,
    directory_size: u64,
    directory_offset: u64,
}

impl Zip64Totals {
    fn absent(end: &EndRecord) -> Result<Self, Refusal> {
        let sentinel = end.entries == SENTINEL_16
            || end.disk_entries == SENTINEL_16
            || end.directory_size == SENTINEL_32
            || end.directory_offset == SENTINEL_32;
        if sentinel {
            let detail = "a field of the end record refers to a zip64 end record, and none precedes it";
            return Err(Refusal::new(GateCode::Zip64Missing, end.offset, detail));
        }
        Ok(Zip64Totals {
            disk_entries: end.disk_entries.into(),
            entries: end.entries.into(),
            directory_size: end.directory_size.into(),
            directory_offset: end.directory_offset.into(),
        })
    }

    fn read(offset: u64, end_offset: u64, bytes: &[u8]) -> Result<Self, Refusal> {
        let refuse = |detail: String| Refusal::new(GateCode::Zip64RecordInvalid, offset, detail);
        let mut fields = Fields(bytes);
        let totals = Self::record(offset, &mut fields)?.ok_or_else(|| {
            refuse(format!("no zip64 end record of 56 bytes before the locator at byte {}", end_offset - 20))
        })?;
        let (Some(_signature), Some(disk), Some(found), Some(disks)) =
            (fields.u32(), fields.u32(), fields.u64(), fields.u32())
        else {
            return Err(refuse("the zip64 locator is cut off".to_owned()));
        };
        counts::check_disks(offset, &[disk])?;
        if found != offset || disks != 1 {
            return Err(refuse(format!(
                "the locator says byte {found} of disk 1 of {disks}, the record lies at byte {offset} of 1 of 1"
            )));
        }
        Ok(totals)
    }

    fn record(offset: u64, fields: &mut Fields<'_>) -> Result<Option<Self>, Refusal> {
        /// Size of the record without its signature and this field: 44 leaves no extensible data sector (4.3.14.1).
        const SIZE: u64 = 44;
        let (Some(ZIP64_END_RECORD), Some(SIZE)) = (fields.bytes(), fields.u64()) else { return Ok(None) };
        let (Some(_made_by), Some(version)) = (fields.u16(), fields.u16()) else { return Ok(None) };
        let (Some(disk), Some(directory_disk)) = (fields.u32(), fields.u32()) else { return Ok(None) };
        features::check_version(offset, version)?;
        counts::check_disks(offset, &[disk, directory_disk])?;
        Ok(Self::numbers(fields))
    }

    fn numbers(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Zip64Totals {
            disk_entries: fields.u64()?,
            entries: fields.u64()?,
            directory_size: fields.u64()?,
            directory_offset: fields.u64()?,
        })
    }

    fn agree_with(&self, end: &EndRecord) -> Result<(), Refusal> {
        let counts = |disk_entries: u64, entries: u64| {
            let detail = format!("{disk_entries} entries on this disk, {entries} in all");
            let refusal = || Refusal::new(GateCode::EntryCountMismatch, end.offset, detail);
            (disk_entries == entries).then_some(()).ok_or_else(refusal)
        };
        counts(self.disk_entries, self.entries)?;
        let pairs = [
            ("entries on this disk", widen_16(end.disk_entries), self.disk_entries),
            ("entries", widen_16(end.entries), self.entries),
            ("directory size", widen_32(end.directory_size), self.directory_size),
            ("directory offset", widen_32(end.directory_offset), self.directory_offset),
        ];
        for (field, narrow, wide) in pairs {
            if let Some(narrow) = narrow.filter(|narrow| *narrow != wide) {
                let detail = format!("{field}: {narrow} in the end record, {wide} in the zip64 end record");
                return Err(Refusal::new(GateCode::Zip64Contradiction, end.offset, detail));
            }
        }
        // One of the two a sentinel: a reader that compares them as they stand sees several disks.
        counts(end.disk_entries.into(), end.entries.into())
    }
}

/// Sizes and position of an entry, widened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wide {
    pub(super) size: u64,
    pub(super) compressed_size: u64,
    pub(super) header_offset: u64,
}

/// Resolves the 32-bit fields of a central record with its zip64 extra field, which holds exactly the fields whose
/// slot is the sentinel, in this order (4.5.3).
pub(super) fn widen_record(record: &CentralRecord, extra: Option<&[u8]>) -> Result<Wide, Refusal> {
    let slots = [record.size, record.compressed_size, record.header_offset];
    let [size, compressed_size, header_offset] =
        widen(slots, extra).map_err(|(code, detail)| record.refuse(code, detail))?;
    Ok(Wide { size, compressed_size, header_offset })
}

/// Resolves (size, compressed size) of a local header, and says whether zip64 holds them: both or none.
pub(super) fn widen_header(
    header: &LocalHeader,
    extra: Option<&[u8]>,
) -> Result<([u64; 2], bool), (GateCode, String)> {
    let slots = [header.size, header.compressed_size];
    let sentinels = slots.map(|slot| slot == SENTINEL_32);
    if let [true, false] | [false, true] = sentinels {
        let detail = "one of the two sizes of the local header refers to zip64, the other does not";
        return Err((GateCode::Zip64ExtraMismatch, detail.to_owned()));
    }
    Ok((widen(slots, extra)?, sentinels == [true, true]))
}

fn widen<const N: usize>(slots: [u32; N], extra: Option<&[u8]>) -> Result<[u64; N], (GateCode, String)> {
    let expected = 8 * slots.iter().filter(|slot| **slot == SENTINEL_32).count();
    let found = extra.map_or(0, <[u8]>::len);
    match extra {
        None if expected > 0 => {
            return Err((
                GateCode::Zip64Missing,
                "a size or offset refers to a zip64 extra field, and there is none".into(),
            ));
        }
        Some(_) if expected == 0 => {
            return Err((
                GateCode::Zip64ExtraMismatch,
                "a zip64 extra field that no size or offset refers to".into(),
            ));
        }
        Some(_) if found != expected => {
            let detail = format!(
                "the zip64 extra field has {found} bytes, the fields that refer to it need {expected}"
            );
            return Err((GateCode::Zip64ExtraMismatch, detail));
        }
        Some(_) | None => {}
    }
    let mut fields = Fields(extra.unwrap_or_default());
    Ok(slots.map(|slot| widen_32(slot).or_else(|| fields.u64()).unwrap_or_default()))
}

fn widen_16(value: u16) -> Option<u64> {
    (value != SENTINEL_16).then_some(value.into())
}

fn widen_32(value: u32) -> Option<u64> {
    (value != SENTINEL_32).then_some(value.into())
}
