//! An entry as both of its headers agree on it.

/// One entry of an [`Archive`](super::Archive). Only the gate makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(crate) name: String,
    pub(crate) kind: EntryKind,
    pub(crate) permissions: u32,
    pub(crate) method: Method,
    pub(crate) flags: u16,
    pub(crate) modified: DosTime,
    pub(crate) crc32: u32,
    pub(crate) compressed_size: u64,
    pub(crate) size: u64,
    pub(crate) central_offset: u64,
    pub(crate) header_offset: u64,
    pub(crate) data_offset: u64,
}

/// What an entry becomes when it is extracted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory; its name ends with a slash.
    Directory,
    /// A symbolic link that stays inside the package.
    Symlink {
        /// The relative path it points to, as stored.
        target: String,
    },
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Not at all (method 0).
    Stored,
    /// RFC 1951 (method 8).
    Deflated,
}

/// MS-DOS date and time, as the headers hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DosTime {
    pub(crate) time: u16,
    pub(crate) date: u16,
}

impl Entry {
    /// The name: UTF-8 in form C, relative, with a final slash for a directory alone.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it becomes when extracted.
    pub fn kind(&self) -> &EntryKind {
        &self.kind
    }

    /// The lower nine bits of its Unix mode. Where none is recorded: 0o644 for files, 0o755 for directories.
    pub fn permissions(&self) -> u32 {
        self.permissions
    }

    /// How its body is compressed.
    pub fn method(&self) -> Method {
        self.method
    }

    /// CRC-32 of the uncompressed body.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// Bytes of the body in the file.
    pub fn compressed_size(&self) -> u64 {
        self.compressed_size
    }

    /// Bytes of the body when unpacked.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where its local header begins in the file.
    pub fn header_offset(&self) -> u64 {
        self.header_offset
    }

    /// Where its body begins in the file.
    pub fn data_offset(&self) -> u64 {
        self.data_offset
    }

    pub(crate) fn has_descriptor(&self) -> bool {
        self.flags & super::features::FLAG_DESCRIPTOR != 0
    }
}
