//! Zips whose records break rules 1 to 5, each with the code of its defect.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use countersign_package::gate::GateCode;

use crate::broken_content::{Tap, ab, with_first, with_second};
use crate::zips::{
    Entry, Zip, Zip64, descriptor, extra, stored, streamed, streamed_zip64, wide_descriptor, zip,
};

pub(crate) fn layout() -> Vec<(GateCode, Vec<u8>)> {
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
        (GateCode::GapBetweenEntries, with_second(|e| e.offset = Some(5000))),
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

pub(crate) fn end_records() -> Vec<(GateCode, Vec<u8>)> {
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

pub(crate) fn counts() -> Vec<(GateCode, Vec<u8>)> {
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

pub(crate) fn zip64() -> Vec<(GateCode, Vec<u8>)> {
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
        (
            GateCode::EntryCountMismatch,
            ab().with(|z| (z.zip64, z.disk_count) = (Some(Zip64::default()), Some(2))).build(),
        ),
        (
            GateCode::EntryCountMismatch,
            ab().with(|z| {
                (z.zip64, z.count, z.disk_count) = (Some(Zip64::default()), Some(2), Some(u16::MAX));
            })
            .build(),
        ),
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

pub(crate) fn local_headers() -> Vec<(GateCode, Vec<u8>)> {
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

fn set_count(bytes: &mut [u8], count: u8) {
    let at = bytes.len() - 22;
    (bytes[at + 8], bytes[at + 10]) = (count, count);
}
