//! What every [`ObjectStore`] has to do.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use countersign_domain::{BucketName, ObjectLocation, ObjectVersion, Prefix, Sha256Digest};

use crate::objects::{ObjectError, ObjectFacts, ObjectStore, PageMarker};

/// A store to be tested, with what other people do to it.
#[async_trait]
pub trait ObjectsUnderTest: Send + Sync {
    /// The store. Its pages hold at most [`ObjectsUnderTest::page_size`] versions.
    fn store(&self) -> &dyn ObjectStore;

    /// Makes a bucket.
    async fn create_bucket(&self, name: &BucketName, versioned: bool);

    /// Uploads the file, whatever was there.
    async fn upload(&self, object: &ObjectLocation, from: &Path);

    /// Deletes the object as it is; in a versioned bucket its versions stay.
    async fn delete(&self, object: &ObjectLocation);

    /// How many versions a page holds at most: few, so that there are pages, unless the store loses versions between them.
    fn page_size(&self) -> usize {
        PAGE_SIZE
    }

    /// False if its server does not heed the condition of an upload, so that of concurrent new objects several may be
    /// written, one after the other.
    fn heeds_conditions(&self) -> bool {
        true
    }
}

/// The most versions on a page of a store that pages well.
pub const PAGE_SIZE: usize = 3;

/// Checks the whole contract. Needs a store without buckets, and an empty folder.
///
/// # Panics
/// Where the store breaks it.
pub async fn check(under_test: &dyn ObjectsUnderTest, scratch: &Path) {
    let suite = Suite { under_test, store: under_test.store(), scratch };
    for (name, versioned) in [(VERSIONED, true), (UNVERSIONED, false), (LISTED, true)] {
        under_test.create_bucket(&bucket(name), versioned).await;
    }
    suite.a_bucket_says_whether_it_keeps_versions().await;
    suite.the_newest_version_is_told_until_it_is_deleted().await;
    suite.a_version_keeps_its_bytes_whatever_comes_later().await;
    suite.a_fetch_writes_no_more_than_the_limit().await;
    suite.what_does_not_exist_is_not_found().await;
    suite.a_new_object_never_replaces_one().await;
    suite.of_concurrent_new_objects_one_is_written().await;
    suite.bytes_that_were_not_announced_are_not_written().await;
    suite.an_unversioned_object_is_refused_by_name().await;
    suite.pages_hold_every_version_once().await;
    suite.a_prefix_is_taken_verbatim().await;
    suite.what_comes_between_two_pages_hides_nothing().await;
}

struct Suite<'a> {
    under_test: &'a dyn ObjectsUnderTest,
    store: &'a dyn ObjectStore,
    scratch: &'a Path,
}

impl Suite<'_> {
    async fn a_bucket_says_whether_it_keeps_versions(&self) {
        assert_eq!(self.store.keeps_versions(&bucket(VERSIONED)).await, Ok(true));
        assert_eq!(self.store.keeps_versions(&bucket(UNVERSIONED)).await, Ok(false));
        let missing = bucket(MISSING);
        assert_eq!(self.store.keeps_versions(&missing).await, Err(ObjectError::NoSuchBucket(missing)));
    }

    async fn the_newest_version_is_told_until_it_is_deleted(&self) {
        let object = at(VERSIONED, "newest.zip");
        assert_eq!(self.store.newest(&object).await, Ok(None));
        let first = self.upload(&object, b"first").await;
        let second = self.upload(&object, b"the second").await;
        assert_ne!(first.object.version, second.object.version);
        assert_eq!((first.size_bytes, second.size_bytes), (5, 10));
        assert_eq!(
            self.store.facts(&first.object).await,
            Ok(Some(first.clone())),
            "an older version is told too"
        );
        self.under_test.delete(&object).await;
        assert_eq!(self.store.newest(&object).await, Ok(None), "a deleted object has no newest version");
        assert_eq!(
            self.store.facts(&second.object).await,
            Ok(Some(second.clone())),
            "its versions are told still"
        );
        let third = self.upload(&object, b"3").await;
        assert!(third.object != first.object && third.object != second.object);
    }

    async fn a_version_keeps_its_bytes_whatever_comes_later(&self) {
        let object = at(VERSIONED, "keeps.zip");
        let contents = [patterned(3 * 1024 * 1024 + 17), b"short".to_vec(), Vec::new()];
        let mut versions = Vec::new();
        for content in &contents {
            versions.push(self.upload(&object, content).await.object);
        }
        self.under_test.delete(&object).await;
        let into = self.file("fetched", &patterned(4 * 1024 * 1024));
        for (version, content) in versions.iter().zip(&contents) {
            let fetched = self.store.fetch(version, u64::MAX, &into).await.expect("a version stays");
            assert_eq!(fetched.size_bytes, content.len() as u64);
            assert_eq!(fetched.sha256, Sha256Digest::of(content));
            assert!(read(&into) == *content, "the file holds these bytes and no others");
        }
    }

    async fn a_fetch_writes_no_more_than_the_limit(&self) {
        let object = at(VERSIONED, "limit.zip");
        let version = self.upload(&object, &patterned(100_000)).await.object;
        let fetched = self.store.fetch(&version, 100_000, &self.scratch.join("limited")).await;
        assert_eq!(fetched.map(|fetched| fetched.size_bytes), Ok(100_000), "the limit itself is allowed");
        let into = self.scratch.join("over the limit");
        let error = self.store.fetch(&version, 99_999, &into).await;
        assert!(
            matches!(error, Err(ObjectError::TooLarge { limit_bytes: 99_999, size_bytes: 100_000.., .. })),
            "{error:?}"
        );
        assert!(std::fs::metadata(&into).map_or(0, |written| written.len()) <= 99_999);
    }

    async fn what_does_not_exist_is_not_found(&self) {
        let object = at(VERSIONED, "present.zip");
        let present = self.upload(&object, b"here").await.object;
        let unknown_key = at(VERSIONED, "absent.zip").at(present.version.clone());
        let unknown_version = object.at("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".parse().expect("legal"));
        let into = self.scratch.join("absent");
        for object in [unknown_key, unknown_version] {
            let error = self.store.fetch(&object, u64::MAX, &into).await;
            assert!(matches!(error, Err(ObjectError::NotFound(_))), "{error:?}");
            assert_eq!(self.store.facts(&object).await, Ok(None));
        }
        let missing = bucket(MISSING);
        let elsewhere = at(MISSING, "a.zip");
        let gone = ObjectError::NoSuchBucket(missing.clone());
        let version = elsewhere.clone().at(present.version);
        assert_eq!(self.store.fetch(&version, u64::MAX, &into).await, Err(gone.clone()));
        assert_eq!(self.store.newest(&elsewhere).await, Err(gone.clone()));
        assert_eq!(self.store.facts(&version).await, Err(gone.clone()));
        let prefix = Prefix { bucket: missing, key_prefix: String::new() };
        assert_eq!(self.store.list_versions(&prefix, None).await, Err(gone.clone()));
        let from = self.file("new", b"new");
        assert_eq!(self.store.put_new(&elsewhere, &from, &Sha256Digest::of(b"new")).await, Err(gone));
    }

    async fn a_new_object_never_replaces_one(&self) {
        let object = at(VERSIONED, "new/ä b+c%2F&<d>.zip");
        let content = patterned(2 * 1024 * 1024 + 1);
        let from = self.file("new", &content);
        let sha256 = Sha256Digest::of(&content);
        let version = self.store.put_new(&object, &from, &sha256).await.expect("nothing is there");
        assert_eq!(version.location(), object);
        assert_eq!(self.newest(&object).await.object, version);
        let taken = Err(ObjectError::AlreadyExists(object.clone()));
        assert_eq!(self.store.put_new(&object, &from, &sha256).await, taken);
        assert_eq!(self.newest(&object).await.object, version, "the refused put left no version");
        let fetched = self.store.fetch(&version, u64::MAX, &self.scratch.join("back")).await;
        assert_eq!(fetched.map(|fetched| fetched.sha256), Ok(sha256));
        self.under_test.delete(&object).await;
        let again = self.store.put_new(&object, &from, &sha256).await.expect("a deleted object is not there");
        assert_ne!(again.version, version.version);
    }

    async fn of_concurrent_new_objects_one_is_written(&self) {
        let object = at(VERSIONED, "race.zip");
        let contents: [&[u8]; 3] = [b"one", b"two", b"three"];
        let files = contents
            .map(|content| self.file(&format!("race{}", content.len() + usize::from(content[1])), content));
        let digests = contents.map(Sha256Digest::of);
        let put = |which: usize| self.store.put_new(&object, &files[which], &digests[which]);
        let (one, two, three) = tokio::join!(put(0), put(1), put(2));
        let written: Vec<_> =
            [one, two, three].into_iter().zip(digests).filter_map(ok_unless_taken).collect();
        if self.under_test.heeds_conditions() {
            assert_eq!(written.len(), 1, "objects that were written");
        }
        let newest = self.newest(&object).await.object;
        let written = written.iter().find(|(version, _)| *version == newest);
        let (version, sha256) = written.expect("what is there is what was written");
        let fetched = self.store.fetch(version, u64::MAX, &self.scratch.join("back")).await;
        assert_eq!(fetched.map(|fetched| fetched.sha256), Ok(*sha256));
    }

    async fn bytes_that_were_not_announced_are_not_written(&self) {
        let object = at(VERSIONED, "damaged.zip");
        let from = self.file("damaged", b"these bytes");
        let error = self.store.put_new(&object, &from, &Sha256Digest::of(b"those bytes")).await;
        assert!(matches!(error, Err(ObjectError::Damaged { .. })), "{error:?}");
        let absent = self.scratch.join("no such file");
        let error = self.store.put_new(&object, &absent, &Sha256Digest::of(b"")).await;
        assert!(matches!(error, Err(ObjectError::LocalFile { .. })), "{error:?}");
        assert_eq!(self.store.newest(&object).await, Ok(None));
    }

    async fn an_unversioned_object_is_refused_by_name(&self) {
        let object = at(UNVERSIONED, "a.zip");
        let refused = ObjectError::Unversioned(bucket(UNVERSIONED));
        let from = self.file("unversioned", b"bytes");
        let put = self.store.put_new(&object, &from, &Sha256Digest::of(b"bytes")).await;
        assert_eq!(put, Err(refused.clone()));
        self.under_test.upload(&object, &from).await;
        assert_eq!(self.store.newest(&object).await, Err(refused));
        let prefix = Prefix { bucket: bucket(UNVERSIONED), key_prefix: String::new() };
        assert_eq!(self.walk(&prefix).await, []);
    }

    async fn pages_hold_every_version_once(&self) {
        let mut expected = Vec::new();
        for key in KEYS_IN_ORDER {
            let object = at(LISTED, key);
            let older = self.upload(&object, b"older").await;
            let newer = self.upload(&object, b"new").await;
            expected.extend([newer, older]);
        }
        self.under_test.delete(&at(LISTED, KEYS_IN_ORDER[1])).await;
        let all = Prefix { bucket: bucket(LISTED), key_prefix: String::new() };
        assert_eq!(self.walk(&all).await, expected);
    }

    async fn a_prefix_is_taken_verbatim(&self) {
        for (key_prefix, keys) in [("b", &KEYS_IN_ORDER[1..5]), ("b/", &KEYS_IN_ORDER[2..5]), ("x", &[])] {
            let prefix = Prefix { bucket: bucket(LISTED), key_prefix: key_prefix.to_owned() };
            let versions = self.walk(&prefix).await;
            let mut found: Vec<_> = versions.iter().map(|facts| facts.object.key.as_str()).collect();
            found.dedup();
            assert_eq!(found, keys, "under {key_prefix:?}");
        }
    }

    async fn what_comes_between_two_pages_hides_nothing(&self) {
        let prefix = Prefix { bucket: bucket(LISTED), key_prefix: String::new() };
        let before = self.walk(&prefix).await;
        let first = self.store.list_versions(&prefix, None).await.expect("a first page");
        let last = first.versions.last().expect("some versions").object.location();
        for key in ["A", last.key.as_str(), "b/z", "zz"] {
            self.upload(&at(LISTED, key), b"between").await;
        }
        let mut seen = first.versions;
        seen.extend(self.walk_from(&prefix, first.next).await);
        for facts in before {
            assert!(seen.contains(&facts), "{} is on no page", facts.object);
        }
    }

    async fn walk(&self, prefix: &Prefix) -> Vec<ObjectFacts> {
        let first = self.store.list_versions(prefix, None).await.expect("a first page");
        assert!(first.versions.len() <= self.under_test.page_size());
        let mut versions = first.versions;
        versions.extend(self.walk_from(prefix, first.next).await);
        versions
    }

    async fn walk_from(&self, prefix: &Prefix, mut next: Option<PageMarker>) -> Vec<ObjectFacts> {
        let mut versions = Vec::new();
        for _ in 0..100 {
            let Some(marker) = next else { return versions };
            let page = self.store.list_versions(prefix, Some(&marker)).await.expect("a next page");
            assert!(page.versions.len() <= self.under_test.page_size());
            versions.extend(page.versions);
            next = page.next;
        }
        panic!("the pages never end");
    }

    async fn upload(&self, object: &ObjectLocation, content: &[u8]) -> ObjectFacts {
        self.under_test.upload(object, &self.file("upload", content)).await;
        let newest = self.newest(object).await;
        assert_eq!(newest.size_bytes, content.len() as u64);
        newest
    }

    async fn newest(&self, object: &ObjectLocation) -> ObjectFacts {
        let newest =
            self.store.newest(object).await.expect("the store answers").expect("the object is there");
        assert_eq!(newest.object.location(), *object);
        newest
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.scratch.join(name);
        std::fs::write(&path, content).expect("the scratch folder is writable");
        path
    }
}

/// A lost race may also show as a conflict that asks for another try.
fn ok_unless_taken(
    (put, sha256): (Result<ObjectVersion, ObjectError>, Sha256Digest),
) -> Option<(ObjectVersion, Sha256Digest)> {
    match put {
        Ok(version) => Some((version, sha256)),
        Err(ObjectError::AlreadyExists(_) | ObjectError::Unavailable(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

fn bucket(name: &str) -> BucketName {
    name.parse().expect("a legal bucket name")
}

fn at(name: &str, key: &str) -> ObjectLocation {
    ObjectLocation { bucket: bucket(name), key: key.parse().expect("a legal key") }
}

/// Bytes that show when a block is lost, repeated or moved.
fn patterned(size: usize) -> Vec<u8> {
    (0..size).map(|position| (position % 251 + position / 65_536 % 5).to_le_bytes()[0]).collect()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the file is readable")
}

const VERSIONED: &str = "versioned";
const UNVERSIONED: &str = "unversioned";
const LISTED: &str = "listed";
const MISSING: &str = "missing";

/// Every way in which a listing's encoding could lose a key, in the order of their UTF-8 bytes.
const KEYS_IN_ORDER: [&str; 8] =
    ["a", "b", "b/ space+plus.zip", "b/%41%2b.zip", "b/<&>\"'.zip", "c?x=1#y", "ä/ö.zip", "\u{1f600}"];
