//! The passphrase under which private keys are encrypted.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rand::TryRng as _;
use rand::rngs::SysRng;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::directory::write_new_file;

/// A passphrase: 1 to [`MAX_PASSPHRASE_BYTES`] of UTF-8. It is wiped when dropped and cannot be printed.
pub struct Passphrase(SecretString);

/// Where a passphrase came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file was there.
    Found,
    /// The file was made, with a random passphrase in it.
    Created,
}

/// Why there is no passphrase. Never says anything about its content.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It is empty.
    #[error("{0} is empty: write a passphrase into it")]
    Empty(String),
    /// It is longer than any passphrase, so probably another file.
    #[error("{0} is longer than {MAX_PASSPHRASE_BYTES} bytes: that is no passphrase file")]
    TooLong(String),
    /// It is not text.
    #[error("{0} is not UTF-8: a passphrase is one line of text")]
    NotText(String),
    /// It has more than one line; which of them is meant?
    #[error("{0} has more than one line: a passphrase is one line of text")]
    ManyLines(String),
    /// The file could not be read or made.
    #[error("the passphrase file {path} cannot be {action}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// The longest passphrase, in bytes. Stops a wrong path, such as a disk image, from being read into memory.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;

impl Passphrase {
    /// The passphrase `text`, such as one from the environment.
    ///
    /// # Errors
    /// When it is empty, too long, or has more than one line.
    pub fn from_text(text: &str) -> Result<Self, PassphraseError> {
        Self::checked(text, || "the passphrase".to_owned())
    }

    /// The passphrase in the file at `path`: its one line, without the line's end.
    ///
    /// # Errors
    /// When the file cannot be read or holds no passphrase.
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let failed = |source| io_error(path, "read", source);
        Self::read(path, File::open(path).map_err(failed)?)
    }

    /// The passphrase in the file at `path`, which is made with mode 0600 and a random passphrase of 256 bits if it is
    /// not there. Of several processes that do so at once, all get the same one.
    ///
    /// # Errors
    /// When the file can be neither read nor made, or holds no passphrase.
    pub fn load_or_create(path: &Path) -> Result<(Self, Origin), PassphraseError> {
        match File::open(path) {
            Ok(file) => Ok((Self::read(path, file)?, Origin::Found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(io_error(path, "read", error)),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn create(path: &Path) -> Result<(Self, Origin), PassphraseError> {
        let failed = |source| io_error(path, "made", source);
        let text = random_text().map_err(failed)?;
        match write_new_file(path, text.as_bytes()) {
            Ok(()) => Ok((Self::from_text(&text)?, Origin::Created)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok((Self::from_file(path)?, Origin::Found))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn read(path: &Path, file: File) -> Result<Self, PassphraseError> {
        let failed = |source| io_error(path, "read", source);
        warn_if_shared(path, &file).map_err(failed)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES));
        file.take(MAX_FILE_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        let name = || path.display().to_string();
        let text = std::str::from_utf8(&bytes).map_err(|_| PassphraseError::NotText(name()))?;
        let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        Self::checked(line, name)
    }

    fn checked(text: &str, name: impl FnOnce() -> String) -> Result<Self, PassphraseError> {
        match text {
            "" => Err(PassphraseError::Empty(name())),
            _ if text.len() > MAX_PASSPHRASE_BYTES => Err(PassphraseError::TooLong(name())),
            _ if text.contains(['\n', '\r']) => Err(PassphraseError::ManyLines(name())),
            _ => Ok(Self(SecretString::from(text))),
        }
    }
}

fn random_text() -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(bytes.as_mut()).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Zeroizing::new(hex::encode(bytes.as_ref())))
}

/// Secrets that an orchestrator mounts are often readable by a group, so this is no error.
fn warn_if_shared(path: &Path, file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let mode = format!("{mode:04o}");
        tracing::warn!(path = %path.display(), mode, "the passphrase file can be read by others; use mode 0600");
    }
    Ok(())
}

fn io_error(path: &Path, action: &'static str, source: io::Error) -> PassphraseError {
    PassphraseError::Io { path: path.to_owned(), action, source }
}

/// One byte more than the longest passphrase with its line end shows that a file is too long.
const MAX_FILE_BYTES: usize = MAX_PASSPHRASE_BYTES + 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_holds_one_line() {
        for content in ["correct horse", "correct horse\n", "correct horse\r\n"] {
            let (_folder, path) = folder_with(content.as_bytes());
            assert_eq!(Passphrase::from_file(&path).ok().unwrap().expose(), "correct horse");
        }
    }

    #[test]
    fn what_is_no_passphrase_is_refused() {
        let long = "x".repeat(MAX_PASSPHRASE_BYTES + 1);
        for (content, complaint) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"a\nb\n", "more than one line"),
            (b"a\n\n", "more than one line"),
            (b"\xff", "not UTF-8"),
            (long.as_bytes(), "longer than 1024 bytes"),
        ] {
            let (_folder, path) = folder_with(content);
            let error = Passphrase::from_file(&path).err().unwrap().to_string();
            assert!(error.contains(complaint) && error.contains("passphrase"), "{error}");
        }
    }

    #[test]
    fn a_passphrase_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        let (made, origin) = Passphrase::load_or_create(&path).ok().unwrap();
        assert_eq!(origin, Origin::Created);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (found, origin) = Passphrase::load_or_create(&path).ok().unwrap();
        assert_eq!((found.expose(), origin), (made.expose(), Origin::Found));
        assert_eq!(made.expose().len(), 64, "256 random bits");
    }

    #[test]
    fn of_many_that_make_it_at_once_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        let make = || Passphrase::load_or_create(&path).ok().unwrap();
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(made.iter().all(|(passphrase, _)| passphrase.expose() == made[0].0.expose()));
        assert_eq!(made.iter().filter(|(_, origin)| *origin == Origin::Created).count(), 1);
    }
}
