//! Layers: numbered packages under the code of functions. Publishing one never depends on its signature, as on AWS; what
//! the signature states is shown where it verifies.

mod content;
mod permissions;
mod shape;

pub(super) use permissions::{add_permission, policy, remove_permission};

use countersign_api::{Asks, Notes};
use countersign_domain::{LayerName, LayerVersionArn, Scope};
use countersign_gateway::model::lambda::RESOURCE_NOT_FOUND_ERROR;
use countersign_gateway::{ApiError, Call, Reply};
use countersign_iam::ResourcePolicy;
use countersign_ports::layers::{LayerVersion, NewLayerVersion};
use serde_json::Value;

use crate::api::names::of_somebody_else;
use crate::api::paging::Page;
use crate::api::{LambdaApi, errors};

pub(super) async fn publish(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let layer = Named::of(api, call)?;
    api.access.authorize(call, Asks::of(call).on(layer.arn()))?;
    let content = content::of_request(api, call, &layer.name).await?;
    let new = NewLayerVersion { content, about: shape::about(call), created_at: call.received_at };
    let published = api.ports.layers.publish_layer(&layer.name, &new).await.map_err(errors::store)?;
    notes.about(RESOURCE_TYPE, layer.arn_at(published.version));
    shape::reply(api, &published).await
}

pub(super) async fn get(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let layer = Named::of(api, call)?;
    let number = number_asked(call);
    let arn = layer.arn_at(number.unwrap_or(0));
    found(api, call, &layer.name, number, arn, notes).await
}

pub(super) async fn get_by_arn(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let text = call.input.text(&["Arn"]).unwrap_or_default();
    let (layer, number) = text.rsplit_once(':').unwrap_or((text, ""));
    let layer = Named::of_text(api, call, layer)?;
    // A number that is no version's is one that nobody published.
    let number = Some(number.parse().unwrap_or(u64::MAX));
    found(api, call, &layer.name, number, text.to_owned(), notes).await
}

pub(super) async fn list(api: &LambdaApi, call: &Call, _notes: &mut Notes) -> Result<Reply, ApiError> {
    api.access.authorize(call, Asks::of(call))?;
    let page = Page::of(call, &api.settings.pages, MAX_ITEMS)?;
    let wanted = shape::Compatible::of(call);
    let (mut listed, mut after) = (Vec::new(), page.position::<LayerName>()?);
    while listed.len() <= page.size {
        let some = api.ports.layers.list_layers(after.as_ref(), page.to_read()).await;
        let some = some.map_err(errors::store)?;
        let Some(last) = some.last() else { break };
        after = Some(last.layer.clone());
        let fitting = some.iter().filter(|version| wanted.admits(&version.about));
        listed.extend(fitting.map(|version| (version.layer.to_string(), shape::newest(api, version))));
    }
    Ok(page.reply("Layers", listed))
}

pub(super) async fn versions(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let layer = Named::of(api, call)?;
    // Listings are about no one resource (service authorization reference).
    api.access.authorize(call, Asks::of(call))?;
    notes.about(RESOURCE_TYPE, layer.arn());
    let page = Page::of(call, &api.settings.pages, MAX_ITEMS)?;
    let wanted = shape::Compatible::of(call);
    let (mut listed, mut before) = (Vec::new(), page.position::<u64>()?);
    while listed.len() <= page.size {
        let some = api.ports.layers.layer_versions(&layer.name, before, page.to_read()).await;
        let some = some.map_err(errors::store)?;
        let Some(last) = some.last() else { break };
        before = Some(last.version);
        let fitting = some.iter().filter(|version| wanted.admits(&version.about));
        listed
            .extend(fitting.map(|version| (version.version.to_string(), shape::listed(api, version).into())));
    }
    Ok(page.reply("LayerVersions", listed))
}

pub(super) async fn delete(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let layer = Named::of(api, call)?;
    let number = number_asked(call);
    let arn = layer.arn_at(number.unwrap_or(0));
    api.access.authorize(call, Asks::of(call).on(&arn))?;
    let number = number.ok_or_else(|| errors::invalid(BELOW_ONE))?;
    notes.about(RESOURCE_TYPE, arn);
    api.ports.layers.delete_layer_version(&layer.name, number).await.map_err(errors::store)?;
    Ok(Reply::default())
}

/// A layer of this installation, as a request names it: by its name or its ARN. Whether it exists is not asked yet.
struct Named {
    name: LayerName,
    scope: Scope,
}

impl Named {
    fn of(api: &LambdaApi, call: &Call) -> Result<Self, ApiError> {
        Self::of_text(api, call, call.input.text(&["LayerName"]).unwrap_or_default())
    }

    fn of_text(api: &LambdaApi, call: &Call, text: &str) -> Result<Self, ApiError> {
        let scope = &api.settings.scope;
        let fields: Vec<&str> = text.split(':').collect();
        let name = match fields.as_slice() {
            [_, partition, _, _, account, ..]
                if *account != scope.account().as_str() || *partition != scope.partition() =>
            {
                return Err(of_somebody_else(call, call.operation.name, text));
            }
            [_, _, _, region, ..] if *region != scope.region() => return Err(missing()),
            [.., name] => name,
            [] => "",
        };
        let name = name.parse().map_err(|error| errors::invalid(format!("{error}")))?;
        Ok(Self { name, scope: scope.clone() })
    }

    fn arn(&self) -> String {
        let (partition, region, account) =
            (self.scope.partition(), self.scope.region(), self.scope.account());
        format!("arn:{partition}:lambda:{region}:{account}:layer:{}", self.name)
    }

    fn arn_at(&self, version: u64) -> String {
        format!("{}:{version}", self.arn())
    }
}

/// The version that the call is about, if its caller may see it: by their own policies, or by those of the version.
async fn found(
    api: &LambdaApi,
    call: &Call,
    layer: &LayerName,
    number: Option<u64>,
    arn: String,
    notes: &mut Notes,
) -> Result<Reply, ApiError> {
    let policy = match number {
        Some(number) => resource_policy(api, layer, number).await?,
        None => None,
    };
    // Both operations that read a version are one action (service authorization reference).
    let asks = Asks::to(call, "lambda:GetLayerVersion").on(&arn);
    api.access.authorize_with(policy.as_ref(), call, asks)?;
    let number = number.ok_or_else(|| errors::invalid(BELOW_ONE))?;
    notes.about(RESOURCE_TYPE, arn);
    let version = version(api, layer, number).await?.ok_or_else(missing)?;
    shape::reply(api, &version).await
}

async fn resource_policy(
    api: &LambdaApi,
    layer: &LayerName,
    number: u64,
) -> Result<Option<ResourcePolicy>, ApiError> {
    if number > i64::MAX.unsigned_abs() {
        return Ok(None);
    }
    let Some(policy) = api.ports.layers.layer_policy(layer, number).await.map_err(errors::store)? else {
        return Ok(None);
    };
    let document = permissions::document(api, layer, number, &policy).to_string();
    ResourcePolicy::parse(&document).map(Some).map_err(errors::failed)
}

async fn version(api: &LambdaApi, layer: &LayerName, number: u64) -> Result<Option<LayerVersion>, ApiError> {
    if LayerVersionArn::new(api.settings.scope.clone(), layer.clone(), number).is_none() {
        return Ok(None);
    }
    api.ports.layers.layer_version(layer, number).await.map_err(errors::store)
}

/// The version number of the call, if it is one.
fn number_asked(call: &Call) -> Option<u64> {
    call.input.at(&["VersionNumber"]).and_then(Value::as_u64).filter(|number| *number > 0)
}

/// Recorded for layers and versions alike.
fn missing() -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error("The resource you requested does not exist.")
}

const RESOURCE_TYPE: &str = "AWS::Lambda::LayerVersion";

/// Recorded for a version number below one.
const BELOW_ONE: &str = "Layer Version Cannot be less than 1";

/// Layers, or versions of one, on one page; also the most that the model lets a caller ask for.
const MAX_ITEMS: usize = 50;
