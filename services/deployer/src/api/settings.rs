//! The settings of a function, from the members of a request.

use std::collections::BTreeMap;

use countersign_domain::settings::TooLarge;
use countersign_domain::tag::{TagKey, TagValue};
use countersign_domain::{Architecture, Environment, FunctionSettings, GivenMembers, Tags};
use countersign_gateway::error::VALIDATION;
use countersign_gateway::{ApiError, Input};
use serde_json::{Map, Value};

use crate::api::errors::{invalid, too_many_tags};

/// The settings of a function to be made; its layers are looked up elsewhere.
///
/// # Errors
/// When the function is no package, or a setting is not one that Lambda takes.
pub(super) fn of_creation(input: &Input) -> Result<FunctionSettings, ApiError> {
    let image = input.text(&["PackageType"]) == Some("Image") || input.text(&["Code", "ImageUri"]).is_some();
    if image {
        return Err(invalid(NO_IMAGES));
    }
    if input.text(&["Runtime"]).is_none() || input.text(&["Handler"]).is_none() {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let architecture = architecture(input)?.unwrap_or(FunctionSettings::default().architecture);
    updated(input, &FunctionSettings { architecture, ..FunctionSettings::default() })
}

/// The settings that stand, with those that the request has; without its layers.
///
/// # Errors
/// When a setting is not one that Lambda takes.
pub(super) fn updated(input: &Input, standing: &FunctionSettings) -> Result<FunctionSettings, ApiError> {
    let text = |name: &str, standing: &Option<String>| {
        input.text(&[name]).map(str::to_owned).or_else(|| standing.clone())
    };
    Ok(FunctionSettings {
        runtime: text("Runtime", &standing.runtime),
        role: text("Role", &standing.role),
        handler: text("Handler", &standing.handler),
        description: input.text(&["Description"]).unwrap_or(&standing.description).to_owned(),
        timeout: timeout(input)?.unwrap_or(standing.timeout),
        memory_size: number(input, "MemorySize").unwrap_or(standing.memory_size),
        environment: environment(input)?.unwrap_or_else(|| standing.environment.clone()),
        given: given(input, &standing.given)?,
        architecture: standing.architecture,
        package_type: standing.package_type,
        layers: standing.layers.clone(),
    })
}

/// The instruction set that a request names; the model admits one at most.
///
/// # Errors
/// When it is none that there is, which the model refuses before.
pub(super) fn architecture(input: &Input) -> Result<Option<Architecture>, ApiError> {
    let named = input.at(&["Architectures"]).and_then(|named| named.get(0)).cloned();
    named.map(serde_json::from_value).transpose().map_err(|error| invalid(error.to_string()))
}

/// The tags that a request brings.
///
/// # Errors
/// When they are more than a function may have, or a key or value is none that is kept.
pub(super) fn tags(input: &Input) -> Result<Tags, ApiError> {
    let Some(Value::Object(given)) = input.at(&["Tags"]) else { return Ok(Tags::default()) };
    if given.len() > MAX_TAGS {
        return Err(too_many_tags());
    }
    let tag = |(key, value): (&String, &Value)| {
        let key: TagKey = key.parse().map_err(|error| invalid(format!("{error}")))?;
        let value: TagValue =
            value.as_str().unwrap_or_default().parse().map_err(|error| invalid(format!("{error}")))?;
        Ok((key, value))
    };
    let tags: BTreeMap<TagKey, TagValue> = given.iter().map(tag).collect::<Result<_, ApiError>>()?;
    Tags::try_from(tags).map_err(|_| too_many_tags())
}

/// The model has no upper bound; Lambda says this where there is one.
fn timeout(input: &Input) -> Result<Option<u32>, ApiError> {
    match input.at(&["Timeout"]).and_then(Value::as_i64) {
        Some(timeout) if timeout > MAX_TIMEOUT_SECONDS => Err(VALIDATION.error(format!(
            "1 validation error detected: Value '{timeout}' at 'timeout' failed to satisfy constraint: Member must have \
             value less than or equal to {MAX_TIMEOUT_SECONDS}"
        ))),
        Some(_) => Ok(number(input, "Timeout")),
        None => Ok(None),
    }
}

fn number(input: &Input, name: &str) -> Option<u32> {
    input.at(&[name]).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
}

/// `Environment` replaces all variables; without `Variables` there are none.
fn environment(input: &Input) -> Result<Option<Environment>, ApiError> {
    let Some(environment) = input.at(&["Environment"]) else { return Ok(None) };
    let variables = environment.get("Variables").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    let variables: BTreeMap<String, String> =
        serde_json::from_value(variables).map_err(|error| invalid(error.to_string()))?;
    let environment = Environment::try_from(variables).map_err(|TooLarge { max_bytes, .. }| {
        // Lambda repeats the variables here, which are often secrets.
        invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the {}KB limit.",
            max_bytes / 1024
        ))
    })?;
    Ok(Some(environment))
}

/// Each member replaces the one that stood, but those of `LoggingConfig`, which are set one by one.
fn given(input: &Input, standing: &GivenMembers) -> Result<GivenMembers, ApiError> {
    if input.at(&["ImageConfig"]).and_then(Value::as_object).is_some_and(|config| !config.is_empty()) {
        return Err(invalid(NO_IMAGES));
    }
    let named = KEPT_AS_GIVEN.iter().filter_map(|name| Some((*name, input.at(&[name])?.clone())));
    let members: Map<String, Value> = named
        .map(|(name, value)| match (name, standing.get(name), value) {
            ("LoggingConfig", Some(Value::Object(standing)), Value::Object(more)) => {
                let mut merged = standing.clone();
                merged.extend(more);
                (name.to_owned(), Value::Object(merged))
            }
            (name, _, value) => (name.to_owned(), value),
        })
        .collect();
    let too_large = |error: TooLarge| invalid(error.to_string());
    standing.with(&GivenMembers::try_from(members).map_err(too_large)?).map_err(too_large)
}

/// Why a function of package type Image is refused.
const NO_IMAGES: &str = "Functions are deployed from zip packages here: container images are not supported.";

/// The members that are kept as they are given, of the operations that make and update a function.
const KEPT_AS_GIVEN: &[&str] = &[
    "VpcConfig",
    "DeadLetterConfig",
    "KMSKeyArn",
    "TracingConfig",
    "FileSystemConfigs",
    "EphemeralStorage",
    "SnapStart",
    "LoggingConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "TenancyConfig",
];

/// Seconds that a call of a function may take (Lambda's quota).
const MAX_TIMEOUT_SECONDS: i64 = 900;

/// Tags of one function (Lambda's quota).
pub(super) const MAX_TAGS: usize = 50;

#[cfg(test)]
mod tests {
    use countersign_gateway::model::lambda;
    use countersign_gateway::validate::validate;
    use serde_json::json;

    use super::*;

    fn create(more: &Value) -> Result<FunctionSettings, String> {
        let mut members = json!({
            "FunctionName": "hello", "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "python3.13",
            "Handler": "h.main", "Code": {"ZipFile": ""},
        });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let Value::Object(mut members) = members else { unreachable!() };
        members.retain(|_, value| !value.is_null());
        let input = validate(&lambda::SERVICE, &lambda::CREATE_FUNCTION, members).unwrap();
        of_creation(&input).map_err(|error| error.message().to_owned())
    }

    fn update(standing: &FunctionSettings, more: Value) -> FunctionSettings {
        let Value::Object(mut members) = more else { unreachable!() };
        members.insert("FunctionName".into(), "hello".into());
        let input = validate(&lambda::SERVICE, &lambda::UPDATE_FUNCTION_CONFIGURATION, members).unwrap();
        updated(&input, standing).unwrap()
    }

    #[test]
    fn a_package_needs_runtime_and_handler_and_an_image_is_refused() {
        assert!(create(&json!({})).is_ok());
        let mandatory = "Runtime and Handler are mandatory";
        assert!(create(&json!({"Runtime": null})).unwrap_err().starts_with(mandatory));
        assert!(create(&json!({"Handler": null})).unwrap_err().starts_with(mandatory));
        for image in [json!({"PackageType": "Image"}), json!({"Code": {"ImageUri": "registry/i:1"}})] {
            assert_eq!(create(&image).unwrap_err(), NO_IMAGES);
        }
    }

    #[test]
    fn an_update_changes_what_it_names_and_nothing_else() {
        let made = create(&json!({
            "Description": "one", "Timeout": 60, "Architectures": ["arm64"], "EphemeralStorage": {"Size": 1024},
            "Environment": {"Variables": {"STAGE": "dev"}}, "LoggingConfig": {"LogFormat": "JSON"},
        }));
        let made = made.unwrap();
        assert_eq!(update(&made, json!({})), made);
        let updated = update(&made, json!({"Description": "", "LoggingConfig": {"LogGroup": "/mine"}}));
        assert_eq!(updated.description, "");
        assert_eq!(
            updated.given.get("LoggingConfig"),
            Some(&json!({"LogFormat": "JSON", "LogGroup": "/mine"}))
        );
        assert_eq!((updated.timeout, updated.architecture), (60, Architecture::Arm64));
        assert!(update(&made, json!({"Environment": {}})).environment.is_empty());
    }

    #[test]
    fn what_is_too_much_is_refused_without_repeating_secrets() {
        let value = "s3cret".repeat(1000);
        let refused = create(&json!({"Environment": {"Variables": {"KEY": value}}})).unwrap_err();
        assert!(refused.ends_with("exceeded the 4KB limit.") && !refused.contains("s3cret"), "{refused}");
        assert!(create(&json!({"Timeout": 900})).is_ok());
        assert!(create(&json!({"Timeout": 901})).unwrap_err().contains("less than or equal to 900"));
    }
}
