//! Code signing configs: whom functions trust, and what happens to what they do not trust. Those that the configuration
//! declares are read here like the others, and changed there alone.

use countersign_api::{Asks, Notes};
use countersign_domain::{
    CodeSigningConfigArn, CodeSigningConfigId, FunctionArn, FunctionName, PublisherArn, UnixMillis,
    UntrustedArtifact,
};
use countersign_gateway::model::lambda::{RESOURCE_CONFLICT_ERROR, RESOURCE_NOT_FOUND_ERROR};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::code_signing_configs::{ConfigError, ConfigUpdate, KeptConfig, NewConfig};
use serde_json::{Map, Value, json};

use crate::api::paging::Page;
use crate::api::{LambdaApi, errors, settings};

pub(super) async fn create(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let tags = settings::tags(&call.input)?;
    api.access.authorize(call, Asks::of(call).tagging(&tags))?;
    let [random @ .., _, _, _, _, _, _, _, _] = uuid::Uuid::new_v4().into_bytes();
    let config = NewConfig {
        id: CodeSigningConfigId::from_random(random),
        description: text(call, "Description"),
        publishers: publishers(call)?.unwrap_or_default(),
        untrusted_artifact: policy(call).unwrap_or(UntrustedArtifact::Warn),
        tags,
        created_at: call.received_at,
    };
    let arn = arn_of(api, &config.id);
    let made = api.ports.code_signing_configs.create_config(&config).await;
    let kept = made.map_err(|error| refused(&arn.to_string(), error))?;
    notes.about(RESOURCE_TYPE, arn.to_string());
    Ok(described(api, &kept))
}

pub(super) async fn get(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (arn, kept) = permitted(api, call).await?;
    notes.about(RESOURCE_TYPE, arn.to_string());
    Ok(described(api, &kept))
}

pub(super) async fn update(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (arn, _) = permitted(api, call).await?;
    notes.about(RESOURCE_TYPE, arn.to_string());
    let update = ConfigUpdate {
        description: text(call, "Description"),
        publishers: publishers(call)?,
        untrusted_artifact: policy(call),
    };
    let updated = api.ports.code_signing_configs.update_config(arn.id(), &update, call.received_at).await;
    Ok(described(api, &updated.map_err(|error| refused(&arn.to_string(), error))?))
}

pub(super) async fn delete(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (arn, _) = permitted(api, call).await?;
    notes.about(RESOURCE_TYPE, arn.to_string());
    match api.ports.code_signing_configs.delete_config(arn.id()).await {
        Ok(()) => Ok(Reply::default()),
        Err(declared @ ConfigError::Declared(_)) => Err(RESOURCE_CONFLICT_ERROR.error(declared.to_string())),
        Err(error) => Err(refused(&arn.to_string(), error)),
    }
}

pub(super) async fn list(api: &LambdaApi, call: &Call, _notes: &mut Notes) -> Result<Reply, ApiError> {
    api.access.authorize(call, Asks::of(call))?;
    let page = Page::of(call, &api.settings.pages, MAX_ITEMS)?;
    let after: Option<CodeSigningConfigId> = page.position()?;
    let found = api.ports.code_signing_configs.configs(after.as_ref(), page.to_read()).await;
    let found = found.map_err(errors::store)?;
    let listed = found.iter().map(|config| (config.id.to_string(), shape(api, config))).collect();
    Ok(page.reply("CodeSigningConfigs", listed))
}

pub(super) async fn functions(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (arn, _) = permitted(api, call).await?;
    notes.about(RESOURCE_TYPE, arn.to_string());
    let page = Page::of(call, &api.settings.pages, MAX_ITEMS)?;
    let after: Option<FunctionName> = page.position()?;
    let configs = &api.ports.code_signing_configs;
    let found = configs.functions_of_config(arn.id(), after.as_ref(), page.to_read()).await;
    let found = found.map_err(|error| refused(&arn.to_string(), error))?;
    let listed = found.into_iter().map(|name| {
        let function = FunctionArn::new(api.settings.scope.clone(), name.clone());
        (name.to_string(), function.to_string().into())
    });
    Ok(page.reply("FunctionArns", listed.collect()))
}

/// The ARN of the config `id` of this installation.
pub(super) fn arn_of(api: &LambdaApi, id: &CodeSigningConfigId) -> CodeSigningConfigArn {
    CodeSigningConfigArn::new(api.settings.scope.clone(), id.clone())
}

/// The config that the text names, if it is one of this installation.
pub(super) async fn find(
    api: &LambdaApi,
    arn: &str,
) -> Result<Option<(CodeSigningConfigArn, KeptConfig)>, ApiError> {
    let Some(arn) = arn.parse().ok().filter(|arn: &CodeSigningConfigArn| *arn.scope() == api.settings.scope)
    else {
        return Ok(None);
    };
    let kept = api.ports.code_signing_configs.config(arn.id()).await.map_err(errors::store)?;
    Ok(kept.map(|kept| (arn, kept)))
}

/// There is no such config, for the operations on configs themselves: this error has no `Type`.
pub(super) fn not_found(arn: &str) -> ApiError {
    let message = format!("The Lambda code signing configuration {arn} can not be found.");
    RESOURCE_NOT_FOUND_ERROR.error(message).without("Type")
}

/// Why a config was not changed.
pub(super) fn refused(arn: &str, error: ConfigError) -> ApiError {
    match error {
        ConfigError::NoSuchConfig(_) => not_found(arn),
        ConfigError::Bound { .. } => RESOURCE_CONFLICT_ERROR.error(IN_USE),
        ConfigError::Declared(_) | ConfigError::Publishers(_) => errors::invalid(error.to_string()),
        ConfigError::TooManyTags(_) => errors::too_many_tags(),
        ConfigError::Exists(_) => errors::failed(error),
        ConfigError::Store(error) => errors::store(error),
    }
}

/// The config that the call is about, if its caller may: what is denied and what is not there look alike.
async fn permitted(api: &LambdaApi, call: &Call) -> Result<(CodeSigningConfigArn, KeptConfig), ApiError> {
    let arn = call.input.text(&["CodeSigningConfigArn"]).unwrap_or_default();
    let found = find(api, arn).await?;
    let asks = Asks::of(call).on(arn);
    let asks = match &found {
        Some((_, kept)) => asks.tagged(&kept.tags),
        None => asks,
    };
    api.access.authorize(call, asks)?;
    found.ok_or_else(|| not_found(arn))
}

fn text(call: &Call, member: &str) -> Option<String> {
    call.input.text(&[member]).map(str::to_owned)
}

fn publishers(call: &Call) -> Result<Option<Vec<PublisherArn>>, ApiError> {
    let Some(Value::Array(arns)) = call.input.at(&["AllowedPublishers", "SigningProfileVersionArns"]) else {
        return Ok(None);
    };
    let parsed: Result<Vec<PublisherArn>, _> =
        arns.iter().filter_map(Value::as_str).map(str::parse).collect();
    parsed.map(Some).map_err(|error| errors::invalid(error.to_string()))
}

fn policy(call: &Call) -> Option<UntrustedArtifact> {
    call.input.text(&["CodeSigningPolicies", "UntrustedArtifactOnDeployment"])?.parse().ok()
}

fn described(api: &LambdaApi, config: &KeptConfig) -> Reply {
    Reply::new(Map::from_iter([("CodeSigningConfig".to_owned(), shape(api, config))]))
}

fn shape(api: &LambdaApi, config: &KeptConfig) -> Value {
    let mut shape = json!({
        "CodeSigningConfigId": config.id.as_str(),
        "CodeSigningConfigArn": arn_of(api, &config.id).to_string(),
        "AllowedPublishers": {"SigningProfileVersionArns": config.publishers},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.untrusted_artifact},
        "LastModified": nanoseconds(config.last_modified),
    });
    if let Some(description) = &config.description {
        shape["Description"] = description.as_str().into();
    }
    shape
}

/// Configs tell their instants to the nanosecond (recorded), functions to the millisecond.
fn nanoseconds(instant: UnixMillis) -> String {
    instant.to_string().replace('Z', "000000Z")
}

const RESOURCE_TYPE: &str = "AWS::Lambda::CodeSigningConfig";

/// Configs, or functions of one, on one page; also the most that the model lets a caller ask for.
const MAX_ITEMS: usize = 10_000;

/// Recorded for a config to which a function is bound.
const IN_USE: &str = "Lambda cannot delete the code signing configuration at this time \u{2014} another operation is in \
                      progress. Try again later.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_of_a_config_has_nine_digits_behind_the_point() {
        let instant: UnixMillis = "2026-09-28T09:25:38.519Z".parse().unwrap();
        assert_eq!(nanoseconds(instant), "2026-09-28T09:25:38.519000000Z");
    }

    #[test]
    fn a_config_that_is_missing_or_in_use_is_told_in_the_recorded_words() {
        let arn = "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-0123456789abcdef0";
        let id: CodeSigningConfigId = "csc-0123456789abcdef0".parse().unwrap();
        let missing = refused(arn, ConfigError::NoSuchConfig(id.clone()));
        let body =
            json!({"Message": format!("The Lambda code signing configuration {arn} can not be found.")});
        assert_eq!((Value::from(missing.members().clone()), missing.status().as_u16()), (body, 404));
        let bound = refused(arn, ConfigError::Bound { id, function: "hello".parse().unwrap() });
        assert_eq!((bound.message(), bound.status().as_u16()), (IN_USE, 409));
    }
}
