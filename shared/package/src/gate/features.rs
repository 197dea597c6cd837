//! Rule 6: only the parts of the format that every reader understands alike.

use super::GateCode;
use super::entry::Method;
use super::record::CentralRecord;
use super::refusal::Refusal;

/// General purpose bit 3: sizes and checksum follow the data (4.4.4).
pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// General purpose bit 11: the name is UTF-8.
pub(super) const FLAG_UTF8: u16 = 1 << 11;
const FLAG_ENCRYPTED: u16 = 1;
/// Bits 1 and 2 tell how hard deflate tried, and change nothing for a reader.
const FLAGS_DEFLATE_OPTIONS: u16 = 0b110;

const FLAGS: u16 = FLAGS_DEFLATE_OPTIONS | FLAG_DESCRIPTOR | FLAG_UTF8;
const VERSIONS: [u16; 4] = [10, 11, 20, 45];
/// MS-DOS, Unix, NTFS (twice: APPNOTE's number and Info-ZIP's), VFAT and macOS (4.4.2).
const HOSTS: [u8; 6] = [0, 3, 10, 11, 14, HOST_MACOS];
pub(super) const HOST_MACOS: u8 = 19;
/// Internal attributes bit 0: the content seems to be text (4.4.14). With others some readers drop the external attributes.
const INTERNAL_TEXT: u16 = 1;

/// Flags, method, version, host and internal attributes of a central record; gives its method.
pub(super) fn check(record: &CentralRecord) -> Result<Method, Refusal> {
    if record.flags & FLAG_ENCRYPTED != 0 {
        return Err(record.refuse(GateCode::Encrypted, "the entry is encrypted"));
    }
    if record.flags & !FLAGS != 0 {
        let detail = format!("flags {:#06x}, of which only {FLAGS:#06x} may be set", record.flags);
        return Err(record.refuse(GateCode::UnsupportedFlags, detail));
    }
    // Before the version, which such methods raise.
    let method = method(record)?;
    check_version(record.offset, record.version_needed).map_err(|refusal| refusal.in_entry(&record.name))?;
    if !HOSTS.contains(&record.host) {
        let detail = format!("made on system {}, accepted are {HOSTS:?}", record.host);
        return Err(record.refuse(GateCode::UnsupportedHost, detail));
    }
    if record.internal_attributes & !INTERNAL_TEXT != 0 {
        let detail = format!("internal attributes {:#06x}, accepted are 0 and 1", record.internal_attributes);
        return Err(record.refuse(GateCode::UnsupportedAttributes, detail));
    }
    Ok(method)
}

fn method(record: &CentralRecord) -> Result<Method, Refusal> {
    match record.method {
        0 => Ok(Method::Stored),
        8 => Ok(Method::Deflated),
        other => {
            let detail = format!("method {other}, accepted are 0 (stored) and 8 (deflated)");
            Err(record.refuse(GateCode::UnsupportedMethod, detail))
        }
    }
}

/// The version needed to extract, of any record at `offset`.
pub(super) fn check_version(offset: u64, version: u16) -> Result<(), Refusal> {
    if VERSIONS.contains(&version) {
        return Ok(());
    }
    let detail = format!("version {version} needed to extract, accepted are {VERSIONS:?}");
    Err(Refusal::new(GateCode::UnsupportedVersion, offset, detail))
}
