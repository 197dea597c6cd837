//! One package into one folder: the bytes that were decided upon, read by the gate's own parse.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use countersign_domain::Sha256Digest;
use countersign_package::gate::{Archive, Entry, EntryKind};
use countersign_package::limits::Limits;
use countersign_package::source::{BLOCK_SIZE, Section};
use countersign_ports::targets::{LocalPackage, TargetError};
use sha2::{Digest, Sha256};

use crate::disk::Disk;
use crate::failure::{entry_failed, failed, not_admitted, refused};
use crate::tree::Tree;

/// A package whose bytes are those that were decided upon, and which the gate admits.
pub(crate) struct CheckedPackage {
    file: File,
    archive: Archive,
}

impl CheckedPackage {
    pub(crate) fn open(package: &LocalPackage, limits: &Limits) -> Result<Self, TargetError> {
        let unreadable = |error| failed(&format!("the package file {}", package.path.display()), error);
        let file = File::open(&package.path).map_err(unreadable)?;
        let read = digest_of(&file).map_err(unreadable)?;
        if read != package.sha256 {
            return Err(TargetError::package_changed(&package.sha256, &read));
        }
        let archive = Archive::parse(&file, limits).map_err(not_admitted)?;
        Ok(Self { file, archive })
    }

    /// Fills `tree`: symbolic links last, so that nothing is ever made through one.
    pub(crate) fn extract(&self, mut tree: Tree<'_>) -> Result<(), TargetError> {
        let mut block = vec![0; BLOCK_SIZE];
        for entry in self.archive.entries() {
            match entry.kind() {
                EntryKind::Directory => tree.directory(entry.name(), entry.permissions())?,
                EntryKind::File => tree.file(entry.name(), entry.permissions(), |disk, file| {
                    self.copy(entry, disk, file, &mut block)
                })?,
                EntryKind::Symlink { .. } => {}
            }
        }
        for entry in self.archive.entries() {
            if let EntryKind::Symlink { target } = entry.kind() {
                tree.symlink(entry.name(), target)?;
            }
        }
        tree.finish()
    }

    fn copy(
        &self,
        entry: &Entry,
        disk: &Disk,
        file: BorrowedFd<'_>,
        block: &mut [u8],
    ) -> Result<(), TargetError> {
        let mut body = self.archive.reader(&self.file, entry);
        loop {
            let read = body.read(block).map_err(|error| unreadable(entry, error))?;
            let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            disk.write_all(file, bytes).map_err(|error| entry_failed(entry.name(), error))?;
        }
    }
}

/// The gate has read this body before: that it does not hold any more says that the file was changed under us.
fn unreadable(entry: &Entry, error: io::Error) -> TargetError {
    if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) {
        return refused("package_changed", entry.name(), error);
    }
    failed(&format!("entry {:?}", entry.name()), error)
}

fn digest_of(file: &File) -> io::Result<Sha256Digest> {
    let mut bytes = Section::whole(file)?;
    let (mut hasher, mut block) = (Sha256::new(), vec![0; BLOCK_SIZE]);
    loop {
        let read = bytes.read(&mut block)?;
        let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
    }
    Ok(Sha256Digest::new(hasher.finalize().into()))
}
