//! An archive as two independent readers see it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its part, and a test stops at what it did not expect"
)]

use std::io::{Cursor, Read};

use countersign_package::gate::{Archive, Entry};

/// (name, permissions, body) of every entry.
pub(crate) type View = Vec<(String, u32, Vec<u8>)>;

/// What the gate sees.
pub(crate) fn view(archive: &Archive, bytes: &[u8]) -> View {
    let entry = |entry: &Entry| {
        let mut body = Vec::new();
        archive.reader(bytes, entry).read_to_end(&mut body).unwrap();
        (entry.name().to_owned(), entry.permissions(), body)
    };
    archive.entries().iter().map(entry).collect()
}

/// What the `zip` crate sees.
pub(crate) fn view_of_zip_crate(bytes: &[u8]) -> View {
    // Left to guess, the crate takes zip64 end records that no field refers to (bsdtar writes them) for a prefix.
    let config = zip::read::Config { archive_offset: zip::read::ArchiveOffset::Known(0) };
    let mut archive = zip::ZipArchive::with_config(config, Cursor::new(bytes)).unwrap();
    let mut view = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut body = Vec::new();
        file.read_to_end(&mut body).unwrap();
        // Hosts without modes have a default of ours, which says nothing about the reading of the file.
        let default = if file.is_dir() { 0o755 } else { 0o644 };
        let mode = file.unix_mode().map_or(default, |mode| mode & 0o777);
        view.push((file.name().unwrap().into_owned(), mode, body));
    }
    view
}
