//! An archive as independent readers see it: the gate; the `zip` crate, by its central directory and as a stream; and an
//! inflate that is not the gate's.

use std::io::{Cursor, Read};

use countersign_package::gate::{Archive, Entry, EntryKind, Method};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config, HasZipMetadata, ZipFile, read_zipfile_from_stream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Symlink,
}

/// An entry as a reader sees it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    name: String,
    kind: Kind,
    /// None where no mode is recorded: the default is each reader's own.
    permissions: Option<u32>,
    compressed_size: u64,
    body: Vec<u8>,
}

/// Demands that every reader sees in `data` what the gate saw.
pub(crate) fn check_agreement(archive: &Archive, data: &[u8]) {
    let gate: Vec<Seen> = archive.entries().iter().map(|entry| seen_by_gate(archive, entry, data)).collect();
    check_seeking(archive, gate.as_slice(), data);
    check_streaming(gate.as_slice(), data);
    for (entry, seen) in archive.entries().iter().zip(&gate) {
        check_inflate(entry, &seen.body, data);
    }
}

fn seen_by_gate(archive: &Archive, entry: &Entry, data: &[u8]) -> Seen {
    let mut body = Vec::new();
    archive.reader(data, entry).read_to_end(&mut body).expect("an accepted body can be read");
    assert_eq!(body.len() as u64, entry.size());
    let kind = match entry.kind() {
        EntryKind::File => Kind::File,
        EntryKind::Directory => Kind::Directory,
        EntryKind::Symlink { target } => {
            assert_eq!(target.as_bytes(), body);
            Kind::Symlink
        }
    };
    let (name, compressed_size) = (entry.name().to_owned(), entry.compressed_size());
    Seen { name, kind, permissions: Some(entry.permissions()), compressed_size, body }
}

fn check_seeking(archive: &Archive, gate: &[Seen], data: &[u8]) {
    // Left to guess, the crate takes zip64 end records that no field refers to for a prefix.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut zip = ZipArchive::with_config(config, Cursor::new(data))
        .expect("the zip crate reads what the gate accepts");
    assert!(!zip.has_duplicate_names());
    assert_eq!(zip.comment(), archive.comment());
    assert_eq!(zip.central_directory_start(), archive.layout().central_directory_offset);
    assert!(!zip.has_overlapping_entries().expect("the zip crate finds every entry"));
    let mut seen = Vec::new();
    for index in 0..zip.len() {
        seen.push(seen_by_zip(&mut zip.by_index(index).expect("the zip crate opens every entry")));
    }
    compare(gate, &seen, "the zip crate");
}

fn seen_by_zip<R: Read>(file: &mut ZipFile<'_, R>) -> Seen {
    let mut body = Vec::new();
    file.read_to_end(&mut body).expect("the zip crate reads every body");
    assert_eq!(body.len() as u64, file.size());
    let mode = recorded_mode(file);
    let kind = match mode.map_or(0, |mode| mode & 0o170_000) {
        0o120_000 => Kind::Symlink,
        0o040_000 => Kind::Directory,
        _ if file.is_dir() => Kind::Directory,
        _ => Kind::File,
    };
    assert_eq!(kind == Kind::Directory, file.is_dir());
    Seen {
        name: file.name().expect("the zip crate reads every name").into_owned(),
        kind,
        permissions: mode.map(|mode| mode & 0o777),
        compressed_size: file.compressed_size(),
        body,
    }
}

/// The mode in the headers. For MS-DOS the crate makes one up, and for Unix it takes a mode of zero for one.
fn recorded_mode<R: Read>(file: &ZipFile<'_, R>) -> Option<u32> {
    let recorded = file.get_metadata().external_attributes >> 16 != 0;
    file.unix_mode().filter(|_| recorded)
}

/// The crate's stream reader knows no data descriptors: up to the first, it sees the same names and bodies.
fn check_streaming(gate: &[Seen], data: &[u8]) {
    let mut stream = data;
    for seen in gate {
        let Ok(next) = read_zipfile_from_stream(&mut stream) else { return };
        let mut file = next.expect("a stream holds every entry");
        assert_eq!(file.name().expect("a stream holds every name"), seen.name);
        let mut body = Vec::new();
        file.read_to_end(&mut body).expect("a stream holds every body");
        assert_eq!(body, seen.body);
    }
    assert!(matches!(read_zipfile_from_stream(&mut stream), Ok(None)), "a stream holds no further entry");
}

/// Another inflate takes exactly the compressed bytes and gives exactly the body.
fn check_inflate(entry: &Entry, body: &[u8], data: &[u8]) {
    if entry.method() == Method::Stored {
        return;
    }
    let compressed = usize::try_from(entry.data_offset()).expect("it is in memory");
    let compressed =
        &data[compressed..][..usize::try_from(entry.compressed_size()).expect("it is in memory")];
    let mut out = vec![0; body.len() + 1];
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, written) = decompress(&mut DecompressorOxide::new(), compressed, &mut out, 0, flags);
    assert_eq!((status, read), (TINFLStatus::Done, compressed.len()), "{:?}", entry.name());
    assert_eq!(&out[..written], body, "{:?}", entry.name());
}

fn compare(gate: &[Seen], other: &[Seen], who: &str) {
    let names = |view: &[Seen]| view.iter().map(|seen| seen.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(gate), names(other), "{who}");
    for (gate, other) in gate.iter().zip(other) {
        let permissions = other.permissions.or(gate.permissions);
        assert_eq!(gate.permissions, permissions, "{who}: {:?}", gate.name);
        assert_eq!(
            (gate.kind, gate.compressed_size),
            (other.kind, other.compressed_size),
            "{who}: {:?}",
            gate.name
        );
        assert!(gate.body == other.body, "{who}: {:?} has another body", gate.name);
    }
}
