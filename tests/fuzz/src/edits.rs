//! What is done to a zip so that it is almost right: entries and records are spliced, doubled, moved and renamed, fields
//! changed in one header or in both.

use arbitrary::{Result, Unstructured};

use crate::grammar::{body, packages, with_body};
use crate::zips::{
    Entry, Header, Zip, Zip64, deflate, descriptor, extra, streamed, unicode_path, wide_descriptor,
};

/// One edit. Parts may be taken from another zip.
pub(crate) fn edit(zip: &mut Zip, u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=9)? {
        0 | 1 => edit_entries(zip, u)?,
        2 => edit_ends(zip, u)?,
        3 => edit_between(zip, u)?,
        _ => {
            let others: Vec<Vec<u8>> = zip.entries.iter().map(|entry| entry.central.name.clone()).collect();
            let index = u.choose_index(zip.entries.len())?;
            edit_entry(&mut zip.entries[index], &others, u)?;
        }
    }
    keep_small(zip);
    Ok(())
}

/// The last edit: of the bytes, without regard to what they are.
pub(crate) fn edit_bytes(mut bytes: Vec<u8>, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let at = u.choose_index(bytes.len())?;
    match u.int_in_range(0..=15)? {
        0 => bytes[at] = u.arbitrary()?,
        1 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
        2 => bytes.insert(at, u.arbitrary()?),
        3 => drop(bytes.remove(at)),
        4 => {
            let end = at + u.int_in_range(0..=bytes.len() - at)?;
            let part = bytes[at..end].to_vec();
            let to = u.choose_index(bytes.len())?;
            bytes.splice(to..to, part);
        }
        5 => drop(bytes.drain(at..at + u.int_in_range(0..=bytes.len() - at)?)),
        _ => {}
    }
    Ok(bytes)
}

/// Entries are doubled, moved, dropped, swapped, taken from another zip; or the directory alone says so.
fn edit_entries(zip: &mut Zip, u: &mut Unstructured<'_>) -> Result<()> {
    let count = zip.entries.len();
    let (from, to) = (u.choose_index(count)?, u.choose_index(count)?);
    match u.int_in_range(0..=9)? {
        0 => zip.entries.insert(to, zip.entries[from].clone()),
        1 => zip.entries.swap(from, to),
        2 if count > 1 => drop(zip.entries.remove(from)),
        3 => zip.entries.insert(to, other_entry(u)?),
        4 => zip.entries[to].central = other_entry(u)?.central,
        5 => {
            let local = zip.entries[from].local.clone();
            zip.entries[to].local = local;
        }
        6 => {
            let entry = &zip.entries[from];
            let (data, descriptor) = (entry.data.clone(), entry.descriptor.clone());
            (zip.entries[to].data, zip.entries[to].descriptor) = (data, descriptor);
        }
        7 => {
            let mut order: Vec<usize> = (0..count).collect();
            order.swap(from, to);
            zip.directory_order = Some(order);
        }
        8 => {
            let size = u.int_in_range(1..=count + 1)?;
            let order = (0..size).map(|_| u.choose_index(count)).collect::<Result<_>>()?;
            zip.directory_order = Some(order);
        }
        _ => zip.entries[to].offset = Some(u32_near(0, u)?),
    }
    Ok(())
}

fn other_entry(u: &mut Unstructured<'_>) -> Result<Entry> {
    let mut zip = packages(u)?;
    let index = u.choose_index(zip.entries.len())?;
    Ok(zip.entries.swap_remove(index))
}

fn edit_ends(zip: &mut Zip, u: &mut Unstructured<'_>) -> Result<()> {
    let count = u16::try_from(zip.entries.len()).unwrap_or_default();
    match u.int_in_range(0..=12)? {
        0 => zip.comment = comment(u)?,
        1 => zip.comment = packages(u)?.build(),
        2 => zip.comment_size = Some(u16_near(zip.comment.len(), u)?),
        3 => zip.count = Some(u16_near(count.into(), u)?),
        4 => zip.disk_count = Some(u16_near(count.into(), u)?),
        5 => zip.directory_size = Some(u32_near(directory_size(zip), u)?),
        6 => zip.directory_offset = Some(u32_near(directory_offset(zip), u)?),
        7 => zip.disk = u16_near(0, u)?,
        8 => zip.zip64 = zip.zip64.is_none().then(Zip64::default),
        _ => {
            let (count, size, offset) = (zip.entries.len(), directory_size(zip), directory_offset(zip));
            let zip64 = zip.zip64.get_or_insert_default();
            match u.int_in_range(0..=9)? {
                0 => zip64.sentinels = !zip64.sentinels,
                1 => zip64.record_size = u64_near(44, u)?,
                2 => {
                    zip64.extensible = comment(u)?;
                    zip64.record_size = 44 + zip64.extensible.len() as u64;
                }
                3 => zip64.version = u16_near(45, u)?,
                4 => zip64.disk = u32_near(0, u)?,
                5 => zip64.count = Some(u64_near(count, u)?),
                6 => zip64.directory_size = Some(u64_near(size, u)?),
                7 => zip64.directory_offset = Some(u64_near(offset, u)?),
                8 => zip64.locator_offset = Some(u64_near(offset + size, u)?),
                _ => zip64.disks = u32_near(1, u)?,
            }
        }
    }
    Ok(())
}

/// Bytes that belong to no record, or to one too many.
fn edit_between(zip: &mut Zip, u: &mut Unstructured<'_>) -> Result<()> {
    let bytes = match u.int_in_range(0..=4)? {
        0 => packages(u)?.build(),
        1 => descriptor(&u.choose(&zip.entries)?.central),
        2 => zip.entries[0].data.clone(),
        _ => comment(u)?,
    };
    let index = u.choose_index(zip.entries.len())?;
    match u.int_in_range(0..=6)? {
        0 => zip.entries[index].gap = bytes,
        1 => zip.before_directory = bytes,
        2 => zip.directory_tail = bytes,
        3 => zip.before_ends = bytes,
        4 => zip.suffix = bytes,
        5 => zip.entries[index].descriptor = bytes,
        _ => zip.entries[index].data.extend(bytes),
    }
    Ok(())
}

fn edit_entry(entry: &mut Entry, others: &[Vec<u8>], u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=10)? {
        0 | 1 => rename(entry, others, u),
        2 | 3 => pack_again(entry, u),
        4 | 5 => edit_fields(entry, u),
        6 | 7 => edit_extra(entry, u),
        8 => edit_attributes(entry, u),
        9 => edit_data(entry, u),
        _ => {
            entry.comment = comment(u)?;
            Ok(())
        }
    }
}

/// Another name, mostly in both headers, with the flag that it needs or without.
fn rename(entry: &mut Entry, others: &[Vec<u8>], u: &mut Unstructured<'_>) -> Result<()> {
    let mut name = match u.int_in_range(0..=5)? {
        0 => u.choose(others)?.clone(),
        1 => entry.central.name.to_ascii_uppercase(),
        2 => {
            let mut name = entry.central.name.clone();
            let at = u.int_in_range(0..=name.len())?;
            name.splice(at..at, u.choose(&INSERTS)?.bytes());
            name
        }
        3 => [u.choose(others)?, &b"/"[..], u.choose(&NAMES)?.as_bytes()].concat(),
        4 => {
            let size = u.int_in_range(0..=6)?;
            u.bytes(size)?.to_vec()
        }
        _ => u.choose(&NAMES)?.as_bytes().to_vec(),
    };
    name.truncate(2000);
    let utf8 = if u.ratio(7, 8)? { !name.is_ascii() } else { u.arbitrary()? };
    each_side(entry, u, |header| {
        header.name.clone_from(&name);
        header.flags = header.flags & !0x800 | if utf8 { 0x800 } else { 0 };
    })
}

const INSERTS: [&str; 14] =
    ["/", "\\", "\0", ".", " ", ":", "..", "../", "\u{301}", "\u{200d}", "ß", "é", "//", "\u{3a9}"];
const NAMES: [&str; 24] = [
    "",
    ".",
    "..",
    "/",
    "a",
    "A",
    "a/",
    "A/b",
    "a/b/../c",
    "./a",
    "con",
    "NUL.txt",
    "e\u{301}",
    "\u{e9}",
    "STRASSE",
    "straße",
    "ſ",
    "K",
    "\u{130}",
    "i\u{307}",
    "META-INF/countersign.p7s",
    "META-INF",
    "META_INF/aws_signer_signature_v1.0.SF",
    "META_INF/",
];

/// The same entry with another body, or stored in another way. All fields are right again.
fn pack_again(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    let name = String::from_utf8_lossy(&entry.central.name).into_owned();
    let new = match u.int_in_range(0..=8)? {
        8 => streamed(&name, &body(u)?).with(|e| {
            e.local.crc = e.central.crc;
            e.local.compressed = e.central.compressed;
        }),
        way => with_body(way, &name, &body(u)?),
    };
    let (attributes, made_by, comment) =
        (entry.attributes, entry.made_by, std::mem::take(&mut entry.comment));
    *entry = Entry { attributes, made_by, comment, ..new };
    Ok(())
}

fn edit_fields(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    let (crc, compressed, size) = (entry.central.crc, entry.data.len(), entry.central.size);
    let field = u.int_in_range(0..=10)?;
    let narrow = match field {
        0 => *u.choose(&[0, 10, 11, 20, 21, 45, 46, 51, 0x314])?,
        1 => 1 << u.int_in_range(0..=15)?,
        2 => *u.choose(&[0, 1, 8, 9, 12, 93, 99])?,
        _ => u.arbitrary()?,
    };
    let wide = match field {
        5 => *u.choose(&[0, 1, crc ^ 1, !crc, 0x0807_4b50, u32::MAX])?,
        6 => u32_near(compressed, u)?,
        7 => u32_near(usize::try_from(size).unwrap_or_default(), u)?,
        _ => 0,
    };
    let made_by = *u.choose(&[0x14, 0x031e, 0x0a14, 0x0b14, 0x0e14, 0x1314, 0x0714, 0xff14])?;
    match field {
        8 => entry.made_by = made_by,
        9 => entry.disk = narrow,
        10 => entry.internal = narrow,
        _ => each_side(entry, u, |header| match field {
            0 => header.version = narrow,
            1 => header.flags ^= narrow,
            2 => header.method = narrow,
            3 => header.time = narrow,
            4 => header.date = narrow,
            5 => header.crc = wide,
            6 => header.compressed = wide,
            _ => header.size = wide,
        })?,
    }
    if u.ratio(1, 4)? && !entry.descriptor.is_empty() {
        entry.descriptor =
            if u.arbitrary()? { wide_descriptor(&entry.central) } else { descriptor(&entry.central) };
    }
    Ok(())
}

fn edit_extra(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    let sizes = [entry.central.size, entry.central.compressed].map(|size| u64::from(size).to_le_bytes());
    let block = match u.int_in_range(0..=7)? {
        0 => extra(1, &sizes.concat()),
        1 => extra(1, &sizes[0]),
        2 => extra(1, &vec![0; u.int_in_range(0..=28)?]),
        3 => unicode_path(u.int_in_range(0..=2)?, &entry.central.name),
        4 => unicode_path(1, u.choose(&NAMES)?.as_bytes()),
        5 => extra(0x756e, &[0; 14]),
        6 => comment(u)?,
        _ => {
            let size = u.int_in_range(0..=12)?;
            extra(u.arbitrary()?, u.bytes(size)?)
        }
    };
    let (sentinels, way) = (u.ratio(1, 4)?, u.int_in_range(0..=4)?);
    each_side(entry, u, |header| {
        match way {
            0 => header.extra.clear(),
            1 => drop(header.extra.pop()),
            2 => header.extra.clone_from(&block),
            _ => header.extra.extend_from_slice(&block),
        }
        if sentinels {
            (header.size, header.compressed) = (u32::MAX, u32::MAX);
        }
    })
}

fn edit_attributes(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    const MODES: [u32; 14] = [
        0, 0o644, 0o100_644, 0o100_000, 0o104_755, 0o102_755, 0o101_777, 0o040_755, 0o120_777, 0o010_644,
        0o060_644, 0o140_644, 0o160_000, 0o170_777,
    ];
    match u.int_in_range(0..=3)? {
        0 => entry.attributes = *u.choose(&MODES)? << 16,
        1 => entry.attributes ^= 1 << u.int_in_range(0..=31)?,
        2 => entry.attributes = entry.attributes & 0xffff_0000 | u32::from(u.arbitrary::<u16>()?),
        _ => entry.attributes = u.arbitrary()?,
    }
    Ok(())
}

/// The compressed bytes, with the sizes right or not.
fn edit_data(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    let mut data = std::mem::take(&mut entry.data);
    match u.int_in_range(0..=5)? {
        0 => data.extend(deflate(b"")),
        1 => drop(data.pop()),
        2 => data.push(u.arbitrary()?),
        3 if !data.is_empty() => {
            let at = u.choose_index(data.len())?;
            data[at] = u.arbitrary()?;
        }
        4 => data.splice(0..0, [0, 0, 0, 0xff, 0xff]).for_each(drop),
        _ => {
            let size = u.int_in_range(0..=20)?;
            data = u.bytes(size)?.to_vec();
        }
    }
    if u.ratio(3, 4)? {
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let stored = entry.central.method == 0;
        let crc = crc32fast::hash(&data);
        for header in [&mut entry.local, &mut entry.central] {
            header.compressed = size;
            if stored {
                (header.size, header.crc) = (size, crc);
            }
        }
        if !entry.descriptor.is_empty() {
            entry.descriptor = descriptor(&entry.central);
        }
    }
    entry.data = data;
    Ok(())
}

fn each_side(entry: &mut Entry, u: &mut Unstructured<'_>, change: impl Fn(&mut Header)) -> Result<()> {
    let side = u.int_in_range(0..=3)?;
    if side != 1 {
        change(&mut entry.local);
    }
    if side != 0 {
        change(&mut entry.central);
    }
    Ok(())
}

/// Short bytes that a reader might take for something.
fn comment(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const BYTES: [&[u8]; 12] = [
        b"",
        b"\0",
        b"PK",
        b"PK\x01\x02",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PK\x07\x08",
        b"PK\x06\x06",
        b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0",
        b"\x50\x4b\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x01\0\0\0",
        b"\xff\xff\xff\xff",
    ];
    let mut bytes = u.choose(&BYTES)?.to_vec();
    let size = u.int_in_range(0..=6)?;
    bytes.extend_from_slice(u.bytes(size)?);
    Ok(bytes)
}

fn u16_near(value: usize, u: &mut Unstructured<'_>) -> Result<u16> {
    u64_near(value, u).map(|value| u16::try_from(value).unwrap_or(u16::MAX))
}

fn u32_near(value: usize, u: &mut Unstructured<'_>) -> Result<u32> {
    u64_near(value, u).map(|value| u32::try_from(value).unwrap_or(u32::MAX))
}

fn u64_near(value: usize, u: &mut Unstructured<'_>) -> Result<u64> {
    let value = value as u64;
    Ok(match u.int_in_range(0..=7)? {
        0 => 0,
        1 => u64::MAX,
        2 => value + 1,
        3 => value.saturating_sub(1),
        4 => value + 65_536,
        5 => value,
        6 => u.int_in_range(0..=value + 100)?,
        _ => u.arbitrary()?,
    })
}

fn directory_size(zip: &Zip) -> usize {
    let records =
        zip.entries.iter().map(|e| 46 + e.central.name.len() + e.central.extra.len() + e.comment.len());
    records.sum()
}

fn directory_offset(zip: &Zip) -> usize {
    let sizes = zip.entries.iter().map(|e| {
        e.gap.len() + 30 + e.local.name.len() + e.local.extra.len() + e.data.len() + e.descriptor.len()
    });
    sizes.sum::<usize>() + zip.before_directory.len()
}

/// The builder counts in 16 bits, and the next edit may double what this one made.
fn keep_small(zip: &mut Zip) {
    const SIZE_MAX: usize = 20_000;
    zip.entries.truncate(32);
    let count = zip.entries.len();
    if let Some(order) = &mut zip.directory_order {
        order.retain(|index| *index < count);
    }
    for entry in &mut zip.entries {
        let Entry { local, central, .. } = entry;
        for part in [&mut local.name, &mut local.extra, &mut central.name, &mut central.extra] {
            part.truncate(SIZE_MAX);
        }
        for part in [&mut entry.gap, &mut entry.data, &mut entry.descriptor, &mut entry.comment] {
            part.truncate(SIZE_MAX);
        }
    }
    for part in [
        &mut zip.comment,
        &mut zip.before_directory,
        &mut zip.directory_tail,
        &mut zip.before_ends,
        &mut zip.suffix,
    ] {
        part.truncate(SIZE_MAX);
    }
    if let Some(zip64) = &mut zip.zip64 {
        zip64.extensible.truncate(SIZE_MAX);
    }
}
