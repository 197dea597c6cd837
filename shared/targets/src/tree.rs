//! A folder that is being filled with a package's entries.
//!
//! The gate admits no name that leads out, and nothing here relies on it: every path is walked from the open root of
//! the folder, one component at a time, through real directories only.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use countersign_ports::targets::TargetError;
use rustix::fs::Mode;

use crate::disk::{Disk, open_dir};
use crate::failure::{entry_failed, failed, refused};

/// A folder that is being filled. It is private to its maker until [`Tree::finish`] gives every directory its mode.
pub(crate) struct Tree<'a> {
    disk: &'a Disk,
    root: OwnedFd,
    /// Every directory below the root, with the mode it will have.
    directories: BTreeMap<String, Mode>,
    /// The directory of the last entry: most entries follow their neighbours.
    last: Option<(String, OwnedFd)>,
    /// Files that are written and not yet durable. Syncing many at once lets the journal commit them together.
    unsynced: Vec<OwnedFd>,
}

impl<'a> Tree<'a> {
    /// An empty folder `name` in `parent`.
    pub(crate) fn make(disk: &'a Disk, parent: BorrowedFd<'_>, name: &str) -> rustix::io::Result<Self> {
        disk.make_dir(parent, name, PRIVATE_DIR)?;
        let root = open_dir(parent, name)?;
        Ok(Self { disk, root, directories: BTreeMap::new(), last: None, unsynced: Vec::new() })
    }

    /// Makes the directory `name`, or gives it its mode if an entry below it came first.
    pub(crate) fn directory(&mut self, name: &str, permissions: u32) -> Result<(), TargetError> {
        let path = name.strip_suffix('/').unwrap_or(name);
        self.open(path, path)?;
        self.directories.insert(path.to_owned(), mode(permissions));
        Ok(())
    }

    /// Makes the file `name` and hands it to `fill`.
    pub(crate) fn file(
        &mut self,
        name: &str,
        permissions: u32,
        fill: impl FnOnce(&Disk, BorrowedFd<'_>) -> Result<(), TargetError>,
    ) -> Result<(), TargetError> {
        let disk = self.disk;
        let (parent, base) = self.parent(name)?;
        let file = disk.create_file(parent, base).map_err(|error| entry_failed(name, error))?;
        fill(disk, file.as_fd())?;
        disk.set_mode(&file, mode(permissions)).map_err(|error| entry_failed(name, error))?;
        self.unsynced.push(file);
        if self.unsynced.len() < UNSYNCED_MAX { Ok(()) } else { self.sync_files() }
    }

    /// Makes the symbolic link `name`. Nothing below it can be made any more.
    pub(crate) fn symlink(&mut self, name: &str, target: &str) -> Result<(), TargetError> {
        let disk = self.disk;
        let (parent, base) = self.parent(name)?;
        disk.make_symlink(target, parent, base).map_err(|error| entry_failed(name, error))
    }

    /// Gives every directory its mode, the deepest first, and makes everything durable.
    pub(crate) fn finish(mut self) -> Result<(), TargetError> {
        self.sync_files()?;
        for (path, mode) in std::mem::take(&mut self.directories).iter().rev() {
            let directory = self.walk(path, path)?;
            self.seal(directory.as_fd(), *mode).map_err(|error| entry_failed(path, error))?;
        }
        self.seal(self.root.as_fd(), IMPLICIT_DIR).map_err(|error| entry_failed("/", error))
    }

    fn sync_files(&mut self) -> Result<(), TargetError> {
        let synced = self.unsynced.drain(..).try_for_each(|file| self.disk.sync(file));
        synced.map_err(|error| failed("making files durable", error))
    }

    fn seal(&self, directory: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
        self.disk.set_mode(directory, mode)?;
        self.disk.sync(directory)
    }

    /// The open directory in which `name` belongs, and its last component.
    fn parent<'n>(&mut self, name: &'n str) -> Result<(BorrowedFd<'_>, &'n str), TargetError> {
        let (directory, base) = name.rsplit_once('/').map_or((None, name), |(path, base)| (Some(path), base));
        demand_component(name, base)?;
        match directory {
            Some(path) => Ok((self.open(path, name)?, base)),
            None => Ok((self.root.as_fd(), base)),
        }
    }

    /// The open directory at `path`, with all that is missing on the way.
    fn open(&mut self, path: &str, name: &str) -> Result<BorrowedFd<'_>, TargetError> {
        if self.last.as_ref().is_none_or(|(last, _)| last != path) {
            self.make_missing(path, name)?;
            let directory = self.walk(path, name)?;
            self.last = Some((path.to_owned(), directory));
        }
        Ok(self.last.as_ref().map_or(self.root.as_fd(), |(_, directory)| directory.as_fd()))
    }

    fn make_missing(&mut self, path: &str, name: &str) -> Result<(), TargetError> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for end in ends {
            let (above, _) = path.split_at(end);
            if !self.directories.contains_key(above) {
                self.make_one(above, name)?;
            }
        }
        Ok(())
    }

    fn make_one(&mut self, path: &str, name: &str) -> Result<(), TargetError> {
        if self.directories.len() >= DIRECTORIES_MAX {
            return Err(refused(
                "too_many_directories",
                name,
                format!("more than {DIRECTORIES_MAX} directories"),
            ));
        }
        let (above, base) = path.rsplit_once('/').unwrap_or(("", path));
        demand_component(name, base)?;
        let parent = self.walk(above, name)?;
        let made = self.disk.make_dir(&parent, base, PRIVATE_DIR);
        made.map_err(|error| entry_failed(name, error))?;
        self.directories.insert(path.to_owned(), IMPLICIT_DIR);
        Ok(())
    }

    /// Opens the directory at `path`, whose components are all directories and no links; the root if it is empty.
    fn walk(&self, path: &str, name: &str) -> Result<OwnedFd, TargetError> {
        let root = self.root.try_clone().map_err(|error| failed(name, error))?;
        path.split('/').filter(|_| !path.is_empty()).try_fold(root, |directory, component| {
            demand_component(name, component)?;
            open_dir(&directory, component).map_err(|error| entry_failed(name, error))
        })
    }
}

/// A name of something in the very directory in which it is looked up.
fn demand_component(name: &str, component: &str) -> Result<(), TargetError> {
    if matches!(component, "" | "." | "..") || component.contains(['/', '\0']) {
        return Err(refused("name_escapes", name, format!("the component {component:?} leads elsewhere")));
    }
    Ok(())
}

/// The permission bits alone: no entry is ever setuid, setgid or sticky.
fn mode(permissions: u32) -> Mode {
    Mode::from_raw_mode(permissions & 0o777)
}

/// Directories of one package. Stops names that are nothing but slashes from making millions of directories.
const DIRECTORIES_MAX: usize = 100_000;

/// Files open at a time, well below what a process may open.
const UNSYNCED_MAX: usize = 128;

/// While it is filled.
const PRIVATE_DIR: Mode = Mode::from_raw_mode(0o700);

/// Of the root, and of directories that no entry names.
const IMPLICIT_DIR: Mode = Mode::from_raw_mode(0o755);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Scratch(tempfile::TempDir);

    impl Scratch {
        /// What `make` says of a tree in a folder of this scratch.
        fn with<T>(&self, disk: &Disk, make: impl FnOnce(&mut Tree<'_>) -> T) -> T {
            let parent = fs::File::open(self.0.path()).unwrap();
            make(&mut Tree::make(disk, parent.as_fd(), "tree").unwrap())
        }

        fn outside(&self) -> Vec<String> {
            fs::read_dir(self.0.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        }
    }

    fn scratch() -> Scratch {
        Scratch(tempfile::tempdir().unwrap())
    }

    fn code(result: Result<(), TargetError>) -> String {
        match result {
            Err(TargetError::Refused { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_name_leads_out() {
        for name in
            ["../x", "/x", "a/../../x", "a/..", "..", ".", "", "a//x", "a/./x", "a/", "a\0b", "../tree/x"]
        {
            let scratch = scratch();
            let made = scratch.with(&Disk::new(), |tree| tree.file(name, 0o644, |_, _| Ok(())));
            assert_eq!(code(made), "name_escapes", "file {name:?}");
            assert_eq!(scratch.outside(), ["tree"]);
        }
        for name in ["..", "../x/", "/", "a/../b", "//"] {
            let scratch = scratch();
            let made = scratch.with(&Disk::new(), |tree| tree.directory(name, 0o755));
            assert_eq!(code(made), "name_escapes", "directory {name:?}");
            assert_eq!(scratch.outside(), ["tree"]);
        }
    }

    #[test]
    fn nothing_is_made_through_a_link() {
        let scratch = scratch();
        scratch.with(&Disk::new(), |tree| {
            tree.symlink("up", "..").unwrap();
            for name in ["up/x", "up/x/y"] {
                assert_eq!(code(tree.file(name, 0o644, |_, _| Ok(()))), "entry_conflict");
                assert_eq!(code(tree.directory(name, 0o755)), "entry_conflict");
                assert_eq!(code(tree.symlink(name, "..")), "entry_conflict");
            }
            assert_eq!(code(tree.file("up", 0o644, |_, _| Ok(()))), "entry_conflict");
            assert_eq!(code(tree.directory("up", 0o755)), "entry_conflict");
        });
        assert_eq!(scratch.outside(), ["tree"]);
    }

    #[test]
    fn nothing_is_made_through_a_directory_that_was_swapped_for_a_link() {
        let scratch = scratch();
        let path = scratch.0.path().join("tree");
        scratch.with(&Disk::new(), |tree| {
            tree.file("a/1", 0o644, |_, _| Ok(())).unwrap();
            tree.file("b/1", 0o644, |_, _| Ok(())).unwrap();
            fs::rename(path.join("a"), path.join("c")).unwrap();
            std::os::unix::fs::symlink(scratch.0.path(), path.join("a")).unwrap();
            assert_eq!(code(tree.file("a/2", 0o644, |_, _| Ok(()))), "entry_conflict");
        });
        assert_eq!(scratch.outside(), ["tree"]);
    }

    #[test]
    fn privileged_bits_are_never_set() {
        let scratch = scratch();
        let disk = Disk::new();
        scratch.with(&disk, |tree| tree.file("x", 0o6755, |_, _| Ok(())).unwrap());
        let mode = fs::metadata(scratch.0.path().join("tree/x")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
    }

    #[test]
    fn directories_are_counted() {
        let disk = Disk::new();
        scratch().with(&disk, |tree| {
            tree.directories.extend((0..DIRECTORIES_MAX - 1).map(|n| (format!("{n}"), IMPLICIT_DIR)));
            tree.directory("a", 0o755).unwrap();
            assert_eq!(code(tree.directory("b", 0o755)), "too_many_directories");
        });
    }
}
