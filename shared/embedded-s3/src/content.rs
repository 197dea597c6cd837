//! The contents of objects and parts, one file each.
//!
//! A content is written to a staging file, synced, renamed into place and its directory synced; only then may
//! the metadata name it. So a file that metadata names is complete, and a file it does not name is an orphan.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use futures::Stream;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

/// The bytes of a content, in order, as they are read.
pub(crate) type Bytestream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + Sync>>;

/// The folder that holds every content.
#[derive(Debug, Clone)]
pub(crate) struct ContentStore {
    staging: PathBuf,
    contents: PathBuf,
}

/// A content that is being written; dropping it removes what was written.
#[derive(Debug)]
pub(crate) struct Staged {
    file: File,
    path: Leftover,
    id: String,
    shelf: PathBuf,
}

/// A durable content that no metadata names yet; dropping it removes the file.
#[derive(Debug)]
pub(crate) struct Durable {
    id: String,
    path: Leftover,
}

impl ContentStore {
    /// Opens the store in `dir`, making its folders, and removes what was being written when the process
    /// ended.
    ///
    /// # Errors
    /// When a folder cannot be made, synced or emptied.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let store = Self { staging: dir.join("staging"), contents: dir.join("contents") };
        std::fs::create_dir_all(&store.staging)?;
        for shelf in shelves() {
            std::fs::create_dir_all(store.contents.join(shelf))?;
        }
        for leftover in std::fs::read_dir(&store.staging)? {
            std::fs::remove_file(leftover?.path())?;
        }
        sync_dir(&store.contents)?;
        Ok(store)
    }

    /// Starts a new content.
    pub(crate) async fn stage(&self) -> io::Result<Staged> {
        let id = Uuid::new_v4().simple().to_string();
        let path = self.staging.join(&id);
        let file = File::options().write(true).create_new(true).open(&path).await?;
        let shelf = self.contents.join(shelf_of(&id));
        Ok(Staged { file, path: Leftover(Some(path)), id, shelf })
    }

    /// Streams `length` bytes of content `id` from `offset`. `size` is what the metadata says of the whole; a
    /// file of another length is an error, never a short answer.
    pub(crate) async fn read(&self, id: &str, size: u64, offset: u64, length: u64) -> io::Result<Bytestream> {
        let mut file = File::open(self.path(id)).await?;
        let stored = file.metadata().await?.len();
        if stored != size {
            return Err(io::Error::other(format!(
                "content {id} has {stored} bytes, its metadata says {size}"
            )));
        }
        file.seek(io::SeekFrom::Start(offset)).await?;
        Ok(Box::pin(ReaderStream::with_capacity(file.take(length), READ_BUFFER)))
    }

    /// Removes contents that metadata no longer names. What cannot be removed now is removed at the next
    /// start.
    pub(crate) async fn remove(&self, ids: Vec<String>) {
        for id in ids {
            if let Err(error) = tokio::fs::remove_file(self.path(&id)).await {
                tracing::warn!(content = id, %error, "content not removed; the next start tries again");
            }
        }
    }

    /// The ids of the contents on `shelf`.
    pub(crate) fn shelved(&self, shelf: &str) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(self.contents.join(shelf))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn path(&self, id: &str) -> PathBuf {
        self.contents.join(shelf_of(id)).join(id)
    }
}

impl Staged {
    /// Appends `bytes`.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Makes the content durable under its final name.
    pub(crate) async fn finish(mut self) -> io::Result<Durable> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let path = self.shelf.join(&self.id);
        tokio::fs::rename(&*self.path, &path).await?;
        self.path.forget();
        let durable = Durable { id: self.id, path: Leftover(Some(path)) };
        let shelf = self.shelf;
        tokio::task::spawn_blocking(move || sync_dir(&shelf)).await.map_err(io::Error::other)??;
        Ok(durable)
    }
}

impl Durable {
    /// The id that metadata will name it by.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Hands the file over to the metadata. Call it before the commit: after a commit whose answer was lost
    /// the file must still be there, while an orphan is swept at the next start.
    pub(crate) fn keep(mut self) {
        self.path.forget();
    }
}

/// The names of the folders that contents are spread over.
pub(crate) fn shelves() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|byte| format!("{byte:02x}"))
}

fn shelf_of(id: &str) -> &str {
    id.get(..2).unwrap_or("00")
}

/// Makes the entries of `dir`, and its own in its parent, durable.
pub(crate) fn sync_with_parent(dir: &Path) -> io::Result<()> {
    let dir = dir.canonicalize()?;
    dir.parent().map(sync_dir).transpose()?;
    sync_dir(&dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

/// A file that is removed unless it is forgotten.
#[derive(Debug)]
struct Leftover(Option<PathBuf>);

impl Leftover {
    fn forget(&mut self) {
        self.0 = None;
    }
}

impl std::ops::Deref for Leftover {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(path = %path.display(), %error, "unfinished content not removed");
        }
    }
}

/// How much of a file is read at once.
const READ_BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    async fn whole(store: &ContentStore, id: &str, size: u64) -> io::Result<Vec<u8>> {
        let chunks: Vec<Bytes> = store.read(id, size, 0, size).await?.try_collect().await?;
        Ok(chunks.concat())
    }

    async fn written(store: &ContentStore, bytes: &[u8]) -> Durable {
        let mut staged = store.stage().await.unwrap();
        staged.write(bytes).await.unwrap();
        staged.finish().await.unwrap()
    }

    #[tokio::test]
    async fn a_kept_content_is_read_back_whole_and_in_ranges() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let durable = written(&store, b"0123456789").await;
        let id = durable.id().to_owned();
        durable.keep();
        assert_eq!(whole(&store, &id, 10).await.unwrap(), b"0123456789");
        let range: Vec<Bytes> = store.read(&id, 10, 3, 4).await.unwrap().try_collect().await.unwrap();
        assert_eq!(range.concat(), b"3456");
        assert_eq!(store.shelved(&id[..2]).unwrap(), [id]);
    }

    #[tokio::test]
    async fn what_is_dropped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let mut staged = store.stage().await.unwrap();
        staged.write(b"half").await.unwrap();
        drop(staged);
        let durable = written(&store, b"whole").await;
        let id = durable.id().to_owned();
        drop(durable);
        assert_eq!(std::fs::read_dir(dir.path().join("staging")).unwrap().count(), 0);
        assert_eq!(store.shelved(&id[..2]).unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn opening_again_removes_what_was_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let mut staged = store.stage().await.unwrap();
        staged.write(b"half").await.unwrap();
        std::mem::forget(staged); // as kill -9 does
        ContentStore::open(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path().join("staging")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_of_another_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let durable = written(&store, b"0123456789").await;
        assert!(whole(&store, durable.id(), 11).await.is_err());
    }
}
