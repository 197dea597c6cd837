//! What went wrong, in the classes and words of Lambda (recorded replies of the service).

use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::{CodeSigningConfigArn, Sha256Digest};
use countersign_gateway::ApiError;
use countersign_gateway::error::internal;
use countersign_gateway::model::lambda::{
    CODE_SIGNING_CONFIG_NOT_FOUND_ERROR, INVALID_PARAMETER_VALUE_ERROR, PRECONDITION_FAILED_ERROR,
    RESOURCE_CONFLICT_ERROR, RESOURCE_NOT_FOUND_ERROR, SERVICE,
};
use countersign_ports::StoreError;
use countersign_ports::change::Refusal;
use countersign_ports::functions::{FunctionError, Routing};

use crate::api::names::Named;

/// A parameter has a value that the service does not take.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    INVALID_PARAMETER_VALUE_ERROR.error(message)
}

/// There is no such function, version or alias. `arn` is what was asked for.
pub(super) fn function_not_found(arn: impl Display) -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error(format!("Function not found: {arn}"))
}

/// A function is to be bound to a config that is not there. `arn` is the config's.
pub(super) fn config_not_found(arn: impl Display) -> ApiError {
    CODE_SIGNING_CONFIG_NOT_FOUND_ERROR.error(format!(
        "The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}."
    ))
}

/// Something else is under way with the function.
pub(super) fn in_progress(arn: impl Display) -> ApiError {
    RESOURCE_CONFLICT_ERROR.error(format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    ))
}

/// The caller saw another state than the one that stands.
pub(super) fn other_revision() -> ApiError {
    PRECONDITION_FAILED_ERROR.error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve \
         the latest Revision Id",
    )
}

/// `$LATEST` is not the code that the caller takes it for.
pub(super) fn other_code(expected: &str, standing: &Sha256Digest) -> ApiError {
    invalid(format!(
        "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the \
         CodeSHA256 in $LATEST.",
        code_sha256(standing)
    ))
}

/// Something failed here. Why is told in the log alone.
pub(super) fn failed(error: impl Display) -> ApiError {
    tracing::error!(%error, "a call of the Lambda API failed");
    internal(&SERVICE)
}

/// A store did not do what it was asked.
pub(super) fn store(error: StoreError) -> ApiError {
    failed(error)
}

/// A change of a function, its versions or its aliases was not made.
pub(super) fn function(named: &Named, error: FunctionError) -> ApiError {
    match error {
        FunctionError::NoSuchFunction(_) => function_not_found(named.unqualified()),
        FunctionError::NoSuchConfig(name) => {
            let scope = named.unqualified().scope().clone();
            let id = countersign_domain::CodeSigningConfigId::of(&scope, &name);
            config_not_found(CodeSigningConfigArn::new(scope, id))
        }
        FunctionError::NoSuchVersion(version) => function_not_found(named.arn_at(&version.to_string())),
        FunctionError::NoSuchAlias(alias) => {
            let arn = named.arn_at(alias.as_str());
            RESOURCE_NOT_FOUND_ERROR.error(format!("Alias not found: {arn}"))
        }
        FunctionError::AliasExists(alias) => {
            let arn = named.arn_at(alias.as_str());
            RESOURCE_CONFLICT_ERROR.error(format!("Alias already exists: {arn}"))
        }
        FunctionError::Routing(routing) => of_routing(&routing),
        FunctionError::AliasPoints(alias) => RESOURCE_CONFLICT_ERROR
            .error(format!("Unable to delete version because the following aliases reference it: [{alias}]")),
        FunctionError::Refused(refusal) => refused(named, &refusal),
        FunctionError::Busy(_) => in_progress(named.unqualified()),
        FunctionError::TooManyTags(_) => too_many_tags(),
        FunctionError::Store(error) => store(error),
        error @ FunctionError::OtherLayers => failed(error),
    }
}

/// More tags than a resource may have.
pub(super) fn too_many_tags() -> ApiError {
    invalid("Number of tags exceeds resource tag limit.")
}

/// A change cannot be made of what stands.
pub(super) fn refused(named: &Named, refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::FunctionExists(name) => {
            RESOURCE_CONFLICT_ERROR.error(format!("Function already exist: {name}"))
        }
        Refusal::UnknownFunction(_) => function_not_found(named.unqualified()),
        Refusal::OtherRevision { .. } => other_revision(),
        Refusal::OtherCode { expected, standing } => other_code(&code_sha256(expected), standing),
        Refusal::Changed(_) => in_progress(named.unqualified()),
    }
}

fn of_routing(routing: &Routing) -> ApiError {
    match routing {
        Routing::OfLatest => invalid(routing.to_string()).without("Type"),
        Routing::SameVersion(version) => invalid(format!(
            "Invalid function version {version}. Function version {version} is already included in routing configuration."
        )),
    }
}

/// A digest as Lambda writes it: base64.
pub(super) fn code_sha256(digest: &Sha256Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}
