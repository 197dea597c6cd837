//! Removing what a crash left in a function's folder, or a failure would leave.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::{Errno, Result};

use crate::disk::{names, open_dir, type_of};
use crate::folder::{ALIASES, LAYERS, NEW_ALIAS_PREFIX, PACKAGES, STAGING_PREFIX, VERSIONS};
use crate::latest::{LATEST_FOLDERS, NEW_LATEST, linked};

/// Removes whatever belongs to no version that stands. Only for the holder of the folder's lock: nobody else stages.
pub(crate) fn leftovers(folder: BorrowedFd<'_>) -> Result<()> {
    remove_if(folder, |name| name.starts_with(STAGING_PREFIX) || name == NEW_LATEST)?;
    let standing = names_in(folder, VERSIONS)?;
    for beside in [LAYERS, PACKAGES] {
        within(folder, beside, |dir| remove_if(dir, |name| !standing.iter().any(|version| version == name)))?;
    }
    // A link that was not made here keeps every folder.
    if let Ok(latest) = linked(folder) {
        within(folder, LATEST_FOLDERS, |dir| remove_if(dir, |name| latest.as_deref() != Some(name)))?;
    }
    within(folder, ALIASES, |dir| remove_if(dir, |name| name.starts_with(NEW_ALIAS_PREFIX)))
}

fn remove_if(dir: BorrowedFd<'_>, doomed: impl Fn(&str) -> bool) -> Result<()> {
    names(dir)?.iter().filter(|name| doomed(name)).try_for_each(|name| remove(dir, name))
}

fn names_in(folder: BorrowedFd<'_>, name: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    within(folder, name, |dir| names(dir).map(|names| found = names))?;
    Ok(found)
}

fn within(folder: BorrowedFd<'_>, name: &str, act: impl FnOnce(BorrowedFd<'_>) -> Result<()>) -> Result<()> {
    match open_dir(folder, name) {
        Ok(dir) => act(dir.as_fd()),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes `name` and all below it, following no link. However deep it is, two directories are open at a time: what
/// lies inside a directory is first moved up beside it. After a crash the next sweep knows it by its prefix.
fn remove(parent: BorrowedFd<'_>, name: &str) -> Result<()> {
    if type_of(parent, name)? != Some(FileType::Directory) {
        return rustix::fs::unlinkat(parent, name, AtFlags::empty());
    }
    let mut pending = vec![name.to_owned()];
    let mut moved = 0_u64;
    while let Some(name) = pending.pop() {
        let dir = open_for_removal(parent, &name)?;
        for child in names(&dir)? {
            if type_of(&dir, &child)? == Some(FileType::Directory) {
                // Moving a directory writes to its `..`.
                rustix::fs::chmodat(&dir, &*child, OWNER_ONLY, AtFlags::empty())?;
                let place = free_name(parent, &mut moved)?;
                rustix::fs::renameat(&dir, &*child, parent, &*place)?;
                pending.push(place);
            } else {
                rustix::fs::unlinkat(&dir, &*child, AtFlags::empty())?;
            }
        }
        rustix::fs::unlinkat(parent, &*name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// A package's directory may have a mode that keeps its own owner out.
fn open_for_removal(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
    rustix::fs::chmodat(parent, name, OWNER_ONLY, AtFlags::empty())?;
    open_dir(parent, name)
}

fn free_name(parent: BorrowedFd<'_>, moved: &mut u64) -> Result<String> {
    loop {
        *moved += 1;
        let name = format!("{STAGING_PREFIX}moved-{moved}");
        if type_of(parent, &name)?.is_none() {
            return Ok(name);
        }
    }
}

const OWNER_ONLY: Mode = Mode::RWXU;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_deep_tree_that_keeps_its_owner_out_goes_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut path = folder.path().join(".staging-1");
        fs::create_dir(&path).unwrap();
        for depth in 0..700 {
            fs::write(path.join("file"), "x").unwrap();
            path = path.join(format!("d{}", depth % 3));
            fs::create_dir(&path).unwrap();
        }
        for keep_out in path.ancestors().take(700) {
            fs::set_permissions(keep_out, fs::Permissions::from_mode(0o000)).unwrap();
        }
        leftovers(fs::File::open(folder.path()).unwrap().as_fd()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_link_is_followed() {
        let [folder, outside] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        fs::write(outside.path().join("kept"), "x").unwrap();
        fs::create_dir(folder.path().join(".staging-1")).unwrap();
        symlink(outside.path(), folder.path().join(".staging-1/link")).unwrap();
        symlink(outside.path(), folder.path().join(".staging-2")).unwrap();
        leftovers(fs::File::open(folder.path()).unwrap().as_fd()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(outside.path().join("kept").try_exists().unwrap());
    }

    #[test]
    fn what_belongs_to_a_standing_version_stays() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["versions/1", "layers/1/1", "layers/2/1", ".packages", "aliases"] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        for path in [".packages/1", ".packages/2", "aliases/live", "aliases/.new-live"] {
            fs::write(folder.path().join(path), "").unwrap();
        }
        leftovers(fs::File::open(folder.path()).unwrap().as_fd()).unwrap();
        for (path, stays) in [("layers/1/1", true), (".packages/1", true), ("aliases/live", true)]
            .into_iter()
            .chain([("layers/2", false), (".packages/2", false), ("aliases/.new-live", false)])
        {
            assert_eq!(folder.path().join(path).try_exists().unwrap(), stays, "{path}");
        }
    }
}
