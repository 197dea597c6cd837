//! How an operation fails: S3's own refusals, and what is our fault.

use std::io;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// Why an operation did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request cannot be granted; the client gets this very error.
    #[error(transparent)]
    Refused(#[from] S3Error),
    /// The metadata could not be read or written.
    #[error("metadata: {0}")]
    Database(#[from] sqlx::Error),
    /// A content file could not be read or written.
    #[error("content: {0}")]
    Content(#[from] io::Error),
    /// What is stored contradicts itself.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<std::num::TryFromIntError> for Failure {
    fn from(error: std::num::TryFromIntError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<Failure> for S3Error {
    /// Our own faults are logged here, once, and reach the client without their details.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Database(_) | Failure::Content(_) | Failure::Damaged(_) => {
                tracing::error!(error = %failure, "s3 operation failed");
                refusal(S3ErrorCode::InternalError)
            }
        }
    }
}

/// `code` with the message that S3 sends with it.
pub(crate) fn refusal(code: S3ErrorCode) -> S3Error {
    let message = standard_message(code.as_str());
    let mut error = S3Error::new(code);
    if let Some(message) = message {
        error.set_message(message);
    }
    error
}

/// `InvalidArgument` with what is wrong.
pub(crate) fn invalid_argument(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message.into())
}

/// `InvalidRequest` with what is wrong.
pub(crate) fn invalid_request(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message.into())
}

/// An error that S3 documents, and the protocol layer does not know.
pub(crate) fn custom(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// `NotImplemented` for a feature that a client asked for by name, so that asking is never taken for having.
pub(crate) fn not_implemented(feature: &str) -> S3Error {
    let message = format!("{feature} implies functionality that is not implemented");
    S3Error::with_message(S3ErrorCode::NotImplemented, message)
}

/// What S3 answers about a sub-resource that a bucket does not have: one code for each, always 404.
pub(crate) fn not_configured(code: &'static str) -> S3Error {
    custom(code, StatusCode::NOT_FOUND, standard_message(code).unwrap_or_default())
}

/// The message S3 documents for `code`, for errors that were made without one.
pub(crate) fn standard_message(code: &str) -> Option<&'static str> {
    MESSAGES.iter().find(|(known, _)| *known == code).map(|(_, message)| *message)
}

const MESSAGES: &[(&str, &str)] = &[
    ("AccessControlListNotSupported", "The bucket does not allow ACLs"),
    ("AccessDenied", "Access Denied"),
    (
        "BadDigest",
        "The Content-MD5 or checksum value that you specified did not match what the server received.",
    ),
    (
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    (
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    ),
    ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
    ("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"),
    ("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"),
    ("InternalError", "We encountered an internal error. Please try again."),
    ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidDigest", "The Content-MD5 you specified was invalid."),
    (
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, \
         or the specified entity tag may not match the part's entity tag.",
    ),
    (
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    ("InvalidRange", "The requested range is not satisfiable"),
    ("InvalidStorageClass", "The storage class you specified is not valid"),
    ("InvalidURI", "Couldn't parse the specified URI."),
    ("KeyTooLongError", "Your key is too long"),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("MaxMessageLengthExceeded", "Your request was too big."),
    ("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"),
    ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    ("MissingContentLength", "You must provide the Content-Length HTTP header."),
    ("MissingRequestBodyError", "Request Body is empty"),
    ("NoSuchBucket", "The specified bucket does not exist"),
    ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ("NoSuchConfiguration", "The specified configuration does not exist."),
    ("NoSuchKey", "The specified key does not exist."),
    ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ("NoSuchTagSet", "The TagSet does not exist"),
    (
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
         aborted or completed.",
    ),
    ("NoSuchVersion", "The specified version does not exist."),
    ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ("NotImplemented", "A header or parameter you provided implies functionality that is not implemented"),
    ("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
    ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"),
    ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    (
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. \
         Idle connections will be closed.",
    ),
    ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
    (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and \
         signing method.",
    ),
];
