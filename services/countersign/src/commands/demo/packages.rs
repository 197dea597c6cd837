//! Packages that people make, and one that an attacker makes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use countersign_package::append::{NewEntry, append};
use countersign_package::gate::Archive;
use countersign_package::limits::Limits;
use countersign_package::strip::strip;
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

/// Writes what a capable attacker would: the same signature, in its proper place and form, on a package with other
/// content in a file. Every zip reader is content with it; only the signature is not.
pub(super) fn tamper(signed: &Path, tampered: &Path) -> anyhow::Result<()> {
    let signature = signature_of(signed)?;
    let mut unsigned = tempfile::tempfile()?;
    strip(&File::open(signed)?, &Limits::default(), &mut unsigned)?;
    let changed = tempfile::tempfile()?;
    replace_first_file(&unsigned, &changed)?;
    let archive = Archive::parse(&changed, &Limits::default())?;
    let entry = NewEntry { name: SIGNATURE, body: &signature };
    append(&changed, &archive, &[entry], &mut File::create_new(tampered)?)?;
    Ok(())
}

fn signature_of(signed: &Path) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipArchive::new(File::open(signed)?)?;
    let mut body = Vec::new();
    archive.by_name(SIGNATURE).context("the signed package")?.read_to_end(&mut body)?;
    Ok(body)
}

/// Packs everything anew, with other content in the first file.
fn replace_first_file(original: &File, changed: &File) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(original)?;
    let mut zip = ZipWriter::new(changed);
    let mut replaced = false;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let options = options.unix_permissions(entry.unix_mode().unwrap_or(0o644));
        if entry.is_dir() {
            zip.add_directory(name, options)?;
        } else if entry.is_symlink() {
            zip.add_symlink(name, std::io::read_to_string(&mut entry)?, options)?;
        } else {
            zip.start_file(name, options)?;
            if replaced {
                std::io::copy(&mut entry, &mut zip)?;
            } else {
                zip.write_all(b"raise SystemExit('this is not what was signed')\n")?;
                replaced = true;
            }
        }
    }
    zip.finish()?;
    if !replaced {
        bail!("the package holds no file that could be tampered with");
    }
    Ok(())
}

/// The signature entry of the demo's first profile.
const SIGNATURE: &str = "META-INF/countersign.p7s";
