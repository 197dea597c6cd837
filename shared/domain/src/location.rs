//! Where objects lie in S3.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{BucketName, InvalidName, ObjectKey, VersionId};
use crate::text::serde_as_text;

/// An object, whatever its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectLocation {
    /// The bucket that holds it.
    pub bucket: BucketName,
    /// Its key, decoded.
    pub key: ObjectKey,
}

/// One version of one object: these bytes and no others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The bucket that holds it.
    pub bucket: BucketName,
    /// Its key, decoded.
    pub key: ObjectKey,
    /// Its version.
    pub version: VersionId,
}

impl ObjectLocation {
    /// This object at `version`.
    pub fn at(self, version: VersionId) -> ObjectVersion {
        ObjectVersion { bucket: self.bucket, key: self.key, version }
    }
}

impl ObjectVersion {
    /// The object, whatever its version.
    pub fn location(&self) -> ObjectLocation {
        ObjectLocation { bucket: self.bucket.clone(), key: self.key.clone() }
    }
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl fmt::Display for ObjectVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}?versionId={}", self.bucket, self.key, self.version)
    }
}

/// A bucket and a key prefix, `s3://bucket/prefix`. The prefix may be empty and is taken verbatim, as Signer does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The bucket.
    pub bucket: BucketName,
    /// What every key begins with; often ends in `/`.
    pub key_prefix: String,
}

/// A text that is not `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrefix {
    /// It does not begin with `s3://`.
    #[error("{0:?} is not an S3 location: write s3://bucket/prefix")]
    Scheme(String),
    /// The bucket or the key is not legal.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl Prefix {
    /// True if `object` lies under this prefix.
    pub fn contains(&self, object: &ObjectLocation) -> bool {
        self.bucket == object.bucket && object.key.as_str().starts_with(&self.key_prefix)
    }

    /// True if some object could lie under both prefixes.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.bucket == other.bucket
            && (self.key_prefix.starts_with(&other.key_prefix)
                || other.key_prefix.starts_with(&self.key_prefix))
    }

    /// The object whose key is this prefix followed by `rest`.
    ///
    /// # Errors
    /// When the key would be longer than 1024 bytes or hold control characters.
    pub fn join(&self, rest: &str) -> Result<ObjectLocation, InvalidName> {
        Ok(ObjectLocation { bucket: self.bucket.clone(), key: format!("{}{rest}", self.key_prefix).parse()? })
    }

    /// The first path segment of `object`'s key after this prefix; `None` if the object is elsewhere or lies directly
    /// under the prefix.
    pub fn segment<'a>(&self, object: &'a ObjectLocation) -> Option<&'a str> {
        if self.bucket != object.bucket {
            return None;
        }
        let (segment, _) = object.key.as_str().strip_prefix(&self.key_prefix)?.split_once('/')?;
        (!segment.is_empty()).then_some(segment)
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| InvalidPrefix::Scheme(text.chars().take(160).collect()))?;
        let (bucket, key_prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !key_prefix.is_empty() {
            key_prefix.parse::<ObjectKey>()?;
        }
        Ok(Self { bucket: bucket.parse()?, key_prefix: key_prefix.to_owned() })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key_prefix)
    }
}

serde_as_text!(Prefix);

#[cfg(test)]
mod tests {
    use super::*;

    fn object(bucket: &str, key: &str) -> ObjectLocation {
        ObjectLocation { bucket: bucket.parse().unwrap(), key: key.parse().unwrap() }
    }

    #[test]
    fn the_segment_is_the_first_folder_after_the_prefix() {
        let prefix: Prefix = "s3://unsigned/in/".parse().unwrap();
        assert_eq!(prefix.segment(&object("unsigned", "in/hello/any.zip")), Some("hello"));
        assert_eq!(prefix.segment(&object("unsigned", "in/any.zip")), None);
        assert_eq!(prefix.segment(&object("unsigned", "in//any.zip")), None);
        assert_eq!(prefix.segment(&object("another", "in/hello/any.zip")), None);
    }

    #[test]
    fn overlap_is_symmetric_and_bucket_bound() {
        let [all, part, other]: [Prefix; 3] =
            ["s3://one/", "s3://one/signed/", "s3://two/"].map(|text| text.parse().unwrap());
        assert!(all.overlaps(&part) && part.overlaps(&all));
        assert!(!all.overlaps(&other));
        assert!(!"s3://one/a/".parse::<Prefix>().unwrap().overlaps(&"s3://one/b/".parse().unwrap()));
    }
}
