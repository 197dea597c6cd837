//! The gate: a zip is accepted only if every reader sees the same archive in it.
//!
//! Zip readers disagree about almost every file that a hostile writer makes, so comparing two of them proves nothing.
//! The gate instead accounts for every byte of the file, and demands that whatever is stated twice is stated alike.
//! One module a rule, in the order of the rules in `FORMAT.md`; [`Archive`] is the proof that all of them held.
//! Clause numbers in this folder are those of PKWARE's APPNOTE.TXT 6.3.10.

mod counts; // rule 3
mod end_record; // rule 2
mod extra;
mod features; // rule 6
mod kinds; // rule 8
mod layout; // rule 1
mod local_header; // rule 5
mod names; // rule 7
mod payload;
mod zip64; // rule 4, with `extra` // rule 9

mod code;
mod entry;
pub(crate) mod record;
mod refusal;

use std::io;

pub use self::code::GateCode;
pub use self::entry::{Entry, EntryKind, Method};
pub use self::refusal::{GateError, Refusal};

pub(crate) use self::entry::DosTime;
use self::extra::Extras;
use self::record::{CentralRecord, END_RECORD_SIZE, Window, ZIP64_ENDS_SIZE};
use self::zip64::Ends;
use crate::limits::Limits;
use crate::source::ReadAt;

/// An archive that the gate accepted: its bytes belong to exactly one reading, and this is it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    entries: Vec<Entry>,
    layout: Layout,
    ends: EndRecords,
    limits: Limits,
}

/// The end records as they lie in the file, for an append to adjust field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndRecords {
    /// Zip64 end record and locator.
    pub(crate) zip64: Option<[u8; ZIP64_ENDS_SIZE]>,
    pub(crate) end_record: [u8; END_RECORD_SIZE],
    pub(crate) comment: Vec<u8>,
}

/// Where the records behind the entries lie, in bytes from the beginning of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Where the central directory begins, and the last entry ends.
    pub central_directory_offset: u64,
    /// Bytes of the central directory.
    pub central_directory_size: u64,
    /// Whether zip64 end records stand before the end record.
    pub zip64: bool,
    /// Where the end record begins.
    pub end_record_offset: u64,
    /// Bytes of the file.
    pub size: u64,
}

impl Archive {
    /// Reads all of `source` once and accepts it, or names the first rule that it breaks.
    ///
    /// Cheap rules come first: nothing is unpacked before everything about the entries is known and within `limits`.
    /// Memory is bounded by `limits`, never by the size of the package.
    ///
    /// # Errors
    /// [`GateError::Refused`] with the broken rule; [`GateError::Io`] where `source` could not be read.
    pub fn parse<S: ReadAt + ?Sized>(source: &S, limits: &Limits) -> Result<Self, GateError> {
        let end = end_record::locate(source, limits)?;
        let ends = zip64::reconcile(source, &end)?;
        counts::check_totals(&ends, limits)?;
        layout::check_directory_place(source, &ends)?;
        let mut entries = counts::read_directory(source, &ends, |record| admit(record, limits))?;
        layout::check_order(&entries)?;
        layout::check_room(&entries, &ends)?;
        end_record::check_reach(&end, &entries)?;
        names::check_tree(entries.iter())?;
        payload::check_total(entries.iter(), limits)?;
        place_entries(source, &mut entries, &ends, limits)?;
        payload::check_ratios(&entries, limits)?;
        payload::check_bodies(source, &mut entries)?;
        let layout = Layout {
            central_directory_offset: ends.directory_offset,
            central_directory_size: ends.directory_size,
            zip64: ends.zip64.is_some(),
            end_record_offset: end.offset,
            size: source.len()?,
        };
        let ends = EndRecords { zip64: ends.zip64, end_record: end.bytes, comment: end.comment };
        Ok(Archive { entries, layout, ends, limits: limits.clone() })
    }

    /// The entries, in the order in which they lie in the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of exactly this name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The archive comment: bytes without agreed encoding.
    pub fn comment(&self) -> &[u8] {
        &self.ends.comment
    }

    /// Where the records behind the entries lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The uncompressed body of `entry`, read from the `source` that was parsed.
    ///
    /// Should the bytes have changed since, reading fails with [`io::ErrorKind::InvalidData`] before the last of the
    /// declared size are given. Hand it buffers of [`BLOCK_SIZE`](crate::source::BLOCK_SIZE).
    pub fn reader<'a, S: ReadAt + ?Sized>(&self, source: &'a S, entry: &Entry) -> impl io::Read + use<'a, S> {
        payload::Body::new(source, entry, None)
    }
}

/// What the append builds on: the parts of a proof, and new proofs from it where every rule still holds.
impl Archive {
    pub(crate) fn end_records(&self) -> &EndRecords {
        &self.ends
    }

    /// Whether `name` may name an entry that is appended at `offset`: what the gate accepts, in ASCII.
    pub(crate) fn check_new_name(&self, name: &str, offset: u64) -> Result<(), Refusal> {
        names::check_new(name, &self.limits)
            .map_err(|(code, detail)| Refusal::new(code, offset, detail).in_entry(name.as_bytes()))
    }

    /// Whether the rules that concern entries together hold for these entries followed by `new`, in a central
    /// directory of `directory_size` bytes.
    pub(crate) fn check_with(&self, new: &[Entry], directory_size: u64) -> Result<(), Refusal> {
        let all = || self.entries.iter().chain(new);
        let offset = self.layout.central_directory_offset;
        counts::check_entry_count(all().count() as u64, offset, &self.limits)?;
        counts::check_directory_size(directory_size, offset, &self.limits)?;
        names::check_tree(all())?;
        payload::check_total(all(), &self.limits)
    }

    /// The archive of the first `count` entries, given the layout and end records of its file. All rules about
    /// entries hold for it because they hold for more entries; those about the end records are checked by `recheck`.
    pub(crate) fn first(&self, count: usize, layout: Layout, ends: EndRecords) -> Self {
        let moved = self.layout.central_directory_offset - layout.central_directory_offset;
        let mut entries: Vec<Entry> = self.entries.iter().take(count).cloned().collect();
        for entry in &mut entries {
            entry.central_offset -= moved;
        }
        Archive { entries, layout, ends, limits: self.limits.clone() }
    }

    /// Whether the end records of `source` are found and read as this archive has them.
    pub(crate) fn recheck_ends<S: ReadAt + ?Sized>(&self, source: &S) -> Result<bool, GateError> {
        let end = end_record::locate(source, &self.limits)?;
        let ends = zip64::reconcile(source, &end)?;
        counts::check_totals(&ends, &self.limits)?;
        layout::check_directory_place(source, &ends)?;
        let found = EndRecords { zip64: ends.zip64, end_record: end.bytes, comment: end.comment };
        Ok(found == self.ends && ends.entries == self.entries.len() as u64)
    }
}

/// An entry as its central record describes it, if that record is acceptable by itself (rules 3, 4, 6, 7, 8, 9).
fn admit(record: &CentralRecord, limits: &Limits) -> Result<Entry, Refusal> {
    let in_entry = |refusal: Refusal| refusal.in_entry(&record.name);
    let method = features::check(record)?;
    let name = names::check(record, limits)?;
    end_record::check_entry_comment(record, limits)?;
    let extras = Extras::parse(&record.extra, limits.extra_size_max, record.offset).map_err(in_entry)?;
    names::check_unicode_path(&extras, &record.name, record.offset)?;
    kinds::check_extras(&extras, &record.name, record.offset)?;
    let wide = zip64::widen_record(record, extras.find(extra::ZIP64))?;
    payload::check_sizes(method, &wide, limits).map_err(|(code, detail)| record.refuse(code, detail))?;
    let (kind, permissions) = kinds::check(record, &name, method, &wide, limits)?;
    Ok(Entry {
        name,
        kind,
        permissions,
        method,
        flags: record.flags,
        modified: DosTime { time: record.time, date: record.date },
        crc32: record.crc32,
        compressed_size: wide.compressed_size,
        size: wide.size,
        central_offset: record.offset,
        header_offset: wide.header_offset,
        data_offset: 0,
    })
}

/// Walks the local headers: each entry begins where the one before it ends, the last ends at the central directory.
fn place_entries<S: ReadAt + ?Sized>(
    source: &S,
    entries: &mut [Entry],
    ends: &Ends,
    limits: &Limits,
) -> Result<(), GateError> {
    /// Bytes read at once around a local header: a few small entries, and little of a large one.
    const HEADER_BLOCK_SIZE: u64 = 4096;
    let mut window = Window::new(source, ends.directory_offset, HEADER_BLOCK_SIZE);
    let mut position = 0;
    for entry in entries {
        layout::check_adjacent(entry, position)?;
        let extent = local_header::check(&mut window, entry, ends.directory_offset, limits)?;
        (entry.data_offset, position) = (extent.data_offset, extent.end);
    }
    Ok(layout::check_entries_end(position, ends)?)
}
