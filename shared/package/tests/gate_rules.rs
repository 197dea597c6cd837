//! Each rule of the gate by hand-built zips: what is refused and with which code, and what honest writers do that
//! must pass.

#[path = "support/zips.rs"]
mod zips;

use std::collections::HashSet;
use std::io::Read;

use countersign_package::gate::{Archive, EntryKind, GateCode, GateError};
use countersign_package::limits::Limits;
use zips::{
    Entry, Zip, Zip64, deflate, deflated, descriptor, directory, extra, forced_zip64, stored, streamed,
    streamed_zip64, symlink, unicode_path, wide_descriptor, zip,
};

#[test]
fn every_code_is_given_for_its_defect() {
    let mut seen = HashSet::new();
    for (code, bytes) in refused() {
        let outcome = Archive::parse(&bytes, &small_limits());
        let found = outcome.map(|_| ()).map_err(|error| error.code());
        assert_eq!(found, Err(Some(code)), "{}", String::from_utf8_lossy(&bytes).escape_debug());
        seen.insert(code);
    }
    let untested: Vec<_> = GateCode::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(untested.is_empty(), "no zip breaks {untested:?}");
}

#[test]
fn what_honest_writers_do_passes() {
    for (what, zip) in accepted() {
        let bytes = zip.build();
        let archive =
            Archive::parse(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
        for entry in archive.entries() {
            let mut body = Vec::new();
            archive.reader(&bytes, entry).read_to_end(&mut body).unwrap();
            assert_eq!(body.len() as u64, entry.size(), "{what}");
        }
    }
}

#[test]
fn a_refusal_names_entry_position_values_and_remedy() {
    let bytes = zip(vec![stored("a", b"1"), deflated("b\u{202e}", b"2").both(|h| h.method = 12)]).build();
    let Err(GateError::Refused(refusal)) = Archive::parse(&bytes, &Limits::default()) else {
        panic!("accepted")
    };
    assert_eq!(refusal.entry.as_deref(), Some("b\u{202e}"));
    let text = refusal.to_string();
    assert!(text.starts_with("unsupported_method in entry \"b\\u{202e}\" at byte "), "{text}");
    assert!(
        text.contains("method 12, accepted are 0 (stored) and 8 (deflated); repack with deflate"),
        "{text}"
    );
}

#[test]
fn kinds_and_permissions_are_those_of_the_headers() {
    let archive = |entry: Entry| {
        let bytes = zip(vec![entry]).build();
        let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
        (archive.entries()[0].kind().clone(), archive.entries()[0].permissions())
    };
    let mode = |mode: u32| stored("a", b"").with(|e| e.attributes = mode << 16);
    assert_eq!(archive(mode(0o100_755)), (EntryKind::File, 0o755));
    assert_eq!(archive(mode(0o600)), (EntryKind::File, 0o600));
    assert_eq!(archive(mode(0o100_000)), (EntryKind::File, 0));
    assert_eq!(archive(mode(0)), (EntryKind::File, 0o644));
    assert_eq!(archive(directory("d/").with(|e| (e.made_by, e.attributes) = (0x14, 0x10))).1, 0o755);
    let link = EntryKind::Symlink { target: "x/./y/".to_owned() };
    assert_eq!(archive(symlink("l", "x/./y/")), (link, 0o777));
}

#[test]
fn a_changed_body_is_an_error_before_its_last_byte() {
    for entry in [stored("a", b"first body"), deflated("a", b"first body"), deflated("a", b"")] {
        let mut bytes = zip(vec![entry]).build();
        let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
        let at = usize::try_from(archive.entries()[0].data_offset()).unwrap();
        bytes[at] ^= 1;
        let mut body = Vec::new();
        let outcome = archive.reader(&bytes, &archive.entries()[0]).read_to_end(&mut body);
        assert!(outcome.is_err() && body.len() < 10, "{} bytes of a changed body", body.len());
    }
}

#[test]
fn limits_are_exact() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let bytes = zip(vec![stored("ab/cd", b"12345"), deflated("e", b"67890")]).build();
    let accepts = |limits: Limits| Archive::parse(&bytes, &limits).is_ok();
    assert!(accepts(limits(|l| l.entries_max = 2)) && !accepts(limits(|l| l.entries_max = 1)));
    assert!(accepts(limits(|l| l.name_size_max = 5)) && !accepts(limits(|l| l.name_size_max = 4)));
    assert!(accepts(limits(|l| l.component_size_max = 2)) && !accepts(limits(|l| l.component_size_max = 1)));
    assert!(accepts(limits(|l| l.unpacked_size_max = 10)) && !accepts(limits(|l| l.unpacked_size_max = 9)));
    let size_max = limits(|l| l.central_directory_size_max = 98);
    assert!(accepts(size_max) && !accepts(limits(|l| l.central_directory_size_max = 97)));
}

/// Limits that small zips can break.
fn small_limits() -> Limits {
    Limits {
        entries_max: 9,
        central_directory_size_max: 20_000,
        comment_size_max: 300,
        unpacked_size_max: 70_000,
        ..Limits::default()
    }
}

fn accepted() -> Vec<(&'static str, Zip)> {
    let body = b"some body some body some body";
    let both = || vec![stored("a", b"1"), streamed("b", body)];
    let jar = streamed("META-INF/", b"").with(|e| {
        (e.made_by, e.attributes) = (0x14, 0);
        e.local.extra = extra(0xCAFE, b"");
        e.central.extra = extra(0xCAFE, b"");
    });
    let info_zip = streamed("-", body).with(|e| e.local.size = e.central.size);
    let empty_stream = stored("e", b"").with(|e| {
        e.set_flags(0x8);
        e.descriptor = descriptor(&e.central);
    });
    let times = stored("t", b"1").with(|e| {
        e.local.extra =
            [extra(0x5455, &[3, 1, 2, 3, 4, 5, 6, 7, 8]), extra(0x7875, b"\x01\x04\0\0\0\0")].concat();
        e.central.extra = extra(0x5455, &[3, 1, 2, 3, 4]);
    });
    vec![
        (
            "stored, deflated, folder, link",
            zip(vec![stored("a", b"1"), deflated("b", body), directory("d/"), symlink("d/l", "../a")]),
        ),
        ("streamed", zip(vec![streamed("a", body), streamed("b", b"")])),
        ("streamed with size", zip(vec![info_zip])),
        ("streamed empty stored file", zip(vec![empty_stream])),
        ("streamed zip64", zip(vec![streamed_zip64("a", body), stored("b", b"1")])),
        ("forced zip64", zip(vec![forced_zip64("a", body)]).with(|z| z.zip64 = Some(Zip64::default()))),
        (
            "zip64 end records without need",
            zip(both()).with(|z| z.zip64 = Some(Zip64 { sentinels: false, ..Zip64::default() })),
        ),
        ("jar", zip(vec![jar])),
        (
            "7z attributes",
            zip(vec![
                stored("a", b"1").with(|e| e.attributes |= 0x8020),
                directory("d/").with(|e| e.attributes |= 0x8000),
            ]),
        ),
        ("modes without type", zip(vec![stored("a", b"1").with(|e| e.attributes = 0o600 << 16)])),
        ("times differ between headers", zip(vec![times])),
        ("a comment", zip(both()).with(|z| z.comment = b"made by PK ware".to_vec())),
        ("an entry comment", zip(vec![stored("a", b"1").with(|e| e.comment = b"hello".to_vec())])),
        ("names beyond ASCII", zip(vec![stored("größe/日本.txt", b"1")])),
        (
            "a repeated Unicode path",
            zip(vec![stored("ö", b"1").both(|h| h.extra = unicode_path(1, "ö".as_bytes()))]),
        ),
        ("a zip in a zip", zip(vec![stored("inner.zip", &zip(both()).build())])),
        (
            "names that look special",
            zip(vec![
                stored("console", b""),
                stored(".hidden", b""),
                stored("a..b", b""),
                stored("...x", b""),
            ]),
        ),
        (
            "directories above files, in any order",
            zip(vec![stored("d/e/f", b""), directory("d/"), directory("d/e/"), stored("d.e", b"")]),
        ),
        (
            "a link to its own directory",
            zip(vec![symlink("d/up", ".."), symlink("here", "."), symlink("dangling", "x")]),
        ),
    ]
}

fn refused() -> Vec<(GateCode, Vec<u8>)> {
    [layout(), end_records(), counts(), zip64(), local_headers(), features(), names(), kinds(), payloads()]
        .concat()
}

fn ab() -> Zip {
    zip(vec![stored("a", b"1234"), deflated("b", b"5678")])
}

fn with_first(change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    ab().with(|z| change(&mut z.entries[0])).build()
}

fn with_second(change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    ab().with(|z| change(&mut z.entries[1])).build()
}

fn layout() -> Vec<(GateCode, Vec<u8>)> {
    let good = ab().build();
    let inner = zip(vec![stored("x", b"")]).build();
    vec![
        (GateCode::NotAZip, Vec::new()),
        (GateCode::NotAZip, b"PK".to_vec()),
        (GateCode::NotAZip, vec![0; 100_000]),
        (GateCode::PrefixData, [b"#!/bin/sh\n", &good[..]].concat()),
        (GateCode::PrefixData, with_first(|e| e.gap = b"stub".to_vec())),
        (GateCode::PrefixData, with_first(|e| e.gap = inner)),
        (GateCode::EntriesOutOfOrder, ab().with(|z| z.directory_order = Some(vec![1, 0])).build()),
        (GateCode::GapBetweenEntries, with_second(|e| e.gap = vec![0])),
        (
            GateCode::GapBetweenEntries,
            ab().with(|z| {
                z.entries.push(stored("c", b""));
                z.directory_order = Some(vec![0, 2]);
            })
            .build(),
        ),
        (GateCode::OverlappingEntries, with_second(|e| e.offset = Some(0))),
        (GateCode::OverlappingEntries, with_second(|e| e.offset = Some(34))),
        (
            GateCode::GapBeforeCentralDirectory,
            ab().with(|z| z.before_directory = b"APK Sig Block 42".to_vec()).build(),
        ),
        (GateCode::GapBeforeCentralDirectory, ab().with(|z| z.directory_order = Some(vec![0])).build()),
        (
            GateCode::EntryOverlapsCentralDirectory,
            with_second(|e| {
                (e.local.compressed, e.central.compressed) = (900, 900);
            }),
        ),
        (GateCode::CentralDirectoryMisplaced, ab().with(|z| z.before_ends = vec![0]).build()),
        (GateCode::CentralDirectoryMisplaced, ab().with(|z| z.directory_offset = Some(0)).build()),
        (GateCode::CentralDirectoryMisplaced, [&good[..], &good[..]].concat()),
    ]
}

fn end_records() -> Vec<(GateCode, Vec<u8>)> {
    let good = ab().build();
    let cut = good.len() - 10;
    vec![
        (GateCode::EndRecordMissing, good[..cut].to_vec()),
        (GateCode::EndRecordMissing, good[..50].to_vec()),
        (GateCode::TrailingData, ab().with(|z| z.suffix = vec![0]).build()),
        (
            GateCode::TrailingData,
            ab().with(|z| (z.comment, z.comment_size) = (b"abc".to_vec(), Some(2))).build(),
        ),
        (GateCode::CommentTruncated, ab().with(|z| z.comment_size = Some(1)).build()),
        (GateCode::RecordInComment, ab().with(|z| z.comment = b"..PK\x03\x04".to_vec()).build()),
        (GateCode::RecordInComment, with_first(|e| e.comment = b"PK\x01\x02".to_vec())),
        (GateCode::CommentTooLong, ab().with(|z| z.comment = vec![b' '; 301]).build()),
        (GateCode::CommentTooLong, with_first(|e| e.comment = vec![b' '; 301])),
    ]
}

fn counts() -> Vec<(GateCode, Vec<u8>)> {
    let large = (0..9)
        .map(|n| stored(&n.to_string(), b"").with(|e| e.central.extra = extra(9, &[0; 4000])))
        .collect();
    let many = (0..10).map(|n| stored(&n.to_string(), b"")).collect();
    vec![
        (GateCode::EmptyArchive, Zip::default().build()),
        (GateCode::MultiDisk, ab().with(|z| z.disk = 1).build()),
        (GateCode::MultiDisk, with_first(|e| e.disk = 1)),
        (GateCode::MultiDisk, with_first(|e| e.disk = u16::MAX)),
        (GateCode::EntryCountMismatch, ab().with(|z| z.disk_count = Some(1)).build()),
        (GateCode::EntryCountMismatch, ab().with(|z| z.count = Some(1)).build()),
        (GateCode::EntryCountMismatch, ab().with(|z| z.count = Some(3)).build()),
        (GateCode::EntryCountMismatch, with_first(|e| e.comment = vec![b' '; 100]).tap(|b| set_count(b, 3))),
        (GateCode::CentralDirectorySizeMismatch, ab().with(|z| z.directory_tail = vec![0]).build()),
        (
            GateCode::CentralDirectorySizeMismatch,
            ab().with(|z| z.directory_tail = b"PK\x05\x05\0\0".to_vec()).build(),
        ),
        (
            GateCode::CentralRecordInvalid,
            ab().build().tap(|b| {
                let at = b.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
                b[at] = b'Q';
            }),
        ),
        (
            GateCode::CentralRecordInvalid,
            ab().build().tap(|b| {
                let at = b.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
                b[at + 28] = 0xFF;
            }),
        ),
        (GateCode::TooManyEntries, zip(many).build()),
        (GateCode::CentralDirectoryTooLarge, zip(large).build()),
    ]
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Vec<u8> {}

fn set_count(bytes: &mut [u8], count: u8) {
    let at = bytes.len() - 22;
    (bytes[at + 8], bytes[at + 10]) = (count, count);
}

fn zip64() -> Vec<(GateCode, Vec<u8>)> {
    let ends = |change: fn(&mut Zip64)| {
        let mut zip64 = Zip64::default();
        change(&mut zip64);
        ab().with(|z| z.zip64 = Some(zip64)).build()
    };
    let first = |local: &[u8], central: &[u8]| {
        let (local, central) = (local.to_vec(), central.to_vec());
        with_first(|e| (e.local.extra, e.central.extra) = (local, central))
    };
    let timestamp = extra(0x5455, &[0]);
    vec![
        (GateCode::Zip64Missing, ab().with(|z| z.count = Some(u16::MAX)).build()),
        (GateCode::Zip64Missing, ab().with(|z| z.directory_offset = Some(u32::MAX)).build()),
        (GateCode::Zip64Missing, with_first(|e| e.central.size = u32::MAX)),
        (GateCode::Zip64RecordInvalid, ends(|e| e.record_size = 45)),
        (GateCode::Zip64RecordInvalid, ends(|e| (e.record_size, e.extensible) = (48, vec![0; 4]))),
        (GateCode::Zip64RecordInvalid, ends(|e| e.locator_offset = Some(0))),
        (GateCode::Zip64RecordInvalid, ends(|e| e.disks = 2)),
        (GateCode::Zip64RecordInvalid, [&b"PK\x06\x07"[..], &[0; 16], &Zip::default().build()].concat()),
        (GateCode::MultiDisk, ends(|e| e.disk = 1)),
        (GateCode::UnsupportedVersion, ends(|e| e.version = 62)),
        (GateCode::Zip64Contradiction, ends(|e| (e.sentinels, e.count) = (false, Some(1)))),
        (GateCode::Zip64Contradiction, ends(|e| (e.sentinels, e.directory_offset) = (false, Some(1)))),
        (GateCode::EntryCountMismatch, ends(|e| e.count = Some(3))),
        (GateCode::EntryCountMismatch, ends(|e| e.count = Some(1))),
        (GateCode::TooManyEntries, ends(|e| e.count = Some(u64::MAX))),
        (GateCode::CentralDirectoryMisplaced, ends(|e| e.directory_offset = Some(u64::MAX))),
        (GateCode::Zip64ExtraMismatch, with_first(|e| e.central.extra = extra(1, &[0; 8]))),
        (
            GateCode::Zip64ExtraMismatch,
            with_first(|e| (e.central.size, e.central.extra) = (u32::MAX, extra(1, &[0; 16]))),
        ),
        (
            GateCode::Zip64ExtraMismatch,
            with_first(|e| (e.local.size, e.local.extra) = (u32::MAX, extra(1, &[0; 8]))),
        ),
        (GateCode::Zip64ExtraMismatch, with_first(|e| e.local.extra = extra(1, &[0; 16]))),
        (GateCode::ExtraMalformed, first(b"\0", b"")),
        (GateCode::ExtraMalformed, first(b"", b"\x55\x54\x05\0\0")),
        (GateCode::DuplicateExtra, first(&[&timestamp[..], &timestamp].concat(), b"")),
        (GateCode::DuplicateExtra, first(b"", &[&timestamp[..], &extra(0x9999, b""), &timestamp].concat())),
        (GateCode::ExtraTooLong, first(b"", &extra(0x9999, &vec![0; 8189]))),
        (GateCode::ExtraTooLong, first(&extra(0x9999, &vec![0; 8189]), b"")),
    ]
}

fn local_headers() -> Vec<(GateCode, Vec<u8>)> {
    let body = b"some body some body";
    let stream =
        |change: fn(&mut Entry)| zip(vec![streamed("a", body).with(change), stored("b", b"")]).build();
    let wide = |change: fn(&mut Entry)| zip(vec![streamed_zip64("a", body).with(change)]).build();
    vec![
        (
            GateCode::LocalHeaderMissing,
            ab().with(|z| z.entries[1].local.name = vec![b'b'; 300]).build().tap(|b| {
                let at = b.windows(4).rposition(|w| w == b"PK\x03\x04").unwrap();
                b[at] = b'Q';
            }),
        ),
        (GateCode::LocalHeaderMissing, ab().build().tap(|b| b[27] = 0xFF)),
        (GateCode::NameMismatch, with_first(|e| e.local.name = b"evil.py".to_vec())),
        (GateCode::NameMismatch, with_first(|e| e.local.name = b"A".to_vec())),
        (GateCode::FlagsMismatch, with_first(|e| e.local.flags = 0x800)),
        (GateCode::FlagsMismatch, with_first(|e| e.central.flags = 8)),
        (GateCode::FlagsMismatch, with_first(|e| e.local.flags = 1)),
        (GateCode::MethodMismatch, with_second(|e| e.local.method = 0)),
        (GateCode::MethodMismatch, with_second(|e| e.local.method = 12)),
        (GateCode::TimeMismatch, with_first(|e| e.local.time ^= 1)),
        (GateCode::TimeMismatch, with_first(|e| e.local.date ^= 1)),
        (GateCode::UnsupportedVersion, with_first(|e| e.local.version = 51)),
        (GateCode::CrcFieldMismatch, with_first(|e| e.local.crc ^= 1)),
        (GateCode::CrcFieldMismatch, with_first(|e| e.local.crc = 0)),
        (GateCode::CrcFieldMismatch, stream(|e| e.local.crc = 1)),
        (GateCode::SizeFieldMismatch, with_second(|e| e.local.size = 0)),
        (GateCode::SizeFieldMismatch, with_second(|e| e.local.compressed += 1)),
        (GateCode::SizeFieldMismatch, stream(|e| e.local.size = 1)),
        (GateCode::SizeFieldMismatch, wide(|e| e.local.extra = extra(1, &[1; 16]))),
        (GateCode::DescriptorMissing, stream(|e| e.descriptor = Vec::new())),
        (GateCode::DescriptorMissing, stream(|e| e.descriptor = e.descriptor[4..].to_vec())),
        (
            GateCode::DescriptorMissing,
            zip(vec![streamed("a", body).with(|e| e.descriptor.truncate(15))]).build(),
        ),
        (GateCode::DescriptorMismatch, stream(|e| e.descriptor[4] ^= 1)),
        (GateCode::DescriptorMismatch, stream(|e| e.descriptor[8] ^= 1)),
        (GateCode::DescriptorMismatch, stream(|e| e.descriptor[12] ^= 1)),
        (
            GateCode::DescriptorMismatch,
            zip(vec![streamed("a", body).with(|e| e.descriptor[4..].fill(0))]).build(),
        ),
        (
            GateCode::GapBeforeCentralDirectory,
            zip(vec![streamed("a", body).with(|e| e.descriptor = wide_descriptor(&e.central))]).build().tap(
                |b| {
                    // A wide descriptor whose narrow reading agrees as well is eight bytes too long.
                    let at = b.windows(4).position(|w| w == b"PK\x07\x08").unwrap();
                    b.copy_within(at + 16..at + 20, at + 12);
                },
            ),
        ),
        (GateCode::DescriptorMissing, wide(|e| e.descriptor = descriptor(&e.central).tap(|d| d.truncate(3)))),
        (
            GateCode::DescriptorOnStoredData,
            zip(vec![stored("a", b"1").with(|e| {
                e.set_flags(8);
                e.descriptor = descriptor(&e.central);
            })])
            .build(),
        ),
        (
            GateCode::DescriptorAmbiguous,
            stream(|e| {
                e.central.crc = 0x0807_4b50;
                e.descriptor = descriptor(&e.central);
            }),
        ),
    ]
}

fn features() -> Vec<(GateCode, Vec<u8>)> {
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
    ]
}

fn names() -> Vec<(GateCode, Vec<u8>)> {
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

fn kinds() -> Vec<(GateCode, Vec<u8>)> {
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

fn payloads() -> Vec<(GateCode, Vec<u8>)> {
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
