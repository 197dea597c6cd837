//! Each rule of the gate by hand-built zips: what is refused and with which code, and what honest writers do that
//! must pass.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/broken_content.rs"]
mod broken_content;
#[path = "support/broken_structure.rs"]
mod broken_structure;
#[path = "support/zips.rs"]
mod zips;

use std::collections::HashSet;
use std::io::Read;

use broken_content::{features, kinds, names, payloads};
use broken_structure::{counts, end_records, layout, local_headers, zip64};
use countersign_package::gate::{Archive, EntryKind, GateCode, GateError};
use countersign_package::limits::Limits;
use zips::{
    Entry, Zip, Zip64, deflated, descriptor, directory, extra, forced_zip64, stored, streamed,
    streamed_zip64, symlink, unicode_path, zip,
};

#[test]
fn every_code_is_given_for_its_defect() {
    let mut seen = HashSet::new();
    let structure = [layout(), end_records(), counts(), zip64(), local_headers()].concat();
    let content = [features(), names(), kinds(), payloads()].concat();
    for (code, bytes) in [structure, content].concat() {
        let outcome = Archive::parse(&bytes, &small_limits());
        let found = outcome.map(|_| ()).map_err(|error| error.code());
        assert_eq!(found, Err(Some(code)), "{}", String::from_utf8_lossy(&bytes).escape_debug());
        seen.insert(code);
    }
    let untested: Vec<_> = GateCode::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(untested.is_empty(), "no zip breaks {untested:?}");
}

#[test]
fn a_refusal_is_about_a_place_in_the_file() {
    let structure = [layout(), end_records(), counts(), zip64(), local_headers()].concat();
    for (code, bytes) in [structure, features(), names(), kinds(), payloads()].concat() {
        let Err(GateError::Refused(refusal)) = Archive::parse(&bytes, &small_limits()) else {
            panic!("{code} was not given")
        };
        assert!(refusal.offset <= bytes.len() as u64, "{refusal} in {} bytes", bytes.len());
    }
}

#[test]
fn the_specification_lists_every_code() {
    let specification = include_str!("../FORMAT.md");
    let missing: Vec<_> =
        GateCode::ALL.iter().filter(|code| !specification.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "FORMAT.md lacks {missing:?}");
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
