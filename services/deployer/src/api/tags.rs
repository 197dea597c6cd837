//! Tags of functions and of code signing configs.

use countersign_api::{Asks, Notes};
use countersign_domain::{CodeSigningConfigArn, FunctionArn, TagKey, Tags};
use countersign_gateway::model::lambda::RESOURCE_NOT_FOUND_ERROR;
use countersign_gateway::{ApiError, Call, Reply};
use countersign_iam::keys::AWS_TAG_KEYS;
use countersign_ports::functions::FunctionError;
use serde_json::{Map, Value, json};

use crate::api::settings::MAX_TAGS;
use crate::api::{LambdaApi, configs, errors, settings};

pub(super) async fn tag(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let tags = settings::tags(&call.input)?;
    let (resource, standing) = permitted(api, call, &tags, notes).await?;
    if tags.is_empty() {
        return Err(errors::invalid(NO_TAGS));
    }
    let after = standing.with(&tags).map_err(|_| errors::too_many_tags())?;
    if after.iter().count() > MAX_TAGS {
        return Err(errors::too_many_tags());
    }
    change(api, &resource, &tags, &[]).await
}

pub(super) async fn untag(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (resource, _) = permitted(api, call, &Tags::default(), notes).await?;
    let keys = call.input.at(&["TagKeys"]).and_then(Value::as_array);
    // What can be no key is no tag of anything, and removing one that is not there is no error (recorded).
    let keys: Vec<TagKey> = keys.into_iter().flatten().filter_map(|key| key.as_str()?.parse().ok()).collect();
    change(api, &resource, &Tags::default(), &keys).await
}

pub(super) async fn list(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (_, tags) = permitted(api, call, &Tags::default(), notes).await?;
    Ok(Reply::new(Map::from_iter([("Tags".to_owned(), json!(tags))])))
}

/// What can be tagged.
enum Tagged {
    Function(FunctionArn),
    Config(CodeSigningConfigArn),
}

/// The resource of the call with its tags, if its caller may, with `new` tags in the request.
async fn permitted(
    api: &LambdaApi,
    call: &Call,
    new: &Tags,
    notes: &mut Notes,
) -> Result<(Tagged, Tags), ApiError> {
    let text = call.input.text(&["Resource"]).unwrap_or_default();
    let found = find(api, text).await?;
    let asks = Asks::of(call).on(text).tagging(new);
    let asks = match &found {
        Some((_, tags)) => asks.tagged(tags),
        None => asks,
    };
    let asks = match call.input.at(&["TagKeys"]).and_then(Value::as_array) {
        Some(keys) => asks.with_all(AWS_TAG_KEYS, keys.iter().filter_map(Value::as_str)),
        None => asks,
    };
    api.access.authorize(call, asks)?;
    if is_qualified(text) {
        return Err(errors::invalid(QUALIFIED));
    }
    let (resource, tags) = found.ok_or_else(|| not_found(text))?;
    let kind = match &resource {
        Tagged::Function(_) => "AWS::Lambda::Function",
        Tagged::Config(_) => "AWS::Lambda::CodeSigningConfig",
    };
    notes.about(kind, text);
    Ok((resource, tags))
}

async fn find(api: &LambdaApi, text: &str) -> Result<Option<(Tagged, Tags)>, ApiError> {
    if let Some((arn, kept)) = configs::find(api, text).await? {
        return Ok(Some((Tagged::Config(arn), kept.tags)));
    }
    let Some(arn) = text.parse().ok().filter(|arn: &FunctionArn| *arn.scope() == api.settings.scope) else {
        return Ok(None);
    };
    let function = api.ports.functions.function(arn.name()).await.map_err(errors::store)?;
    Ok(function.map(|function| (Tagged::Function(arn), function.tags)))
}

async fn change(
    api: &LambdaApi,
    resource: &Tagged,
    tags: &Tags,
    removed: &[TagKey],
) -> Result<Reply, ApiError> {
    match resource {
        Tagged::Function(arn) => {
            let changed = api.ports.functions.tag_function(arn.name(), tags, removed).await;
            changed.map_err(|error| of_function(arn, error))?;
        }
        Tagged::Config(arn) => {
            let changed = api.ports.code_signing_configs.tag_config(arn.id(), tags, removed).await;
            changed.map_err(|error| configs::refused(&arn.to_string(), error))?;
        }
    }
    Ok(Reply::default())
}

fn of_function(arn: &FunctionArn, error: FunctionError) -> ApiError {
    match error {
        FunctionError::NoSuchFunction(_) => errors::function_not_found(arn),
        FunctionError::TooManyTags(_) => errors::too_many_tags(),
        FunctionError::NoSuchConfig(_)
        | FunctionError::NoSuchVersion(_)
        | FunctionError::NoSuchAlias(_)
        | FunctionError::AliasExists(_)
        | FunctionError::Routing(_)
        | FunctionError::AliasPoints(_)
        | FunctionError::Refused(_)
        | FunctionError::Busy(_)
        | FunctionError::OtherLayers
        | FunctionError::Store(_) => errors::failed(error),
    }
}

/// True for the ARN of a version or an alias of a function, whether it is there or not.
fn is_qualified(text: &str) -> bool {
    text.split(':').nth(5) == Some("function") && text.split(':').nth(7).is_some()
}

fn not_found(text: &str) -> ApiError {
    let what = match text.split(':').nth(5) {
        Some("code-signing-config") => return configs::not_found(text),
        Some("event-source-mapping") => "Event source mapping",
        Some("capacity-provider") => "Capacity provider",
        Some("layer") => "Layer",
        Some(_) | None => "Function",
    };
    RESOURCE_NOT_FOUND_ERROR.error(format!("{what} not found: {text}"))
}

/// Recorded for a request with no tags in it.
const NO_TAGS: &str = "An error occurred and the request cannot be processed.";

/// Recorded for the ARN of a version or an alias, whether that exists or not.
const QUALIFIED: &str =
    "Tags on function aliases and versions are not supported. Please specify a function ARN.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_resource_is_told_by_its_kind() {
        let of = |resource: &str| not_found(&format!("arn:aws:lambda:us-east-1:111111111111:{resource}"));
        let arn = "arn:aws:lambda:us-east-1:111111111111:";
        assert_eq!(of("function:f").message(), format!("Function not found: {arn}function:f"));
        let mapping = of("event-source-mapping:0").message().to_owned();
        assert_eq!(mapping, format!("Event source mapping not found: {arn}event-source-mapping:0"));
        assert_eq!(
            of("capacity-provider:c").message(),
            format!("Capacity provider not found: {arn}capacity-provider:c")
        );
        assert!(of("code-signing-config:csc-0").message().contains("can not be found"));
    }

    #[test]
    fn only_a_function_can_be_qualified() {
        let arn = "arn:aws:lambda:us-east-1:111111111111:function:f";
        assert!(
            !is_qualified(arn)
                && is_qualified(&format!("{arn}:$LATEST"))
                && is_qualified(&format!("{arn}:1"))
        );
        assert!(!is_qualified("arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-0"));
    }
}
