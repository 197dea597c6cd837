//! Rule 2: there is one end record, and it ends the file together with its comment (4.3.16).

use std::cmp::Ordering;
use std::io;

use super::GateCode;
use super::entry::{Entry, EntryKind};
use super::record::{
    CentralRecord, END_RECORD, END_RECORD_SIZE, Fields, LOCAL_HEADER, holds_record_signature,
};
use super::refusal::{GateError, Refusal};
use crate::limits::Limits;
use crate::source::ReadAt;

/// The end record, its numbers not judged yet.
#[derive(Debug)]
pub(super) struct EndRecord {
    pub(super) offset: u64,
    pub(super) bytes: [u8; END_RECORD_SIZE],
    pub(super) disk: u16,
    pub(super) directory_disk: u16,
    pub(super) disk_entries: u16,
    pub(super) entries: u16,
    pub(super) directory_size: u32,
    pub(super) directory_offset: u32,
    pub(super) comment: Vec<u8>,
}

/// Finds the end record of `source`.
///
/// Readers search backward for its signature and differ in what they make of a wrong comment length. So the last
/// signature in the file must be the end record's, and its comment must end where the file ends.
pub(super) fn locate<S: ReadAt + ?Sized>(source: &S, limits: &Limits) -> Result<EndRecord, GateError> {
    let (start, tail) = read_tail(source)?;
    let Some(at) = tail.windows(END_RECORD.len()).rposition(|window| window == END_RECORD) else {
        return Err(missing(source)?.into());
    };
    let found = at_end(start, &tail, at, limits);
    if found.is_err()
        && let Some(earlier) = enclosing(&tail, at)
    {
        let detail = "the archive comment holds the signature of a zip record";
        return Err(Refusal::new(GateCode::RecordInComment, start + earlier as u64, detail).into());
    }
    Ok(found?)
}

/// The end record at `at` of `tail`, which begins at `start` of the file.
fn at_end(start: u64, tail: &[u8], at: usize, limits: &Limits) -> Result<EndRecord, Refusal> {
    let offset = start + at as u64;
    let mut fields = Fields(tail.get(at..).unwrap_or_default());
    let Some((mut record, comment_size)) = fixed(offset, &mut fields) else {
        let detail = format!("the end record has {} of {END_RECORD_SIZE} bytes", tail.len() - at);
        return Err(Refusal::new(GateCode::EndRecordMissing, offset, detail));
    };
    record.comment = fields.0.to_vec();
    check_comment(&record, comment_size.into(), limits)?;
    Ok(record)
}

/// An earlier end record whose comment ends with the file, so that the signature at `last` lies in it.
fn enclosing(tail: &[u8], last: usize) -> Option<usize> {
    let before = tail.get(..last + END_RECORD.len() - 1)?;
    let starts = before.windows(END_RECORD.len()).enumerate().rev();
    starts.filter(|(_, window)| *window == END_RECORD).map(|(at, _)| at).find(|at| {
        let fixed = fixed(0, &mut Fields(tail.get(*at..).unwrap_or_default()));
        fixed.is_some_and(|(_, comment)| at + END_RECORD_SIZE + usize::from(comment) == tail.len())
    })
}

/// The last bytes of the file, as many as an end record with the longest comment has.
fn read_tail<S: ReadAt + ?Sized>(source: &S) -> io::Result<(u64, Vec<u8>)> {
    let size = source.len()?;
    let tail_size = size.min(END_RECORD_SIZE as u64 + u64::from(u16::MAX));
    let mut tail = vec![0; usize::try_from(tail_size).map_err(io::Error::other)?];
    source.read_exact_at(size - tail_size, &mut tail)?;
    Ok((size - tail_size, tail))
}

/// A file without end record: a zip that was cut off, or no zip.
fn missing<S: ReadAt + ?Sized>(source: &S) -> io::Result<Refusal> {
    let size = source.len()?;
    let mut head = [0; 4];
    if size >= 4 {
        source.read_exact_at(0, &mut head)?;
    }
    Ok(if head == LOCAL_HEADER {
        Refusal::new(GateCode::EndRecordMissing, size, format!("no end record in the last bytes of {size}"))
    } else {
        Refusal::new(GateCode::NotAZip, 0, format!("the file of {size} bytes holds no zip record"))
    })
}

fn fixed(offset: u64, fields: &mut Fields<'_>) -> Option<(EndRecord, u16)> {
    let bytes: [u8; END_RECORD_SIZE] = *fields.0.first_chunk()?;
    let _signature: [u8; 4] = fields.bytes()?;
    let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
    let (disk_entries, entries) = (fields.u16()?, fields.u16()?);
    let (directory_size, directory_offset) = (fields.u32()?, fields.u32()?);
    let comment_size = fields.u16()?;
    let comment = Vec::new();
    let record = EndRecord {
        offset,
        bytes,
        disk,
        directory_disk,
        disk_entries,
        entries,
        directory_size,
        directory_offset,
        comment,
    };
    Some((record, comment_size))
}

fn check_comment(record: &EndRecord, declared: usize, limits: &Limits) -> Result<(), Refusal> {
    let found = record.comment.len();
    let refuse = |code, detail: String| Err(Refusal::new(code, record.offset, detail));
    match found.cmp(&declared) {
        Ordering::Greater => {
            let detail = format!("{} bytes follow the comment of {declared} bytes", found - declared);
            return refuse(GateCode::TrailingData, detail);
        }
        Ordering::Less => {
            let detail = format!("the comment has {declared} bytes, the file ends after {found}");
            return refuse(GateCode::CommentTruncated, detail);
        }
        Ordering::Equal => {}
    }
    if found > limits.comment_size_max {
        let detail = format!("the comment has {found} bytes, the limit is {}", limits.comment_size_max);
        return refuse(GateCode::CommentTooLong, detail);
    }
    if holds_record_signature(&record.comment) {
        return refuse(
            GateCode::RecordInComment,
            "the archive comment holds the signature of a zip record".into(),
        );
    }
    Ok(())
}

/// libarchive looks for the end record in the last 16 KiB of the file, and behind a longer comment it reads local headers
/// instead, which have no attributes. So no entry may have any then but those that are assumed.
pub(super) fn check_reach(record: &EndRecord, entries: &[Entry]) -> Result<(), Refusal> {
    let size = record.bytes.len() + record.comment.len();
    let needs_attributes = |entry: &&Entry| match entry.kind {
        EntryKind::File => entry.permissions != 0o644,
        EntryKind::Directory => entry.permissions != 0o755,
        EntryKind::Symlink { .. } => true,
    };
    match entries.iter().find(needs_attributes).filter(|_| size > REACH_BYTES) {
        None => Ok(()),
        Some(entry) => {
            let detail = format!(
                "{size} bytes of end record and comment, more than {REACH_BYTES}, hide the attributes of this entry"
            );
            let refusal = Refusal::new(GateCode::CommentTooLong, record.offset, detail);
            Err(refusal.in_entry(entry.name.as_bytes()))
        }
    }
}

/// How far from the end of a file every reader finds the end record, less a zip64 locator in front of it.
const REACH_BYTES: usize = 16 * 1024 - 20;

/// An entry's comment: no reader that searches for a record finds one there.
pub(super) fn check_entry_comment(record: &CentralRecord, limits: &Limits) -> Result<(), Refusal> {
    let size = record.comment.len();
    if size > limits.comment_size_max {
        let detail = format!("the comment has {size} bytes, the limit is {}", limits.comment_size_max);
        return Err(record.refuse(GateCode::CommentTooLong, detail));
    }
    if holds_record_signature(&record.comment) {
        let detail = "the comment holds the signature of a zip record";
        return Err(record.refuse(GateCode::RecordInComment, detail));
    }
    Ok(())
}
