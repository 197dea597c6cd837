//! `[gate]`: what a package may ask of the machine that reads it.

use super::section::Section;

/// Limits of the gate that may be changed. Whatever is accepted under looser ones than the default says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateConfig {
    /// The most entries of an archive.
    pub entries_max: u64,
    /// The longest name of an entry, in bytes.
    pub name_size_max_bytes: u64,
    /// The largest central directory, in bytes: about what memory an archive may take.
    pub central_directory_size_max_bytes: u64,
    /// How many times its compressed size an entry may unpack to; 1032, which deflate cannot exceed, at most.
    pub ratio_max: u64,
}

pub(super) fn read(mut section: Section<'_>) -> GateConfig {
    let config = GateConfig {
        entries_max: section.number("entries_max", 262_144, 1, 4_194_304),
        name_size_max_bytes: section.number("name_size_max_bytes", 1024, 1, 65_535),
        central_directory_size_max_bytes: section.number(
            "central_directory_size_max_bytes",
            64 * MIB,
            1,
            1024 * MIB,
        ),
        ratio_max: section.number("ratio_max", 1032, 1, 1032),
    };
    section.finish();
    config
}

const MIB: u64 = 1024 * 1024;
