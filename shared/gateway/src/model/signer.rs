//! AWS Signer, API version 2017-08-25. Made by generate.py from botocore 1.43.11.

use super::{
    BOOLEAN, ErrorClass, INTEGER, Member, Operation, Pattern, STRING, Segment, Service, Shape, TIMESTAMP,
};

/// AWS Signer.
pub static SERVICE: Service = Service {
    name: "signer",
    version: "2017-08-25",
    operations: &[
        &ADD_PROFILE_PERMISSION,
        &CANCEL_SIGNING_PROFILE,
        &DESCRIBE_SIGNING_JOB,
        &GET_REVOCATION_STATUS,
        &GET_SIGNING_PLATFORM,
        &GET_SIGNING_PROFILE,
        &LIST_PROFILE_PERMISSIONS,
        &LIST_SIGNING_JOBS,
        &LIST_SIGNING_PLATFORMS,
        &LIST_SIGNING_PROFILES,
        &LIST_TAGS_FOR_RESOURCE,
        &PUT_SIGNING_PROFILE,
        &REMOVE_PROFILE_PERMISSION,
        &REVOKE_SIGNATURE,
        &REVOKE_SIGNING_PROFILE,
        &SIGN_PAYLOAD,
        &START_SIGNING_JOB,
        &TAG_RESOURCE,
        &UNTAG_RESOURCE,
    ],
};

/// AddProfilePermission.
pub static ADD_PROFILE_PERMISSION: Operation = Operation {
    name: "AddProfilePermission",
    method: http::Method::POST,
    path: &[
        Segment::Literal("signing-profiles"),
        Segment::Label("profileName"),
        Segment::Literal("permissions"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required(),
        Member::new("profileVersion", &PROFILE_VERSION_SHAPE),
        Member::new("action", &STRING).required(),
        Member::new("principal", &STRING).required(),
        Member::new("revisionId", &STRING),
        Member::new("statementId", &STRING).required(),
    ],
};

/// CancelSigningProfile.
pub static CANCEL_SIGNING_PROFILE: Operation = Operation {
    name: "CancelSigningProfile",
    method: http::Method::DELETE,
    path: &[Segment::Literal("signing-profiles"), Segment::Label("profileName")],
    query: None,
    status: 200,
    replies: false,
    input: &[Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required()],
};

/// DescribeSigningJob.
pub static DESCRIBE_SIGNING_JOB: Operation = Operation {
    name: "DescribeSigningJob",
    method: http::Method::GET,
    path: &[Segment::Literal("signing-jobs"), Segment::Label("jobId")],
    query: None,
    status: 200,
    replies: true,
    input: &[Member::new("jobId", &STRING).in_label().required()],
};

/// GetRevocationStatus.
pub static GET_REVOCATION_STATUS: Operation = Operation {
    name: "GetRevocationStatus",
    method: http::Method::GET,
    path: &[Segment::Literal("revocations")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("signatureTimestamp", &TIMESTAMP).in_query("signatureTimestamp").required(),
        Member::new("platformId", &STRING).in_query("platformId").required(),
        Member::new("profileVersionArn", &ARN_SHAPE).in_query("profileVersionArn").required(),
        Member::new("jobArn", &ARN_SHAPE).in_query("jobArn").required(),
        Member::new("certificateHashes", &CERTIFICATE_HASHES_SHAPE).in_query("certificateHashes").required(),
    ],
};

/// GetSigningPlatform.
pub static GET_SIGNING_PLATFORM: Operation = Operation {
    name: "GetSigningPlatform",
    method: http::Method::GET,
    path: &[Segment::Literal("signing-platforms"), Segment::Label("platformId")],
    query: None,
    status: 200,
    replies: true,
    input: &[Member::new("platformId", &STRING).in_label().required()],
};

/// GetSigningProfile.
pub static GET_SIGNING_PROFILE: Operation = Operation {
    name: "GetSigningProfile",
    method: http::Method::GET,
    path: &[Segment::Literal("signing-profiles"), Segment::Label("profileName")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required(),
        Member::new("profileOwner", &ACCOUNT_ID_SHAPE).in_query("profileOwner"),
    ],
};

/// ListProfilePermissions.
pub static LIST_PROFILE_PERMISSIONS: Operation = Operation {
    name: "ListProfilePermissions",
    method: http::Method::GET,
    path: &[
        Segment::Literal("signing-profiles"),
        Segment::Label("profileName"),
        Segment::Literal("permissions"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required(),
        Member::new("nextToken", &STRING).in_query("nextToken"),
    ],
};

/// ListSigningJobs.
pub static LIST_SIGNING_JOBS: Operation = Operation {
    name: "ListSigningJobs",
    method: http::Method::GET,
    path: &[Segment::Literal("signing-jobs")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("status", &SIGNING_STATUS_SHAPE).in_query("status"),
        Member::new("platformId", &STRING).in_query("platformId"),
        Member::new("requestedBy", &STRING).in_query("requestedBy"),
        Member::new("maxResults", &MAX_RESULTS_SHAPE).in_query("maxResults"),
        Member::new("nextToken", &STRING).in_query("nextToken"),
        Member::new("isRevoked", &BOOLEAN).in_query("isRevoked"),
        Member::new("signatureExpiresBefore", &TIMESTAMP).in_query("signatureExpiresBefore"),
        Member::new("signatureExpiresAfter", &TIMESTAMP).in_query("signatureExpiresAfter"),
        Member::new("jobInvoker", &ACCOUNT_ID_SHAPE).in_query("jobInvoker"),
    ],
};

/// ListSigningPlatforms.
pub static LIST_SIGNING_PLATFORMS: Operation = Operation {
    name: "ListSigningPlatforms",
    method: http::Method::GET,
    path: &[Segment::Literal("signing-platforms")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("category", &STRING).in_query("category"),
        Member::new("partner", &STRING).in_query("partner"),
        Member::new("target", &STRING).in_query("target"),
        Member::new("maxResults", &MAX_RESULTS_SHAPE).in_query("maxResults"),
        Member::new("nextToken", &STRING).in_query("nextToken"),
    ],
};

/// ListSigningProfiles.
pub static LIST_SIGNING_PROFILES: Operation = Operation {
    name: "ListSigningProfiles",
    method: http::Method::GET,
    path: &[Segment::Literal("signing-profiles")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("includeCanceled", &BOOLEAN).in_query("includeCanceled"),
        Member::new("maxResults", &MAX_RESULTS_SHAPE).in_query("maxResults"),
        Member::new("nextToken", &STRING).in_query("nextToken"),
        Member::new("platformId", &STRING).in_query("platformId"),
        Member::new("statuses", &STATUSES_SHAPE).in_query("statuses"),
    ],
};

/// ListTagsForResource.
pub static LIST_TAGS_FOR_RESOURCE: Operation = Operation {
    name: "ListTagsForResource",
    method: http::Method::GET,
    path: &[Segment::Literal("tags"), Segment::Rest("resourceArn")],
    query: None,
    status: 200,
    replies: true,
    input: &[Member::new("resourceArn", &STRING).in_label().required()],
};

/// PutSigningProfile.
pub static PUT_SIGNING_PROFILE: Operation = Operation {
    name: "PutSigningProfile",
    method: http::Method::PUT,
    path: &[Segment::Literal("signing-profiles"), Segment::Label("profileName")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required(),
        Member::new("signingMaterial", &SIGNING_MATERIAL_SHAPE),
        Member::new("signatureValidityPeriod", &SIGNATURE_VALIDITY_PERIOD_SHAPE),
        Member::new("platformId", &STRING).required(),
        Member::new("overrides", &SIGNING_PLATFORM_OVERRIDES_SHAPE),
        Member::new("signingParameters", &SIGNING_PARAMETERS_SHAPE),
        Member::new("tags", &TAG_MAP_SHAPE),
    ],
};

/// RemoveProfilePermission.
pub static REMOVE_PROFILE_PERMISSION: Operation = Operation {
    name: "RemoveProfilePermission",
    method: http::Method::DELETE,
    path: &[
        Segment::Literal("signing-profiles"),
        Segment::Label("profileName"),
        Segment::Literal("permissions"),
        Segment::Label("statementId"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required(),
        Member::new("revisionId", &STRING).in_query("revisionId").required(),
        Member::new("statementId", &STRING).in_label().required(),
    ],
};

/// RevokeSignature.
pub static REVOKE_SIGNATURE: Operation = Operation {
    name: "RevokeSignature",
    method: http::Method::PUT,
    path: &[Segment::Literal("signing-jobs"), Segment::Label("jobId"), Segment::Literal("revoke")],
    query: None,
    status: 200,
    replies: false,
    input: &[
        Member::new("jobId", &STRING).in_label().required(),
        Member::new("jobOwner", &ACCOUNT_ID_SHAPE),
        Member::new("reason", &REVOCATION_REASON_STRING_SHAPE).required(),
    ],
};

/// RevokeSigningProfile.
pub static REVOKE_SIGNING_PROFILE: Operation = Operation {
    name: "RevokeSigningProfile",
    method: http::Method::PUT,
    path: &[Segment::Literal("signing-profiles"), Segment::Label("profileName"), Segment::Literal("revoke")],
    query: None,
    status: 200,
    replies: false,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).in_label().required(),
        Member::new("profileVersion", &PROFILE_VERSION_SHAPE).required(),
        Member::new("reason", &REVOCATION_REASON_STRING_SHAPE).required(),
        Member::new("effectiveTime", &TIMESTAMP).required(),
    ],
};

/// SignPayload.
pub static SIGN_PAYLOAD: Operation = Operation {
    name: "SignPayload",
    method: http::Method::POST,
    path: &[Segment::Literal("signing-jobs"), Segment::Literal("with-payload")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("profileName", &PROFILE_NAME_SHAPE).required(),
        Member::new("profileOwner", &ACCOUNT_ID_SHAPE),
        Member::new("payload", &PAYLOAD_SHAPE).required(),
        Member::new("payloadFormat", &STRING).required(),
    ],
};

/// StartSigningJob.
pub static START_SIGNING_JOB: Operation = Operation {
    name: "StartSigningJob",
    method: http::Method::POST,
    path: &[Segment::Literal("signing-jobs")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("source", &SOURCE_SHAPE).required(),
        Member::new("destination", &DESTINATION_SHAPE).required(),
        Member::new("profileName", &PROFILE_NAME_SHAPE).required(),
        Member::new("clientRequestToken", &STRING).required(),
        Member::new("profileOwner", &ACCOUNT_ID_SHAPE),
    ],
};

/// TagResource.
pub static TAG_RESOURCE: Operation = Operation {
    name: "TagResource",
    method: http::Method::POST,
    path: &[Segment::Literal("tags"), Segment::Rest("resourceArn")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("resourceArn", &STRING).in_label().required(),
        Member::new("tags", &TAG_MAP_SHAPE).required(),
    ],
};

/// UntagResource.
pub static UNTAG_RESOURCE: Operation = Operation {
    name: "UntagResource",
    method: http::Method::DELETE,
    path: &[Segment::Literal("tags"), Segment::Rest("resourceArn")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("resourceArn", &STRING).in_label().required(),
        Member::new("tagKeys", &TAG_KEY_LIST_SHAPE).in_query("tagKeys").required(),
    ],
};

/// AccessDeniedException, status 403.
pub static ACCESS_DENIED_ERROR: ErrorClass = ErrorClass::new("AccessDeniedException", 403, "message").coded();

/// BadRequestException, status 400.
pub static BAD_REQUEST_ERROR: ErrorClass = ErrorClass::new("BadRequestException", 400, "message").coded();

/// ConflictException, status 409.
pub static CONFLICT_ERROR: ErrorClass = ErrorClass::new("ConflictException", 409, "message").coded();

/// InternalServiceErrorException, status 500.
pub static INTERNAL_SERVICE_ERROR_ERROR: ErrorClass =
    ErrorClass::new("InternalServiceErrorException", 500, "message").coded();

/// NotFoundException, status 404.
pub static NOT_FOUND_ERROR: ErrorClass = ErrorClass::new("NotFoundException", 404, "message").coded();

/// ResourceNotFoundException, status 404.
pub static RESOURCE_NOT_FOUND_ERROR: ErrorClass =
    ErrorClass::new("ResourceNotFoundException", 404, "message").coded();

/// ServiceLimitExceededException, status 402.
pub static SERVICE_LIMIT_EXCEEDED_ERROR: ErrorClass =
    ErrorClass::new("ServiceLimitExceededException", 402, "message").coded();

/// ThrottlingException, status 429.
pub static THROTTLING_ERROR: ErrorClass = ErrorClass::new("ThrottlingException", 429, "message").coded();

/// TooManyRequestsException, status 429.
pub static TOO_MANY_REQUESTS_ERROR: ErrorClass =
    ErrorClass::new("TooManyRequestsException", 429, "message").coded();

/// ValidationException, status 400.
pub static VALIDATION_ERROR: ErrorClass = ErrorClass::new("ValidationException", 400, "message").coded();

static ACCOUNT_ID_SHAPE: Shape = Shape::string(Some(12), Some(12), Some(Pattern::new("^[0-9]{12}$")));
static ARN_SHAPE: Shape = Shape::string(Some(20), Some(2048), None);
static CERTIFICATE_HASHES_SHAPE: Shape = Shape::list(&STRING, None, None);
static DESTINATION_SHAPE: Shape = Shape::structure(&[Member::new("s3", &S3_DESTINATION_SHAPE)]);
static ENCRYPTION_ALGORITHM_SHAPE: Shape = Shape::one_of(&["RSA", "ECDSA"]);
static HASH_ALGORITHM_SHAPE: Shape = Shape::one_of(&["SHA1", "SHA256"]);
static IMAGE_FORMAT_SHAPE: Shape = Shape::one_of(&["JSON", "JSONEmbedded", "JSONDetached"]);
static MAX_RESULTS_SHAPE: Shape = Shape::integer(Some(1), Some(25));
static PAYLOAD_SHAPE: Shape = Shape::blob(Some(1), Some(4096));
static PROFILE_NAME_SHAPE: Shape = Shape::string(Some(2), Some(64), Some(Pattern::new("^[a-zA-Z0-9_]{2,}")));
static PROFILE_VERSION_SHAPE: Shape =
    Shape::string(Some(10), Some(10), Some(Pattern::new("^[a-zA-Z0-9]{10}$")));
static REVOCATION_REASON_STRING_SHAPE: Shape = Shape::string(Some(1), Some(500), None);
static S3_DESTINATION_SHAPE: Shape =
    Shape::structure(&[Member::new("bucketName", &STRING), Member::new("prefix", &STRING)]);
static S3_SOURCE_SHAPE: Shape = Shape::structure(&[
    Member::new("bucketName", &STRING).required(),
    Member::new("key", &STRING).required(),
    Member::new("version", &STRING).required(),
]);
static SIGNATURE_VALIDITY_PERIOD_SHAPE: Shape =
    Shape::structure(&[Member::new("value", &INTEGER), Member::new("type", &VALIDITY_TYPE_SHAPE)]);
static SIGNING_CONFIGURATION_OVERRIDES_SHAPE: Shape = Shape::structure(&[
    Member::new("encryptionAlgorithm", &ENCRYPTION_ALGORITHM_SHAPE),
    Member::new("hashAlgorithm", &HASH_ALGORITHM_SHAPE),
]);
static SIGNING_MATERIAL_SHAPE: Shape = Shape::structure(&[Member::new("certificateArn", &STRING).required()]);
static SIGNING_PARAMETERS_SHAPE: Shape = Shape::map(&STRING, &STRING, None, None);
static SIGNING_PLATFORM_OVERRIDES_SHAPE: Shape = Shape::structure(&[
    Member::new("signingConfiguration", &SIGNING_CONFIGURATION_OVERRIDES_SHAPE),
    Member::new("signingImageFormat", &IMAGE_FORMAT_SHAPE),
]);
static SIGNING_PROFILE_STATUS_SHAPE: Shape = Shape::one_of(&["Active", "Canceled", "Revoked"]);
static SIGNING_STATUS_SHAPE: Shape = Shape::one_of(&["InProgress", "Failed", "Succeeded"]);
static SOURCE_SHAPE: Shape = Shape::structure(&[Member::new("s3", &S3_SOURCE_SHAPE)]);
static STATUSES_SHAPE: Shape = Shape::list(&SIGNING_PROFILE_STATUS_SHAPE, None, None);
static TAG_KEY_LIST_SHAPE: Shape = Shape::list(&TAG_KEY_SHAPE, Some(1), Some(200));
static TAG_KEY_SHAPE: Shape =
    Shape::string(Some(1), Some(128), Some(Pattern::new("^(?!aws:)[a-zA-Z+-=._:/]+$")));
static TAG_MAP_SHAPE: Shape = Shape::map(&TAG_KEY_SHAPE, &TAG_VALUE_SHAPE, Some(1), Some(200));
static TAG_VALUE_SHAPE: Shape = Shape::string(None, Some(256), None);
static VALIDITY_TYPE_SHAPE: Shape = Shape::one_of(&["DAYS", "MONTHS", "YEARS"]);
