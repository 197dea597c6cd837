//! The stable codes of the gate, in the order of its rules.

use std::fmt;

/// Each row: what is wrong, the variant, its code.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// The rule that a package broke. The text of a code never changes; a new rule gets a new one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum GateCode { $($(#[$doc])* $variant,)* }

        impl GateCode {
            /// Every code, in the order of the rules.
            pub const ALL: &'static [GateCode] = &[$(GateCode::$variant,)*];

            /// The code as programs see it: `snake_case`, stable over releases.
            pub const fn as_str(self) -> &'static str {
                match self { $(GateCode::$variant => $code,)* }
            }
        }
    };
}

codes! {
    // Rule 1: layout
    /// Nothing in the file looks like a zip.
    NotAZip = "not_a_zip",
    /// The file does not begin with its first entry.
    PrefixData = "prefix_data",
    /// The central directory lists the entries in another order than they lie in the file.
    EntriesOutOfOrder = "entries_out_of_order",
    /// Bytes between two entries that belong to neither.
    GapBetweenEntries = "gap_between_entries",
    /// An entry begins before the one in front of it ends, or two records point at one entry.
    OverlappingEntries = "overlapping_entries",
    /// Bytes between the last entry and the central directory.
    GapBeforeCentralDirectory = "gap_before_central_directory",
    /// An entry runs into the central directory.
    EntryOverlapsCentralDirectory = "entry_overlaps_central_directory",
    /// The central directory does not end where the record behind it begins.
    CentralDirectoryMisplaced = "central_directory_misplaced",

    // Rule 2: end record
    /// The file begins as a zip and has no end record: it was cut off.
    EndRecordMissing = "end_record_missing",
    /// Bytes behind the archive comment.
    TrailingData = "trailing_data",
    /// The archive comment is longer than the file.
    CommentTruncated = "comment_truncated",
    /// A comment holds the signature of a zip record.
    RecordInComment = "record_in_comment",
    /// A comment is longer than the limit, or moves the end record to where a reader does not find it.
    CommentTooLong = "comment_too_long",

    // Rule 3: counts
    /// The archive claims to be part of a set of disks.
    MultiDisk = "multi_disk",
    /// The archive has no entry.
    EmptyArchive = "empty_archive",
    /// The counts of entries disagree with each other or with the central directory.
    EntryCountMismatch = "entry_count_mismatch",
    /// The records of the central directory do not fill its declared size.
    CentralDirectorySizeMismatch = "central_directory_size_mismatch",
    /// A record of the central directory is not one.
    CentralRecordInvalid = "central_record_invalid",
    /// More entries than the limit.
    TooManyEntries = "too_many_entries",
    /// A larger central directory than the limit.
    CentralDirectoryTooLarge = "central_directory_too_large",

    // Rule 4: zip64 and extra fields
    /// A 32-bit field says "see zip64", and there is no zip64 field.
    Zip64Missing = "zip64_missing",
    /// A zip64 end record or locator that is incomplete, extended or in the wrong place.
    Zip64RecordInvalid = "zip64_record_invalid",
    /// A field of the end record and its zip64 twin disagree.
    Zip64Contradiction = "zip64_contradiction",
    /// The zip64 extra field holds other fields than those that point to it.
    Zip64ExtraMismatch = "zip64_extra_mismatch",
    /// Extra fields that do not add up to their declared length.
    ExtraMalformed = "extra_malformed",
    /// One kind of extra field, twice.
    DuplicateExtra = "duplicate_extra",
    /// An extra field longer than the limit.
    ExtraTooLong = "extra_too_long",

    // Rule 5: local headers and data descriptors
    /// No local header where the central directory says one is.
    LocalHeaderMissing = "local_header_missing",
    /// The two headers of an entry name it differently.
    NameMismatch = "cd_lfh_name_mismatch",
    /// The two headers of an entry have other flags.
    FlagsMismatch = "cd_lfh_flags_mismatch",
    /// The two headers of an entry have other methods.
    MethodMismatch = "cd_lfh_method_mismatch",
    /// The two headers of an entry have other times.
    TimeMismatch = "cd_lfh_time_mismatch",
    /// The two headers of an entry have other checksums.
    CrcFieldMismatch = "cd_lfh_crc_mismatch",
    /// The two headers of an entry have other sizes.
    SizeFieldMismatch = "cd_lfh_size_mismatch",
    /// No data descriptor, or one without signature, behind an entry that announces one.
    DescriptorMissing = "descriptor_missing",
    /// The data descriptor and the central directory disagree.
    DescriptorMismatch = "descriptor_mismatch",
    /// A data descriptor behind stored data: a reader that streams cannot know where the data ends.
    DescriptorOnStoredData = "descriptor_on_stored_data",
    /// The checksum in a data descriptor equals the descriptor's own signature.
    DescriptorAmbiguous = "descriptor_ambiguous",

    // Rule 6: features
    /// An encrypted entry.
    Encrypted = "encrypted",
    /// A flag outside compression options, data descriptor and UTF-8.
    UnsupportedFlags = "unsupported_flags",
    /// A method other than stored and deflated.
    UnsupportedMethod = "unsupported_method",
    /// An entry that needs another version of the format than 1.0, 1.1, 2.0 or 4.5.
    UnsupportedVersion = "unsupported_version",
    /// An entry made on a system whose attributes have no agreed meaning.
    UnsupportedHost = "unsupported_host",
    /// Internal attributes other than "seems to be text".
    UnsupportedAttributes = "unsupported_attributes",

    // Rule 7: names
    /// An entry without a name.
    NameEmpty = "name_empty",
    /// A longer name than the limit.
    NameTooLong = "name_too_long",
    /// A longer path component than the limit.
    NameComponentTooLong = "name_component_too_long",
    /// A name that is not UTF-8.
    NameNotUtf8 = "name_not_utf8",
    /// A name beyond ASCII without the flag that says it is UTF-8.
    NameFlagMissing = "name_flag_missing",
    /// A name that is not in Unicode normalization form C.
    NameNotNfc = "name_not_nfc",
    /// A control, format, private-use or unassigned character in a name.
    NameControlCharacter = "name_control_character",
    /// A backslash or colon in a name: a separator for some readers.
    NameForbiddenCharacter = "name_forbidden_character",
    /// A name that begins with a slash.
    NameAbsolute = "name_absolute",
    /// An empty, `.` or `..` component.
    NameTraversal = "name_traversal",
    /// A component that ends with a dot or a space, which Windows drops.
    NameTrailingDotOrSpace = "name_trailing_dot_or_space",
    /// A component that is a device on Windows.
    NameWindowsDevice = "name_windows_device",
    /// A Unicode Path extra field that is not the name itself.
    UnicodePathMismatch = "unicode_path_mismatch",
    /// Two entries with one name, also where only case or a final slash tells them apart.
    DuplicateName = "duplicate_name",
    /// An entry below another that is not a directory.
    FileIsParent = "file_is_parent",

    // Rule 8: kinds
    /// Name, mode and attributes disagree whether the entry is a directory.
    DirectoryMismatch = "directory_mismatch",
    /// A directory with content.
    DirectoryWithData = "directory_with_data",
    /// A device, pipe, socket, volume label or reparse point.
    SpecialFile = "special_file",
    /// A mode with setuid, setgid or sticky bit.
    PrivilegedMode = "privileged_mode",
    /// A Unix mode on an entry made elsewhere.
    ForeignMode = "foreign_mode",
    /// An ASi Unix extra field, a second place for mode and link target.
    AsiExtra = "asi_extra",
    /// An extra field of libarchive, a second place for mode and kind.
    LibarchiveExtra = "libarchive_extra",
    /// A compressed symbolic link.
    SymlinkCompressed = "symlink_compressed",
    /// A symbolic link's target that is no plain relative path.
    SymlinkTargetInvalid = "symlink_target_invalid",
    /// A symbolic link that leaves the package.
    SymlinkEscapes = "symlink_escapes",

    // Rule 9: payload
    /// The entries unpack to more than the limit.
    UnpackedSizeExceeded = "unpacked_size_exceeded",
    /// A body that claims to unpack to more times its compressed size than the limit.
    RatioExceeded = "ratio_exceeded",
    /// A compressed body far larger than what it unpacks to.
    CompressedSizeExcessive = "compressed_size_excessive",
    /// A stored body whose two sizes disagree.
    StoredSizeMismatch = "stored_size_mismatch",
    /// Bytes that are no deflate stream.
    DeflateInvalid = "deflate_invalid",
    /// A deflate stream that ends before or behind its declared compressed size.
    CompressedSizeMismatch = "compressed_size_mismatch",
    /// A body that unpacks to another size than declared.
    UnpackedSizeMismatch = "unpacked_size_mismatch",
    /// A body with another checksum than declared.
    CrcMismatch = "crc_mismatch",
}

impl fmt::Display for GateCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl GateCode {
    /// How to make a package that passes, for codes that honest tools run into.
    pub fn hint(self) -> Option<&'static str> {
        HINTS.iter().find(|(code, _)| *code == self).map(|(_, hint)| *hint)
    }
}

const HINTS: &[(GateCode, &str)] = &[
    (
        GateCode::PrefixData,
        "a self-extracting or executable zip cannot be signed: sign the zip without its stub",
    ),
    (GateCode::EmptyArchive, "add at least one file"),
    (GateCode::EndRecordMissing, "the upload or download was cut off: transfer the package again"),
    (GateCode::TrailingData, "bsdtar pads what it writes to a pipe: let it write to a file"),
    (GateCode::CommentTruncated, "the upload or download was cut off: transfer the package again"),
    (GateCode::Zip64Missing, "zip -fz writes such files to a pipe: let it write to a file, or leave -fz out"),
    (GateCode::Zip64ExtraMismatch, "Bazel writes such fields: repack with zip, 7z or python3 -m zipfile -c"),
    (GateCode::DuplicateExtra, "padding for alignment is no extra field: repack without zipalign"),
    (GateCode::ExtraMalformed, "padding for alignment is no extra field: repack without zipalign"),
    (
        GateCode::DescriptorMissing,
        "repack with a tool that writes the descriptor's signature, or to a seekable file",
    ),
    (
        GateCode::DescriptorOnStoredData,
        "repack with compression, or with zip or 7z into a file; bsdtar and pipes need compression",
    ),
    (GateCode::UnsupportedMethod, "repack with deflate (zip -Z deflate, 7z -mm=Deflate)"),
    (
        GateCode::NameFlagMissing,
        "Info-ZIP writes such names: repack with python3 -m zipfile -c, 7z, bsdtar or jar",
    ),
    (GateCode::NameNotUtf8, "repack with python3 -m zipfile -c, 7z, bsdtar or jar, which write UTF-8 names"),
    (GateCode::NameNotNfc, "macOS writes decomposed names: rename the file or repack on Linux"),
    (GateCode::NameForbiddenCharacter, "repack with a tool that writes forward slashes"),
    (GateCode::NameTraversal, "repack from inside the folder, without ./ or ../ in the paths"),
    (
        GateCode::SpecialFile,
        "zip reads from a pipe as a special file: write the content to a file, then pack that",
    ),
    (GateCode::ForeignMode, "Python on Windows writes such modes: repack with 7z, or on Linux or macOS"),
    (GateCode::LibarchiveExtra, "repack without bsdtar's option zip:experimental"),
    (GateCode::SymlinkCompressed, "store symbolic links (zip -y), or pack the files they point to"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let codes: HashSet<&str> = GateCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), GateCode::ALL.len());
        let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(codes.iter().all(|code| code.chars().all(snake)));
    }
}
