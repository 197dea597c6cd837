//! The package before the append, read out of the package after it.

use std::io;

use super::{AppendError, ends};
use crate::gate::{Archive, GateError, Layout};
use crate::source::ReadAt;

/// U as it lies in S: its entries and its central directory are ranges of S, its end records are made again.
#[derive(Debug)]
pub struct Recovered<'a, S: ?Sized> {
    signed: &'a S,
    archive: Archive,
    /// Where the central directory begins in S.
    directory_in_signed: u64,
    ends: Vec<u8>,
}

impl<'a, S: ReadAt + ?Sized> Recovered<'a, S> {
    /// `archive` describes the package before the append, `layout` is that of `signed`.
    pub(super) fn new(signed: &'a S, layout: Layout, archive: Archive) -> Result<Self, AppendError> {
        let ends = ends::to_bytes(archive.end_records());
        let recovered =
            Recovered { signed, archive, directory_in_signed: layout.central_directory_offset, ends };
        let same = recovered.archive.recheck_ends(&recovered).map_err(|error| match error {
            GateError::Io(error) => AppendError::Io(error),
            GateError::Refused(refusal) => AppendError::Refused(refusal),
        })?;
        if !same {
            let offset = layout.end_record_offset;
            return Err(AppendError::NotAppended { place: "the end record", offset });
        }
        Ok(recovered)
    }

    /// The gate's proof for these bytes, as parsing them would give.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The part that holds `offset`, as bytes from `offset` to its end: (where to read in S, bytes) or the end records.
    fn part(&self, offset: u64) -> Part<'_> {
        let Layout { central_directory_offset: directory, central_directory_size: size, .. } =
            self.archive.layout();
        if offset < directory {
            return Part::Signed { at: offset, size: directory - offset };
        }
        let into_directory = offset - directory;
        if into_directory < size {
            return Part::Signed {
                at: self.directory_in_signed + into_directory,
                size: size - into_directory,
            };
        }
        let into_ends = usize::try_from(into_directory - size).unwrap_or(usize::MAX);
        Part::Ends(self.ends.get(into_ends..).unwrap_or_default())
    }
}

enum Part<'a> {
    Signed { at: u64, size: u64 },
    Ends(&'a [u8]),
}

impl<S: ReadAt + ?Sized> ReadAt for Recovered<'_, S> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.archive.layout().size)
    }

    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
        while !buf.is_empty() {
            let read = match self.part(offset) {
                Part::Signed { at, size } => {
                    let size = usize::try_from(size).map_or(buf.len(), |size| size.min(buf.len()));
                    self.signed.read_exact_at(at, &mut buf[..size])?;
                    size
                }
                Part::Ends([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Part::Ends(bytes) => {
                    let size = bytes.len().min(buf.len());
                    buf[..size].copy_from_slice(&bytes[..size]);
                    size
                }
            };
            buf = &mut buf[read..];
            offset += read as u64;
        }
        Ok(())
    }
}
