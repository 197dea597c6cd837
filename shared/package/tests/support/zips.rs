//! Zips built byte by byte, every field open to a test that wants it wrong.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its part, and a test stops at what it did not expect"
)]

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The fields that both headers have.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) version: u16,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) time: u16,
    pub(crate) date: u16,
    pub(crate) crc: u32,
    pub(crate) compressed: u32,
    pub(crate) size: u32,
    pub(crate) name: Vec<u8>,
    pub(crate) extra: Vec<u8>,
}

/// One entry: what lies before it, its local header, data and descriptor, and its central record.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) gap: Vec<u8>,
    pub(crate) local: Header,
    pub(crate) data: Vec<u8>,
    pub(crate) descriptor: Vec<u8>,
    pub(crate) made_by: u16,
    pub(crate) central: Header,
    pub(crate) comment: Vec<u8>,
    pub(crate) disk: u16,
    pub(crate) internal: u16,
    pub(crate) attributes: u32,
    pub(crate) offset: Option<u32>,
}

/// A zip; `None` stands for the right value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Zip {
    pub(crate) entries: Vec<Entry>,
    pub(crate) directory_order: Option<Vec<usize>>,
    pub(crate) before_directory: Vec<u8>,
    pub(crate) directory_tail: Vec<u8>,
    pub(crate) before_ends: Vec<u8>,
    pub(crate) zip64: Option<Zip64>,
    pub(crate) disk: u16,
    pub(crate) count: Option<u16>,
    pub(crate) disk_count: Option<u16>,
    pub(crate) directory_size: Option<u32>,
    pub(crate) directory_offset: Option<u32>,
    pub(crate) comment: Vec<u8>,
    pub(crate) comment_size: Option<u16>,
    pub(crate) suffix: Vec<u8>,
}

/// Zip64 end record and locator; `None` stands for the right value.
#[derive(Debug, Clone)]
pub(crate) struct Zip64 {
    pub(crate) sentinels: bool,
    pub(crate) record_size: u64,
    pub(crate) extensible: Vec<u8>,
    pub(crate) version: u16,
    pub(crate) disk: u32,
    pub(crate) count: Option<u64>,
    pub(crate) directory_size: Option<u64>,
    pub(crate) directory_offset: Option<u64>,
    pub(crate) locator_offset: Option<u64>,
    pub(crate) disks: u32,
}

impl Default for Zip64 {
    fn default() -> Self {
        Zip64 {
            sentinels: true,
            record_size: 44,
            extensible: Vec::new(),
            version: 45,
            disk: 0,
            count: None,
            directory_size: None,
            directory_offset: None,
            locator_offset: None,
            disks: 1,
        }
    }
}

pub(crate) fn zip(entries: Vec<Entry>) -> Zip {
    Zip { entries, ..Zip::default() }
}

pub(crate) fn stored(name: &str, body: &[u8]) -> Entry {
    entry(name, 0, body, body.to_vec(), 0o100_644 << 16)
}

pub(crate) fn deflated(name: &str, body: &[u8]) -> Entry {
    entry(name, 8, body, deflate(body), 0o100_644 << 16)
}

pub(crate) fn directory(name: &str) -> Entry {
    entry(name, 0, b"", Vec::new(), 0o040_755 << 16 | 0x10)
}

pub(crate) fn symlink(name: &str, target: &str) -> Entry {
    entry(name, 0, target.as_bytes(), target.as_bytes().to_vec(), 0o120_777 << 16)
}

/// As Go's archive/zip and other streaming writers do it: all three zero, a signed descriptor behind the data.
pub(crate) fn streamed(name: &str, body: &[u8]) -> Entry {
    let mut entry = deflated(name, body);
    entry.set_flags(0x8);
    (entry.local.crc, entry.local.compressed, entry.local.size) = (0, 0, 0);
    entry.descriptor = descriptor(&entry.central);
    entry
}

/// As Python streams with zip64: sentinels and zeros in the local header, a wide descriptor, 32-bit values in the
/// directory.
pub(crate) fn streamed_zip64(name: &str, body: &[u8]) -> Entry {
    let mut entry = streamed(name, body);
    (entry.local.compressed, entry.local.size) = (u32::MAX, u32::MAX);
    entry.local.extra = extra(0x0001, &[0; 16]);
    entry.descriptor = wide_descriptor(&entry.central);
    entry
}

/// As `zip -fz` does it: zip64 in both headers without need.
pub(crate) fn forced_zip64(name: &str, body: &[u8]) -> Entry {
    let mut entry = deflated(name, body);
    let [size, compressed] =
        [entry.local.size, entry.local.compressed].map(|value| u64::from(value).to_le_bytes());
    (entry.local.compressed, entry.local.size) = (u32::MAX, u32::MAX);
    entry.local.extra = extra(0x0001, &[size, compressed].concat());
    entry.central.size = u32::MAX;
    entry.central.extra = extra(0x0001, &size);
    entry
}

pub(crate) fn extra(id: u16, data: &[u8]) -> Vec<u8> {
    let size = u16::try_from(data.len()).unwrap();
    [&id.to_le_bytes(), &size.to_le_bytes(), data].concat()
}

pub(crate) fn unicode_path(version: u8, name: &[u8]) -> Vec<u8> {
    extra(0x7075, &[&[version][..], &crc32fast::hash(name).to_le_bytes(), name].concat())
}

pub(crate) fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn descriptor(header: &Header) -> Vec<u8> {
    let fields = [header.crc, header.compressed, header.size].map(u32::to_le_bytes).concat();
    [b"PK\x07\x08", &fields[..]].concat()
}

pub(crate) fn wide_descriptor(header: &Header) -> Vec<u8> {
    let sizes = [header.compressed, header.size].map(|size| u64::from(size).to_le_bytes()).concat();
    [b"PK\x07\x08", &header.crc.to_le_bytes()[..], &sizes].concat()
}

fn entry(name: &str, method: u16, body: &[u8], data: Vec<u8>, attributes: u32) -> Entry {
    let header = Header {
        version: 20,
        flags: if name.is_ascii() { 0 } else { 0x800 },
        method,
        time: 0x6000,
        date: 0x5A21,
        crc: crc32fast::hash(body),
        compressed: u32::try_from(data.len()).unwrap(),
        size: u32::try_from(body.len()).unwrap(),
        name: name.as_bytes().to_vec(),
        extra: Vec::new(),
    };
    Entry {
        gap: Vec::new(),
        local: header.clone(),
        data,
        descriptor: Vec::new(),
        made_by: 0x0314,
        central: header,
        comment: Vec::new(),
        disk: 0,
        internal: 0,
        attributes,
        offset: None,
    }
}

impl Entry {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The same change in both headers.
    pub(crate) fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(crate) fn set_flags(&mut self, flags: u16) {
        self.local.flags |= flags;
        self.central.flags |= flags;
    }

    fn local_bytes(&self) -> Vec<u8> {
        let mut out = self.gap.clone();
        out.extend_from_slice(b"PK\x03\x04");
        self.local.write(&mut out);
        out.extend([&self.local.name[..], &self.local.extra, &self.data, &self.descriptor].concat());
        out
    }

    fn central_bytes(&self, offset: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02".to_vec();
        out.extend(self.made_by.to_le_bytes());
        self.central.write(&mut out);
        out.extend(u16::try_from(self.comment.len()).unwrap().to_le_bytes());
        out.extend(self.disk.to_le_bytes());
        out.extend(self.internal.to_le_bytes());
        out.extend(self.attributes.to_le_bytes());
        out.extend(self.offset.unwrap_or(offset).to_le_bytes());
        out.extend([&self.central.name[..], &self.central.extra, &self.comment].concat());
        out
    }
}

impl Header {
    fn write(&self, out: &mut Vec<u8>) {
        for field in [self.version, self.flags, self.method, self.time, self.date] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.crc, self.compressed, self.size] {
            out.extend(field.to_le_bytes());
        }
        for field in [&self.name, &self.extra] {
            out.extend(u16::try_from(field.len()).unwrap().to_le_bytes());
        }
    }
}

impl Zip {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut offsets = Vec::new();
        for entry in &self.entries {
            offsets.push(u32::try_from(out.len() + entry.gap.len()).unwrap());
            out.extend(entry.local_bytes());
        }
        out.extend(&self.before_directory);
        let offset = out.len();
        let order = self.directory_order.clone().unwrap_or_else(|| (0..self.entries.len()).collect());
        for index in &order {
            out.extend(self.entries[*index].central_bytes(offsets[*index]));
        }
        out.extend(&self.directory_tail);
        let size = out.len() - offset;
        out.extend(&self.before_ends);
        self.write_ends(&mut out, order.len(), size, offset);
        out
    }

    fn write_ends(&self, out: &mut Vec<u8>, count: usize, size: usize, offset: usize) {
        let mut narrow =
            (count.try_into().unwrap_or(u16::MAX), size.try_into().unwrap(), offset.try_into().unwrap());
        if let Some(zip64) = &self.zip64 {
            zip64.write(out, count as u64, size as u64, offset as u64);
            if zip64.sentinels {
                narrow = (u16::MAX, u32::MAX, u32::MAX);
            }
        }
        out.extend(b"PK\x05\x06");
        let count = self.count.unwrap_or(narrow.0);
        for field in [self.disk, 0, self.disk_count.unwrap_or(count), count] {
            out.extend(field.to_le_bytes());
        }
        out.extend(self.directory_size.unwrap_or(narrow.1).to_le_bytes());
        out.extend(self.directory_offset.unwrap_or(narrow.2).to_le_bytes());
        let comment_size = u16::try_from(self.comment.len()).unwrap();
        out.extend(self.comment_size.unwrap_or(comment_size).to_le_bytes());
        out.extend([&self.comment[..], &self.suffix].concat());
    }
}

impl Zip64 {
    fn write(&self, out: &mut Vec<u8>, count: u64, size: u64, offset: u64) {
        let position = out.len() as u64;
        out.extend(b"PK\x06\x06");
        out.extend(self.record_size.to_le_bytes());
        out.extend([45_u16, self.version].map(u16::to_le_bytes).concat());
        out.extend([self.disk, 0].map(u32::to_le_bytes).concat());
        let count = self.count.unwrap_or(count);
        let (size, offset) = (self.directory_size.unwrap_or(size), self.directory_offset.unwrap_or(offset));
        out.extend([count, count, size, offset].map(u64::to_le_bytes).concat());
        out.extend(&self.extensible);
        out.extend(b"PK\x06\x07\0\0\0\0");
        out.extend(self.locator_offset.unwrap_or(position).to_le_bytes());
        out.extend(self.disks.to_le_bytes());
    }
}
