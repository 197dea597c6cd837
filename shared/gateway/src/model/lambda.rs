//! AWS Lambda, API version 2015-03-31. Made by generate.py from botocore 1.43.11.

use super::{BOOLEAN, ErrorClass, LONG, Member, Operation, Pattern, STRING, Segment, Service, Shape};

/// AWS Lambda.
pub static SERVICE: Service = Service {
    name: "lambda",
    version: "2015-03-31",
    operations: &[
        &ADD_LAYER_VERSION_PERMISSION,
        &CREATE_ALIAS,
        &CREATE_CODE_SIGNING_CONFIG,
        &CREATE_FUNCTION,
        &DELETE_ALIAS,
        &DELETE_CODE_SIGNING_CONFIG,
        &DELETE_FUNCTION,
        &DELETE_FUNCTION_CODE_SIGNING_CONFIG,
        &DELETE_LAYER_VERSION,
        &GET_ACCOUNT_SETTINGS,
        &GET_ALIAS,
        &GET_CODE_SIGNING_CONFIG,
        &GET_FUNCTION,
        &GET_FUNCTION_CODE_SIGNING_CONFIG,
        &GET_FUNCTION_CONFIGURATION,
        &GET_LAYER_VERSION,
        &GET_LAYER_VERSION_BY_ARN,
        &GET_LAYER_VERSION_POLICY,
        &LIST_ALIASES,
        &LIST_CODE_SIGNING_CONFIGS,
        &LIST_FUNCTIONS,
        &LIST_FUNCTIONS_BY_CODE_SIGNING_CONFIG,
        &LIST_LAYER_VERSIONS,
        &LIST_LAYERS,
        &LIST_TAGS,
        &LIST_VERSIONS_BY_FUNCTION,
        &PUBLISH_LAYER_VERSION,
        &PUBLISH_VERSION,
        &PUT_FUNCTION_CODE_SIGNING_CONFIG,
        &REMOVE_LAYER_VERSION_PERMISSION,
        &TAG_RESOURCE,
        &UNTAG_RESOURCE,
        &UPDATE_ALIAS,
        &UPDATE_CODE_SIGNING_CONFIG,
        &UPDATE_FUNCTION_CODE,
        &UPDATE_FUNCTION_CONFIGURATION,
    ],
};

/// AddLayerVersionPermission.
pub static ADD_LAYER_VERSION_PERMISSION: Operation = Operation {
    name: "AddLayerVersionPermission",
    method: http::Method::POST,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
        Segment::Label("VersionNumber"),
        Segment::Literal("policy"),
    ],
    query: None,
    status: 201,
    replies: true,
    input: &[
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("VersionNumber", &LONG).in_label().required(),
        Member::new("StatementId", &STATEMENT_ID_SHAPE).required(),
        Member::new("Action", &LAYER_PERMISSION_ALLOWED_ACTION_SHAPE).required(),
        Member::new("Principal", &LAYER_PERMISSION_ALLOWED_PRINCIPAL_SHAPE).required(),
        Member::new("OrganizationId", &ORGANIZATION_ID_SHAPE),
        Member::new("RevisionId", &STRING).in_query("RevisionId"),
    ],
};

/// CreateAlias.
pub static CREATE_ALIAS: Operation = Operation {
    name: "CreateAlias",
    method: http::Method::POST,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("aliases"),
    ],
    query: None,
    status: 201,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Name", &ALIAS_SHAPE).required(),
        Member::new("FunctionVersion", &VERSION_WITH_LATEST_PUBLISHED_SHAPE).required(),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("RoutingConfig", &ALIAS_ROUTING_CONFIGURATION_SHAPE),
    ],
};

/// CreateCodeSigningConfig.
pub static CREATE_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "CreateCodeSigningConfig",
    method: http::Method::POST,
    path: &[Segment::Literal("2020-04-22"), Segment::Literal("code-signing-configs")],
    query: None,
    status: 201,
    replies: true,
    input: &[
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("AllowedPublishers", &ALLOWED_PUBLISHERS_SHAPE).required(),
        Member::new("CodeSigningPolicies", &CODE_SIGNING_POLICIES_SHAPE),
        Member::new("Tags", &TAGS_SHAPE),
    ],
};

/// CreateFunction.
pub static CREATE_FUNCTION: Operation = Operation {
    name: "CreateFunction",
    method: http::Method::POST,
    path: &[Segment::Literal("2015-03-31"), Segment::Literal("functions")],
    query: None,
    status: 201,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).required(),
        Member::new("Runtime", &RUNTIME_SHAPE),
        Member::new("Role", &ROLE_ARN_SHAPE).required(),
        Member::new("Handler", &HANDLER_SHAPE),
        Member::new("Code", &FUNCTION_CODE_SHAPE).required(),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("Timeout", &TIMEOUT_SHAPE),
        Member::new("MemorySize", &MEMORY_SIZE_SHAPE),
        Member::new("Publish", &BOOLEAN),
        Member::new("VpcConfig", &VPC_CONFIG_SHAPE),
        Member::new("PackageType", &PACKAGE_TYPE_SHAPE),
        Member::new("DeadLetterConfig", &DEAD_LETTER_CONFIG_SHAPE),
        Member::new("Environment", &ENVIRONMENT_SHAPE),
        Member::new("KMSKeyArn", &KMS_KEY_ARN_SHAPE),
        Member::new("TracingConfig", &TRACING_CONFIG_SHAPE),
        Member::new("Tags", &TAGS_SHAPE),
        Member::new("Layers", &LAYER_LIST_SHAPE),
        Member::new("FileSystemConfigs", &FILE_SYSTEM_CONFIG_LIST_SHAPE),
        Member::new("ImageConfig", &IMAGE_CONFIG_SHAPE),
        Member::new("CodeSigningConfigArn", &CODE_SIGNING_CONFIG_ARN_SHAPE),
        Member::new("Architectures", &ARCHITECTURES_LIST_SHAPE),
        Member::new("EphemeralStorage", &EPHEMERAL_STORAGE_SHAPE),
        Member::new("SnapStart", &SNAP_START_SHAPE),
        Member::new("LoggingConfig", &LOGGING_CONFIG_SHAPE),
        Member::new("CapacityProviderConfig", &CAPACITY_PROVIDER_CONFIG_SHAPE),
        Member::new("PublishTo", &FUNCTION_VERSION_LATEST_PUBLISHED_SHAPE),
        Member::new("DurableConfig", &DURABLE_CONFIG_SHAPE),
        Member::new("TenancyConfig", &TENANCY_CONFIG_SHAPE),
    ],
};

/// DeleteAlias.
pub static DELETE_ALIAS: Operation = Operation {
    name: "DeleteAlias",
    method: http::Method::DELETE,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("aliases"),
        Segment::Label("Name"),
    ],
    query: None,
    status: 204,
    replies: false,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Name", &ALIAS_SHAPE).in_label().required(),
    ],
};

/// DeleteCodeSigningConfig.
pub static DELETE_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "DeleteCodeSigningConfig",
    method: http::Method::DELETE,
    path: &[
        Segment::Literal("2020-04-22"),
        Segment::Literal("code-signing-configs"),
        Segment::Label("CodeSigningConfigArn"),
    ],
    query: None,
    status: 204,
    replies: false,
    input: &[Member::new("CodeSigningConfigArn", &CODE_SIGNING_CONFIG_ARN_SHAPE).in_label().required()],
};

/// DeleteFunction.
pub static DELETE_FUNCTION: Operation = Operation {
    name: "DeleteFunction",
    method: http::Method::DELETE,
    path: &[Segment::Literal("2015-03-31"), Segment::Literal("functions"), Segment::Label("FunctionName")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Qualifier", &NUMERIC_LATEST_PUBLISHED_OR_ALIAS_QUALIFIER_SHAPE).in_query("Qualifier"),
    ],
};

/// DeleteFunctionCodeSigningConfig.
pub static DELETE_FUNCTION_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "DeleteFunctionCodeSigningConfig",
    method: http::Method::DELETE,
    path: &[
        Segment::Literal("2020-06-30"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("code-signing-config"),
    ],
    query: None,
    status: 204,
    replies: false,
    input: &[Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required()],
};

/// DeleteLayerVersion.
pub static DELETE_LAYER_VERSION: Operation = Operation {
    name: "DeleteLayerVersion",
    method: http::Method::DELETE,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
        Segment::Label("VersionNumber"),
    ],
    query: None,
    status: 204,
    replies: false,
    input: &[
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("VersionNumber", &LONG).in_label().required(),
    ],
};

/// GetAccountSettings.
pub static GET_ACCOUNT_SETTINGS: Operation = Operation {
    name: "GetAccountSettings",
    method: http::Method::GET,
    path: &[Segment::Literal("2016-08-19"), Segment::Literal("account-settings")],
    query: None,
    status: 200,
    replies: true,
    input: &[],
};

/// GetAlias.
pub static GET_ALIAS: Operation = Operation {
    name: "GetAlias",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("aliases"),
        Segment::Label("Name"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Name", &ALIAS_SHAPE).in_label().required(),
    ],
};

/// GetCodeSigningConfig.
pub static GET_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "GetCodeSigningConfig",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2020-04-22"),
        Segment::Literal("code-signing-configs"),
        Segment::Label("CodeSigningConfigArn"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[Member::new("CodeSigningConfigArn", &CODE_SIGNING_CONFIG_ARN_SHAPE).in_label().required()],
};

/// GetFunction.
pub static GET_FUNCTION: Operation = Operation {
    name: "GetFunction",
    method: http::Method::GET,
    path: &[Segment::Literal("2015-03-31"), Segment::Literal("functions"), Segment::Label("FunctionName")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Qualifier", &NUMERIC_LATEST_PUBLISHED_OR_ALIAS_QUALIFIER_SHAPE).in_query("Qualifier"),
    ],
};

/// GetFunctionCodeSigningConfig.
pub static GET_FUNCTION_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "GetFunctionCodeSigningConfig",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2020-06-30"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("code-signing-config"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required()],
};

/// GetFunctionConfiguration.
pub static GET_FUNCTION_CONFIGURATION: Operation = Operation {
    name: "GetFunctionConfiguration",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("configuration"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Qualifier", &NUMERIC_LATEST_PUBLISHED_OR_ALIAS_QUALIFIER_SHAPE).in_query("Qualifier"),
    ],
};

/// GetLayerVersion.
pub static GET_LAYER_VERSION: Operation = Operation {
    name: "GetLayerVersion",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
        Segment::Label("VersionNumber"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("VersionNumber", &LONG).in_label().required(),
    ],
};

/// GetLayerVersionByArn.
pub static GET_LAYER_VERSION_BY_ARN: Operation = Operation {
    name: "GetLayerVersionByArn",
    method: http::Method::GET,
    path: &[Segment::Literal("2018-10-31"), Segment::Literal("layers")],
    query: Some(("find", "LayerVersion")),
    status: 200,
    replies: true,
    input: &[Member::new("Arn", &LAYER_VERSION_ARN_SHAPE).in_query("Arn").required()],
};

/// GetLayerVersionPolicy.
pub static GET_LAYER_VERSION_POLICY: Operation = Operation {
    name: "GetLayerVersionPolicy",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
        Segment::Label("VersionNumber"),
        Segment::Literal("policy"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("VersionNumber", &LONG).in_label().required(),
    ],
};

/// ListAliases.
pub static LIST_ALIASES: Operation = Operation {
    name: "ListAliases",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("aliases"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("FunctionVersion", &VERSION_WITH_LATEST_PUBLISHED_SHAPE).in_query("FunctionVersion"),
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LIST_ITEMS_SHAPE).in_query("MaxItems"),
    ],
};

/// ListCodeSigningConfigs.
pub static LIST_CODE_SIGNING_CONFIGS: Operation = Operation {
    name: "ListCodeSigningConfigs",
    method: http::Method::GET,
    path: &[Segment::Literal("2020-04-22"), Segment::Literal("code-signing-configs")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LIST_ITEMS_SHAPE).in_query("MaxItems"),
    ],
};

/// ListFunctions.
pub static LIST_FUNCTIONS: Operation = Operation {
    name: "ListFunctions",
    method: http::Method::GET,
    path: &[Segment::Literal("2015-03-31"), Segment::Literal("functions")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("MasterRegion", &MASTER_REGION_SHAPE).in_query("MasterRegion"),
        Member::new("FunctionVersion", &FUNCTION_VERSION_SHAPE).in_query("FunctionVersion"),
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LIST_ITEMS_SHAPE).in_query("MaxItems"),
    ],
};

/// ListFunctionsByCodeSigningConfig.
pub static LIST_FUNCTIONS_BY_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "ListFunctionsByCodeSigningConfig",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2020-04-22"),
        Segment::Literal("code-signing-configs"),
        Segment::Label("CodeSigningConfigArn"),
        Segment::Literal("functions"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("CodeSigningConfigArn", &CODE_SIGNING_CONFIG_ARN_SHAPE).in_label().required(),
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LIST_ITEMS_SHAPE).in_query("MaxItems"),
    ],
};

/// ListLayerVersions.
pub static LIST_LAYER_VERSIONS: Operation = Operation {
    name: "ListLayerVersions",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("CompatibleRuntime", &RUNTIME_SHAPE).in_query("CompatibleRuntime"),
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LAYER_LIST_ITEMS_SHAPE).in_query("MaxItems"),
        Member::new("CompatibleArchitecture", &ARCHITECTURE_SHAPE).in_query("CompatibleArchitecture"),
    ],
};

/// ListLayers.
pub static LIST_LAYERS: Operation = Operation {
    name: "ListLayers",
    method: http::Method::GET,
    path: &[Segment::Literal("2018-10-31"), Segment::Literal("layers")],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("CompatibleRuntime", &RUNTIME_SHAPE).in_query("CompatibleRuntime"),
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LAYER_LIST_ITEMS_SHAPE).in_query("MaxItems"),
        Member::new("CompatibleArchitecture", &ARCHITECTURE_SHAPE).in_query("CompatibleArchitecture"),
    ],
};

/// ListTags.
pub static LIST_TAGS: Operation = Operation {
    name: "ListTags",
    method: http::Method::GET,
    path: &[Segment::Literal("2017-03-31"), Segment::Literal("tags"), Segment::Rest("Resource")],
    query: None,
    status: 200,
    replies: true,
    input: &[Member::new("Resource", &TAGGABLE_RESOURCE_SHAPE).in_label().required()],
};

/// ListVersionsByFunction.
pub static LIST_VERSIONS_BY_FUNCTION: Operation = Operation {
    name: "ListVersionsByFunction",
    method: http::Method::GET,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("versions"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Marker", &STRING).in_query("Marker"),
        Member::new("MaxItems", &MAX_LIST_ITEMS_SHAPE).in_query("MaxItems"),
    ],
};

/// PublishLayerVersion.
pub static PUBLISH_LAYER_VERSION: Operation = Operation {
    name: "PublishLayerVersion",
    method: http::Method::POST,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
    ],
    query: None,
    status: 201,
    replies: true,
    input: &[
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("Content", &LAYER_VERSION_CONTENT_INPUT_SHAPE).required(),
        Member::new("CompatibleRuntimes", &COMPATIBLE_RUNTIMES_SHAPE),
        Member::new("LicenseInfo", &LICENSE_INFO_SHAPE),
        Member::new("CompatibleArchitectures", &COMPATIBLE_ARCHITECTURES_SHAPE),
    ],
};

/// PublishVersion.
pub static PUBLISH_VERSION: Operation = Operation {
    name: "PublishVersion",
    method: http::Method::POST,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("versions"),
    ],
    query: None,
    status: 201,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("CodeSha256", &STRING),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("RevisionId", &STRING),
        Member::new("PublishTo", &FUNCTION_VERSION_LATEST_PUBLISHED_SHAPE),
    ],
};

/// PutFunctionCodeSigningConfig.
pub static PUT_FUNCTION_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "PutFunctionCodeSigningConfig",
    method: http::Method::PUT,
    path: &[
        Segment::Literal("2020-06-30"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("code-signing-config"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("CodeSigningConfigArn", &CODE_SIGNING_CONFIG_ARN_SHAPE).required(),
        Member::new("FunctionName", &NAMESPACED_FUNCTION_NAME_SHAPE).in_label().required(),
    ],
};

/// RemoveLayerVersionPermission.
pub static REMOVE_LAYER_VERSION_PERMISSION: Operation = Operation {
    name: "RemoveLayerVersionPermission",
    method: http::Method::DELETE,
    path: &[
        Segment::Literal("2018-10-31"),
        Segment::Literal("layers"),
        Segment::Label("LayerName"),
        Segment::Literal("versions"),
        Segment::Label("VersionNumber"),
        Segment::Literal("policy"),
        Segment::Label("StatementId"),
    ],
    query: None,
    status: 204,
    replies: false,
    input: &[
        Member::new("LayerName", &LAYER_NAME_SHAPE).in_label().required(),
        Member::new("VersionNumber", &LONG).in_label().required(),
        Member::new("StatementId", &STATEMENT_ID_SHAPE).in_label().required(),
        Member::new("RevisionId", &STRING).in_query("RevisionId"),
    ],
};

/// TagResource.
pub static TAG_RESOURCE: Operation = Operation {
    name: "TagResource",
    method: http::Method::POST,
    path: &[Segment::Literal("2017-03-31"), Segment::Literal("tags"), Segment::Rest("Resource")],
    query: None,
    status: 204,
    replies: false,
    input: &[
        Member::new("Resource", &TAGGABLE_RESOURCE_SHAPE).in_label().required(),
        Member::new("Tags", &TAGS_SHAPE).required(),
    ],
};

/// UntagResource.
pub static UNTAG_RESOURCE: Operation = Operation {
    name: "UntagResource",
    method: http::Method::DELETE,
    path: &[Segment::Literal("2017-03-31"), Segment::Literal("tags"), Segment::Rest("Resource")],
    query: None,
    status: 204,
    replies: false,
    input: &[
        Member::new("Resource", &TAGGABLE_RESOURCE_SHAPE).in_label().required(),
        Member::new("TagKeys", &TAG_KEY_LIST_SHAPE).in_query("tagKeys").required(),
    ],
};

/// UpdateAlias.
pub static UPDATE_ALIAS: Operation = Operation {
    name: "UpdateAlias",
    method: http::Method::PUT,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("aliases"),
        Segment::Label("Name"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Name", &ALIAS_SHAPE).in_label().required(),
        Member::new("FunctionVersion", &VERSION_WITH_LATEST_PUBLISHED_SHAPE),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("RoutingConfig", &ALIAS_ROUTING_CONFIGURATION_SHAPE),
        Member::new("RevisionId", &STRING),
    ],
};

/// UpdateCodeSigningConfig.
pub static UPDATE_CODE_SIGNING_CONFIG: Operation = Operation {
    name: "UpdateCodeSigningConfig",
    method: http::Method::PUT,
    path: &[
        Segment::Literal("2020-04-22"),
        Segment::Literal("code-signing-configs"),
        Segment::Label("CodeSigningConfigArn"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("CodeSigningConfigArn", &CODE_SIGNING_CONFIG_ARN_SHAPE).in_label().required(),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("AllowedPublishers", &ALLOWED_PUBLISHERS_SHAPE),
        Member::new("CodeSigningPolicies", &CODE_SIGNING_POLICIES_SHAPE),
    ],
};

/// UpdateFunctionCode.
pub static UPDATE_FUNCTION_CODE: Operation = Operation {
    name: "UpdateFunctionCode",
    method: http::Method::PUT,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("code"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("ZipFile", &BLOB_SHAPE),
        Member::new("S3Bucket", &S3_BUCKET_SHAPE),
        Member::new("S3Key", &S3_KEY_SHAPE),
        Member::new("S3ObjectVersion", &S3_OBJECT_VERSION_SHAPE),
        Member::new("ImageUri", &STRING),
        Member::new("Publish", &BOOLEAN),
        Member::new("DryRun", &BOOLEAN),
        Member::new("RevisionId", &STRING),
        Member::new("Architectures", &ARCHITECTURES_LIST_SHAPE),
        Member::new("SourceKMSKeyArn", &KMS_KEY_ARN_SHAPE),
        Member::new("PublishTo", &FUNCTION_VERSION_LATEST_PUBLISHED_SHAPE),
    ],
};

/// UpdateFunctionConfiguration.
pub static UPDATE_FUNCTION_CONFIGURATION: Operation = Operation {
    name: "UpdateFunctionConfiguration",
    method: http::Method::PUT,
    path: &[
        Segment::Literal("2015-03-31"),
        Segment::Literal("functions"),
        Segment::Label("FunctionName"),
        Segment::Literal("configuration"),
    ],
    query: None,
    status: 200,
    replies: true,
    input: &[
        Member::new("FunctionName", &FUNCTION_NAME_SHAPE).in_label().required(),
        Member::new("Role", &ROLE_ARN_SHAPE),
        Member::new("Handler", &HANDLER_SHAPE),
        Member::new("Description", &DESCRIPTION_SHAPE),
        Member::new("Timeout", &TIMEOUT_SHAPE),
        Member::new("MemorySize", &MEMORY_SIZE_SHAPE),
        Member::new("VpcConfig", &VPC_CONFIG_SHAPE),
        Member::new("Environment", &ENVIRONMENT_SHAPE),
        Member::new("Runtime", &RUNTIME_SHAPE),
        Member::new("DeadLetterConfig", &DEAD_LETTER_CONFIG_SHAPE),
        Member::new("KMSKeyArn", &KMS_KEY_ARN_SHAPE),
        Member::new("TracingConfig", &TRACING_CONFIG_SHAPE),
        Member::new("RevisionId", &STRING),
        Member::new("Layers", &LAYER_LIST_SHAPE),
        Member::new("FileSystemConfigs", &FILE_SYSTEM_CONFIG_LIST_SHAPE),
        Member::new("ImageConfig", &IMAGE_CONFIG_SHAPE),
        Member::new("EphemeralStorage", &EPHEMERAL_STORAGE_SHAPE),
        Member::new("SnapStart", &SNAP_START_SHAPE),
        Member::new("LoggingConfig", &LOGGING_CONFIG_SHAPE),
        Member::new("CapacityProviderConfig", &CAPACITY_PROVIDER_CONFIG_SHAPE),
        Member::new("DurableConfig", &DURABLE_CONFIG_SHAPE),
    ],
};

/// CodeSigningConfigNotFoundException, status 404.
pub static CODE_SIGNING_CONFIG_NOT_FOUND_ERROR: ErrorClass =
    ErrorClass::new("CodeSigningConfigNotFoundException", 404, "Message").typed("User");

/// CodeStorageExceededException, status 400.
pub static CODE_STORAGE_EXCEEDED_ERROR: ErrorClass =
    ErrorClass::new("CodeStorageExceededException", 400, "message").typed("User");

/// CodeVerificationFailedException, status 400.
pub static CODE_VERIFICATION_FAILED_ERROR: ErrorClass =
    ErrorClass::new("CodeVerificationFailedException", 400, "Message").typed("User");

/// FunctionVersionsPerCapacityProviderLimitExceededException, status 400.
pub static FUNCTION_VERSIONS_PER_CAPACITY_PROVIDER_LIMIT_EXCEEDED_ERROR: ErrorClass =
    ErrorClass::new("FunctionVersionsPerCapacityProviderLimitExceededException", 400, "message")
        .typed("User");

/// InvalidCodeSignatureException, status 400.
pub static INVALID_CODE_SIGNATURE_ERROR: ErrorClass =
    ErrorClass::new("InvalidCodeSignatureException", 400, "Message").typed("User");

/// InvalidParameterValueException, status 400.
pub static INVALID_PARAMETER_VALUE_ERROR: ErrorClass =
    ErrorClass::new("InvalidParameterValueException", 400, "message").typed("User");

/// PolicyLengthExceededException, status 400.
pub static POLICY_LENGTH_EXCEEDED_ERROR: ErrorClass =
    ErrorClass::new("PolicyLengthExceededException", 400, "message").typed("User");

/// PreconditionFailedException, status 412.
pub static PRECONDITION_FAILED_ERROR: ErrorClass =
    ErrorClass::new("PreconditionFailedException", 412, "message").typed("User");

/// ResourceConflictException, status 409.
pub static RESOURCE_CONFLICT_ERROR: ErrorClass =
    ErrorClass::new("ResourceConflictException", 409, "message").typed("User");

/// ResourceNotFoundException, status 404.
pub static RESOURCE_NOT_FOUND_ERROR: ErrorClass =
    ErrorClass::new("ResourceNotFoundException", 404, "Message").typed("User");

/// ServiceException, status 500.
pub static SERVICE_ERROR: ErrorClass = ErrorClass::new("ServiceException", 500, "Message").typed("Service");

/// TooManyRequestsException, status 429.
pub static TOO_MANY_REQUESTS_ERROR: ErrorClass =
    ErrorClass::new("TooManyRequestsException", 429, "message").typed("User");

static ADDITIONAL_VERSION_SHAPE: Shape = Shape::string(Some(1), Some(1024), Some(Pattern::new("[0-9]+")));
static ADDITIONAL_VERSION_WEIGHTS_SHAPE: Shape =
    Shape::map(&ADDITIONAL_VERSION_SHAPE, &WEIGHT_SHAPE, None, None);
static ALIAS_ROUTING_CONFIGURATION_SHAPE: Shape =
    Shape::structure(&[Member::new("AdditionalVersionWeights", &ADDITIONAL_VERSION_WEIGHTS_SHAPE)]);
static ALIAS_SHAPE: Shape =
    Shape::string(Some(1), Some(128), Some(Pattern::new("(?!^[0-9]+$)([a-zA-Z0-9-_]+)")));
static ALLOWED_PUBLISHERS_SHAPE: Shape =
    Shape::structure(&[
        Member::new("SigningProfileVersionArns", &SIGNING_PROFILE_VERSION_ARNS_SHAPE).required()
    ]);
static APPLICATION_LOG_LEVEL_SHAPE: Shape =
    Shape::one_of(&["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]);
static ARCHITECTURES_LIST_SHAPE: Shape = Shape::list(&ARCHITECTURE_SHAPE, Some(1), Some(1));
static ARCHITECTURE_SHAPE: Shape = Shape::one_of(&["x86_64", "arm64"]);
static ARN_SHAPE: Shape = Shape::string(
    None,
    None,
    Some(Pattern::new(
        r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
    )),
);
static BLOB_SHAPE: Shape = Shape::blob(None, None).sensitive();
static CAPACITY_PROVIDER_ARN_SHAPE: Shape = Shape::string(
    Some(1),
    Some(140),
    Some(Pattern::new(
        r"arn:aws[a-zA-Z-]*:lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:capacity-provider:[a-zA-Z0-9-_]+",
    )),
);
static CAPACITY_PROVIDER_CONFIG_SHAPE: Shape = Shape::structure(&[Member::new(
    "LambdaManagedInstancesCapacityProviderConfig",
    &LAMBDA_MANAGED_INSTANCES_CAPACITY_PROVIDER_CONFIG_SHAPE,
)
.required()]);
static CODE_SIGNING_CONFIG_ARN_SHAPE: Shape = Shape::string(
    Some(0),
    Some(200),
    Some(Pattern::new(
        r"arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}:\d{12}:code-signing-config:csc-[a-z0-9]{17}",
    )),
);
static CODE_SIGNING_POLICIES_SHAPE: Shape =
    Shape::structure(&[Member::new("UntrustedArtifactOnDeployment", &CODE_SIGNING_POLICY_SHAPE)]);
static CODE_SIGNING_POLICY_SHAPE: Shape = Shape::one_of(&["Warn", "Enforce"]);
static COMPATIBLE_ARCHITECTURES_SHAPE: Shape = Shape::list(&ARCHITECTURE_SHAPE, Some(0), Some(2));
static COMPATIBLE_RUNTIMES_SHAPE: Shape = Shape::list(&RUNTIME_SHAPE, Some(0), Some(15));
static DEAD_LETTER_CONFIG_SHAPE: Shape = Shape::structure(&[Member::new("TargetArn", &RESOURCE_ARN_SHAPE)]);
static DESCRIPTION_SHAPE: Shape = Shape::string(Some(0), Some(256), None);
static DURABLE_CONFIG_SHAPE: Shape = Shape::structure(&[
    Member::new("RetentionPeriodInDays", &RETENTION_PERIOD_IN_DAYS_SHAPE),
    Member::new("ExecutionTimeout", &EXECUTION_TIMEOUT_SHAPE),
]);
static ENVIRONMENT_SHAPE: Shape = Shape::structure(&[Member::new("Variables", &ENVIRONMENT_VARIABLES_SHAPE)]);
static ENVIRONMENT_VARIABLES_SHAPE: Shape =
    Shape::map(&ENVIRONMENT_VARIABLE_NAME_SHAPE, &ENVIRONMENT_VARIABLE_VALUE_SHAPE, None, None).sensitive();
static ENVIRONMENT_VARIABLE_NAME_SHAPE: Shape =
    Shape::string(None, None, Some(Pattern::new("[a-zA-Z]([a-zA-Z0-9_])+"))).sensitive();
static ENVIRONMENT_VARIABLE_VALUE_SHAPE: Shape = Shape::string(None, None, None).sensitive();
static EPHEMERAL_STORAGE_SHAPE: Shape =
    Shape::structure(&[Member::new("Size", &EPHEMERAL_STORAGE_SIZE_SHAPE).required()]);
static EPHEMERAL_STORAGE_SIZE_SHAPE: Shape = Shape::integer(Some(512), Some(10240));
static EXECUTION_ENVIRONMENT_MEMORY_GI_B_PER_V_CPU_SHAPE: Shape = Shape::double(Some(2.0), Some(8.0));
static EXECUTION_TIMEOUT_SHAPE: Shape = Shape::integer(Some(1), Some(31622400));
static FILE_SYSTEM_ARN_SHAPE: Shape = Shape::string(
    Some(0),
    Some(256),
    Some(Pattern::new(
        r"arn:aws[a-zA-Z-]*:elasticfilesystem:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}:\d{12}:access-point/fsap-[a-f0-9]{17}$|^arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40}",
    )),
);
static FILE_SYSTEM_CONFIG_LIST_SHAPE: Shape = Shape::list(&FILE_SYSTEM_CONFIG_SHAPE, Some(0), Some(1));
static FILE_SYSTEM_CONFIG_SHAPE: Shape = Shape::structure(&[
    Member::new("Arn", &FILE_SYSTEM_ARN_SHAPE).required(),
    Member::new("LocalMountPath", &LOCAL_MOUNT_PATH_SHAPE).required(),
]);
static FUNCTION_CODE_SHAPE: Shape = Shape::structure(&[
    Member::new("ZipFile", &BLOB_SHAPE),
    Member::new("S3Bucket", &S3_BUCKET_SHAPE),
    Member::new("S3Key", &S3_KEY_SHAPE),
    Member::new("S3ObjectVersion", &S3_OBJECT_VERSION_SHAPE),
    Member::new("ImageUri", &STRING),
    Member::new("SourceKMSKeyArn", &KMS_KEY_ARN_SHAPE),
]);
static FUNCTION_NAME_SHAPE: Shape = Shape::string(
    Some(1),
    Some(140),
    Some(Pattern::new(
        r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?",
    )),
);
static FUNCTION_VERSION_LATEST_PUBLISHED_SHAPE: Shape = Shape::one_of(&["LATEST_PUBLISHED"]);
static FUNCTION_VERSION_SHAPE: Shape = Shape::one_of(&["ALL"]);
static HANDLER_SHAPE: Shape = Shape::string(Some(0), Some(128), Some(Pattern::new(r"[^\s]+")));
static IMAGE_CONFIG_SHAPE: Shape = Shape::structure(&[
    Member::new("EntryPoint", &STRING_LIST_SHAPE),
    Member::new("Command", &STRING_LIST_SHAPE),
    Member::new("WorkingDirectory", &WORKING_DIRECTORY_SHAPE),
]);
static KMS_KEY_ARN_SHAPE: Shape =
    Shape::string(None, None, Some(Pattern::new("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")));
static LAMBDA_MANAGED_INSTANCES_CAPACITY_PROVIDER_CONFIG_SHAPE: Shape = Shape::structure(&[
    Member::new("CapacityProviderArn", &CAPACITY_PROVIDER_ARN_SHAPE).required(),
    Member::new("PerExecutionEnvironmentMaxConcurrency", &PER_EXECUTION_ENVIRONMENT_MAX_CONCURRENCY_SHAPE),
    Member::new("ExecutionEnvironmentMemoryGiBPerVCpu", &EXECUTION_ENVIRONMENT_MEMORY_GI_B_PER_V_CPU_SHAPE),
]);
static LAYER_LIST_SHAPE: Shape = Shape::list(&LAYER_VERSION_ARN_SHAPE, None, None);
static LAYER_NAME_SHAPE: Shape = Shape::string(
    Some(1),
    Some(140),
    Some(Pattern::new(
        r"(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+",
    )),
);
static LAYER_PERMISSION_ALLOWED_ACTION_SHAPE: Shape =
    Shape::string(Some(0), Some(22), Some(Pattern::new("lambda:GetLayerVersion")));
static LAYER_PERMISSION_ALLOWED_PRINCIPAL_SHAPE: Shape =
    Shape::string(None, None, Some(Pattern::new(r"\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root")));
static LAYER_VERSION_ARN_SHAPE: Shape = Shape::string(
    Some(1),
    Some(140),
    Some(Pattern::new(r"arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+")),
);
static LAYER_VERSION_CONTENT_INPUT_SHAPE: Shape = Shape::structure(&[
    Member::new("S3Bucket", &S3_BUCKET_SHAPE),
    Member::new("S3Key", &S3_KEY_SHAPE),
    Member::new("S3ObjectVersion", &S3_OBJECT_VERSION_SHAPE),
    Member::new("ZipFile", &BLOB_SHAPE),
]);
static LICENSE_INFO_SHAPE: Shape = Shape::string(Some(0), Some(512), None);
static LOCAL_MOUNT_PATH_SHAPE: Shape =
    Shape::string(Some(0), Some(160), Some(Pattern::new("/mnt/[a-zA-Z0-9-_.]+")));
static LOGGING_CONFIG_SHAPE: Shape = Shape::structure(&[
    Member::new("LogFormat", &LOG_FORMAT_SHAPE),
    Member::new("ApplicationLogLevel", &APPLICATION_LOG_LEVEL_SHAPE),
    Member::new("SystemLogLevel", &SYSTEM_LOG_LEVEL_SHAPE),
    Member::new("LogGroup", &LOG_GROUP_SHAPE),
]);
static LOG_FORMAT_SHAPE: Shape = Shape::one_of(&["JSON", "Text"]);
static LOG_GROUP_SHAPE: Shape = Shape::string(Some(1), Some(512), Some(Pattern::new(r"[\.\-_/#A-Za-z0-9]+")));
static MASTER_REGION_SHAPE: Shape =
    Shape::string(None, None, Some(Pattern::new(r"ALL|[a-z]{2}(-gov)?-[a-z]+-\d{1}")));
static MAX_LAYER_LIST_ITEMS_SHAPE: Shape = Shape::integer(Some(1), Some(50));
static MAX_LIST_ITEMS_SHAPE: Shape = Shape::integer(Some(1), Some(10000));
static MEMORY_SIZE_SHAPE: Shape = Shape::integer(Some(128), Some(32768));
static NAMESPACED_FUNCTION_NAME_SHAPE: Shape = Shape::string(
    Some(1),
    Some(256),
    Some(Pattern::new(
        r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    )),
);
static NUMERIC_LATEST_PUBLISHED_OR_ALIAS_QUALIFIER_SHAPE: Shape =
    Shape::string(Some(1), Some(128), Some(Pattern::new(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")));
static ORGANIZATION_ID_SHAPE: Shape =
    Shape::string(Some(0), Some(34), Some(Pattern::new("o-[a-z0-9]{10,32}")));
static PACKAGE_TYPE_SHAPE: Shape = Shape::one_of(&["Zip", "Image"]);
static PER_EXECUTION_ENVIRONMENT_MAX_CONCURRENCY_SHAPE: Shape = Shape::integer(Some(1), Some(1600));
static RESOURCE_ARN_SHAPE: Shape =
    Shape::string(None, None, Some(Pattern::new("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")));
static RETENTION_PERIOD_IN_DAYS_SHAPE: Shape = Shape::integer(Some(1), Some(90));
static ROLE_ARN_SHAPE: Shape = Shape::string(
    None,
    None,
    Some(Pattern::new(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")),
);
static RUNTIME_SHAPE: Shape = Shape::one_of(&[
    "nodejs",
    "nodejs4.3",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "java8",
    "java8.al2",
    "java11",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "python3.9",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "dotnet6",
    "dotnet8",
    "nodejs4.3-edge",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "provided",
    "provided.al2",
    "nodejs18.x",
    "python3.10",
    "java17",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "python3.11",
    "nodejs20.x",
    "provided.al2023",
    "python3.12",
    "java21",
    "python3.13",
    "nodejs22.x",
    "nodejs24.x",
    "python3.14",
    "java25",
    "dotnet10",
    "ruby4.0",
]);
static S3_BUCKET_SHAPE: Shape =
    Shape::string(Some(3), Some(63), Some(Pattern::new(r"[0-9A-Za-z\.\-_]*(?<!\.)")));
static S3_KEY_SHAPE: Shape = Shape::string(Some(1), Some(1024), None);
static S3_OBJECT_VERSION_SHAPE: Shape = Shape::string(Some(1), Some(1024), None);
static SECURITY_GROUP_IDS_SHAPE: Shape = Shape::list(&STRING, Some(0), Some(5));
static SIGNING_PROFILE_VERSION_ARNS_SHAPE: Shape = Shape::list(&ARN_SHAPE, Some(1), Some(20));
static SNAP_START_APPLY_ON_SHAPE: Shape = Shape::one_of(&["PublishedVersions", "None"]);
static SNAP_START_SHAPE: Shape = Shape::structure(&[Member::new("ApplyOn", &SNAP_START_APPLY_ON_SHAPE)]);
static STATEMENT_ID_SHAPE: Shape = Shape::string(Some(1), Some(100), Some(Pattern::new("([a-zA-Z0-9-_]+)")));
static STRING_LIST_SHAPE: Shape = Shape::list(&STRING, Some(0), Some(1500));
static SUBNET_IDS_SHAPE: Shape = Shape::list(&STRING, Some(0), Some(16));
static SYSTEM_LOG_LEVEL_SHAPE: Shape = Shape::one_of(&["DEBUG", "INFO", "WARN"]);
static TAGGABLE_RESOURCE_SHAPE: Shape = Shape::string(
    Some(1),
    Some(256),
    Some(Pattern::new(
        r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)",
    )),
);
static TAGS_SHAPE: Shape = Shape::map(&STRING, &STRING, None, None);
static TAG_KEY_LIST_SHAPE: Shape = Shape::list(&STRING, None, None);
static TENANCY_CONFIG_SHAPE: Shape =
    Shape::structure(&[Member::new("TenantIsolationMode", &TENANT_ISOLATION_MODE_SHAPE).required()]);
static TENANT_ISOLATION_MODE_SHAPE: Shape = Shape::one_of(&["PER_TENANT"]);
static TIMEOUT_SHAPE: Shape = Shape::integer(Some(1), None);
static TRACING_CONFIG_SHAPE: Shape = Shape::structure(&[Member::new("Mode", &TRACING_MODE_SHAPE)]);
static TRACING_MODE_SHAPE: Shape = Shape::one_of(&["Active", "PassThrough"]);
static VERSION_WITH_LATEST_PUBLISHED_SHAPE: Shape =
    Shape::string(Some(1), Some(1024), Some(Pattern::new(r"(\$LATEST(\.PUBLISHED)?|[0-9]+)")));
static VPC_CONFIG_SHAPE: Shape = Shape::structure(&[
    Member::new("SubnetIds", &SUBNET_IDS_SHAPE),
    Member::new("SecurityGroupIds", &SECURITY_GROUP_IDS_SHAPE),
    Member::new("Ipv6AllowedForDualStack", &BOOLEAN),
]);
static WEIGHT_SHAPE: Shape = Shape::double(Some(0.0), Some(1.0));
static WORKING_DIRECTORY_SHAPE: Shape = Shape::string(Some(0), Some(1000), None);
