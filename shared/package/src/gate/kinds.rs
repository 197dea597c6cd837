//! Rule 8: an entry is a regular file, a directory, or a symbolic link that stays inside (4.4.15), and every reader
//! sees which.

use super::GateCode;
use super::entry::{EntryKind, Method};
use super::extra::{ASI_UNIX, Extras, LIBARCHIVE};
use super::features::HOST_MACOS;
use super::names;
use super::record::CentralRecord;
use super::refusal::Refusal;
use super::zip64::Wide;
use crate::limits::Limits;

/// Kind and permissions of `record`. The target of a symbolic link is its body, read later: it is empty here.
pub(super) fn check(
    record: &CentralRecord,
    name: &str,
    method: Method,
    wide: &Wide,
    limits: &Limits,
) -> Result<(EntryKind, u32), Refusal> {
    check_dos_attributes(record, name)?;
    let mode = unix_mode(record)?;
    let kind = kind(record, name, mode)?;
    match &kind {
        EntryKind::Directory if wide.size > 0 => {
            let detail = format!("a directory with {} bytes of content", wide.size);
            return Err(record.refuse(GateCode::DirectoryWithData, detail));
        }
        EntryKind::Symlink { .. } => check_link_body(record, method, wide, limits)?,
        EntryKind::File | EntryKind::Directory => {}
    }
    let permissions = mode.map_or_else(|| default_permissions(&kind), |mode| mode & MODE_PERMISSIONS);
    Ok((kind, permissions))
}

/// The MS-DOS half: the directory bit needs the slash; volume labels, devices and reparse points are no files.
fn check_dos_attributes(record: &CentralRecord, name: &str) -> Result<(), Refusal> {
    if record.attributes & DOS_SPECIAL != 0 {
        let detail =
            format!("attributes {:#010x} say volume label, device or reparse point", record.attributes);
        return Err(record.refuse(GateCode::SpecialFile, detail));
    }
    if record.attributes & DOS_DIRECTORY != 0 && !name.ends_with('/') {
        let detail = "its attributes say directory, its name has no final slash";
        return Err(record.refuse(GateCode::DirectoryMismatch, detail));
    }
    Ok(())
}

/// The Unix mode, where the host is one that has modes and recorded one. Most readers know no modes of macOS and assume the
/// usual ones, so that there it may record no others.
fn unix_mode(record: &CentralRecord) -> Result<Option<u32>, Refusal> {
    let mode = record.attributes >> 16;
    if mode == 0 {
        return Ok(None);
    }
    let usual = record.host == HOST_MACOS && MODES_ASSUMED.contains(&mode);
    if record.host != HOST_UNIX && !usual {
        let detail = format!(
            "mode {mode:#o} on an entry made on system {}, where readers disagree about modes",
            record.host
        );
        return Err(record.refuse(GateCode::ForeignMode, detail));
    }
    if mode & MODE_PRIVILEGES != 0 {
        let detail = format!("mode {mode:#o} has a setuid, setgid or sticky bit");
        return Err(record.refuse(GateCode::PrivilegedMode, detail));
    }
    Ok(Some(mode))
}

/// The kind, on which slash and mode must agree. Python writes modes without a type; then the slash decides.
fn kind(record: &CentralRecord, name: &str, mode: Option<u32>) -> Result<EntryKind, Refusal> {
    let slash = name.ends_with('/');
    let mode = mode.unwrap_or_default();
    match (mode & MODE_TYPE, slash) {
        (0 | MODE_DIRECTORY, true) => Ok(EntryKind::Directory),
        (0 | MODE_REGULAR, false) => Ok(EntryKind::File),
        (MODE_SYMLINK, false) => Ok(EntryKind::Symlink { target: String::new() }),
        (MODE_DIRECTORY, false) | (MODE_REGULAR | MODE_SYMLINK, true) => {
            let detail = format!(
                "mode {mode:#o}, and its name {} with a slash",
                if slash { "ends" } else { "does not end" }
            );
            Err(record.refuse(GateCode::DirectoryMismatch, detail))
        }
        (special, _) => {
            let detail =
                format!("mode {mode:#o} has type {special:#o}, which is no file, directory or symbolic link");
            Err(record.refuse(GateCode::SpecialFile, detail))
        }
    }
}

fn default_permissions(kind: &EntryKind) -> u32 {
    match kind {
        EntryKind::File => 0o644,
        EntryKind::Directory => 0o755,
        EntryKind::Symlink { .. } => 0o777,
    }
}

/// ASi's Unix extra field (4.6.8 lists it as third-party) holds mode and link target a second time, libarchive's the
/// attributes. Readers that know them believe them.
pub(super) fn check_extras(extras: &Extras<'_>, name: &[u8], offset: u64) -> Result<(), Refusal> {
    let second_places = [
        (ASI_UNIX, GateCode::AsiExtra, "an ASi Unix extra field states mode and link target a second time"),
        (
            LIBARCHIVE,
            GateCode::LibarchiveExtra,
            "an extra field of libarchive states mode and kind a second time",
        ),
    ];
    match second_places.into_iter().find(|(id, ..)| extras.find(*id).is_some()) {
        None => Ok(()),
        Some((_, code, detail)) => Err(Refusal::new(code, offset, detail).in_entry(name)),
    }
}

/// A link's target is read as it lies in the file, and is short.
fn check_link_body(
    record: &CentralRecord,
    method: Method,
    wide: &Wide,
    limits: &Limits,
) -> Result<(), Refusal> {
    if method != Method::Stored {
        return Err(record.refuse(GateCode::SymlinkCompressed, "the target of a symbolic link is compressed"));
    }
    if wide.size == 0 || wide.size > limits.symlink_target_size_max {
        let detail =
            format!("a target of {} bytes, the limit is {}", wide.size, limits.symlink_target_size_max);
        return Err(record.refuse(GateCode::SymlinkTargetInvalid, detail));
    }
    Ok(())
}

/// The target of the symbolic link `name`, if it stays inside the package.
///
/// Going up is allowed at the beginning alone: from there on names only lead down, whatever links they pass through,
/// because each of those stays inside by the same rule. `a/../..` through a link `a` would leave.
pub(super) fn check_target(name: &str, target: Vec<u8>) -> Result<String, (GateCode, String)> {
    let target = String::from_utf8(target)
        .map_err(|_| (GateCode::SymlinkTargetInvalid, "the target is not UTF-8".to_owned()))?;
    let invalid =
        |detail: &str| Err((GateCode::SymlinkTargetInvalid, format!("target {target:?}: {detail}")));
    if let Err((_, detail)) = names::check_characters(&target) {
        return invalid(&detail);
    }
    if target.starts_with('/') {
        return Err((GateCode::SymlinkEscapes, format!("target {target:?} is absolute")));
    }
    let components: Vec<&str> = target.strip_suffix('/').unwrap_or(&target).split('/').collect();
    let up = components
        .iter()
        .take_while(|component| matches!(**component, "." | ".."))
        .filter(|c| **c == "..")
        .count();
    let down = components.iter().skip_while(|component| matches!(**component, "." | ".."));
    if down.clone().any(|component| matches!(*component, "" | "..")) {
        return invalid("`..` behind a name, or an empty component");
    }
    let depth = name.matches('/').count();
    if up > depth {
        return Err((
            GateCode::SymlinkEscapes,
            format!("target {target:?} goes up {up} of {depth} directories"),
        ));
    }
    Ok(target)
}

const HOST_UNIX: u8 = 3;
/// What readers assume where they see no mode: of a file and of a directory, with and without its type.
const MODES_ASSUMED: [u32; 4] = [0o100_644, 0o644, 0o040_755, 0o755];

const DOS_DIRECTORY: u32 = 0x10;
/// Volume label, device, reparse point.
const DOS_SPECIAL: u32 = 0x08 | 0x40 | 0x400;

const MODE_TYPE: u32 = 0o170_000;
const MODE_REGULAR: u32 = 0o100_000;
const MODE_DIRECTORY: u32 = 0o040_000;
const MODE_SYMLINK: u32 = 0o120_000;
const MODE_PRIVILEGES: u32 = 0o7000;
const MODE_PERMISSIONS: u32 = 0o777;
