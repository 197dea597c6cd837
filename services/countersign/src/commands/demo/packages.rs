//! Packages that people make, and one that an attacker makes.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::bail;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Writes a small package of a function.
pub(super) fn build(path: &Path) -> anyhow::Result<()> {
    let mut zip = ZipWriter::new(File::create_new(path)?);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("handler.py", options.unix_permissions(0o644))?;
    zip.write_all(b"def handler(event, context):\n    return {'hello': event.get('name', 'world')}\n")?;
    zip.start_file("bin/run", options.unix_permissions(0o755))?;
    zip.write_all(b"#!/bin/sh\nexec python3 -m handler\n")?;
    zip.finish()?;
    Ok(())
}

/// Copies the signed package, signature included, with other content in its first file. Every zip reader is content
/// with the result.
pub(super) fn tamper(signed: &Path, tampered: &Path) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(File::open(signed)?)?;
    let mut zip = ZipWriter::new(File::create_new(tampered)?);
    let mut replaced = false;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        if replaced || !entry.is_file() {
            zip.raw_copy_file(entry)?;
            continue;
        }
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(entry.name()?, options.unix_permissions(entry.unix_mode().unwrap_or(0o644)))?;
        zip.write_all(b"raise SystemExit('this is not what was signed')\n")?;
        replaced = true;
    }
    zip.finish()?;
    if !replaced {
        bail!("the package holds no file that could be tampered with");
    }
    Ok(())
}
