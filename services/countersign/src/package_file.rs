//! Packages that appear whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use countersign_runtime::files::{folder_of, sync_folder};
use tempfile::NamedTempFile;

/// Opens the package at `path` for reading.
///
/// # Errors
/// When it is no regular file: a pipe cannot be read at random, and a device never ends.
pub(crate) fn open_package(path: &Path) -> anyhow::Result<File> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !file.metadata()?.is_file() {
        bail!("{} is not a regular file: give the path of a zip", path.display());
    }
    Ok(file)
}

/// A result file being written beside its final place.
pub(crate) struct Pending {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Pending {
    /// Begins the file that will be `path`, made from `input`.
    ///
    /// # Errors
    /// When the two are one file, there is something other than a regular file at `path`, or the folder cannot be
    /// written.
    pub(crate) fn begin(path: &Path, input: &Path) -> anyhow::Result<Self> {
        refuse_same(path, input)?;
        refuse_irregular(path)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".countersign-").permissions(Permissions::from_mode(0o644));
        let file = builder.tempfile_in(folder_of(path));
        let file = file.with_context(|| format!("cannot write into {}", folder_of(path).display()))?;
        Ok(Self { out: BufWriter::new(file), path: path.to_owned() })
    }

    /// What to write to.
    pub(crate) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Makes the file durable under its name, in place of what was there.
    pub(crate) fn commit(self) -> anyhow::Result<()> {
        let written = || format!("cannot write {}", self.path.display());
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error).with_context(written)?;
        file.as_file().sync_all().with_context(written)?;
        file.persist(&self.path).with_context(written)?;
        sync_folder(folder_of(&self.path)).with_context(written)
    }
}

fn refuse_same(output: &Path, input: &Path) -> anyhow::Result<()> {
    let same = match (fs::canonicalize(output), fs::canonicalize(input)) {
        (Ok(output), Ok(input)) => output == input,
        // An output that is not there yet cannot be the input; an input that is not there fails on its own.
        (Err(_), _) | (_, Err(_)) => false,
    };
    if same {
        bail!("{} is the input: write the output to another file", output.display());
    }
    Ok(())
}

/// The result takes the place of what is there, which for a device such as /dev/null, or for a link such as /dev/stdout,
/// would break it for everybody.
fn refuse_irregular(output: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(output) {
        Ok(metadata) if !metadata.is_file() => {
            bail!("{} is there, and is not a regular file: write the output to another", output.display())
        }
        // What is not there yet, and what cannot be looked at, shows itself at the end.
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_committed_and_never_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in"), folder.path().join("out"));
        fs::write(&input, "in").unwrap();
        let mut pending = Pending::begin(&output, &input).unwrap();
        pending.out().write_all(b"whole").unwrap();
        assert!(!output.try_exists().unwrap());
        pending.commit().unwrap();
        assert_eq!(fs::read_to_string(&output).unwrap(), "whole");
        drop(Pending::begin(&output, &input).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn the_input_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in");
        fs::write(&input, "in").unwrap();
        std::os::unix::fs::symlink(&input, folder.path().join("link")).unwrap();
        assert!(Pending::begin(&input, &input).is_err());
        assert!(Pending::begin(&folder.path().join("link"), &input).is_err());
    }

    #[test]
    fn only_a_regular_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (input, link) = (folder.path().join("in"), folder.path().join("link"));
        fs::write(&input, "in").unwrap();
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        for output in [link.as_path(), folder.path(), Path::new("/dev/null"), Path::new("/dev/stdout")] {
            let message = Pending::begin(output, &input).err().unwrap().to_string();
            assert!(message.contains("not a regular file"), "{message}");
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let old = folder.path().join("old");
        fs::write(&old, "old").unwrap();
        Pending::begin(&old, &input).unwrap().commit().unwrap();
        assert_eq!(fs::read(&old).unwrap(), b"");
    }
}
