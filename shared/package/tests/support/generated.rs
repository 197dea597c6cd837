//! Zips that honest writers could have made, by the thousand.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its part, and a test stops at what it did not expect"
)]

use proptest::collection::vec;
use proptest::prelude::*;

use crate::zips::{
    Entry, Zip, Zip64, deflated, directory, extra, forced_zip64, stored, streamed, streamed_zip64, symlink,
    zip,
};

/// One to eight entries of every kind, with and without zip64, descriptors, extra fields and comments.
pub(crate) fn packages() -> impl Strategy<Value = Zip> {
    let comment = prop_oneof![Just(Vec::new()), "[ -~]{0,40}".prop_map(String::into_bytes)];
    (vec(draft(), 1..8), comment, ends()).prop_map(|(drafts, comment, zip64)| {
        let entries = drafts.into_iter().enumerate().map(|(index, draft)| entry(index, draft)).collect();
        zip(entries).with(|zip| (zip.comment, zip.zip64) = (comment, zip64))
    })
}

fn ends() -> impl Strategy<Value = Option<Zip64>> {
    let zip64 = |sentinels| Some(Zip64 { sentinels, ..Zip64::default() });
    prop_oneof![3 => Just(None), 1 => Just(zip64(true)), 1 => Just(zip64(false))]
}

/// (kind, body, end of the name, whether it has extra fields and a comment, permissions)
type Draft = (u8, Vec<u8>, String, bool, u32);

fn draft() -> impl Strategy<Value = Draft> {
    (0..8_u8, body(), "[a-zé日]{1,8}", any::<bool>(), 0..0o1000_u32)
}

/// The place in the archive makes the name unique.
fn entry(index: usize, (kind, body, stem, tagged, permissions): Draft) -> Entry {
    let name = format!("{index}/{stem}");
    let entry = match kind {
        0 | 1 => stored(&name, &body),
        2 => deflated(&name, &body),
        3 => streamed(&name, &body),
        4 => streamed_zip64(&name, &body),
        5 => forced_zip64(&name, &body),
        6 => return directory(&format!("{name}/")),
        _ => return symlink(&name, &format!("../{stem}")),
    };
    decorate(entry, tagged, permissions)
}

fn decorate(mut entry: Entry, tagged: bool, permissions: u32) -> Entry {
    entry.attributes = (0o100_000 | permissions) << 16;
    if tagged {
        entry.local.extra.extend(extra(0x5455, &[3, 1, 2, 3, 4, 5, 6, 7, 8]));
        entry.central.extra.extend(extra(0x5455, &[3, 1, 2, 3, 4]));
        entry.comment = b"an entry comment".to_vec();
    }
    entry
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..200),
        (any::<u8>(), 0..20_000_usize).prop_map(|(byte, size)| vec![byte; size]),
    ]
}
