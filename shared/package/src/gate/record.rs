//! The records of a zip as bytes (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16): signatures, fixed sizes, and a
//! bounded window to read them through. Nothing here judges a value.

use std::io;

use super::refusal::{GateError, Refusal};
use crate::gate::GateCode;
use crate::source::ReadAt;

pub(crate) const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
pub(crate) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
pub(crate) const CENTRAL_RECORD: [u8; 4] = *b"PK\x01\x02";
pub(crate) const END_RECORD: [u8; 4] = *b"PK\x05\x06";
pub(crate) const ZIP64_END_RECORD: [u8; 4] = *b"PK\x06\x06";
pub(crate) const ZIP64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const DIGITAL_SIGNATURE: [u8; 4] = *b"PK\x05\x05";
const ARCHIVE_EXTRA_DATA: [u8; 4] = *b"PK\x06\x08";

pub(crate) const LOCAL_HEADER_SIZE: u64 = 30;
pub(crate) const CENTRAL_RECORD_SIZE: u64 = 46;
pub(crate) const END_RECORD_SIZE: usize = 22;
pub(crate) const ZIP64_ENDS_SIZE: usize = 56 + 20;

/// The value of a 16- or 32-bit field that refers to its zip64 twin.
pub(crate) const SENTINEL_16: u16 = u16::MAX;
pub(crate) const SENTINEL_32: u32 = u32::MAX;

/// Whether `bytes` hold the signature of any record, which a reader that searches for one would find.
pub(crate) fn holds_record_signature(bytes: &[u8]) -> bool {
    const ALL: [[u8; 4]; 8] = [
        LOCAL_HEADER,
        DESCRIPTOR,
        CENTRAL_RECORD,
        END_RECORD,
        ZIP64_END_RECORD,
        ZIP64_LOCATOR,
        DIGITAL_SIGNATURE,
        ARCHIVE_EXTRA_DATA,
    ];
    bytes.windows(4).any(|window| ALL.iter().any(|signature| signature == window))
}

/// Little-endian fields of a record, taken in order. `None` ends a record that is too short.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn slice(&mut self, size: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }
}

/// A record of the central directory (4.3.12).
#[derive(Debug)]
pub(super) struct CentralRecord {
    pub(super) offset: u64,
    pub(super) host: u8,
    pub(super) version_needed: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) crc32: u32,
    pub(super) compressed_size: u32,
    pub(super) size: u32,
    pub(super) disk: u16,
    pub(super) internal_attributes: u16,
    pub(super) attributes: u32,
    pub(super) header_offset: u32,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
    pub(super) comment: Vec<u8>,
}

impl CentralRecord {
    /// Reads the record at `offset`; `None` where it has no signature or does not end before `end`.
    pub(super) fn read<S: ReadAt + ?Sized>(
        window: &mut Window<'_, S>,
        offset: u64,
        end: u64,
    ) -> io::Result<Option<Self>> {
        if !fits(offset, CENTRAL_RECORD_SIZE, end) {
            return Ok(None);
        }
        let Some((mut record, lengths)) = Self::fixed(offset, window.bytes(offset, CENTRAL_RECORD_SIZE)?)
        else {
            return Ok(None);
        };
        let size: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let start = offset + CENTRAL_RECORD_SIZE;
        if !fits(start, size, end) {
            return Ok(None);
        }
        let mut fields = Fields(window.bytes(start, size)?);
        let [name, extra, comment] =
            lengths.map(|length| fields.slice(length.into()).unwrap_or_default().to_vec());
        (record.name, record.extra, record.comment) = (name, extra, comment);
        Ok(Some(record))
    }

    /// The fixed part, and the lengths of name, extra field and comment.
    fn fixed(offset: u64, bytes: &[u8]) -> Option<(Self, [u16; 3])> {
        let mut fields = Fields(bytes);
        if fields.bytes()? != CENTRAL_RECORD {
            return None;
        }
        let [_version_made_by, host] = fields.bytes()?;
        let (version_needed, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (time, date, crc32) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let (compressed_size, size) = (fields.u32()?, fields.u32()?);
        let lengths = [fields.u16()?, fields.u16()?, fields.u16()?];
        let (disk, internal_attributes) = (fields.u16()?, fields.u16()?);
        let (attributes, header_offset) = (fields.u32()?, fields.u32()?);
        let (name, extra, comment) = (Vec::new(), Vec::new(), Vec::new());
        let record = CentralRecord {
            offset,
            host,
            version_needed,
            flags,
            method,
            time,
            date,
            crc32,
            compressed_size,
            size,
            disk,
            internal_attributes,
            attributes,
            header_offset,
            name,
            extra,
            comment,
        };
        Some((record, lengths))
    }

    /// Bytes of the whole record.
    pub(super) fn record_size(&self) -> u64 {
        let variable = self.name.len() + self.extra.len() + self.comment.len();
        CENTRAL_RECORD_SIZE + variable as u64
    }

    /// A refusal about this record.
    pub(super) fn refuse(&self, code: GateCode, detail: impl Into<String>) -> Refusal {
        Refusal::new(code, self.offset, detail).in_entry(&self.name)
    }
}

/// A local header (4.3.7).
#[derive(Debug)]
pub(super) struct LocalHeader {
    pub(super) version_needed: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) crc32: u32,
    pub(super) compressed_size: u32,
    pub(super) size: u32,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
}

impl LocalHeader {
    /// Reads the header at `offset`; `None` where it has no signature or does not end before `end`.
    pub(super) fn read<S: ReadAt + ?Sized>(
        window: &mut Window<'_, S>,
        offset: u64,
        end: u64,
    ) -> io::Result<Option<Self>> {
        if !fits(offset, LOCAL_HEADER_SIZE, end) {
            return Ok(None);
        }
        let Some((mut header, lengths)) = Self::fixed(window.bytes(offset, LOCAL_HEADER_SIZE)?) else {
            return Ok(None);
        };
        let size: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let start = offset + LOCAL_HEADER_SIZE;
        if !fits(start, size, end) {
            return Ok(None);
        }
        let mut fields = Fields(window.bytes(start, size)?);
        [header.name, header.extra] =
            lengths.map(|length| fields.slice(length.into()).unwrap_or_default().to_vec());
        Ok(Some(header))
    }

    fn fixed(bytes: &[u8]) -> Option<(Self, [u16; 2])> {
        let mut fields = Fields(bytes);
        if fields.bytes()? != LOCAL_HEADER {
            return None;
        }
        let (version_needed, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (time, date, crc32) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let (compressed_size, size) = (fields.u32()?, fields.u32()?);
        let lengths = [fields.u16()?, fields.u16()?];
        let (name, extra) = (Vec::new(), Vec::new());
        let header = LocalHeader {
            version_needed,
            flags,
            method,
            time,
            date,
            crc32,
            compressed_size,
            size,
            name,
            extra,
        };
        Some((header, lengths))
    }

    /// Bytes of the whole header.
    pub(super) fn header_size(&self) -> u64 {
        LOCAL_HEADER_SIZE + (self.name.len() + self.extra.len()) as u64
    }
}

/// Whether `size` bytes from `offset` on end at or before `end`.
pub(super) fn fits(offset: u64, size: u64, end: u64) -> bool {
    offset.checked_add(size).is_some_and(|record_end| record_end <= end)
}

/// A block of a source in memory, so that records that lie side by side cost one read together.
pub(super) struct Window<'a, S: ?Sized> {
    source: &'a S,
    end: u64,
    block_size: u64,
    start: u64,
    block: Vec<u8>,
}

impl<'a, S: ReadAt + ?Sized> Window<'a, S> {
    /// A window that reads `block_size` bytes at a time and nothing from `end` on.
    pub(super) fn new(source: &'a S, end: u64, block_size: u64) -> Self {
        Window { source, end, block_size, start: 0, block: Vec::new() }
    }

    /// The `size` bytes at `offset`. `size` is at most some 192 KiB: the sum of three 16-bit lengths.
    pub(super) fn bytes(&mut self, offset: u64, size: u64) -> io::Result<&[u8]> {
        let held = self.start + self.block.len() as u64;
        if offset < self.start || !fits(offset, size, held) {
            self.load(offset, size)?;
        }
        let at = usize::try_from(offset - self.start).map_err(io::Error::other)?;
        let size = usize::try_from(size).map_err(io::Error::other)?;
        self.block.get(at..at + size).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn load(&mut self, offset: u64, size: u64) -> io::Result<()> {
        let available = self.end.saturating_sub(offset);
        let size = size.max(self.block_size).min(available);
        self.block.resize(usize::try_from(size).map_err(io::Error::other)?, 0);
        self.start = offset;
        self.source.read_exact_at(offset, &mut self.block)
    }
}

/// Reads `N` bytes at `offset`.
pub(super) fn read_array<const N: usize, S: ReadAt + ?Sized>(
    source: &S,
    offset: u64,
) -> Result<[u8; N], GateError> {
    let mut bytes = [0; N];
    source.read_exact_at(offset, &mut bytes)?;
    Ok(bytes)
}
