//! Who may ask for what: the IAM actions that S3's operations stand for (Service Authorization Reference, "Actions,
//! resources, and condition keys for Amazon S3").

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use s3s::path::S3Path;
use secrecy::SecretString;

/// The access keys that requests may be signed with, and what each may.
pub trait Keys: Send + Sync + 'static {
    /// The secret of the key, if there is such a key.
    fn secret(&self, access_key_id: &str) -> Option<SecretString>;

    /// Whether the holder of the key may do `action`, such as `s3:GetObject`, on `resource`: an ARN, or `*`.
    fn may(&self, access_key_id: &str, action: &str, resource: &str) -> bool;
}

/// One access key that may all. It has no `Debug`: the secret is in it.
#[derive(Clone)]
pub struct OneKey {
    /// Names the key in requests.
    pub access_key_id: String,
    /// Signs requests, and is never in one.
    pub secret_access_key: SecretString,
}

impl Keys for OneKey {
    fn secret(&self, access_key_id: &str) -> Option<SecretString> {
        (access_key_id == self.access_key_id).then(|| self.secret_access_key.clone())
    }

    fn may(&self, access_key_id: &str, _action: &str, _resource: &str) -> bool {
        access_key_id == self.access_key_id
    }
}

/// An action on a resource, both as IAM writes them.
pub(crate) type Need = (String, String);

/// All that `operation` needs to be allowed. Of a deletion of several objects, whose names are in its body, that is the
/// deletion of every object of the bucket.
pub(crate) fn needs(
    operation: &str,
    path: &S3Path,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Vec<Need> {
    let versioned = query.iter().any(|(name, _)| name == "versionId");
    let bucket =
        |path: &S3Path| path.get_bucket_name().map_or_else(|| "*".to_owned(), |name| format!("{ARN}{name}"));
    let mut needs: Vec<Need> = actions(operation, versioned)
        .into_iter()
        .map(|action| match path {
            S3Path::Object { bucket, key } => (action, format!("{ARN}{bucket}/{key}")),
            S3Path::Bucket { bucket } if operation == "DeleteObjects" => (action, format!("{ARN}{bucket}/*")),
            S3Path::Root | S3Path::Bucket { .. } => (action, bucket(path)),
        })
        .collect();
    let source = headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok());
    needs.extend(source.map(read_of_source));
    needs
}

fn actions(operation: &str, versioned: bool) -> Vec<String> {
    let names: &[&str] = match (operation, versioned) {
        ("ListBuckets", _) => &["ListAllMyBuckets"],
        ("HeadBucket" | "ListObjects" | "ListObjectsV2", _) => &["ListBucket"],
        ("ListObjectVersions", _) => &["ListBucketVersions"],
        ("ListMultipartUploads", _) => &["ListBucketMultipartUploads"],
        ("ListParts", _) => &["ListMultipartUploadParts"],
        ("GetObject" | "HeadObject", false) => &["GetObject"],
        ("GetObject" | "HeadObject", true) => &["GetObjectVersion"],
        ("GetObjectTagging", true) => &["GetObjectVersionTagging"],
        ("PutObjectTagging", true) => &["PutObjectVersionTagging"],
        ("DeleteObjectTagging", true) => &["DeleteObjectVersionTagging"],
        ("GetObjectAcl", true) => &["GetObjectVersionAcl"],
        ("PutObjectAcl", true) => &["PutObjectVersionAcl"],
        ("DeleteObject", true) => &["DeleteObjectVersion"],
        ("DeleteObjects", _) => &["DeleteObject", "DeleteObjectVersion"],
        (
            "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "UploadPartCopy"
            | "CompleteMultipartUpload",
            _,
        ) => &["PutObject"],
        (other, _) => return vec![format!("s3:{}", of_a_configuration(other))],
    };
    names.iter().map(|name| format!("s3:{name}")).collect()
}

/// Operations on what a bucket is configured to. S3 writes and removes most of them under one right.
fn of_a_configuration(operation: &str) -> String {
    let name = operation
        .replace("PublicAccessBlock", "BucketPublicAccessBlock")
        .replace("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration")
        .replace("DeleteBucketLifecycle", "PutLifecycleConfiguration")
        .replace("BucketReplication", "ReplicationConfiguration")
        .replace("BucketEncryption", "EncryptionConfiguration")
        .replace("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration")
        .replace("BucketNotificationConfiguration", "BucketNotification")
        .replace("BucketAccelerateConfiguration", "AccelerateConfiguration");
    let name = ["Analytics", "Inventory", "Metrics", "IntelligentTiering"].iter().fold(name, |name, kind| {
        name.replace(&format!("ListBucket{kind}Configurations"), &format!("Get{kind}Configuration"))
            .replace(&format!("Bucket{kind}Configuration"), &format!("{kind}Configuration"))
    });
    let removal = name.strip_prefix("Delete").filter(|rest| !KEPT_REMOVALS.contains(rest));
    removal.map_or_else(|| name.clone(), |rest| format!("Put{rest}"))
}

/// What a copy reads: `/BUCKET/KEY` or `BUCKET/KEY`, percent-encoded, with or without `?versionId=`.
fn read_of_source(source: &str) -> Need {
    let (path, action) = match source.split_once("?versionId=") {
        Some((path, _)) => (path, "s3:GetObjectVersion"),
        None => (source, "s3:GetObject"),
    };
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
    (action.to_owned(), format!("{ARN}{path}"))
}

const ARN: &str = "arn:aws:s3:::";

/// Removals that have a right of their own.
const KEPT_REMOVALS: &[&str] = &["Bucket", "Object", "ObjectTagging", "BucketPolicy", "BucketWebsite"];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(operation: &str, query: &str, key: Option<&str>) -> Vec<String> {
        let path = match key {
            Some(key) => S3Path::Object { bucket: "b".into(), key: key.into() },
            None => S3Path::Bucket { bucket: "b".into() },
        };
        let needs = needs(operation, &path, &crate::query::pairs(query), &HeaderMap::new());
        needs.into_iter().map(|(action, resource)| format!("{action} {resource}")).collect()
    }

    #[test]
    fn operations_need_the_actions_that_aws_names() {
        for (operation, query, key, needed) in [
            ("GetObject", "", Some("a/k.zip"), "s3:GetObject arn:aws:s3:::b/a/k.zip"),
            ("HeadObject", "versionId=1", Some("k"), "s3:GetObjectVersion arn:aws:s3:::b/k"),
            ("UploadPart", "partNumber=1&uploadId=x", Some("k"), "s3:PutObject arn:aws:s3:::b/k"),
            ("AbortMultipartUpload", "uploadId=x", Some("k"), "s3:AbortMultipartUpload arn:aws:s3:::b/k"),
            ("DeleteObject", "", Some("k"), "s3:DeleteObject arn:aws:s3:::b/k"),
            ("ListObjectsV2", "list-type=2", None, "s3:ListBucket arn:aws:s3:::b"),
            ("DeleteBucket", "", None, "s3:DeleteBucket arn:aws:s3:::b"),
            ("DeleteBucketTagging", "tagging", None, "s3:PutBucketTagging arn:aws:s3:::b"),
            (
                "GetPublicAccessBlock",
                "publicAccessBlock",
                None,
                "s3:GetBucketPublicAccessBlock arn:aws:s3:::b",
            ),
            ("GetBucketReplication", "replication", None, "s3:GetReplicationConfiguration arn:aws:s3:::b"),
            ("DeleteBucketEncryption", "encryption", None, "s3:PutEncryptionConfiguration arn:aws:s3:::b"),
            ("ListBucketMetricsConfigurations", "metrics", None, "s3:GetMetricsConfiguration arn:aws:s3:::b"),
            (
                "DeleteBucketMetricsConfiguration",
                "metrics&id=1",
                None,
                "s3:PutMetricsConfiguration arn:aws:s3:::b",
            ),
        ] {
            assert_eq!(of(operation, query, key), [needed], "{operation}");
        }
        let several = ["s3:DeleteObject arn:aws:s3:::b/*", "s3:DeleteObjectVersion arn:aws:s3:::b/*"];
        assert_eq!(of("DeleteObjects", "delete", None), several);
    }

    #[test]
    fn a_copy_needs_to_read_its_source_as_well() {
        let path = S3Path::Object { bucket: "b".into(), key: "k".into() };
        for (source, needed) in [
            ("other/a%20b", ("s3:GetObject", "arn:aws:s3:::other/a b")),
            ("/other/k?versionId=7", ("s3:GetObjectVersion", "arn:aws:s3:::other/k")),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-amz-copy-source"),
                source.parse().unwrap(),
            )]);
            let needs = needs("CopyObject", &path, &[], &headers);
            assert_eq!(needs[0].0, "s3:PutObject");
            assert_eq!((needs[1].0.as_str(), needs[1].1.as_str()), needed);
        }
    }
}
