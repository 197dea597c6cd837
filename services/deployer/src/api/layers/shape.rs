//! How layers are shown (`PublishLayerVersionResponse`, `LayerVersionsListItem` and `LayersListItem` of Lambda's model).

use std::time::Duration;

use countersign_domain::{Code, LayerVersionArn, ObjectVersion};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::layers::{AboutLayer, LayerVersion};
use serde_json::{Map, Value, json};

use crate::api::configuration::{last_modified_text, signature};
use crate::api::{LambdaApi, errors};

/// What a request tells of the version that it publishes.
pub(super) fn about(call: &Call) -> AboutLayer {
    let text = |member: &str| call.input.text(&[member]).map(str::to_owned);
    AboutLayer {
        description: text("Description").unwrap_or_default(),
        compatible_runtimes: texts(call, "CompatibleRuntimes"),
        compatible_architectures: texts(call, "CompatibleArchitectures"),
        license_info: text("LicenseInfo"),
    }
}

/// A version with its content.
pub(super) async fn reply(api: &LambdaApi, version: &LayerVersion) -> Result<Reply, ApiError> {
    let mut members = listed(api, version);
    let arn = members.get("LayerVersionArn").and_then(Value::as_str).unwrap_or_default();
    let layer = arn.rsplit_once(':').map_or(arn, |(layer, _)| layer).to_owned();
    members.insert("LayerArn".to_owned(), layer.into());
    members.insert("Content".to_owned(), content(api, &version.content).await?);
    Ok(Reply::new(members))
}

/// A version as lists show it.
pub(super) fn listed(api: &LambdaApi, version: &LayerVersion) -> Map<String, Value> {
    let AboutLayer { description, compatible_runtimes, compatible_architectures, license_info } =
        &version.about;
    let scope = api.settings.scope.clone();
    let arn = LayerVersionArn::new(scope, version.layer.clone(), version.version);
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("LayerVersionArn", arn.map(|arn| arn.to_string()).into());
    put("Version", version.version.into());
    put("Description", description.as_str().into());
    put("CreatedDate", last_modified_text(version.created_at).into());
    if !compatible_runtimes.is_empty() {
        put("CompatibleRuntimes", compatible_runtimes.as_slice().into());
    }
    if !compatible_architectures.is_empty() {
        put("CompatibleArchitectures", compatible_architectures.as_slice().into());
    }
    if let Some(license) = license_info {
        put("LicenseInfo", license.as_str().into());
    }
    members
}

/// A layer with its newest version.
pub(super) fn newest(api: &LambdaApi, version: &LayerVersion) -> Value {
    let shown = listed(api, version);
    let arn = shown.get("LayerVersionArn").and_then(Value::as_str).unwrap_or_default();
    let layer = arn.rsplit_once(':').map_or(arn, |(layer, _)| layer);
    json!({"LayerName": version.layer.as_str(), "LayerArn": layer, "LatestMatchingVersion": shown})
}

async fn content(api: &LambdaApi, code: &Code) -> Result<Value, ApiError> {
    let object = ObjectVersion::from(code.object.clone());
    let location = api.ports.links.presigned_read(&object, LINK_VALID_FOR).await.map_err(errors::failed)?;
    let mut content = json!({
        "Location": location,
        "CodeSha256": errors::code_sha256(&code.sha256),
        "CodeSize": code.size_bytes,
    });
    for (name, value) in signature(code) {
        content[name] = value;
    }
    Ok(content)
}

/// The versions that a listing asks for.
pub(super) struct Compatible<'c> {
    runtime: Option<&'c str>,
    architecture: Option<&'c str>,
}

impl<'c> Compatible<'c> {
    pub(super) fn of(call: &'c Call) -> Self {
        let text = |member: &str| call.input.text(&[member]);
        Self { runtime: text("CompatibleRuntime"), architecture: text("CompatibleArchitecture") }
    }

    /// A version that names no architecture is for any.
    pub(super) fn admits(&self, about: &AboutLayer) -> bool {
        let named = |names: &[String], wanted: &str| names.iter().any(|name| name == wanted);
        let architectures = &about.compatible_architectures;
        self.runtime.is_none_or(|wanted| named(&about.compatible_runtimes, wanted))
            && self.architecture.is_none_or(|wanted| architectures.is_empty() || named(architectures, wanted))
    }
}

fn texts(call: &Call, member: &str) -> Vec<String> {
    let values = call.input.at(&[member]).and_then(Value::as_array);
    values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// For how long the link to a layer's content is good, as on AWS.
const LINK_VALID_FOR: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_asks_for_what_a_version_says_that_it_fits() {
        let wanted = |runtime, architecture| Compatible { runtime, architecture };
        let about = AboutLayer {
            compatible_runtimes: vec!["python3.13".to_owned()],
            compatible_architectures: Vec::new(),
            ..AboutLayer::default()
        };
        assert!(wanted(None, None).admits(&about));
        assert!(wanted(Some("python3.13"), Some("arm64")).admits(&about));
        assert!(!wanted(Some("python3.12"), None).admits(&about));
        let about = AboutLayer { compatible_architectures: vec!["x86_64".to_owned()], ..about };
        assert!(!wanted(None, Some("arm64")).admits(&about));
    }
}
