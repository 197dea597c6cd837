//! The one way in which the target changes the disk: relative to a folder that is open, never through a symbolic link.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};

/// Makes every change that somebody can see. Each asks `admit` first; only tests ever answer no, to see what remains when
/// the disk is full, or the process ends, at exactly this point. What a sweep removes nobody sees.
#[derive(Clone)]
pub(crate) struct Disk {
    admit: std::sync::Arc<dyn Fn() -> Result<()> + Send + Sync>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self { admit: std::sync::Arc::new(|| Ok(())) }
    }

    #[cfg(test)]
    pub(crate) fn admitting(admit: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        Self { admit: std::sync::Arc::new(admit) }
    }

    /// Makes a directory that is not there.
    pub(crate) fn make_dir(&self, parent: impl AsFd, name: &str, mode: Mode) -> Result<()> {
        (self.admit)()?;
        rustix::fs::mkdirat(parent, name, mode)
    }

    /// Opens the directory, which is made first if it is not there.
    pub(crate) fn ensure_dir(&self, parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
        match open_dir(parent, name) {
            Err(Errno::NOENT) => {
                self.make_dir(parent, name, PUBLIC_DIR).or_else(unless(Errno::EXIST))?;
                self.sync(parent)?;
                open_dir(parent, name)
            }
            opened => opened,
        }
    }

    /// Makes a file that is not there. Nobody else can open it until its mode is set.
    pub(crate) fn create_file(&self, parent: impl AsFd, name: &str) -> Result<OwnedFd> {
        (self.admit)()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
    }

    pub(crate) fn write_all(&self, file: impl AsFd, mut bytes: &[u8]) -> Result<()> {
        (self.admit)()?;
        while !bytes.is_empty() {
            let written = rustix::io::retry_on_intr(|| rustix::io::write(&file, bytes))?;
            bytes = bytes.get(written..).filter(|_| written > 0).ok_or(Errno::IO)?;
        }
        Ok(())
    }

    pub(crate) fn make_symlink(&self, target: &str, parent: impl AsFd, name: &str) -> Result<()> {
        (self.admit)()?;
        rustix::fs::symlinkat(target, parent, name)
    }

    pub(crate) fn set_mode(&self, file: impl AsFd, mode: Mode) -> Result<()> {
        (self.admit)()?;
        rustix::fs::fchmod(file, mode)
    }

    pub(crate) fn sync(&self, file: impl AsFd) -> Result<()> {
        (self.admit)()?;
        rustix::io::retry_on_intr(|| rustix::fs::fsync(&file))
    }

    /// Removes a name that is no directory's.
    pub(crate) fn unlink(&self, parent: impl AsFd, name: &str) -> Result<()> {
        (self.admit)()?;
        rustix::fs::unlinkat(parent, name, AtFlags::empty())
    }

    pub(crate) fn rename(&self, from: impl AsFd, name: &str, to: impl AsFd, new_name: &str) -> Result<()> {
        (self.admit)()?;
        rustix::fs::renameat(from, name, to, new_name)
    }
}

pub(crate) fn open_dir(parent: impl AsFd, name: &str) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// The type of what stands there; `None` if nothing does.
pub(crate) fn type_of(parent: impl AsFd, name: &str) -> Result<Option<FileType>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in a directory. Those that are not UTF-8 are not ours and are left out.
pub(crate) fn names(dir: impl AsFd) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(dir)? {
        match entry?.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

pub(crate) fn unless(harmless: Errno) -> impl Fn(Errno) -> Result<()> {
    move |error| if error == harmless { Ok(()) } else { Err(error) }
}

/// A directory for everyone to read, as far as the umask allows.
const PUBLIC_DIR: Mode = Mode::from_raw_mode(0o755);
