//! The gate by itself.

use std::io::Read;

use countersign_package::gate::{Archive, Entry, GateCode, GateError, Refusal};
use countersign_package::limits::Limits;

use crate::limits;

/// The gate on any bytes.
///
/// - What it refuses, it refuses with a code, within the file, in a message of one line without control characters.
/// - Bytes in memory can be read, so it never fails otherwise.
/// - What it accepts, it accepts under wider limits too, and its records fill the file.
/// - A byte less or more is refused.
pub fn parse(data: &[u8]) {
    match Archive::parse(data, &limits()) {
        Err(GateError::Io(error)) => panic!("bytes in memory could not be read: {error}"),
        Err(GateError::Refused(refusal)) => check_refusal(&refusal, data),
        Ok(archive) => check_accepted(&archive, data),
    }
}

fn check_refusal(refusal: &Refusal, data: &[u8]) {
    assert!(GateCode::ALL.contains(&refusal.code));
    assert!(refusal.offset <= data.len() as u64, "byte {} of {}: {refusal}", refusal.offset, data.len());
    let text = refusal.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn check_accepted(archive: &Archive, data: &[u8]) {
    let wide = Archive::parse(data, &Limits::default()).expect("wider limits refuse nothing more");
    assert_eq!(wide.entries(), archive.entries());
    check_tiling(archive, data);
    for entry in archive.entries() {
        let mut body = Vec::new();
        archive.reader(data, entry).read_to_end(&mut body).expect("an accepted body can be read");
        assert_eq!((body.len() as u64, crc32fast::hash(&body)), (entry.size(), entry.crc32()));
    }
    for other in [&data[..data.len() - 1], &data[1..], &[data, &[0]].concat(), &[&[0], data].concat()] {
        assert!(
            Archive::parse(other, &limits()).is_err(),
            "{} bytes, {} were accepted",
            other.len(),
            data.len()
        );
    }
}

/// The entries lie one behind the other from byte 0 to the central directory, and the end records behind that.
fn check_tiling(archive: &Archive, data: &[u8]) {
    const DESCRIPTORS: [u64; 3] = [0, 16, 24];
    let layout = archive.layout();
    let entries = archive.entries();
    let begins = entries.iter().skip(1).map(Entry::header_offset);
    let mut position = 0;
    for (entry, next) in entries.iter().zip(begins.chain([layout.central_directory_offset])) {
        assert_eq!(entry.header_offset(), position);
        assert!(entry.data_offset() >= position + 30 + entry.name().len() as u64);
        let end = entry.data_offset() + entry.compressed_size();
        assert!(DESCRIPTORS.contains(&(next - end)), "{} bytes behind {:?}", next - end, entry.name());
        position = next;
    }
    let directory_end = layout.central_directory_offset + layout.central_directory_size;
    assert_eq!(layout.end_record_offset - directory_end, if layout.zip64 { 76 } else { 0 });
    assert_eq!(layout.end_record_offset + 22 + archive.comment().len() as u64, layout.size);
    assert_eq!(layout.size, data.len() as u64);
}
