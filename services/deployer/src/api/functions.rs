//! Functions: made, shown, listed and deleted.

use std::time::Duration;

use countersign_api::{Asks, Notes};
use countersign_domain::event::{CreateFunction, DeploymentRequest};
use countersign_domain::{
    CodeSigningConfigArn, CodeSigningConfigName, FunctionName, FunctionSettings, FunctionVersion,
    ObjectVersion, Qualifier,
};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_iam::keys;
use countersign_ports::change::{Change, Refusal};
use countersign_ports::functions::{Function, FunctionError, StandingVersion};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::NotChanged;
use crate::api::LambdaApi;
use crate::api::configuration::{configuration, listed};
use crate::api::errors::{self, config_not_found, invalid};
use crate::api::found::{FUNCTION, Found, asked, found, left};
use crate::api::names::Named;
use crate::api::paging::Page;
use crate::api::{packages, settings, verdicts};

/// `CreateFunction`.
pub(super) async fn create(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let named = Named::of(&api.settings.scope, call)?.whole()?;
    let tags = settings::tags(&call.input)?;
    let config = call.input.text(&["CodeSigningConfigArn"]).filter(|arn| !arn.is_empty());
    let layers = packages::layer_texts(call).unwrap_or_default();
    let asks =
        Asks::of(call).on(named.arn()).tagging(&tags).with_all(keys::LAMBDA_LAYER, layers.iter().copied());
    let asks = config.iter().fold(asks, |asks, arn| asks.with(keys::LAMBDA_CODE_SIGNING_CONFIG_ARN, *arn));
    let allowed = api.access.authorize(call, asks)?;
    notes.about(FUNCTION, named.arn());
    let settings = settings::of_creation(&call.input)?;
    refuse_publish_to(call)?;
    must_be_new(api, &named).await?;
    let code_signing_config = config_of(api, config).await?;
    let layers = packages::layers(api, call, &layers).await?;
    let code = packages::code(api, call, &named.name, &["Code"]).await?;
    let request = DeploymentRequest {
        function_name: named.name.clone(),
        code,
        layers: layers.packages,
        alias: None,
        target: None,
        create: Some(CreateFunction { code_signing_config }),
    };
    let settings = Box::new(FunctionSettings { layers: layers.arns, ..settings });
    let change = Change::Create { settings, tags, publish: publishes(call) };
    let asked = asked(api, call, request, change, allowed)?;
    let ended = api.deployer.deploy(&asked).await;
    // A function that was not made has no ARN to be called by.
    let version = verdicts::deployed(notes, &named, named.name.as_str(), ended)?;
    let standing = left(api, &named, version).await?;
    Ok(Reply::new(configuration(&named.name, &standing, named.arn())))
}

/// True if the request publishes a version with the change.
pub(super) fn publishes(call: &Call) -> bool {
    call.input.at(&["Publish"]) == Some(&Value::Bool(true))
}

/// `LATEST_PUBLISHED` is of functions on capacity providers, which there are none of.
pub(super) fn refuse_publish_to(call: &Call) -> Result<(), ApiError> {
    match call.input.text(&["PublishTo"]) {
        Some(_) => Err(invalid("PublishTo is only supported for functions on a capacity provider.")),
        None => Ok(()),
    }
}

/// Looked at again when the decision is recorded; here it saves the work.
async fn must_be_new(api: &LambdaApi, named: &Named) -> Result<(), ApiError> {
    let standing = api.ports.functions.function(&named.name).await.map_err(errors::store)?;
    match standing.and_then(|function| function.latest) {
        Some(_) => Err(errors::refused(named, &Refusal::FunctionExists(named.name.clone()))),
        None => Ok(()),
    }
}

/// The name of the config with this ARN, which is one of ours.
async fn config_of(api: &LambdaApi, arn: Option<&str>) -> Result<Option<CodeSigningConfigName>, ApiError> {
    let Some(text) = arn else { return Ok(None) };
    let missing = || config_not_found(text);
    let arn: CodeSigningConfigArn = text.parse().map_err(|_| missing())?;
    if arn.scope() != &api.settings.scope {
        return Err(missing());
    }
    let config = api.ports.code_signing_configs.config(arn.id()).await.map_err(errors::store)?;
    config.map(|config| Some(config.name)).ok_or_else(missing)
}

/// `GetFunctionConfiguration`.
pub(super) async fn get_configuration(
    api: &LambdaApi,
    call: &Call,
    notes: &mut Notes,
) -> Result<Reply, ApiError> {
    let found = found(api, call, notes, Named::of(&api.settings.scope, call)?).await?;
    let version = found.version(api).await?;
    Ok(Reply::new(configuration(&found.named.name, &version, found.named.arn())))
}

/// `GetFunction`.
pub(super) async fn get(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let found = found(api, call, notes, Named::of(&api.settings.scope, call)?).await?;
    let version = found.version(api).await?;
    let mut members = Map::new();
    let shown = configuration(&found.named.name, &version, found.named.arn());
    members.insert("Configuration".into(), shown.into());
    members.insert("Code".into(), code_location(api, &version).await);
    members.extend(tags_of(api, call, &found));
    Ok(Reply::new(members))
}

/// Where the package can be downloaded for a while.
async fn code_location(api: &LambdaApi, version: &StandingVersion) -> Value {
    let object = ObjectVersion::from(version.code.object.clone());
    match api.ports.links.presigned_read(&object, LINK_VALID_FOR).await {
        Ok(location) => json!({"RepositoryType": "S3", "Location": location}),
        Err(error) => {
            tracing::warn!(%error, %object, "a function is shown without a link to its code");
            json!({"RepositoryType": "S3"})
        }
    }
}

/// The tags, for who may list them; Lambda tells others that they may not.
fn tags_of(api: &LambdaApi, call: &Call, found: &Found) -> Option<(String, Value)> {
    let tags = &found.function.tags;
    if tags.is_empty() {
        return None;
    }
    let asks = Asks::to(call, "lambda:ListTags").on(found.named.unqualified().to_string()).tagged(tags);
    Some(match api.access.authorize(call, asks) {
        Ok(_) => ("Tags".to_owned(), json!(tags)),
        Err(denied) => {
            let error = json!({"ErrorCode": denied.class().name, "Message": denied.message()});
            ("TagsError".to_owned(), error)
        }
    })
}

/// `ListFunctions`.
pub(super) async fn list(api: &LambdaApi, call: &Call, _: &mut Notes) -> Result<Reply, ApiError> {
    api.access.authorize(call, Asks::of(call))?;
    let page = Page::of(call, &api.settings.pages, MOST_FUNCTIONS)?;
    let region = call.input.text(&["MasterRegion"]).filter(|region| *region != "ALL");
    if region.is_some_and(|region| region != api.settings.scope.region()) {
        // Nothing here is a replica of another region's function.
        return Ok(page.reply("Functions", Vec::new()));
    }
    let items = match call.input.text(&["FunctionVersion"]) {
        Some(_all) => with_versions(api, &page).await?,
        None => latest_of_each(api, &page).await?,
    };
    Ok(page.reply("Functions", items))
}

async fn latest_of_each(api: &LambdaApi, page: &Page<'_>) -> Result<Vec<(String, Value)>, ApiError> {
    let after = page.after.as_deref().map(str::parse).transpose().map_err(errors::failed)?;
    let functions = api.ports.functions.list_functions(after.as_ref(), page.to_read()).await;
    let functions = functions.map_err(errors::store)?;
    Ok(functions.iter().filter_map(|function| unqualified(api, function)).collect())
}

fn unqualified(api: &LambdaApi, function: &Function) -> Option<(String, Value)> {
    let latest = function.latest.as_ref()?;
    let arn = api.arn(&function.name).to_string();
    Some((function.name.to_string(), listed(&function.name, latest, arn).into()))
}

/// Every function with its versions, `$LATEST` first. A position is the name and the version, `$LATEST` as 0.
async fn with_versions(api: &LambdaApi, page: &Page<'_>) -> Result<Vec<(String, Value)>, ApiError> {
    let (mut items, wanted) = (Vec::new(), page.size.saturating_add(1));
    let mut after: Option<FunctionName> = None;
    if let Some((name, number)) = page.after.as_deref().and_then(|after| after.split_once(':')) {
        let name: FunctionName = name.parse().map_err(errors::failed)?;
        let number: u64 = number.parse().map_err(errors::failed)?;
        published(api, &name, number, wanted, &mut items).await?;
        after = Some(name);
    }
    while items.len() < wanted {
        let functions = api.ports.functions.list_functions(after.as_ref(), page.to_read()).await;
        let functions = functions.map_err(errors::store)?;
        let Some(last) = functions.last() else { break };
        after = Some(last.name.clone());
        for function in &functions {
            if items.len() >= wanted {
                break;
            }
            let Some(latest) = &function.latest else { continue };
            items.push(version_item(api, &function.name, latest));
            let room = wanted.saturating_sub(items.len());
            published(api, &function.name, 0, room, &mut items).await?;
        }
    }
    Ok(items)
}

/// Up to `max` published versions after the number `after`.
async fn published(
    api: &LambdaApi,
    name: &FunctionName,
    after: u64,
    max: usize,
    items: &mut Vec<(String, Value)>,
) -> Result<(), ApiError> {
    let max = u32::try_from(max).unwrap_or(u32::MAX);
    match api.ports.functions.versions(name, after, max).await {
        Ok(versions) => items.extend(versions.iter().map(|version| version_item(api, name, version))),
        // Deleted while it was listed.
        Err(FunctionError::NoSuchFunction(_)) => {}
        Err(error) => return Err(errors::failed(error)),
    }
    Ok(())
}

fn version_item(api: &LambdaApi, name: &FunctionName, version: &StandingVersion) -> (String, Value) {
    let arn = api.arn(name).at(Qualifier::Version(version.version));
    let position = format!("{name}:{}", version.version.number().unwrap_or(0));
    (position, listed(name, version, arn.to_string()).into())
}

/// `DeleteFunction`.
pub(super) async fn delete(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let found = found(api, call, notes, Named::of(&api.settings.scope, call)?).await?;
    let Found { named, allowed, .. } = &found;
    let deleted = match named.qualifier() {
        Ok(None) => api.deployer.delete_function(&named.name, allowed).await,
        Ok(Some(Qualifier::Version(FunctionVersion::Published(version)))) => {
            match api.deployer.delete_version(&named.name, version, allowed).await {
                // Deleted before.
                Err(NotChanged::Refused(FunctionError::NoSuchVersion(_))) => Ok(()),
                deleted => deleted,
            }
        }
        Ok(Some(Qualifier::Version(FunctionVersion::Latest))) => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        Ok(Some(Qualifier::Alias(_))) | Err(_) => {
            return Err(invalid("Deletion of aliases is not currently supported."));
        }
    };
    deleted.map_err(|error| not_changed(named, error))?;
    Ok(Reply::default().with_status(StatusCode::NO_CONTENT))
}

/// A change of state was not made, or has not reached the target yet.
pub(super) fn not_changed(named: &Named, error: NotChanged) -> ApiError {
    match error {
        NotChanged::Refused(error) => errors::function(named, error),
        error @ NotChanged::Pending(_) => errors::failed(error),
    }
}

/// Functions of a page at most, whatever is asked for (Lambda's own bound).
const MOST_FUNCTIONS: usize = 50;

/// How long a link to a package is good (Lambda's own: ten minutes).
const LINK_VALID_FOR: Duration = Duration::from_secs(600);
