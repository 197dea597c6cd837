//! Rule 5: the local header and the data descriptor say what the central directory says (4.3.7, 4.3.9).
//!
//! Readers that stream believe these, readers that seek believe the directory. Writers that stream leave checksum and
//! sizes at zero, each or all, and state them in a descriptor behind the data.

use super::GateCode;
use super::entry::{Entry, Method};
use super::extra::{self, Extras};
use super::features;
use super::names;
use super::record::{DESCRIPTOR, Fields, LocalHeader, Window, fits};
use super::refusal::{GateError, Refusal};
use super::zip64;
use crate::limits::Limits;
use crate::source::ReadAt;

/// Where the parts of an entry lie.
#[derive(Debug)]
pub(super) struct Extent {
    pub(super) data_offset: u64,
    pub(super) end: u64,
}

/// Checks the local header of `entry`, and its descriptor where it has one. All of it lies before `end`.
pub(super) fn check<S: ReadAt + ?Sized>(
    window: &mut Window<'_, S>,
    entry: &Entry,
    end: u64,
    limits: &Limits,
) -> Result<Extent, GateError> {
    let refuse = |code, detail: String| refuse(entry, code, detail);
    let header = LocalHeader::read(window, entry.header_offset, end)?.ok_or_else(|| {
        refuse(
            GateCode::LocalHeaderMissing,
            "no local header, or one that runs past the last entry".to_owned(),
        )
    })?;
    check_same(entry, &header)?;
    let zip64 = check_sizes(entry, &header, limits)?;
    let data_offset = entry.header_offset + header.header_size();
    if !fits(data_offset, entry.compressed_size, end) {
        let detail =
            format!("{} bytes from byte {data_offset} on run past byte {end}", entry.compressed_size);
        return Err(refuse(GateCode::EntryOverlapsCentralDirectory, detail).into());
    }
    let data_end = data_offset + entry.compressed_size;
    let descriptor_size =
        if entry.has_descriptor() { check_descriptor(window, entry, data_end, end, zip64)? } else { 0 };
    Ok(Extent { data_offset, end: data_end + descriptor_size })
}

/// The fields that no writer may state twice in two ways.
fn check_same(entry: &Entry, header: &LocalHeader) -> Result<(), Refusal> {
    if header.name != entry.name.as_bytes() {
        let found = String::from_utf8_lossy(&header.name);
        return Err(refuse(entry, GateCode::NameMismatch, format!("its local header names it {found:?}")));
    }
    features::check_version(entry.header_offset, header.version_needed)
        .map_err(|refusal| refusal.in_entry(entry.name.as_bytes()))?;
    let method = match entry.method {
        Method::Stored => 0,
        Method::Deflated => 8,
    };
    let pairs = [
        (GateCode::FlagsMismatch, "flags", header.flags, entry.flags),
        (GateCode::MethodMismatch, "method", header.method, method),
        (GateCode::TimeMismatch, "time", header.time, entry.modified.time),
        (GateCode::TimeMismatch, "date", header.date, entry.modified.date),
    ];
    for (code, field, local, central) in pairs {
        if local != central {
            let detail =
                format!("{field} {local:#06x} in its local header, {central:#06x} in the central directory");
            return Err(refuse(entry, code, detail));
        }
    }
    Ok(())
}

/// Checksum, sizes and extra fields; says whether zip64 holds the sizes.
fn check_sizes(entry: &Entry, header: &LocalHeader, limits: &Limits) -> Result<bool, Refusal> {
    let in_entry = |refusal: Refusal| refusal.in_entry(entry.name.as_bytes());
    let extras =
        Extras::parse(&header.extra, limits.extra_size_max, entry.header_offset).map_err(in_entry)?;
    names::check_unicode_path(&extras, entry.name.as_bytes(), entry.header_offset)?;
    super::kinds::check_extras(&extras, entry.name.as_bytes(), entry.header_offset)?;
    let ([size, compressed_size], zip64) = zip64::widen_header(header, extras.find(extra::ZIP64))
        .map_err(|(code, detail)| refuse(entry, code, detail))?;
    let triples = [
        (GateCode::CrcFieldMismatch, "checksum", header.crc32.into(), entry.crc32.into()),
        (GateCode::SizeFieldMismatch, "size", size, entry.size),
        (GateCode::SizeFieldMismatch, "compressed size", compressed_size, entry.compressed_size),
    ];
    for (code, field, local, central) in triples {
        let announced_later = entry.has_descriptor() && local == 0;
        if local != central && !announced_later {
            let detail = format!("{field} {local} in its local header, {central} in the central directory");
            return Err(refuse(entry, code, detail));
        }
    }
    Ok(zip64)
}

/// The descriptor at `offset`; gives its size. Its width follows the local header, which is all a streaming reader has.
fn check_descriptor<S: ReadAt + ?Sized>(
    window: &mut Window<'_, S>,
    entry: &Entry,
    offset: u64,
    end: u64,
    zip64: bool,
) -> Result<u64, GateError> {
    check_descriptor_allowed(entry)?;
    let size = if zip64 { 24 } else { 16 };
    let missing =
        || refuse(entry, GateCode::DescriptorMissing, format!("no signed data descriptor at byte {offset}"));
    if !fits(offset, size, end) {
        return Err(missing().into());
    }
    let found = read_descriptor(window.bytes(offset, size)?, zip64).ok_or_else(missing)?;
    let expected = (entry.crc32, entry.compressed_size, entry.size);
    if found != expected {
        let detail = format!(
            "(checksum, compressed size, size) is {found:?} in its data descriptor, {expected:?} in the central directory"
        );
        return Err(refuse(entry, GateCode::DescriptorMismatch, detail).into());
    }
    Ok(size)
}

/// Where a descriptor may stand: behind data that ends by itself, with a checksum that is not its own signature.
fn check_descriptor_allowed(entry: &Entry) -> Result<(), Refusal> {
    if entry.method == Method::Stored && entry.compressed_size > 0 {
        let detail = format!("{} stored bytes are followed by a data descriptor", entry.compressed_size);
        return Err(refuse(entry, GateCode::DescriptorOnStoredData, detail));
    }
    if entry.crc32.to_le_bytes() == DESCRIPTOR {
        let detail = format!("the checksum {:#010x} is the signature of a data descriptor", entry.crc32);
        return Err(refuse(entry, GateCode::DescriptorAmbiguous, detail));
    }
    Ok(())
}

/// Checksum, compressed size and size.
fn read_descriptor(bytes: &[u8], zip64: bool) -> Option<(u32, u64, u64)> {
    let mut fields = Fields(bytes);
    if fields.bytes()? != DESCRIPTOR {
        return None;
    }
    let crc32 = fields.u32()?;
    if zip64 {
        return Some((crc32, fields.u64()?, fields.u64()?));
    }
    Some((crc32, fields.u32()?.into(), fields.u32()?.into()))
}

fn refuse(entry: &Entry, code: GateCode, detail: String) -> Refusal {
    Refusal::new(code, entry.header_offset, detail).in_entry(entry.name.as_bytes())
}
