//! The parts of a zip, read leniently, so that they can be moved and put together again.

use crate::zips::{Entry, Header, Zip, Zip64};

/// The zip in `data`, where its records can be found. What was miscounted comes out counted right.
pub(crate) fn dissect(data: &[u8]) -> Option<Zip> {
    let end = data.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let zip64 = zip64(data, end);
    let directory = match &zip64 {
        Some(_) => u64::from_le_bytes(array(data, end.checked_sub(28)?)?),
        None => u32(data, end + 16)?.into(),
    };
    let mut zip = Zip { zip64, ..Zip::default() };
    let mut at = usize::try_from(directory).ok()?;
    let mut position = 0;
    while data.get(at..at.checked_add(4)?)? == b"PK\x01\x02" && zip.entries.len() < ENTRIES_MAX {
        let (entry, record_size) = entry(data, at, &mut position)?;
        zip.entries.push(entry);
        at += record_size;
    }
    if zip.entries.is_empty() {
        return None;
    }
    zip.before_directory = data.get(position..usize::try_from(directory).ok()?).unwrap_or_default().to_vec();
    let comment_size = usize::from(u16(data, end + 20)?);
    let tail = data.get(end + 22..)?;
    let (comment, suffix) = tail.split_at(comment_size.min(tail.len()));
    (zip.comment, zip.suffix) = (comment.to_vec(), suffix.to_vec());
    Some(zip)
}

fn zip64(data: &[u8], end: usize) -> Option<Zip64> {
    let locator = end.checked_sub(20)?;
    if data.get(locator..locator + 4)? != b"PK\x06\x07"
        || data.get(end.checked_sub(76)?..)?.get(..4)? != b"PK\x06\x06"
    {
        return None;
    }
    let sentinels = u32(data, end + 16)? == u32::MAX || u16(data, end + 10)? == u16::MAX;
    Some(Zip64 { sentinels, ..Zip64::default() })
}

/// The entry whose central record begins at `at`, and the size of that record. `position` is where the entry before
/// it ends, and then where this one does.
fn entry(data: &[u8], at: usize, position: &mut usize) -> Option<(Entry, usize)> {
    let mut central = header(data, at + 6)?;
    let [name, extra, comment] = variable(data, at + 28, at + 46)?;
    (central.name, central.extra) = (name.to_vec(), extra.to_vec());
    let record_size = 46 + name.len() + extra.len() + comment.len();
    let offset = u32(data, at + 42).filter(|offset| *offset != u32::MAX);
    let begin = offset.map_or(Some(*position), |offset| usize::try_from(offset).ok())?;
    if data.get(begin..begin.checked_add(4)?)? != b"PK\x03\x04" {
        return None;
    }
    let gap = data.get(*position..begin).unwrap_or_default().to_vec();
    let mut local = header(data, begin + 4)?;
    let [name, extra] = variable(data, begin + 26, begin + 30)?;
    (local.name, local.extra) = (name.to_vec(), extra.to_vec());
    let start = begin + 30 + name.len() + extra.len();
    let end = start.checked_add(compressed_size(&central).or_else(|| compressed_size(&local))?)?;
    let descriptor = descriptor(data, end, &local);
    *position = end + descriptor.len();
    let entry = Entry {
        gap,
        local,
        data: data.get(start..end)?.to_vec(),
        descriptor,
        made_by: u16(data, at + 4)?,
        central,
        comment: comment.to_vec(),
        disk: u16(data, at + 34)?,
        internal: u16(data, at + 36)?,
        attributes: u32(data, at + 38)?,
        offset: None,
    };
    Some((entry, record_size))
}

/// The parts from `at` on, whose sizes stand side by side from `sizes` on.
fn variable<const N: usize>(data: &[u8], sizes: usize, at: usize) -> Option<[&[u8]; N]> {
    let mut parts = [&[][..]; N];
    let mut rest = data.get(at..)?;
    for (index, part) in parts.iter_mut().enumerate() {
        (*part, rest) = rest.split_at_checked(u16(data, sizes + 2 * index)?.into())?;
    }
    Some(parts)
}

/// The fields that both headers have, from the version needed on.
fn header(data: &[u8], at: usize) -> Option<Header> {
    let [version, flags, method, time, date] = [0, 2, 4, 6, 8].map(|field| u16(data, at + field));
    let [crc, compressed, size] = [10, 14, 18].map(|field| u32(data, at + field));
    Some(Header {
        version: version?,
        flags: flags?,
        method: method?,
        time: time?,
        date: date?,
        crc: crc?,
        compressed: compressed?,
        size: size?,
        name: Vec::new(),
        extra: Vec::new(),
    })
}

/// With zip64 the last 8 bytes of the field, where both sizes are in it; else the writer had no need of it.
fn compressed_size(header: &Header) -> Option<usize> {
    if header.compressed != u32::MAX {
        return usize::try_from(header.compressed).ok();
    }
    let at = header.extra.windows(2).position(|id| id == [1, 0])?;
    let skipped = if header.size == u32::MAX { 12 } else { 4 };
    usize::try_from(u64::from_le_bytes(array(&header.extra, at + skipped)?)).ok()
}

fn descriptor(data: &[u8], at: usize, local: &Header) -> Vec<u8> {
    let wide = local.compressed == u32::MAX;
    let size = if wide { 24 } else { 16 };
    let found =
        data.get(at..).and_then(|rest| rest.get(..size)).filter(|found| found.starts_with(b"PK\x07\x08"));
    found.unwrap_or_default().to_vec()
}

fn u16(data: &[u8], at: usize) -> Option<u16> {
    array(data, at).map(u16::from_le_bytes)
}

fn u32(data: &[u8], at: usize) -> Option<u32> {
    array(data, at).map(u32::from_le_bytes)
}

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
}

const ENTRIES_MAX: usize = 64;
