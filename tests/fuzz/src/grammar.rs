//! Zips that honest writers make.

use arbitrary::{Result, Unstructured};

use crate::zips::{
    Entry, Zip, Zip64, deflated, directory, extra, forced_zip64, stored, streamed, streamed_zip64, symlink,
    unicode_path, zip,
};

/// One to six entries of every kind, with and without zip64, descriptors, extra fields and comments.
pub(crate) fn packages(u: &mut Unstructured<'_>) -> Result<Zip> {
    let count = u.int_in_range(1..=6)?;
    let entries = (0..count).map(|index| entry(index, u)).collect::<Result<_>>()?;
    let mut zip = zip(entries);
    if u.ratio(1, 4)? {
        zip.comment = u.choose(&[&b"a comment"[..], b"PK", b"\xff\0\x01", b"made by PK ware"])?.to_vec();
    }
    if u.ratio(1, 4)? {
        zip.zip64 = Some(Zip64 { sentinels: u.arbitrary()?, ..Zip64::default() });
    }
    Ok(zip)
}

/// The place in the archive makes the name unique.
fn entry(index: usize, u: &mut Unstructured<'_>) -> Result<Entry> {
    let name = format!("{index}{}", u.choose(&STEMS)?);
    let kind = u.int_in_range(0..=9)?;
    let mut entry = match kind {
        8 => directory(&format!("{name}/")),
        9 => symlink(&name, u.choose(&[".", "x", "a/b", "./x/./y/", "ö"])?),
        kind => with_body(kind, &name, &body(u)?),
    };
    if kind < 8 {
        entry.attributes = (0o100_000 | u.int_in_range(0..=0o777)?) << 16;
    }
    decorate(&mut entry, u)?;
    Ok(entry)
}

const STEMS: [&str; 8] = ["", "a", "/a", "/a.b/c", ".txt", "é", "日本", "ABC.d"];

/// The body in one of the eight ways in which writers store it.
pub(crate) fn with_body(way: u8, name: &str, body: &[u8]) -> Entry {
    match way {
        0 | 1 => stored(name, body),
        2 => deflated(name, body),
        3 => streamed(name, body),
        4 => streamed_zip64(name, body),
        5 => forced_zip64(name, body),
        // Info-ZIP into a pipe: the uncompressed size is there before the data.
        6 => streamed(name, body).with(|entry| entry.local.size = entry.central.size),
        // A stream that ends with an empty block, as a flush leaves it.
        _ => flushed(name, body),
    }
}

fn flushed(name: &str, body: &[u8]) -> Entry {
    let mut entry = deflated(name, body);
    entry.data.splice(0..0, [0, 0, 0, 0xff, 0xff]);
    for header in [&mut entry.local, &mut entry.central] {
        header.compressed += 5;
    }
    entry
}

pub(crate) fn body(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    match u.int_in_range(0..=3)? {
        0 => Ok(Vec::new()),
        1 => Ok(vec![u.arbitrary()?; u.int_in_range(0..=3000)?]),
        2 => Ok(u.choose(&BODIES)?.to_vec()),
        _ => {
            let size = u.int_in_range(0..=40)?;
            Ok(u.bytes(size)?.to_vec())
        }
    }
}

/// Records, and targets for what becomes a symbolic link.
const BODIES: [&[u8]; 10] = [
    b"PK\x03\x04",
    b"PK\x07\x08",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"print('hello')\n",
    b"..",
    b"../x",
    b"a/../../x",
    b"/etc/passwd",
    b"a\\b",
];

/// What tools add to an entry and no reader acts on.
fn decorate(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=11)? {
        0 => {
            entry.local.extra.extend(extra(0x5455, &[3, 1, 2, 3, 4, 5, 6, 7, 8]));
            entry.central.extra.extend(extra(0x5455, &[3, 1, 2, 3, 4]));
        }
        1 => entry.local.extra.extend(extra(0xcafe, &[])),
        2 => entry.comment = b"an entry comment".to_vec(),
        3 => {
            let path = unicode_path(1, &entry.local.name);
            entry.local.extra.extend_from_slice(&path);
            entry.central.extra.extend(path);
        }
        4 => (entry.local.version, entry.central.version) = (10, 45),
        5 if entry.attributes >> 28 == 0o10 => entry.attributes &= 0o777 << 16,
        6 if entry.attributes >> 28 != 0o12 => {
            (entry.made_by, entry.attributes) = (0x14, entry.attributes & 0x10);
        }
        7 => entry.attributes |= 0x8020,
        _ => {}
    }
    Ok(())
}
