//! Aliases: names for a version, or for two with a weight.

use countersign_api::Notes;
use countersign_domain::{AliasName, FunctionVersion, RevisionId};
use countersign_gateway::model::lambda::RESOURCE_NOT_FOUND_ERROR;
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::functions::{Alias, AliasTarget, FunctionError, FurtherVersion, Weight};
use serde_json::{Map, Value, json};

use crate::NotChanged;
use crate::api::LambdaApi;
use crate::api::errors::{self, function_not_found, in_progress, invalid, other_revision};
use crate::api::found::{Found, found};
use crate::api::functions::not_changed;
use crate::api::names::Named;
use crate::api::paging::Page;

/// `CreateAlias`.
pub(super) async fn create(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let Found { named, allowed, .. } = to_version(call, on_function(api, call, notes).await)?;
    let target = AliasTarget {
        version: version(call, &named)?.unwrap_or(FunctionVersion::Latest),
        description: call.input.text(&["Description"]).unwrap_or_default().to_owned(),
        further: further(call, &named)?.unwrap_or_default(),
    };
    let made = api.deployer.create_alias(&named.name, &alias_name(call, &named)?, &target, &allowed).await;
    shown(&named, &made.map_err(|error| not_changed(&named, error))?)
}

/// `UpdateAlias`: what the request does not name stays.
pub(super) async fn update(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let Found { named, allowed, .. } = on_function(api, call, notes).await?;
    let name = alias_name(call, &named)?;
    let standing = api.ports.functions.alias(&named.name, &name).await.map_err(errors::store)?;
    let missing = || {
        let arn = named.arn_at(name.as_str());
        RESOURCE_NOT_FOUND_ERROR.error(format!("Alias not found: {arn}"))
    };
    let standing = standing.ok_or_else(missing)?;
    let seen = seen_revision(call, &standing)?;
    let target = AliasTarget {
        version: version(call, &named)?.unwrap_or(standing.target.version),
        description: call.input.text(&["Description"]).map_or(standing.target.description, str::to_owned),
        further: further(call, &named)?.unwrap_or(standing.target.further),
    };
    // Without a revision id of the caller's the state that was read is the one that is changed.
    let expected = seen.as_ref().unwrap_or(&standing.revision);
    let updated = api.deployer.update_alias(&named.name, &name, &target, Some(expected), &allowed).await;
    let updated = updated.map_err(|error| match (&seen, error) {
        (None, NotChanged::Refused(FunctionError::Refused(_))) => in_progress(named.arn_at(name.as_str())),
        (_, error) => not_changed(&named, error),
    })?;
    shown(&named, &updated)
}

/// `GetAlias`.
pub(super) async fn get(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let Found { named, .. } = on_function(api, call, notes).await?;
    let name = alias_name(call, &named)?;
    match api.ports.functions.alias(&named.name, &name).await.map_err(errors::store)? {
        Some(alias) => shown(&named, &alias),
        None => Err(no_alias(&named, name.as_str())),
    }
}

/// `DeleteAlias`. One that is not there is no error.
pub(super) async fn delete(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let Found { named, allowed, .. } = on_function(api, call, notes).await?;
    let deleted = api.deployer.delete_alias(&named.name, &alias_name(call, &named)?, &allowed).await;
    deleted.map_err(|error| not_changed(&named, error))?;
    Ok(Reply::default())
}

/// `ListAliases`.
pub(super) async fn list(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let Found { named, .. } = on_function(api, call, notes).await?;
    let page = Page::of(call, &api.settings.pages, MOST_ALIASES)?;
    let Ok(of) = call.input.text(&["FunctionVersion"]).map(str::parse).transpose() else {
        // No alias points to what cannot be a version.
        return Ok(page.reply("Aliases", Vec::new()));
    };
    let after = page.after.as_deref().map(str::parse).transpose().map_err(errors::failed)?;
    let aliases = api.ports.functions.aliases(&named.name, of, after.as_ref(), page.to_read()).await;
    let aliases = aliases.map_err(|error| errors::function(&named, error))?;
    let items = aliases.iter().map(|alias| (alias.name.to_string(), members(&named, alias).into()));
    Ok(page.reply("Aliases", items.collect()))
}

async fn on_function(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Found, ApiError> {
    found(api, call, notes, Named::of(&api.settings.scope, call)?.whole()?).await
}

/// Of a function that is not there, Lambda names the version that the alias was to point to.
fn to_version(call: &Call, found: Result<Found, ApiError>) -> Result<Found, ApiError> {
    let version = call.input.text(&["FunctionVersion"]).unwrap_or_default();
    found.map_err(|error| match error.class() {
        class if *class == RESOURCE_NOT_FOUND_ERROR && error.message().starts_with("Function not found") => {
            RESOURCE_NOT_FOUND_ERROR.error(format!("{}:{version}", error.message()))
        }
        _ => error,
    })
}

fn shown(named: &Named, alias: &Alias) -> Result<Reply, ApiError> {
    Ok(Reply::new(members(named, alias)))
}

/// `AliasConfiguration`.
fn members(named: &Named, alias: &Alias) -> Map<String, Value> {
    let Alias { name, target, revision } = alias;
    let mut members = Map::new();
    members.insert("AliasArn".into(), named.arn_at(name.as_str()).into());
    members.insert("Name".into(), name.as_str().into());
    members.insert("FunctionVersion".into(), target.version.to_string().into());
    members.insert("Description".into(), target.description.as_str().into());
    members.insert("RevisionId".into(), revision.as_str().into());
    if let Some(FurtherVersion { version, weight }) = target.further {
        let weights = json!({ version.to_string(): weight.get() });
        members.insert("RoutingConfig".into(), json!({"AdditionalVersionWeights": weights}));
    }
    members
}

/// The name in the request. The model admits no other than ours do.
fn alias_name(call: &Call, named: &Named) -> Result<AliasName, ApiError> {
    let name = call.input.text(&["Name"]).unwrap_or_default();
    name.parse().map_err(|_| no_alias(named, name))
}

fn no_alias(named: &Named, name: &str) -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error(format!("Cannot find alias arn: {}", named.arn_at(name)))
}

/// The version that the request points the alias to, if it names one.
fn version(call: &Call, named: &Named) -> Result<Option<FunctionVersion>, ApiError> {
    let text = call.input.text(&["FunctionVersion"]);
    // The model admits numbers that no version has.
    text.map(|text| text.parse().map_err(|_| function_not_found(named.arn_at(text)))).transpose()
}

/// The second version: `None` if the request leaves it as it is, `Some(None)` if there shall be none.
fn further(call: &Call, named: &Named) -> Result<Option<Option<FurtherVersion>>, ApiError> {
    let Some(routing) = call.input.at(&["RoutingConfig"]) else { return Ok(None) };
    let weights = routing.get("AdditionalVersionWeights").and_then(Value::as_object);
    let mut weights = weights.into_iter().flatten();
    let Some((text, weight)) = weights.next() else { return Ok(Some(None)) };
    if weights.next().is_some() {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    let missing = || function_not_found(named.arn_at(text));
    let version = match text.parse() {
        Ok(FunctionVersion::Published(version)) => version,
        Ok(FunctionVersion::Latest) | Err(_) => return Err(missing()),
    };
    let weight = weight.as_f64().and_then(Weight::new).ok_or_else(missing)?;
    Ok(Some(Some(FurtherVersion { version, weight })))
}

fn seen_revision(call: &Call, standing: &Alias) -> Result<Option<RevisionId>, ApiError> {
    match call.input.text(&["RevisionId"]).filter(|revision| !revision.is_empty()) {
        Some(seen) if seen != standing.revision.as_str() => Err(other_revision()),
        Some(_) => Ok(Some(standing.revision.clone())),
        None => Ok(None),
    }
}

/// Aliases of a page at most, whatever is asked for.
const MOST_ALIASES: usize = 50;
