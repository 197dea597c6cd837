//! What a package may ask of the machine that reads it. Every count the gate reads from a package is held against
//! one of these before anything is allocated for it.

/// What a signature adds to a package at most, in bytes: its body (FORMAT.md section 3.4) and the records around it.
pub const SIGNATURE_SIZE_MAX_BYTES: u64 = 1024 * 1024 + 64 * 1024;

/// The gate's limits. [`Limits::default`] is strict: what AWS Lambda accepts, and never more than a worker can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries in an archive. Stops a directory of millions of records from filling memory (claimed-count attacks,
    /// CVE-2021-33196).
    pub entries_max: u64,
    /// Bytes of an entry's name. Stops names that a reader cuts off, and so reads as another name.
    pub name_size_max: usize,
    /// Bytes of one path component. No common file system can hold a longer one.
    pub component_size_max: usize,
    /// Bytes of the central directory. Bounds the memory of the parse together with [`Limits::entries_max`].
    pub central_directory_size_max: u64,
    /// Bytes of an extra field. Stops payloads hidden beside an entry.
    pub extra_size_max: usize,
    /// Bytes of a comment, the archive's or an entry's. The format itself ends at 65,535.
    pub comment_size_max: usize,
    /// Bytes of all entries together when unpacked; the sum of the declared sizes is refused before the first byte is
    /// inflated. Stops zip bombs. The default is AWS Lambda's own limit.
    pub unpacked_size_max: u64,
    /// Times its compressed size that a deflated body may unpack to, for each entry; what claims more is refused before the first
    /// byte is inflated. Stops zip bombs that stay below [`Limits::unpacked_size_max`] one by one. The default is what deflate can
    /// reach at all (258 bytes from two bits), so that it refuses lies alone; a lower one refuses very regular content too.
    pub ratio_max: u64,
    /// Bytes that a compressed body may have beyond 9/8 of its unpacked size. Stops streams of empty deflate blocks,
    /// which cost time and yield nothing.
    pub deflate_overhead_max: u64,
    /// Bytes of a symbolic link's target (`PATH_MAX` on Linux). Stops a link from being used as a payload.
    pub symlink_target_size_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            entries_max: 262_144,
            name_size_max: 1024,
            component_size_max: 255,
            central_directory_size_max: 64 * 1024 * 1024,
            extra_size_max: 8 * 1024,
            comment_size_max: 65_535,
            unpacked_size_max: 262_144_000,
            ratio_max: 1032,
            deflate_overhead_max: 1024,
            symlink_target_size_max: 4095,
        }
    }
}

impl Limits {
    /// The limits that are looser than the default, each with its name and both values: what has to be told wherever a package
    /// was accepted under them.
    pub fn loosened(&self) -> Vec<String> {
        let Self {
            entries_max,
            name_size_max,
            component_size_max,
            central_directory_size_max,
            extra_size_max,
            comment_size_max,
            unpacked_size_max,
            ratio_max,
            deflate_overhead_max,
            symlink_target_size_max,
        } = self;
        let strict = Self::default();
        let pairs = [
            ("entries_max", *entries_max, strict.entries_max),
            ("name_size_max", *name_size_max as u64, strict.name_size_max as u64),
            ("component_size_max", *component_size_max as u64, strict.component_size_max as u64),
            ("central_directory_size_max", *central_directory_size_max, strict.central_directory_size_max),
            ("extra_size_max", *extra_size_max as u64, strict.extra_size_max as u64),
            ("comment_size_max", *comment_size_max as u64, strict.comment_size_max as u64),
            ("unpacked_size_max", *unpacked_size_max, strict.unpacked_size_max),
            ("ratio_max", *ratio_max, strict.ratio_max),
            ("deflate_overhead_max", *deflate_overhead_max, strict.deflate_overhead_max),
            ("symlink_target_size_max", *symlink_target_size_max, strict.symlink_target_size_max),
        ];
        let looser = pairs.into_iter().filter(|(_, value, strict)| value > strict);
        looser.map(|(name, value, strict)| format!("{name} {value} instead of {strict}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looser_is_named_and_what_is_stricter_is_not() {
        assert!(Limits::default().loosened().is_empty());
        let limits = Limits { entries_max: 1, unpacked_size_max: 262_144_001, ..Limits::default() };
        assert_eq!(limits.loosened(), ["unpacked_size_max 262144001 instead of 262144000"]);
    }
}
