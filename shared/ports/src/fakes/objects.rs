//! An object store in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign_domain::{
    BucketName, ObjectKey, ObjectLocation, ObjectVersion, Prefix, Sha256Digest, VersionId,
};

use super::FaultPlan;
use crate::objects::{Fetched, ObjectError, ObjectFacts, ObjectStore, PageMarker, VersionPage};

/// An [`ObjectStore`] in memory. Clones share their buckets. Operations carry the names of the port's methods in the
/// [`FaultPlan`]; the inherent methods stand for other people's uploads and never fail.
#[derive(Clone)]
pub struct MemoryObjects {
    state: Arc<Mutex<State>>,
    faults: FaultPlan,
    page_size: usize,
}

impl MemoryObjects {
    /// An empty store without buckets.
    pub fn new(faults: FaultPlan) -> Self {
        Self { state: Arc::default(), faults, page_size: PAGE_SIZE }
    }

    /// The same store with at most `page_size` versions on a page.
    #[must_use]
    pub fn with_page_size(self, page_size: usize) -> Self {
        Self { page_size, ..self }
    }

    /// Makes a bucket, unless it is there.
    pub fn create_bucket(&self, name: &BucketName, versioned: bool) {
        let bucket = Bucket { versioned, keys: BTreeMap::new() };
        self.lock().buckets.entry(name.clone()).or_insert(bucket);
    }

    /// Uploads `bytes`, whatever was there; `None` if the bucket keeps no versions.
    ///
    /// # Panics
    /// Without the bucket.
    pub fn put(&self, object: &ObjectLocation, bytes: &[u8]) -> Option<ObjectVersion> {
        self.lock().put(object, Some(Arc::from(bytes))).map(|version| object.clone().at(version))
    }

    /// Deletes the object as S3 does: in a versioned bucket a delete marker becomes its newest version.
    ///
    /// # Panics
    /// Without the bucket.
    pub fn delete(&self, object: &ObjectLocation) {
        let mut state = self.lock();
        if state.bucket(&object.bucket).versioned {
            state.put(object, None);
        } else {
            state.bucket(&object.bucket).keys.remove(&object.key);
        }
    }

    /// Replaces the bytes of a version that stands, as no honest store does.
    ///
    /// # Panics
    /// Without the bucket.
    pub fn tamper(&self, object: &ObjectVersion, bytes: &[u8]) {
        let mut state = self.lock();
        let versions = state.bucket(&object.bucket).keys.entry(object.key.clone()).or_default();
        for version in versions.iter_mut().filter(|version| version.id.as_ref() == Some(&object.version)) {
            version.content = Some(Arc::from(bytes));
        }
    }

    /// The bytes of a version.
    pub fn content(&self, object: &ObjectVersion) -> Option<Vec<u8>> {
        self.lock().find(object).ok().map(|bytes| bytes.to_vec())
    }

    /// Every version in every bucket, in the order of bucket, key and age, newest first.
    pub fn versions(&self) -> Vec<ObjectVersion> {
        let state = self.lock();
        let buckets = state.buckets.iter();
        buckets.flat_map(|(name, bucket)| bucket.facts(name)).map(|facts| facts.object).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce() -> Result<T, ObjectError>,
    ) -> Result<T, ObjectError> {
        let lost = || ObjectError::Unavailable(format!("{operation} was told to fail"));
        self.faults.apply(operation, lost, effect)
    }
}

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn keeps_versions(&self, bucket: &BucketName) -> Result<bool, ObjectError> {
        self.apply("keeps_versions", || Ok(self.lock().existing(bucket)?.versioned))
    }

    async fn newest(&self, object: &ObjectLocation) -> Result<Option<ObjectFacts>, ObjectError> {
        self.apply("newest", || {
            let state = self.lock();
            let versions = state.existing(&object.bucket)?.keys.get(&object.key);
            let Some(newest) = versions.and_then(|versions| versions.last()) else { return Ok(None) };
            let Some(content) = &newest.content else { return Ok(None) };
            let id = newest.id.clone().ok_or_else(|| ObjectError::Unversioned(object.bucket.clone()))?;
            Ok(Some(ObjectFacts { object: object.clone().at(id), size_bytes: size(content) }))
        })
    }

    async fn facts(&self, object: &ObjectVersion) -> Result<Option<ObjectFacts>, ObjectError> {
        self.apply("facts", || match self.lock().find(object) {
            Ok(content) => Ok(Some(ObjectFacts { object: object.clone(), size_bytes: size(&content) })),
            Err(ObjectError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        })
    }

    async fn fetch(
        &self,
        object: &ObjectVersion,
        limit_bytes: u64,
        into: &Path,
    ) -> Result<Fetched, ObjectError> {
        self.apply("fetch", || {
            let content = self.lock().find(object)?;
            let size_bytes = size(&content);
            if size_bytes > limit_bytes {
                return Err(ObjectError::TooLarge { object: object.to_string(), size_bytes, limit_bytes });
            }
            std::fs::write(into, &content).map_err(|error| local_file(into, &error))?;
            Ok(Fetched { size_bytes, sha256: Sha256Digest::of(&content) })
        })
    }

    async fn put_new(
        &self,
        object: &ObjectLocation,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<ObjectVersion, ObjectError> {
        self.apply("put_new", || {
            let content = std::fs::read(from).map_err(|error| local_file(from, &error))?;
            let read = Sha256Digest::of(&content);
            if read != *sha256 {
                let reason = format!("the file has SHA-256 {read}, not {sha256}");
                return Err(ObjectError::Damaged { object: object.to_string(), reason });
            }
            let mut state = self.lock();
            if state.existing(&object.bucket)?.holds(&object.key) {
                return Err(ObjectError::AlreadyExists(object.clone()));
            }
            let version = state.put(object, Some(Arc::from(content)));
            version
                .map(|version| object.clone().at(version))
                .ok_or_else(|| ObjectError::Unversioned(object.bucket.clone()))
        })
    }

    async fn list_versions(
        &self,
        prefix: &Prefix,
        from: Option<&PageMarker>,
    ) -> Result<VersionPage, ObjectError> {
        self.apply("list_versions", || {
            let state = self.lock();
            let mut rest = state.existing(&prefix.bucket)?.facts(&prefix.bucket);
            rest.retain(|facts| prefix.contains(&facts.object.location()));
            let begin = from.map_or(0, |marker| position_after(&rest, marker));
            let mut versions = rest.split_off(begin);
            let more = versions.len() > self.page_size;
            versions.truncate(self.page_size);
            let next = versions.last().filter(|_| more).map(marker_at);
            Ok(VersionPage { versions, next })
        })
    }
}

#[derive(Default)]
struct State {
    buckets: BTreeMap<BucketName, Bucket>,
    versions_minted: u64,
}

struct Bucket {
    versioned: bool,
    keys: BTreeMap<ObjectKey, Vec<Version>>,
}

/// The newest is last. Without an id: the one version of an unversioned bucket. Without content: a delete marker.
struct Version {
    id: Option<VersionId>,
    content: Option<Arc<[u8]>>,
}

impl State {
    fn existing(&self, name: &BucketName) -> Result<&Bucket, ObjectError> {
        self.buckets.get(name).ok_or_else(|| ObjectError::NoSuchBucket(name.clone()))
    }

    fn bucket(&mut self, name: &BucketName) -> &mut Bucket {
        self.buckets.get_mut(name).unwrap_or_else(|| panic!("no bucket {name}: call create_bucket first"))
    }

    fn put(&mut self, object: &ObjectLocation, content: Option<Arc<[u8]>>) -> Option<VersionId> {
        self.versions_minted += 1;
        let id = format!("v{:06}", self.versions_minted).parse().ok();
        let bucket = self.bucket(&object.bucket);
        let id = id.filter(|_| bucket.versioned);
        let versions = bucket.keys.entry(object.key.clone()).or_default();
        if !bucket.versioned {
            versions.clear();
        }
        versions.push(Version { id: id.clone(), content });
        id
    }

    fn find(&self, object: &ObjectVersion) -> Result<Arc<[u8]>, ObjectError> {
        let versions = self.existing(&object.bucket)?.keys.get(&object.key);
        let found =
            versions.into_iter().flatten().find(|version| version.id.as_ref() == Some(&object.version));
        found
            .and_then(|version| version.content.clone())
            .ok_or_else(|| ObjectError::NotFound(object.to_string()))
    }
}

impl Bucket {
    fn holds(&self, key: &ObjectKey) -> bool {
        let newest = self.keys.get(key).and_then(|versions| versions.last());
        newest.is_some_and(|newest| newest.content.is_some())
    }

    fn facts(&self, name: &BucketName) -> Vec<ObjectFacts> {
        let versions = self.keys.iter().flat_map(|(key, versions)| {
            versions
                .iter()
                .rev()
                .filter_map(move |version| Some((key, version.id.clone()?, version.content.as_ref()?)))
        });
        let facts = versions.map(|(key, version, content)| ObjectFacts {
            object: ObjectVersion { bucket: name.clone(), key: key.clone(), version },
            size_bytes: size(content),
        });
        facts.collect()
    }
}

/// Where the page after `marker` begins, also if the version it names was deleted meanwhile: ids grow with age.
fn position_after(facts: &[ObjectFacts], marker: &PageMarker) -> usize {
    facts.partition_point(|facts| {
        let key = facts.object.key.as_str();
        let not_older =
            marker.version.as_deref().is_none_or(|version| facts.object.version.as_str() >= version);
        key < marker.key.as_str() || (key == marker.key && not_older)
    })
}

fn marker_at(facts: &ObjectFacts) -> PageMarker {
    PageMarker {
        key: facts.object.key.as_str().to_owned(),
        version: Some(facts.object.version.as_str().to_owned()),
    }
}

fn size(content: &[u8]) -> u64 {
    content.len() as u64
}

fn local_file(path: &Path, error: &std::io::Error) -> ObjectError {
    ObjectError::LocalFile { path: path.display().to_string(), reason: error.to_string() }
}

/// Versions on a page, as in S3.
const PAGE_SIZE: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::objects::{self, ObjectsUnderTest};
    use crate::fakes::Fault;

    #[async_trait]
    impl ObjectsUnderTest for MemoryObjects {
        fn store(&self) -> &dyn ObjectStore {
            self
        }

        async fn create_bucket(&self, name: &BucketName, versioned: bool) {
            self.create_bucket(name, versioned);
        }

        async fn upload(&self, object: &ObjectLocation, from: &Path) {
            self.put(object, &std::fs::read(from).unwrap());
        }

        async fn delete(&self, object: &ObjectLocation) {
            self.delete(object);
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let scratch = tempfile::tempdir().unwrap();
        let store = MemoryObjects::new(FaultPlan::default()).with_page_size(objects::PAGE_SIZE);
        objects::check(&store, scratch.path()).await;
    }

    #[tokio::test]
    async fn a_lost_answer_leaves_the_object() {
        let faults = FaultPlan::default();
        let store = MemoryObjects::new(faults.clone());
        store.create_bucket(&"signed".parse().unwrap(), true);
        let file = tempfile::NamedTempFile::new().unwrap();
        let object = ObjectLocation { bucket: "signed".parse().unwrap(), key: "a.zip".parse().unwrap() };
        for (fault, versions) in [(Fault::WithoutEffect, 0), (Fault::AfterEffect, 1)] {
            faults.fail_next("put_new", fault);
            let put = store.put_new(&object, file.path(), &Sha256Digest::of(b"")).await;
            assert!(matches!(put, Err(ObjectError::Unavailable(_))));
            assert_eq!(store.versions().len(), versions);
        }
    }
}
