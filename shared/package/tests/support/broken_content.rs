//! Zips whose entries break rules 6 to 9, each with the code of its defect.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use countersign_package::gate::GateCode;

use crate::zips::{
    self, Entry, Zip, deflate, deflated, directory, extra, stored, symlink, unicode_path, zip,
};

pub(crate) fn features() -> Vec<(GateCode, Vec<u8>)> {
    let both = |change: fn(&mut zips::Header)| {
        with_first(|e| {
            change(&mut e.local);
            change(&mut e.central);
        })
    };
    vec![
        (GateCode::Encrypted, both(|h| h.flags = 1)),
        (GateCode::Encrypted, with_first(|e| e.central.flags = 1)),
        (GateCode::UnsupportedFlags, both(|h| h.flags = 1 << 5)),
        (GateCode::UnsupportedFlags, both(|h| h.flags = 1 << 13)),
        (GateCode::UnsupportedMethod, both(|h| h.method = 9)),
        (GateCode::UnsupportedMethod, both(|h| h.method = 99)),
        (GateCode::UnsupportedVersion, both(|h| h.version = 0)),
        (GateCode::UnsupportedVersion, both(|h| h.version = 0x0314)),
        (GateCode::UnsupportedHost, with_first(|e| e.made_by = 0x0714)),
        (GateCode::UnsupportedAttributes, with_first(|e| e.internal = 2)),
        (GateCode::UnsupportedAttributes, with_first(|e| e.internal = 0x8000)),
    ]
}

pub(crate) fn names() -> Vec<(GateCode, Vec<u8>)> {
    let raw = |name: &[u8], flags: u16| {
        zip(vec![stored("x", b"").both(|h| (h.name, h.flags) = (name.to_vec(), flags))]).build()
    };
    let names = |names: &[&str]| {
        zip(names
            .iter()
            .map(|name| if name.ends_with('/') { directory(name) } else { stored(name, b"") })
            .collect())
        .build()
    };
    let mut rows = vec![
        (GateCode::NameEmpty, raw(b"", 0)),
        (GateCode::NameTooLong, names(&["x/".repeat(512).as_str(), &"x/".repeat(513)])),
        (GateCode::NameComponentTooLong, names(&[&"x".repeat(256)])),
        (GateCode::NameNotUtf8, raw(b"\xe9", 0x800)),
        (GateCode::NameNotUtf8, raw(b"\xed\xa0\x80", 0x800)),
        (GateCode::NameNotUtf8, raw(b"a\xc0\xaf", 0x800)),
        (GateCode::NameFlagMissing, raw("é".as_bytes(), 0)),
        (GateCode::NameNotNfc, names(&["e\u{301}"])),
        (
            GateCode::UnicodePathMismatch,
            zip(vec![stored("a", b"").both(|h| h.extra = unicode_path(1, b"b"))]).build(),
        ),
        (
            GateCode::UnicodePathMismatch,
            zip(vec![stored("a", b"").both(|h| h.extra = unicode_path(2, b"a"))]).build(),
        ),
        (
            GateCode::UnicodePathMismatch,
            zip(vec![stored("a", b"").with(|e| e.local.extra = unicode_path(1, b"b"))]).build(),
        ),
        (GateCode::DuplicateName, names(&["a", "b", "a"])),
        (GateCode::DuplicateName, names(&["test.txt", "test.TXT"])),
        (GateCode::DuplicateName, names(&["a", "a/"])),
        (GateCode::DuplicateName, names(&["stra\u{df}e", "STRASSE"])),
        (GateCode::DuplicateName, names(&["\u{a64a}", "\u{1c88}"])),
        (GateCode::FileIsParent, names(&["a", "a/b"])),
        (GateCode::FileIsParent, names(&["a/b/c", "a.b", "A"])),
        (GateCode::FileIsParent, zip(vec![symlink("l", "d"), stored("l/x", b""), directory("d/")]).build()),
    ];
    for name in ["a\0b", "a\n", "\u{7f}", "\u{202e}x", "\u{2028}", "\u{e000}", "\u{378}", "\u{feff}"] {
        rows.push((GateCode::NameControlCharacter, names(&[name])));
    }
    rows.extend(["a\\b", "c:x"].map(|name| (GateCode::NameForbiddenCharacter, names(&[name]))));
    rows.extend(["/a", "/", "//a"].map(|name| (GateCode::NameAbsolute, names(&[name]))));
    for name in ["a//b", "./a", "a/./b", "a/.", "../a", "a/../b", "a/..", "..", ".", "a//"] {
        rows.push((GateCode::NameTraversal, names(&[name])));
    }
    rows.extend(
        ["a.", "a ", "a./b", "...", "a /b/"].map(|name| (GateCode::NameTrailingDotOrSpace, names(&[name]))),
    );
    for name in ["con", "NUL.txt", "d/Aux", "COM1", "lpt9.x.y", "com\u{b9}", "prn/", "nul .txt", "CONIN$"] {
        rows.push((GateCode::NameWindowsDevice, names(&[name])));
    }
    rows
}

pub(crate) fn kinds() -> Vec<(GateCode, Vec<u8>)> {
    let mode =
        |name: &str, mode: u32| zip(vec![stored(name, b"").with(|e| e.attributes = mode << 16)]).build();
    let link = |name: &str, target: &str| zip(vec![symlink(name, target)]).build();
    let asi = || extra(0x756e, &[0; 14]);
    let mut rows = vec![
        (GateCode::DirectoryMismatch, mode("d", 0o040_755)),
        (GateCode::DirectoryMismatch, mode("d/", 0o100_644)),
        (GateCode::DirectoryMismatch, mode("d/", 0o120_777)),
        (GateCode::DirectoryMismatch, with_first(|e| e.attributes |= 0x10)),
        (GateCode::DirectoryMismatch, with_first(|e| (e.made_by, e.attributes) = (0x14, 0x10))),
        (GateCode::DirectoryWithData, zip(vec![stored("d/", b"x").with(|e| e.attributes = 0)]).build()),
        (GateCode::SpecialFile, with_first(|e| (e.made_by, e.attributes) = (0x14, 0x08))),
        (GateCode::SpecialFile, with_first(|e| (e.made_by, e.attributes) = (0x0A14, 0x400))),
        (GateCode::ForeignMode, with_first(|e| e.made_by = 0x14)),
        (GateCode::AsiExtra, with_first(|e| e.local.extra = asi())),
        (GateCode::AsiExtra, with_first(|e| e.central.extra = asi())),
        (GateCode::LibarchiveExtra, with_first(|e| e.local.extra = extra(0x6c78, &[0; 4]))),
        (GateCode::LibarchiveExtra, with_first(|e| e.central.extra = extra(0x6c78, &[0; 4]))),
        (GateCode::ForeignMode, with_first(|e| (e.made_by, e.attributes) = (0x1314, 0o100_755 << 16))),
        (
            GateCode::SymlinkCompressed,
            zip(vec![symlink("l", "x").with(|e| {
                e.data = deflate(b"x");
                (e.local.method, e.central.method) = (8, 8);
                (e.local.compressed, e.central.compressed) = (3, 3);
            })])
            .build(),
        ),
        (GateCode::SymlinkTargetInvalid, link("l", "")),
        (GateCode::SymlinkTargetInvalid, link("l", &"x".repeat(4096))),
        (
            GateCode::SymlinkTargetInvalid,
            zip(vec![
                symlink("l", "x").with(|e| e.data = vec![0xFF]).both(|h| h.crc = crc32fast::hash(&[0xFF])),
            ])
            .build(),
        ),
    ];
    rows.extend([0o104_755, 0o102_755, 0o101_777].map(|bits| (GateCode::PrivilegedMode, mode("a", bits))));
    rows.extend(
        [0o010_644, 0o020_644, 0o060_644, 0o140_644, 0o170_644]
            .map(|bits| (GateCode::SpecialFile, mode("a", bits))),
    );
    rows.extend(
        ["a/../b", "x//y", "a\\b", "a\nb", "c:"]
            .map(|target| (GateCode::SymlinkTargetInvalid, link("l", target))),
    );
    rows.extend(["/etc", "..", "../x", "./../x"].map(|target| (GateCode::SymlinkEscapes, link("l", target))));
    rows.push((GateCode::SymlinkEscapes, link("d/e/l", "../../../x")));
    rows
}

pub(crate) fn payloads() -> Vec<(GateCode, Vec<u8>)> {
    let both = |change: fn(&mut zips::Header)| {
        with_second(|e| {
            change(&mut e.local);
            change(&mut e.central);
        })
    };
    let data = |data: Vec<u8>| {
        with_second(|e| {
            let size = u32::try_from(data.len()).unwrap();
            (e.local.compressed, e.central.compressed, e.data) = (size, size, data);
        })
    };
    let stalls = [[0, 0, 0, 0xFF, 0xFF].repeat(300), deflate(b"5678")].concat();
    vec![
        (GateCode::UnpackedSizeExceeded, zip(vec![deflated("a", &[0; 70_001])]).build()),
        (
            GateCode::UnpackedSizeExceeded,
            zip(vec![deflated("a", &[0; 40_000]), deflated("b", &[0; 40_000])]).build(),
        ),
        (GateCode::UnpackedSizeExceeded, both(|h| h.size = u32::MAX - 1)),
        (GateCode::RatioExceeded, both(|h| h.size = 60_000)),
        (GateCode::CompressedSizeExcessive, data(stalls)),
        (
            GateCode::StoredSizeMismatch,
            with_first(|e| {
                (e.local.size, e.central.size) = (3, 3);
            }),
        ),
        (GateCode::DeflateInvalid, data(vec![0xFF; 4])),
        (GateCode::CompressedSizeMismatch, data([deflate(b"5678"), vec![0]].concat())),
        (GateCode::CompressedSizeMismatch, data([deflate(b"5678"), deflate(b"")].concat())),
        (GateCode::CompressedSizeMismatch, data(deflate(b"5678").tap(|d| d.truncate(4)))),
        (GateCode::CompressedSizeMismatch, data(Vec::new())),
        (GateCode::UnpackedSizeMismatch, both(|h| h.size = 3)),
        (GateCode::UnpackedSizeMismatch, both(|h| h.size = 5)),
        (GateCode::UnpackedSizeMismatch, both(|h| h.size = 0)),
        (GateCode::CrcMismatch, both(|h| h.crc ^= 1)),
        (GateCode::CrcMismatch, with_first(|e| e.data[0] ^= 1)),
        (GateCode::CrcMismatch, zip(vec![deflated("a", b"").both(|h| h.crc = 1)]).build()),
    ]
}

pub(crate) fn ab() -> Zip {
    zip(vec![stored("a", b"1234"), deflated("b", b"5678")])
}

pub(crate) fn with_first(change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    ab().with(|z| change(&mut z.entries[0])).build()
}

pub(crate) fn with_second(change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    ab().with(|z| change(&mut z.entries[1])).build()
}

pub(crate) trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Vec<u8> {}
