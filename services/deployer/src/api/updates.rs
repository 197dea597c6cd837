//! Functions that stand get other code, or other settings.

use countersign_api::{Asks, Notes};
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    CodeSigningConfigArn, CodeSigningConfigId, CodeVersion, FunctionSettings, RevisionId,
};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_iam::keys;
use countersign_ports::change::{Change, packages_of};
use countersign_ports::functions::{Function, Stamp, StandingVersion};
use serde_json::Value;

use crate::api::LambdaApi;
use crate::api::configuration::configuration;
use crate::api::errors::{self, invalid, other_revision};
use crate::api::found::{Found, asked, found, found_asking, left};
use crate::api::functions::{publishes, refuse_publish_to};
use crate::api::names::Named;
use crate::api::{packages, settings, verdicts};

/// `UpdateFunctionCode`.
pub(super) async fn code(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let named = Named::of(&api.settings.scope, call)?.whole()?;
    let Found { named, latest, allowed, .. } = found(api, call, notes, named).await?;
    let architecture = settings::architecture(&call.input)?;
    refuse_publish_to(call)?;
    if call.input.text(&["ImageUri"]).is_some() {
        return Err(invalid("Please don't provide ImageUri when updating a function with packageType Zip."));
    }
    let revision = seen_revision(call, &latest)?;
    let code = packages::code(api, call, &named.name, &[]).await?;
    let (_, layers) = packages_of(&latest);
    let dry = call.input.at(&["DryRun"]) == Some(&Value::Bool(true));
    let change = Change::UpdateCode { publish: publishes(call) && !dry, architecture, revision };
    let as_changed = change.settings(Some(&latest));
    let request = request(api, &named, &latest, code, layers).await?;
    let asked = asked(api, call, request, change, allowed)?;
    if dry {
        let decision = api.deployer.dry_run(&asked).await;
        let decision = verdicts::decided(notes, &named, &named.arn(), decision)?;
        let shown = StandingVersion { code: decision.code, settings: as_changed, ..latest };
        return Ok(Reply::new(configuration(&named.name, &shown, named.arn())));
    }
    let version = verdicts::deployed(notes, &named, &named.arn(), api.deployer.deploy(&asked).await)?;
    let standing = left(api, &named, version).await?;
    let arn = version.map_or_else(|| named.arn(), |version| named.arn_at(&version.to_string()));
    Ok(Reply::new(configuration(&named.name, &standing, arn)))
}

/// `UpdateFunctionConfiguration`. Other layers are other packages, which take a deployment; all else is only kept.
pub(super) async fn settings(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let named = Named::of(&api.settings.scope, call)?.whole()?;
    let texts = packages::layer_texts(call);
    let with_keys = |asks, function: Option<&Function>| keys_of(api, asks, texts.as_deref(), function);
    let Found { named, latest, allowed, .. } = found_asking(api, call, notes, named, with_keys).await?;
    let settings = settings::updated(&call.input, &latest.settings)?;
    let revision = seen_revision(call, &latest)?;
    let other_layers = texts.filter(|texts| !same_layers(texts, &latest.settings));
    let standing = match other_layers {
        None => {
            let stamp = Stamp { revision: new_revision(), at: api.ports.clock.now() };
            let functions = &api.ports.functions;
            let updated = functions.update_settings(&named.name, &settings, revision.as_ref(), &stamp).await;
            updated.map_err(|error| errors::function(&named, error))?
        }
        Some(texts) => {
            let layers = packages::layers(api, call, &texts).await?;
            let settings = Box::new(FunctionSettings { layers: layers.arns, ..settings });
            let code = latest.code.object.clone();
            let request = request(api, &named, &latest, code, layers.packages).await?;
            let asked = asked(api, call, request, Change::UpdateSettings { settings, revision }, allowed)?;
            verdicts::deployed(notes, &named, &named.arn(), api.deployer.deploy(&asked).await)?;
            left(api, &named, None).await?
        }
    };
    Ok(Reply::new(configuration(&named.name, &standing, named.arn())))
}

/// The condition keys of a change of settings: the layers that it names, and the config that the function is bound to.
fn keys_of(api: &LambdaApi, asks: Asks, layers: Option<&[&str]>, function: Option<&Function>) -> Asks {
    let asks = match layers {
        Some(layers) => asks.with_all(keys::LAMBDA_LAYER, layers.iter().copied()),
        None => asks,
    };
    match function.and_then(|function| function.code_signing_config.as_ref()) {
        Some(name) => {
            let scope = &api.settings.scope;
            let arn = CodeSigningConfigArn::new(scope.clone(), CodeSigningConfigId::of(scope, name));
            asks.with(keys::LAMBDA_CODE_SIGNING_CONFIG_ARN, arn.to_string())
        }
        None => asks,
    }
}

fn same_layers(texts: &[&str], standing: &FunctionSettings) -> bool {
    let standing = standing.layers.iter().map(ToString::to_string);
    standing.eq(texts.iter().map(|text| (*text).to_owned()))
}

/// What is asked of a function that stands: that it changes where it is.
async fn request(
    api: &LambdaApi,
    named: &Named,
    latest: &StandingVersion,
    code: CodeVersion,
    layers: Vec<CodeVersion>,
) -> Result<DeploymentRequest, ApiError> {
    let target = api.deployer.target_of(&named.name, latest).await.map_err(errors::failed)?;
    Ok(DeploymentRequest {
        function_name: named.name.clone(),
        code,
        layers,
        alias: None,
        target,
        create: None,
    })
}

/// The revision id that the caller saw, which is looked at again when the change is made.
pub(super) fn seen_revision(call: &Call, latest: &StandingVersion) -> Result<Option<RevisionId>, ApiError> {
    match call.input.text(&["RevisionId"]).filter(|revision| !revision.is_empty()) {
        Some(seen) if seen != latest.revision.as_str() => Err(other_revision()),
        Some(_) => Ok(Some(latest.revision.clone())),
        None => Ok(None),
    }
}

fn new_revision() -> RevisionId {
    RevisionId::from_random(uuid::Uuid::new_v4().into_bytes())
}
