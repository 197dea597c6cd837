//! The directory of key files: who may read it, who may change it, and how a file becomes durable.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use countersign_ports::keys::KeyError;

/// A directory that only its owner may enter.
pub(crate) struct KeyDirectory {
    path: PathBuf,
}

/// The right to change the directory, held by one thread of one process until dropped.
pub(crate) struct Changing {
    _lock: File,
}

impl KeyDirectory {
    /// Opens the directory at `path`, making it with mode 0700 if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, KeyError> {
        let make = || {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            // The directory itself must outlive a crash, else its files do not.
            File::open(folder_of(path))?.sync_all()
        };
        make().map_err(|error: io::Error| unavailable(path, "made", &error))?;
        refuse_shared(path, &fs::metadata(path).map_err(|error| unavailable(path, "read", &error))?)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Waits until nobody else changes the directory. The kernel frees the lock of a process that ends.
    pub(crate) fn lock(&self) -> Result<Changing, KeyError> {
        let path = self.path_of(LOCK);
        let open = || {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        Ok(Changing { _lock: open().map_err(|error: io::Error| unavailable(&path, "locked", &error))? })
    }

    /// The file's text, or `None` if there is no such file.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, KeyError> {
        let path = self.path_of(name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| unavailable(&path, "read", &error))?,
        };
        refuse_shared(&path, &file.metadata().map_err(|error| unavailable(&path, "read", &error))?)?;
        let mut bytes = Vec::new();
        file.take(MAX_KEY_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unavailable(&path, "read", &error))?;
        if bytes.len() as u64 > MAX_KEY_FILE_BYTES {
            return Err(damaged(&path, &format!("it is longer than {MAX_KEY_FILE_BYTES} bytes")));
        }
        String::from_utf8(bytes).map(Some).map_err(|_| damaged(&path, "it is not text"))
    }

    /// Makes the file with mode 0600. On `Ok` it is durable; it is never seen half-written.
    pub(crate) fn write_new(&self, _: &Changing, name: &str, text: &str) -> Result<(), KeyError> {
        let path = self.path_of(name);
        write_new_file(&path, text.as_bytes()).map_err(|error| unavailable(&path, "written", &error))
    }

    pub(crate) fn remove(&self, _: &Changing, name: &str) -> Result<(), KeyError> {
        let path = self.path_of(name);
        fs::remove_file(&path).map_err(|error| unavailable(&path, "removed", &error))
    }

    /// The names of all files, sorted. Names that are not UTF-8 are not ours.
    pub(crate) fn names(&self) -> Result<Vec<String>, KeyError> {
        let list =
            || fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
        let names = list().map_err(|error| unavailable(&self.path, "listed", &error))?;
        let mut names: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Removes what a process left behind that was killed while it wrote.
    pub(crate) fn sweep(&self, changing: &Changing) -> Result<(), KeyError> {
        let left_over = self.names()?.into_iter().filter(|name| name.starts_with(UNFINISHED));
        left_over.into_iter().try_for_each(|name| self.remove(changing, &name))
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes `path` with mode 0600: written aside, flushed, then renamed to its name, which must be free.
pub(crate) fn write_new_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED).permissions(Permissions::from_mode(0o600));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A key file that cannot be used as it is.
pub(crate) fn damaged(path: &Path, why: &str) -> KeyError {
    KeyError::Unusable(format!("{}: {why}", path.display()))
}

fn unavailable(path: &Path, action: &str, error: &io::Error) -> KeyError {
    KeyError::Unavailable(format!("{} cannot be {action}: {error}", path.display()))
}

fn refuse_shared(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyError> {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let wanted = if metadata.is_dir() { "700" } else { "600" };
    let why = format!("others may use it (mode {mode:04o}); run chmod {wanted} on it");
    Err(damaged(path, &why))
}

const LOCK: &str = "lock";
const UNFINISHED: &str = ".unfinished-";
/// The largest key file, in bytes: a certificate and an RSA-3072 key take 5,000. Stops a planted file from filling
/// memory.
const MAX_KEY_FILE_BYTES: u64 = 65_536;
