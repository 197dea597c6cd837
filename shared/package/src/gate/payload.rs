//! Rule 9: every body is what its header declares, to the byte, and nobody has to hold it in memory to know.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::GateCode;
use super::entry::{Entry, EntryKind, Method};
use super::kinds;
use super::refusal::{GateError, Refusal};
use super::zip64::Wide;
use crate::limits::Limits;
use crate::source::{BLOCK_SIZE, ReadAt, Section};

/// The declared sizes of one entry are possible.
pub(super) fn check_sizes(method: Method, wide: &Wide, limits: &Limits) -> Result<(), (GateCode, String)> {
    let Wide { size, compressed_size, .. } = *wide;
    if method == Method::Stored && size != compressed_size {
        let detail = format!("a stored body with {compressed_size} bytes in the file and {size} unpacked");
        return Err((GateCode::StoredSizeMismatch, detail));
    }
    let compressed_size_max = size.saturating_add(size / 8).saturating_add(limits.deflate_overhead_max);
    if compressed_size > compressed_size_max {
        let detail = format!(
            "{compressed_size} compressed bytes for a body of {size}, the limit is {compressed_size_max}"
        );
        return Err((GateCode::CompressedSizeExcessive, detail));
    }
    Ok(())
}

/// The entries together stay below the limit, before any of them is unpacked.
pub(super) fn check_total<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    limits: &Limits,
) -> Result<(), Refusal> {
    let mut total: u64 = 0;
    for entry in entries {
        total = total.saturating_add(entry.size);
        if total > limits.unpacked_size_max {
            let detail =
                format!("{total} bytes unpacked up to this entry, the limit is {}", limits.unpacked_size_max);
            return Err(refuse(entry, GateCode::UnpackedSizeExceeded, detail));
        }
    }
    Ok(())
}

/// No deflated body claims to grow beyond the limit, before any of them is unpacked.
pub(super) fn check_ratios(entries: &[Entry], limits: &Limits) -> Result<(), Refusal> {
    // Of nothing at all nothing is inflated: the stream is missing, and that is said.
    let deflated =
        entries.iter().filter(|entry| entry.method == Method::Deflated && entry.compressed_size > 0);
    for entry in deflated {
        if entry.size > entry.compressed_size.saturating_mul(limits.ratio_max) {
            let detail = format!(
                "{} bytes unpacked from {}, the limit is {} times as many",
                entry.size, entry.compressed_size, limits.ratio_max
            );
            return Err(refuse(entry, GateCode::RatioExceeded, detail));
        }
    }
    Ok(())
}

/// Reads every body to its end, and keeps the targets of symbolic links.
pub(super) fn check_bodies<S: ReadAt + ?Sized>(source: &S, entries: &mut [Entry]) -> Result<(), GateError> {
    let mut block = vec![0; BLOCK_SIZE];
    let mut inflater = None;
    for entry in entries {
        let mut body = Body::new(source, entry, inflater.take());
        if let EntryKind::Symlink { target } = &mut entry.kind {
            *target = read_target(&mut body)?;
        } else {
            while body.next(&mut block)? > 0 {}
        }
        inflater = body.inflater;
    }
    Ok(())
}

/// The body of a symbolic link, whose size `kinds::check` has bounded.
fn read_target<S: ReadAt + ?Sized>(body: &mut Body<'_, S>) -> Result<String, GateError> {
    let mut target = Vec::new();
    let mut block = [0; 512];
    loop {
        let size = body.next(&mut block)?;
        if size == 0 {
            let checked = kinds::check_target(&body.entry.name, target);
            return Ok(checked.map_err(|(code, detail)| refuse(&body.entry, code, detail))?);
        }
        target.extend_from_slice(block.get(..size).unwrap_or_default());
    }
}

/// The uncompressed body of an entry. The last of its bytes are given only when all of it is what was declared.
pub(super) struct Body<'a, S: ?Sized> {
    entry: Entry,
    compressed: Section<'a, S>,
    /// None for a stored body.
    inflater: Option<Inflater>,
    checksum: crc32fast::Hasher,
    size: u64,
    complete: bool,
}

impl<'a, S: ReadAt + ?Sized> Body<'a, S> {
    /// The body of `entry`; `inflater` may be one of an earlier body, to save its memory from being made again.
    pub(super) fn new(source: &'a S, entry: &Entry, inflater: Option<Inflater>) -> Self {
        let inflater = match entry.method {
            Method::Stored => inflater,
            Method::Deflated => Some(inflater.map_or_else(Inflater::new, Inflater::again)),
        };
        let compressed = Section::new(source, entry.data_offset, entry.compressed_size);
        let checksum = crc32fast::Hasher::new();
        Body { entry: entry.clone(), compressed, inflater, checksum, size: 0, complete: false }
    }

    /// The next bytes of the body; 0 at its end alone, as long as `out` is not empty.
    pub(super) fn next(&mut self, out: &mut [u8]) -> Result<usize, GateError> {
        if self.complete || out.is_empty() {
            return Ok(0);
        }
        let read = self.unpack(out)?;
        self.checksum.update(out.get(..read).unwrap_or_default());
        self.size = self.size.saturating_add(read as u64);
        if self.size >= self.entry.size || read == 0 {
            self.finish()?;
            self.complete = true;
        }
        Ok(read)
    }

    fn unpack(&mut self, out: &mut [u8]) -> Result<usize, GateError> {
        match (self.entry.method, &mut self.inflater) {
            (Method::Deflated, Some(inflater)) => inflater
                .inflate(&mut self.compressed, out)?
                .map_err(|(code, detail)| refuse(&self.entry, code, detail).into()),
            (Method::Stored, _) | (Method::Deflated, None) => Ok(self.compressed.read(out)?),
        }
    }

    /// All of the body was seen: nothing is left over on either side, and it is what was declared.
    fn finish(&mut self) -> Result<(), GateError> {
        let excess = self.unpack(&mut [0])? as u64;
        let refuse = |code, detail| Err(refuse(&self.entry, code, detail).into());
        if self.size != self.entry.size || excess > 0 {
            let found = self.size.saturating_add(excess);
            let detail =
                format!("the body unpacks to {found} bytes or more, {} are declared", self.entry.size);
            return refuse(GateCode::UnpackedSizeMismatch, detail);
        }
        let left = self.compressed.remaining() + self.inflater.as_ref().map_or(0, Inflater::left);
        if left > 0 {
            let declared = self.entry.compressed_size;
            let detail = format!("the body ends {left} bytes before its compressed size of {declared}");
            return refuse(GateCode::CompressedSizeMismatch, detail);
        }
        let (found, declared) = (self.checksum.clone().finalize(), self.entry.crc32);
        if found != declared {
            let detail = format!("the body has checksum {found:#010x}, {declared:#010x} is declared");
            return refuse(GateCode::CrcMismatch, detail);
        }
        Ok(())
    }
}

impl<S: ReadAt + ?Sized> Read for Body<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.next(buf).map_err(|error| match error {
            GateError::Io(error) => error,
            GateError::Refused(refusal) => io::Error::new(io::ErrorKind::InvalidData, refusal),
        })
    }
}

/// A deflate stream (RFC 1951) in bounded memory.
pub(super) struct Inflater {
    state: Decompress,
    input: Vec<u8>,
    consumed: usize,
    ended: bool,
}

impl Inflater {
    fn new() -> Self {
        Inflater { state: Decompress::new(false), input: Vec::new(), consumed: 0, ended: false }
    }

    fn again(mut self) -> Self {
        self.state.reset(false);
        self.input.clear();
        (self.consumed, self.ended) = (0, false);
        self
    }

    /// Bytes read and not consumed.
    fn left(&self) -> u64 {
        (self.input.len() - self.consumed) as u64
    }

    /// Inflates into `out` until there is something in it or the stream ends, then 0.
    fn inflate(
        &mut self,
        compressed: &mut impl Read,
        out: &mut [u8],
    ) -> io::Result<Result<usize, (GateCode, String)>> {
        while !self.ended {
            let refilled = self.left() == 0 && self.refill(compressed)? > 0;
            let (read_before, written_before) = (self.state.total_in(), self.state.total_out());
            let input = self.input.get(self.consumed..).unwrap_or_default();
            let status = match self.state.decompress(input, out, FlushDecompress::None) {
                Ok(status) => status,
                Err(error) => return Ok(Err((GateCode::DeflateInvalid, error.to_string()))),
            };
            let read = usize::try_from(self.state.total_in() - read_before).map_err(io::Error::other)?;
            let written =
                usize::try_from(self.state.total_out() - written_before).map_err(io::Error::other)?;
            self.consumed += read;
            self.ended = status == Status::StreamEnd;
            if written > 0 {
                return Ok(Ok(written));
            }
            if !self.ended && read == 0 && !refilled {
                let detail = "the deflate stream does not end within its compressed size";
                return Ok(Err((GateCode::CompressedSizeMismatch, detail.to_owned())));
            }
        }
        Ok(Ok(0))
    }

    fn refill(&mut self, compressed: &mut impl Read) -> io::Result<usize> {
        self.input.resize(BLOCK_SIZE, 0);
        let size = compressed.read(&mut self.input)?;
        self.input.truncate(size);
        self.consumed = 0;
        Ok(size)
    }
}

fn refuse(entry: &Entry, code: GateCode, detail: String) -> Refusal {
    Refusal::new(code, entry.data_offset, detail).in_entry(entry.name.as_bytes())
}
