//! Random access to a package: the gate, the append and the digests read through [`ReadAt`] alone, so that none
//! of them needs the whole package in memory.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that can be read at any position and do not change while they are read.
///
/// An implementation needs no cursor and no interior state; two readers of one source never disturb each other.
#[expect(clippy::len_without_is_empty, reason = "an empty package is refused by the gate, not asked for")]
pub trait ReadAt {
    /// The length in bytes.
    ///
    /// # Errors
    /// What the medium answers.
    fn len(&self) -> io::Result<u64>;

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] where the source ends before `buf` is full; else what the medium answers.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        FileExt::read_exact_at(self, buf, offset)
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> io::Result<u64> {
        u64::try_from(<[u8]>::len(self)).map_err(io::Error::other)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| past_end())?;
        let end = start.checked_add(buf.len()).ok_or_else(past_end)?;
        buf.copy_from_slice(self.get(start..end).ok_or_else(past_end)?);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> io::Result<u64> {
        ReadAt::len(self.as_slice())
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_exact_at(offset, buf)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        (**self).read_exact_at(offset, buf)
    }
}

/// One range of a source as a stream. It reads exactly what its caller's buffer holds, so hand it buffers of
/// [`BLOCK_SIZE`] or more.
#[derive(Debug)]
pub struct Section<'a, S: ?Sized> {
    source: &'a S,
    next: u64,
    remaining: u64,
}

impl<'a, S: ReadAt + ?Sized> Section<'a, S> {
    /// The `size` bytes of `source` from `offset` on. A range past the end shows when it is read.
    pub fn new(source: &'a S, offset: u64, size: u64) -> Self {
        Section { source, next: offset, remaining: size }
    }

    /// The whole of `source`.
    ///
    /// # Errors
    /// What [`ReadAt::len`] answers.
    pub fn whole(source: &'a S) -> io::Result<Self> {
        Ok(Section { source, next: 0, remaining: source.len()? })
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }
}

impl<S: ReadAt + ?Sized> Read for Section<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = usize::try_from(self.remaining).map_or(buf.len(), |remaining| remaining.min(buf.len()));
        let Some(buf) = buf.get_mut(..size).filter(|buf| !buf.is_empty()) else { return Ok(0) };
        self.source.read_exact_at(self.next, buf)?;
        let read = u64::try_from(size).map_err(io::Error::other)?;
        self.next = self.next.checked_add(read).ok_or_else(past_end)?;
        self.remaining -= read;
        Ok(size)
    }
}

fn past_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "read past the end of the package")
}

/// Bytes of one sequential read: large enough that a system call costs nothing beside the hash of what it brought.
pub const BLOCK_SIZE: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn file_and_slice_read_the_same() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut from_file = [0; 4];
        let mut from_slice = [0; 4];
        ReadAt::read_exact_at(&file, 3, &mut from_file).unwrap();
        b"0123456789".as_slice().read_exact_at(3, &mut from_slice).unwrap();
        assert_eq!((&from_file, ReadAt::len(&file).unwrap()), (b"3456", 10));
        assert_eq!(from_file, from_slice);
    }

    #[test]
    fn reading_past_the_end_is_an_error_and_never_a_panic() {
        for offset in [9, 10, 11, u64::MAX] {
            let error = b"0123456789".as_slice().read_exact_at(offset, &mut [0; 2]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn a_section_gives_its_range_and_stops() {
        let mut text = String::new();
        Section::new(b"0123456789".as_slice(), 2, 5).read_to_string(&mut text).unwrap();
        assert_eq!(text, "23456");
        assert!(Section::new(b"01".as_slice(), 1, 2).read_to_string(&mut text).is_err());
    }
}
