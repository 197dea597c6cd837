//! Rule 7: a name is the same path for every reader and on every file system (4.4.17).

use caseless::Caseless;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::GateCode;
use super::entry::{Entry, EntryKind};
use super::extra::{Extras, UNICODE_PATH};
use super::features::FLAG_UTF8;
use super::record::{CentralRecord, Fields};
use super::refusal::Refusal;
use crate::limits::Limits;

type Defect = (GateCode, String);

/// The name of `record` as text, if it is acceptable by itself.
pub(super) fn check(record: &CentralRecord, limits: &Limits) -> Result<String, Refusal> {
    let name = decode(&record.name, record.flags & FLAG_UTF8 != 0, limits);
    let checked = name.and_then(|name| check_text(name, limits).map(|()| name.to_owned()));
    checked.map_err(|(code, detail)| record.refuse(code, detail))
}

fn decode<'a>(bytes: &'a [u8], marked_utf8: bool, limits: &Limits) -> Result<&'a str, Defect> {
    if bytes.is_empty() {
        return Err((GateCode::NameEmpty, "the name is empty".to_owned()));
    }
    if bytes.len() > limits.name_size_max {
        let detail = format!("the name has {} bytes, the limit is {}", bytes.len(), limits.name_size_max);
        return Err((GateCode::NameTooLong, detail));
    }
    let name = str::from_utf8(bytes).map_err(|error| (GateCode::NameNotUtf8, error.to_string()))?;
    if !name.is_ascii() && !marked_utf8 {
        let detail = "the name is UTF-8 beyond ASCII, and flag bit 11 does not say so";
        return Err((GateCode::NameFlagMissing, detail.to_owned()));
    }
    Ok(name)
}

/// A name for a header without flags: what [`check`] accepts, in ASCII.
pub(super) fn check_new(name: &str, limits: &Limits) -> Result<(), Defect> {
    decode(name.as_bytes(), false, limits).and_then(|name| check_text(name, limits))
}

/// The rules for a path, with or without the final slash of a directory.
fn check_text(name: &str, limits: &Limits) -> Result<(), Defect> {
    check_characters(name)?;
    if !name.is_ascii() && !is_nfc(name) {
        return Err((GateCode::NameNotNfc, "the name is not in Unicode normalization form C".to_owned()));
    }
    if name.starts_with('/') {
        return Err((GateCode::NameAbsolute, "the name begins with a slash".to_owned()));
    }
    let path = name.strip_suffix('/').unwrap_or(name);
    path.split('/').try_for_each(|component| check_component(component, limits))?;
    if path == name && has_version(name) {
        let detail = "it ends like a file version of VMS, which a reader cuts off";
        return Err((GateCode::NameForbiddenCharacter, detail.to_owned()));
    }
    Ok(())
}

/// Whether `name` ends with a semicolon and a number: `a.py;1` is `a.py` for Info-ZIP's unzip.
fn has_version(name: &str) -> bool {
    name.trim_end_matches(|character: char| character.is_ascii_digit()).ends_with(';')
}

/// Characters that are invisible, undefined, or separators for some reader.
pub(super) fn check_characters(text: &str) -> Result<(), Defect> {
    for character in text.chars() {
        if matches!(character, '\\' | ':') {
            return Err((GateCode::NameForbiddenCharacter, format!("the character {character:?}")));
        }
        if !matches!(character, ' '..='~') && is_unprintable(character) {
            return Err((GateCode::NameControlCharacter, format!("the character {character:?}")));
        }
    }
    Ok(())
}

fn is_unprintable(character: char) -> bool {
    use GeneralCategory as Category;
    matches!(
        character.general_category(),
        Category::Control
            | Category::Format
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::PrivateUse
            | Category::Surrogate
            | Category::Unassigned
    )
}

fn check_component(component: &str, limits: &Limits) -> Result<(), Defect> {
    if matches!(component, "" | "." | "..") {
        return Err((GateCode::NameTraversal, format!("the path component {component:?}")));
    }
    if component.len() > limits.component_size_max {
        let detail =
            format!("a component has {} bytes, the limit is {}", component.len(), limits.component_size_max);
        return Err((GateCode::NameComponentTooLong, detail));
    }
    if component.ends_with(['.', ' ']) {
        let detail = format!("the component {component:?} ends with a dot or a space");
        return Err((GateCode::NameTrailingDotOrSpace, detail));
    }
    if is_windows_device(component) {
        return Err((GateCode::NameWindowsDevice, format!("{component:?} is a device on Windows")));
    }
    Ok(())
}

/// Whether Windows opens a device instead of a file of this name; an extension changes nothing.
fn is_windows_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default().trim_end();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
    {
        return true;
    }
    let Some((port, number)) = stem.split_at_checked(3) else { return false };
    ["COM", "LPT"].iter().any(|device| port.eq_ignore_ascii_case(device))
        && matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
}

/// Info-ZIP's Unicode Path extra field (4.6.9) renames an entry for the readers that know it; here it may only repeat
/// the name.
pub(super) fn check_unicode_path(extras: &Extras<'_>, name: &[u8], offset: u64) -> Result<(), Refusal> {
    let Some(data) = extras.find(UNICODE_PATH) else { return Ok(()) };
    let mut fields = Fields(data);
    let repeats = fields.u8() == Some(1) && fields.u32() == Some(crc32fast::hash(name)) && fields.0 == name;
    if repeats {
        return Ok(());
    }
    let detail = "the Unicode Path extra field holds another name, version or checksum";
    Err(Refusal::new(GateCode::UnicodePathMismatch, offset, detail).in_entry(name))
}

/// No two entries are one file on any file system, and only directories have entries below them.
pub(super) fn check_tree<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<(), Refusal> {
    let mut paths: Vec<(String, &Entry)> = entries.map(|entry| (folded(&entry.name), entry)).collect();
    paths.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for ((path, entry), (next_path, next)) in paths.iter().zip(paths.iter().skip(1)) {
        check_neighbours(path, entry, next_path, next)?;
    }
    Ok(())
}

/// In the order of [`folded`], equal paths are neighbours, and so are a path and the first one below it.
fn check_neighbours(path: &str, entry: &Entry, next_path: &str, next: &Entry) -> Result<(), Refusal> {
    let refuse =
        |code, detail| Err(Refusal::new(code, next.central_offset, detail).in_entry(next.name.as_bytes()));
    let Some(below) = next_path.strip_prefix(path) else { return Ok(()) };
    if below.is_empty() {
        return refuse(GateCode::DuplicateName, format!("{:?} is the same path", entry.name));
    }
    if below.starts_with(SEPARATOR) && entry.kind != EntryKind::Directory {
        return refuse(
            GateCode::FileIsParent,
            format!("{:?} is above it and is not a directory", entry.name),
        );
    }
    Ok(())
}

/// The path without regard to case, form or final slash. The separator becomes the least character, so that sorting
/// puts what lies below a path directly behind it.
fn folded(name: &str) -> String {
    let path = name.strip_suffix('/').unwrap_or(name);
    if path.is_ascii() {
        return path.to_ascii_lowercase().replace('/', SEPARATOR);
    }
    let folded: String = path.nfd().default_case_fold().flat_map(char::to_lowercase).nfc().collect();
    folded.replace('/', SEPARATOR)
}

const SEPARATOR: &str = "\0";
