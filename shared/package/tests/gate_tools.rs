//! What real tools write passes the gate, is read as another reader reads it, and comes back bit for bit from an
//! append.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/tools.rs"]
mod tools;
#[path = "support/views.rs"]
mod views;
#[path = "support/zips.rs"]
mod zips;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use countersign_package::append::{NewEntry, append, split};
use countersign_package::gate::{Archive, EntryKind, GateCode};
use countersign_package::limits::Limits;
use countersign_package::source::{ReadAt, Section};
use views::{view, view_of_zip_crate};

#[test]
fn zips_of_real_tools_pass_and_read_as_the_zip_crate_reads_them() {
    for (tool, bytes) in packages() {
        let archive =
            Archive::parse(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert_eq!(view(&archive, &bytes), view_of_zip_crate(&bytes), "{tool}");
    }
}

#[test]
fn zips_of_real_tools_come_back_bit_for_bit() {
    let aws = [
        NewEntry { name: "META_INF/", body: b"" },
        NewEntry { name: "META_INF/signature.SF", body: b"-----" },
    ];
    let ours = [NewEntry { name: "META-INF/countersign.p7s", body: &[0x30; 5000] }];
    for (tool, bytes) in packages() {
        for entries in [&aws[..], &ours[..]] {
            let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
            let mut signed = Vec::new();
            let size = append(&bytes, &archive, entries, &mut signed)
                .unwrap_or_else(|error| panic!("{tool}: {error}"));
            assert_eq!(size, signed.len() as u64, "{tool}");
            let signed_archive = Archive::parse(&signed, &Limits::default()).unwrap();
            let (unsigned, appended) = split(&signed, &signed_archive, entries.len()).unwrap();
            assert_eq!(unsigned.archive(), &archive, "{tool}");
            let mut recovered = Vec::new();
            Section::whole(&unsigned).unwrap().read_to_end(&mut recovered).unwrap();
            assert!(recovered == bytes, "{tool}");
            assert_eq!((appended.len(), &appended[0].body[..]), (entries.len(), entries[0].body), "{tool}");
        }
    }
}

#[test]
fn a_signed_zip_opens_in_real_tools() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("signed.zip");
    for (tool, bytes) in packages() {
        let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
        let mut signed = Vec::new();
        let entries = [NewEntry { name: "META-INF/countersign.p7s", body: b"signature" }];
        append(&bytes, &archive, &entries, &mut signed).unwrap();
        fs::write(&path, &signed).unwrap();
        for reader in ["unzip -tqq", "python3 -m zipfile -t", "jar tf", "7z t -bso0", "bsdtar -tf"] {
            run(&format!("{reader} {}", path.display()), &format!("{reader} of {tool}"));
        }
        assert_eq!(view_of_zip_crate(&signed).len(), archive.entries().len() + 1, "{tool}");
    }
}

#[test]
fn the_trees_differ_from_tool_to_tool_only_in_what_they_store() {
    let tree = tempfile::TempDir::new().unwrap();
    tools::plant(tree.path(), false);
    for (tool, bytes) in tools::zips() {
        let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
        for entry in archive.entries().iter().filter(|entry| *entry.kind() == EntryKind::File) {
            let Ok(expected) = fs::read(tree.path().join(entry.name())) else { continue };
            let mut body = Vec::new();
            archive.reader(&bytes, entry).read_to_end(&mut body).unwrap();
            assert!(body == expected, "{tool}: {}", entry.name());
        }
        assert!(archive.find("folder/deeper/noise").is_some(), "{tool}");
    }
}

#[test]
fn a_file_is_read_as_memory_is() {
    let folder = tempfile::TempDir::new().unwrap();
    for (tool, bytes) in tools::zips() {
        let path = folder.path().join("a.zip");
        fs::write(&path, &bytes).unwrap();
        let file = fs::File::open(&path).unwrap();
        let from_memory = Archive::parse(&bytes, &Limits::default()).unwrap();
        assert_eq!(Archive::parse(&file, &Limits::default()).unwrap(), from_memory, "{tool}");
        assert_eq!(ReadAt::len(&file).unwrap(), from_memory.layout().size, "{tool}");
    }
}

#[test]
fn a_tool_that_writes_a_flawed_zip_is_named_in_the_hint() {
    for (tool, code, bytes) in tools::flawed() {
        let error = Archive::parse(&bytes, &Limits::default()).unwrap_err();
        assert_eq!(error.code().map(GateCode::as_str), Some(code));
        assert!(error.to_string().contains(tool), "{error}");
    }
}

fn packages() -> Vec<(&'static str, Vec<u8>)> {
    let body = tools::noise_bytes(200_000);
    let go = zips::zip(vec![zips::streamed("main", &body), zips::streamed("dir/empty", b"")]);
    let mut packages = tools::zips();
    packages.push(("a streaming writer as Go's", go.build()));
    packages
}

fn run(command: &str, what: &str) {
    let output = Command::new("bash").args(["-c", command]).current_dir(Path::new("/")).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}
