//! The reversible append: U = L | C | E becomes S = L | new entries | C | new records | E adjusted.
//!
//! Nothing of U moves but its central directory and end records, and those change in fixed fields alone. So taking
//! the entries off again gives U back bit for bit, and [`split`] accepts only what [`append`] makes.

mod ends;
mod form;
mod recovered;

use std::io::{self, Read, Write};

pub use self::recovered::Recovered;

use crate::gate::record::holds_record_signature;
use crate::gate::{Archive, Entry, GateCode, Layout, Refusal};
use crate::source::{BLOCK_SIZE, ReadAt, Section};

/// An entry to append: a directory if its name ends with a slash, else a file.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// Its name: ASCII, and what the gate accepts as a name.
    pub name: &'a str,
    /// Its content, at most [`BODY_SIZE_MAX`] bytes; empty for a directory.
    pub body: &'a [u8],
}

/// An entry taken off by [`split`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendedEntry {
    /// Its name; it ends with a slash if it is a directory.
    pub name: String,
    /// Its content.
    pub body: Vec<u8>,
}

/// Why nothing was appended, or taken off.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The source is not the one that the archive was parsed from.
    #[error("the package has {found} bytes, it had {parsed} when it was checked; check it again")]
    SourceChanged {
        /// Bytes when parsed.
        parsed: u64,
        /// Bytes now.
        found: u64,
    },
    /// An end record's field has no room for its new value, and widening it would change the form of the zip.
    #[error(
        "{field} would become {value}, which needs zip64, and the package has none; repack it with zip64"
    )]
    WouldChangeForm {
        /// The field.
        field: &'static str,
        /// The value it would get.
        value: u64,
    },
    /// A body is too large to be a signature.
    #[error("the entry {name:?} has {size} bytes, the limit is {BODY_SIZE_MAX}")]
    BodyTooLarge {
        /// The entry.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The bytes of a new entry or of the adjusted end records happen to hold the signature of a zip record, which a
    /// reader could mistake for one.
    #[error("{place} holds the signature of a zip record by chance; sign again")]
    RecordSignature {
        /// Where.
        place: String,
    },
    /// The result would break a rule of the gate: a name that is taken or not acceptable, a limit.
    #[error("the gate would refuse the result: {0}")]
    Refused(#[from] Refusal),
    /// The package does not end with as many appended entries.
    #[error("the package has {entries} entries, {count} of them cannot be taken off")]
    TooFewEntries {
        /// Entries in the package.
        entries: usize,
        /// Entries to take off.
        count: usize,
    },
    /// The package is not what appending the same entries again would make.
    #[error("{place} at byte {offset} is not as an append writes it")]
    NotAppended {
        /// What differs.
        place: &'static str,
        /// Where it begins in the file.
        offset: u64,
    },
}

/// Bytes of one appended entry. A signature with its certificates and timestamp has some 10 KiB; the limit stops a
/// package from making a verifier hold a large body in memory.
pub const BODY_SIZE_MAX: u64 = 1024 * 1024;

/// Writes to `out` the package `unsigned` with `entries` behind its own, and gives the number of bytes written.
///
/// `archive` is the gate's proof for `unsigned`. What is written passes the gate under the same limits.
///
/// # Errors
/// [`AppendError::WouldChangeForm`], [`AppendError::RecordSignature`], [`AppendError::Refused`] and the like before the
/// first byte is written; [`AppendError::Io`] at any time.
pub fn append<S: ReadAt + ?Sized, W: Write>(
    unsigned: &S,
    archive: &Archive,
    entries: &[NewEntry<'_>],
    out: &mut W,
) -> Result<u64, AppendError> {
    check_size(unsigned, archive)?;
    let plan = Plan::new(archive, entries)?;
    let layout = archive.layout();
    copy(unsigned, 0, layout.central_directory_offset, out)?;
    out.write_all(&plan.local)?;
    copy(unsigned, layout.central_directory_offset, layout.central_directory_size, out)?;
    out.write_all(&plan.central)?;
    out.write_all(&plan.ends)?;
    Ok(layout.size + (plan.local.len() + plan.central.len()) as u64)
}

/// Takes the last `count` entries off `signed`, and gives the package before the append and the entries.
///
/// `archive` is the gate's proof for `signed`. Succeeds only if appending the entries to the result gives `signed`
/// again, byte for byte.
///
/// # Errors
/// [`AppendError::TooFewEntries`] if no entry would be left, [`AppendError::NotAppended`] if anything differs from what
/// [`append`] writes, and the errors of [`append`].
pub fn split<'a, S: ReadAt + ?Sized>(
    signed: &'a S,
    archive: &Archive,
    count: usize,
) -> Result<(Recovered<'a, S>, Vec<AppendedEntry>), AppendError> {
    check_size(signed, archive)?;
    let entries = archive.entries();
    let kept = entries.len().checked_sub(count).filter(|kept| *kept > 0 && count > 0);
    let kept = kept.ok_or(AppendError::TooFewEntries { entries: entries.len(), count })?;
    let taken = entries.get(kept..).unwrap_or_default();
    let unsigned = before_append(archive, kept, taken)?;
    let appended: Vec<AppendedEntry> =
        taken.iter().map(|entry| read_entry(signed, archive, entry)).collect::<Result<_, _>>()?;
    let again: Vec<NewEntry<'_>> =
        appended.iter().map(|entry| NewEntry { name: &entry.name, body: &entry.body }).collect();
    Plan::new(&unsigned, &again)?.check(signed, &unsigned, archive)?;
    Ok((Recovered::new(signed, archive.layout(), unsigned)?, appended))
}

/// All bytes that an append adds or changes.
struct Plan {
    local: Vec<u8>,
    central: Vec<u8>,
    ends: Vec<u8>,
}

impl Plan {
    fn new(archive: &Archive, entries: &[NewEntry<'_>]) -> Result<Self, AppendError> {
        let layout = archive.layout();
        let (mut local, mut central, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for new in entries {
            let offset = layout.central_directory_offset.saturating_add(local.len() as u64);
            archive.check_new_name(new.name, offset)?;
            let entry = form::entry(new, offset)?;
            form::write_local(&entry, new.body, &mut local)?;
            form::write_central(&entry, &mut central)?;
            added.push(entry);
        }
        let directory_size = layout.central_directory_size.saturating_add(central.len() as u64);
        archive.check_with(&added, directory_size)?;
        let ends = ends::with_totals(
            archive.end_records(),
            (archive.entries().len() + added.len()) as u64,
            directory_size,
            layout.central_directory_offset.saturating_add(local.len() as u64),
        )?;
        Ok(Plan { local, central, ends: ends::to_bytes(&ends) })
    }

    /// Whether `signed` has these bytes where an append to `unsigned` puts them. The bytes between them are those of
    /// `unsigned` by definition.
    fn check<S: ReadAt + ?Sized>(
        &self,
        signed: &S,
        unsigned: &Archive,
        archive: &Archive,
    ) -> Result<(), AppendError> {
        let (before, after) = (unsigned.layout(), archive.layout());
        let central = after.central_directory_offset + before.central_directory_size;
        let ends = after.central_directory_offset + after.central_directory_size;
        let parts = [
            (
                "the appended entry",
                before.central_directory_offset,
                after.central_directory_offset,
                &self.local,
            ),
            ("the appended central record", central, ends, &self.central),
            ("the end record", ends, after.size, &self.ends),
        ];
        for (place, offset, end, expected) in parts {
            let mut found = vec![0; expected.len()];
            if offset + expected.len() as u64 != end {
                return Err(AppendError::NotAppended { place, offset });
            }
            signed.read_exact_at(offset, &mut found)?;
            if found != *expected {
                return Err(AppendError::NotAppended { place, offset });
            }
        }
        Ok(())
    }
}

/// The archive that `archive` was before `taken` was appended to its first `kept` entries.
fn before_append(archive: &Archive, kept: usize, taken: &[Entry]) -> Result<Archive, AppendError> {
    let after = archive.layout();
    let removed: u64 = taken.iter().map(form::central_size).sum();
    let offset = taken.first().map_or(after.central_directory_offset, Entry::header_offset);
    let not_appended =
        AppendError::NotAppended { place: "the central directory", offset: after.central_directory_offset };
    let size = after.central_directory_size.checked_sub(removed).ok_or(not_appended)?;
    let ends = ends::with_totals(archive.end_records(), kept as u64, size, offset)?;
    let shrunk = (after.central_directory_offset - offset) + removed;
    let layout = Layout {
        central_directory_offset: offset,
        central_directory_size: size,
        zip64: after.zip64,
        end_record_offset: after.end_record_offset - shrunk,
        size: after.size - shrunk,
    };
    Ok(archive.first(kept, layout, ends))
}

fn read_entry<S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
    entry: &Entry,
) -> Result<AppendedEntry, AppendError> {
    if entry.size() > BODY_SIZE_MAX {
        return Err(AppendError::BodyTooLarge { name: entry.name().to_owned(), size: entry.size() });
    }
    let mut body = Vec::new();
    archive.reader(source, entry).read_to_end(&mut body)?;
    Ok(AppendedEntry { name: entry.name().to_owned(), body })
}

fn check_size<S: ReadAt + ?Sized>(source: &S, archive: &Archive) -> Result<(), AppendError> {
    let (parsed, found) = (archive.layout().size, source.len()?);
    if parsed == found { Ok(()) } else { Err(AppendError::SourceChanged { parsed, found }) }
}

fn copy<S: ReadAt + ?Sized, W: Write>(source: &S, offset: u64, size: u64, out: &mut W) -> io::Result<()> {
    let mut section = Section::new(source, offset, size);
    let mut block = vec![0; BLOCK_SIZE];
    loop {
        match section.read(&mut block)? {
            0 => return Ok(()),
            size => out.write_all(block.get(..size).unwrap_or_default())?,
        }
    }
}
