//! What an authenticated request may ask for. The protocol layer routes by the parameters it knows and passes
//! over the rest, so that a parameter from a newer S3 would turn one operation into another: `DELETE
//! /bucket?newer` into the deletion of the bucket. Here every parameter and `x-amz-` header of a request must
//! be one that its operation honours; any other is answered NotImplemented.

use std::sync::Arc;

use http::{HeaderMap, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3ErrorCode, S3Result};

use crate::access::{self, Keys};
use crate::errors::{invalid_argument, not_implemented, refusal};
use crate::front::{SIGNATURE_PARAMETERS, is_hoisted};
use crate::query;
use crate::store::ACCOUNT_ID;

/// Admits what an operation here does in full, of those who may do it.
#[derive(Clone)]
pub(crate) struct Admission {
    pub(crate) keys: Arc<dyn Keys>,
    /// Whether the signature was verified before, and taken off.
    pub(crate) of_verified: bool,
}

/// The access key that a request was verified to be signed with, where the signature was taken off it.
#[derive(Clone)]
pub(crate) struct VerifiedKey(pub(crate) String);

#[async_trait::async_trait]
impl S3Access for Admission {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let key = self.key_of(request).ok_or_else(|| refusal(S3ErrorCode::AccessDenied))?;
        let query = query::pairs(request.uri().query().unwrap_or_default());
        let needs = access::needs(request.s3_op().name(), request.s3_path(), &query, request.headers());
        // Whether there is such an operation, bucket or object is told to those alone who may know.
        if !needs.iter().all(|(action, resource)| self.keys.may(&key, action, resource)) {
            return Err(refusal(S3ErrorCode::AccessDenied));
        }
        admit_parameters(request.s3_op().name(), request.uri())?;
        admit_headers(request.headers())
    }
}

impl Admission {
    fn key_of(&self, request: &mut S3AccessContext<'_>) -> Option<String> {
        if self.of_verified {
            return request.extensions_mut().get::<VerifiedKey>().map(|key| key.0.clone());
        }
        request.credentials().map(|credentials| credentials.access_key.clone())
    }
}

fn admit_parameters(operation: &str, uri: &Uri) -> S3Result<()> {
    let Some((_, known)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        return Err(not_implemented(&format!("the operation {operation}")));
    };
    let query = query::pairs(uri.query().unwrap_or_default());
    for (name, value) in &query {
        let of_the_signature = SIGNATURE_PARAMETERS.contains(&name.as_str()) || is_hoisted(name, &query);
        if name == "list-type" && value != "2" {
            return Err(invalid_argument("Invalid List Type specified in Request"));
        }
        if NUMBERS.contains(&name.as_str()) && value.parse::<i32>().is_err() {
            return Err(invalid_argument(format!("Provided {name} not an integer or within integer range")));
        }
        if !known.contains(&name.as_str()) && name != IN_EVERY_QUERY && !of_the_signature {
            return Err(not_implemented(&format!("the parameter {name:?} of {operation}")));
        }
    }
    Ok(())
}

fn admit_headers(headers: &HeaderMap) -> S3Result<()> {
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-amz-") || name.starts_with("x-amz-meta-") || HEADERS.contains(&name) {
            continue;
        }
        let allowed = ONLY_VALUES.iter().find(|(bound, _)| *bound == name).map(|(_, allowed)| *allowed);
        let value = value.to_str().unwrap_or_default();
        if !allowed.is_some_and(|allowed| allowed.contains(&value)) {
            return Err(refused_header(name));
        }
    }
    Ok(())
}

/// The errors with which AWS refuses what it too does not grant.
fn refused_header(name: &str) -> s3s::S3Error {
    match name {
        "x-amz-expected-bucket-owner" | "x-amz-source-expected-bucket-owner" => {
            refusal(S3ErrorCode::AccessDenied)
        }
        "x-amz-acl" => refusal(S3ErrorCode::AccessControlListNotSupported),
        "x-amz-storage-class" => refusal(S3ErrorCode::InvalidStorageClass),
        "x-amz-security-token" => s3s::S3Error::with_message(
            S3ErrorCode::InvalidToken,
            "The provided token is malformed or otherwise invalid.",
        ),
        _ => not_implemented(&format!("the header {name}")),
    }
}

/// The operations and, of each, the query parameters it honours.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("ListBuckets", &["bucket-region", "continuation-token", "max-buckets", "prefix"]),
    ("CreateBucket", &[]),
    ("DeleteBucket", &[]),
    ("HeadBucket", &[]),
    ("GetBucketLocation", &["location"]),
    ("GetBucketVersioning", &["versioning"]),
    ("PutBucketVersioning", &["versioning"]),
    ("GetBucketNotificationConfiguration", &["notification"]),
    ("PutBucketNotificationConfiguration", &["notification"]),
    ("GetBucketTagging", &["tagging"]),
    ("PutBucketTagging", &["tagging"]),
    ("DeleteBucketTagging", &["tagging"]),
    ("GetPublicAccessBlock", &["publicAccessBlock"]),
    ("PutPublicAccessBlock", &["publicAccessBlock"]),
    ("DeletePublicAccessBlock", &["publicAccessBlock"]),
    ("GetBucketOwnershipControls", &["ownershipControls"]),
    ("PutBucketOwnershipControls", &["ownershipControls"]),
    ("DeleteBucketOwnershipControls", &["ownershipControls"]),
    ("GetBucketRequestPayment", &["requestPayment"]),
    ("PutBucketRequestPayment", &["requestPayment"]),
    ("GetBucketLogging", &["logging"]),
    ("PutBucketLogging", &["logging"]),
    ("GetBucketAccelerateConfiguration", &["accelerate"]),
    ("GetBucketAcl", &["acl"]),
    ("PutBucketAcl", &["acl"]),
    ("GetBucketPolicy", &["policy"]),
    ("GetBucketPolicyStatus", &["policyStatus"]),
    ("DeleteBucketPolicy", &["policy"]),
    ("GetBucketCors", &["cors"]),
    ("DeleteBucketCors", &["cors"]),
    ("GetBucketWebsite", &["website"]),
    ("DeleteBucketWebsite", &["website"]),
    ("GetBucketLifecycleConfiguration", &["lifecycle"]),
    ("DeleteBucketLifecycle", &["lifecycle"]),
    ("GetBucketReplication", &["replication"]),
    ("DeleteBucketReplication", &["replication"]),
    ("GetBucketEncryption", &["encryption"]),
    ("DeleteBucketEncryption", &["encryption"]),
    ("GetObjectLockConfiguration", &["object-lock"]),
    ("ListBucketAnalyticsConfigurations", &["analytics", "continuation-token"]),
    ("GetBucketAnalyticsConfiguration", &["analytics", "id"]),
    ("DeleteBucketAnalyticsConfiguration", &["analytics", "id"]),
    ("ListBucketIntelligentTieringConfigurations", &["intelligent-tiering", "continuation-token"]),
    ("GetBucketIntelligentTieringConfiguration", &["intelligent-tiering", "id"]),
    ("DeleteBucketIntelligentTieringConfiguration", &["intelligent-tiering", "id"]),
    ("ListBucketInventoryConfigurations", &["inventory", "continuation-token"]),
    ("GetBucketInventoryConfiguration", &["inventory", "id"]),
    ("DeleteBucketInventoryConfiguration", &["inventory", "id"]),
    ("ListBucketMetricsConfigurations", &["metrics", "continuation-token"]),
    ("GetBucketMetricsConfiguration", &["metrics", "id"]),
    ("DeleteBucketMetricsConfiguration", &["metrics", "id"]),
    ("ListObjects", &["delimiter", "encoding-type", "marker", "max-keys", "prefix"]),
    (
        "ListObjectsV2",
        &[
            "list-type",
            "continuation-token",
            "delimiter",
            "encoding-type",
            "fetch-owner",
            "max-keys",
            "prefix",
            "start-after",
        ],
    ),
    (
        "ListObjectVersions",
        &["versions", "delimiter", "encoding-type", "key-marker", "max-keys", "prefix", "version-id-marker"],
    ),
    ("PutObject", &[]),
    ("CopyObject", &[]),
    ("GetObject", READ),
    ("HeadObject", READ),
    ("DeleteObject", &["versionId"]),
    ("DeleteObjects", &["delete"]),
    ("GetObjectAcl", &["acl", "versionId"]),
    ("PutObjectAcl", &["acl", "versionId"]),
    ("GetObjectTagging", &["tagging", "versionId"]),
    ("PutObjectTagging", &["tagging", "versionId"]),
    ("DeleteObjectTagging", &["tagging", "versionId"]),
    ("CreateMultipartUpload", &["uploads"]),
    ("UploadPart", &["partNumber", "uploadId"]),
    ("UploadPartCopy", &["partNumber", "uploadId"]),
    ("ListParts", &["uploadId", "max-parts", "part-number-marker"]),
    (
        "ListMultipartUploads",
        &["uploads", "delimiter", "encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker"],
    ),
    ("CompleteMultipartUpload", &["uploadId"]),
    ("AbortMultipartUpload", &["uploadId"]),
];

const READ: &[&str] = &[
    "versionId",
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// Parameters that are numbers, whatever the operation.
const NUMBERS: &[&str] =
    &["max-buckets", "max-keys", "max-parts", "max-uploads", "part-number-marker", "partNumber"];

/// Names the operation for logs.
const IN_EVERY_QUERY: &str = "x-id";

/// Headers that are honoured, whatever their value, where they mean something.
const HEADERS: &[&str] = &[
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-mode",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-metadata-directive",
    "x-amz-mp-object-size",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-sdk-invocation-id",
    "x-amz-sdk-request",
    "x-amz-skip-destination-validation",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
    "x-amz-website-redirect-location",
];

/// Headers that are honoured with these values alone, for they describe what always holds here.
const ONLY_VALUES: &[(&str, &[&str])] = &[
    ("x-amz-acl", &["private", "bucket-owner-full-control"]),
    ("x-amz-bucket-object-lock-enabled", &["false", "False"]),
    ("x-amz-expected-bucket-owner", &[ACCOUNT_ID]),
    ("x-amz-object-ownership", &["BucketOwnerEnforced"]),
    ("x-amz-source-expected-bucket-owner", &[ACCOUNT_ID]),
    ("x-amz-storage-class", &["STANDARD"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(operation: &str, uri: &'static str) -> S3Result<()> {
        admit_parameters(operation, &Uri::from_static(uri))
    }

    #[test]
    fn a_parameter_the_operation_does_not_honour_is_refused() {
        assert!(parameters("GetObject", "/b/k?versionId=1&x-id=GetObject").is_ok());
        assert!(parameters("DeleteBucket", "/b").is_ok());
        for (operation, uri) in [
            ("DeleteBucket", "/b?metadataConfiguration"),
            ("DeleteBucket", "/b?%76ersioning"),
            ("PutObject", "/b/k?renameObject"),
            ("PutObject", "/b/k?uploadId=x"),
            ("PutObject", "/b/k?versionId=x"),
            ("PutBucketPolicy", "/b?policy"),
            ("PutBucketEncryption", "/b?encryption"),
        ] {
            let refused = parameters(operation, uri).unwrap_err();
            assert_eq!(*refused.code(), S3ErrorCode::NotImplemented, "{operation} {uri}");
        }
    }

    #[test]
    fn a_parameter_of_a_listing_must_be_what_it_is_called() {
        assert!(parameters("ListObjectsV2", "/b?list-type=2&max-keys=0").is_ok());
        for uri in
            ["/b?list-type=3", "/b?list-type=", "/b?max-keys=ten", "/b?max-keys=", "/b?max-keys=2147483648"]
        {
            let refused = parameters("ListObjects", uri).unwrap_err();
            assert_eq!(*refused.code(), S3ErrorCode::InvalidArgument, "{uri}");
        }
    }

    #[test]
    fn a_header_that_asks_for_more_is_refused() {
        let code = |name: &'static str, value: &str| {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]);
            admit_headers(&headers).err().map(|error| error.code().clone())
        };
        assert_eq!(code("x-amz-meta-anything", "x"), None);
        assert_eq!(code("x-amz-acl", "private"), None);
        assert_eq!(code("x-amz-acl", "public-read"), Some(S3ErrorCode::AccessControlListNotSupported));
        assert_eq!(code("x-amz-server-side-encryption", "AES256"), Some(S3ErrorCode::NotImplemented));
        assert_eq!(code("x-amz-object-lock-mode", "COMPLIANCE"), Some(S3ErrorCode::NotImplemented));
        assert_eq!(code("x-amz-storage-class", "GLACIER"), Some(S3ErrorCode::InvalidStorageClass));
        assert_eq!(code("x-amz-expected-bucket-owner", "123456789012"), Some(S3ErrorCode::AccessDenied));
        assert_eq!(code("x-amz-security-token", "x"), Some(S3ErrorCode::InvalidToken));
    }
}
