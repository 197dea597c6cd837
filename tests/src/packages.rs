//! Packages to drop.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

/// Writes a small package whose content depends on `seed`, and gives its path.
pub fn package(folder: &Path, name: &str, seed: &str) -> PathBuf {
    let path = folder.join(name);
    let file = std::fs::File::create(&path).expect("a package file");
    let mut zip = zip::ZipWriter::new(file);
    let deflated = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("handler.py", deflated.unix_permissions(0o644)).expect("an entry");
    writeln!(zip, "def handler(event, context):\n    return {seed:?}").expect("a body");
    zip.start_file("bin/run", deflated.unix_permissions(0o755)).expect("an entry");
    zip.write_all(b"#!/bin/sh\nexec python3 handler.py\n").expect("a body");
    zip.finish().expect("a package");
    path
}
