//! The code signing config of a function: attached, shown, detached. What stands of the function is not checked again.

use countersign_api::{Asks, Notes};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_iam::keys::LAMBDA_CODE_SIGNING_CONFIG_ARN;
use countersign_ports::functions::Function;
use serde_json::{Map, Value};

use crate::api::names::Named;
use crate::api::{LambdaApi, configs, errors};

pub(super) async fn put(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let config = call.input.text(&["CodeSigningConfigArn"]).unwrap_or_default();
    let (named, _) = permitted(api, call, Some(config), notes).await?;
    // The config is looked at before the function (recorded).
    let (config_arn, kept) =
        configs::find(api, config).await?.ok_or_else(|| errors::config_not_found(config))?;
    notes.about("AWS::Lambda::CodeSigningConfig", config_arn.to_string());
    let bound = api.ports.functions.bind(&named.name, Some(&kept.name)).await;
    bound.map_err(|error| errors::function(&named, error))?;
    Ok(shown(&named, &config_arn.to_string()))
}

pub(super) async fn get(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (named, function) = permitted(api, call, None, notes).await?;
    let function = function.ok_or_else(|| errors::function_not_found(named.unqualified()))?;
    let Some(name) = &function.code_signing_config else { return Ok(Reply::default()) };
    let kept = api.ports.code_signing_configs.config_named(name).await.map_err(errors::store)?;
    Ok(kept.map_or_else(Reply::default, |kept| shown(&named, &configs::arn_of(api, &kept.id).to_string())))
}

pub(super) async fn delete(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let (named, _) = permitted(api, call, None, notes).await?;
    let unbound = api.ports.functions.bind(&named.name, None).await;
    unbound.map_err(|error| errors::function(&named, error))?;
    Ok(Reply::default())
}

/// The function that the call is about, if it is there and its caller may.
async fn permitted(
    api: &LambdaApi,
    call: &Call,
    config: Option<&str>,
    notes: &mut Notes,
) -> Result<(Named, Option<Function>), ApiError> {
    let named = Named::of(&api.settings.scope, call)?;
    let arn = named.unqualified().to_string();
    let function = api.ports.functions.function(&named.name).await.map_err(errors::store)?;
    let asks = Asks::of(call).on(&arn);
    let asks = match &function {
        Some(function) => asks.tagged(&function.tags),
        None => asks,
    };
    // Attaching a config is about both (service authorization reference).
    let asks = match config {
        Some(config) => asks.on(config).with(LAMBDA_CODE_SIGNING_CONFIG_ARN, config),
        None => asks,
    };
    api.access.authorize(call, asks)?;
    notes.about("AWS::Lambda::Function", arn);
    if !matches!(named.qualifier(), Ok(None)) {
        return Err(errors::invalid(QUALIFIED));
    }
    Ok((named, function))
}

fn shown(named: &Named, config: &str) -> Reply {
    Reply::new(Map::from_iter([
        ("CodeSigningConfigArn".to_owned(), Value::from(config)),
        ("FunctionName".to_owned(), Value::from(named.name.as_str())),
    ]))
}

/// A config is of a function, whatever its version. The class is recorded, the text is not.
const QUALIFIED: &str = "A code signing configuration is associated with a function, not with one of its versions or aliases. \
                         Specify the function without a qualifier.";
