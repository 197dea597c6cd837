//! `FunctionConfiguration`: how a function, or a version of it, is shown.
//!
//! What has no meaning for packages (the state of workers, network interfaces, runtimes) is shown as it is of a function
//! that is ready, because clients wait for that.

use countersign_domain::{
    Code, CodeSignature, FunctionName, FunctionSettings, FunctionVersion, LayerCode, UnixMillis,
};
use countersign_ports::functions::StandingVersion;
use serde_json::{Map, Value, json};

use crate::api::errors::code_sha256;

/// The version `standing` of the function `name`, under the ARN by which it was asked for.
pub(super) fn configuration(
    name: &FunctionName,
    standing: &StandingVersion,
    arn: String,
) -> Map<String, Value> {
    let mut members = listed(name, standing, arn);
    members.insert("State".into(), "Active".into());
    members.insert("LastUpdateStatus".into(), "Successful".into());
    members
}

/// The same in a list, where Lambda leaves out the states.
pub(super) fn listed(name: &FunctionName, standing: &StandingVersion, arn: String) -> Map<String, Value> {
    let StandingVersion { version, code, layers, settings, revision, last_modified } = standing;
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("FunctionName", name.as_str().into());
    put("FunctionArn", arn.into());
    put("Version", version.to_string().into());
    put("RevisionId", revision.as_str().into());
    put("LastModified", last_modified_text(*last_modified).into());
    put("CodeSha256", code_sha256(&code.sha256).into());
    put("CodeSize", code.size_bytes.into());
    for (name, value) in signature(code) {
        put(name, value);
    }
    let layers: Vec<Value> = layers.iter().filter_map(layer).collect();
    if !layers.is_empty() {
        put("Layers", layers.into());
    }
    members.extend(of_settings(name, *version, settings));
    members
}

/// What the verified signature of a package states; nothing where none verified.
pub(super) fn signature(code: &Code) -> Vec<(&'static str, Value)> {
    let Some(CodeSignature { profile_version_arn, job_arn, .. }) = &code.signature else { return Vec::new() };
    vec![
        ("SigningProfileVersionArn", profile_version_arn.to_string().into()),
        ("SigningJobArn", job_arn.to_string().into()),
    ]
}

/// An instant as Lambda shows it: `2026-11-21T08:30:00.125+0000`.
pub(super) fn last_modified_text(instant: UnixMillis) -> String {
    instant.to_string().replace('Z', "+0000")
}

/// A layer. One that an event named as a package has no ARN to be shown under.
fn layer(layer: &LayerCode) -> Option<Value> {
    let mut shown = Map::new();
    shown.insert("Arn".into(), layer.arn.as_ref()?.to_string().into());
    shown.insert("CodeSize".into(), layer.code.size_bytes.into());
    shown.extend(signature(&layer.code).into_iter().map(|(name, value)| (name.to_owned(), value)));
    Some(Value::Object(shown))
}

fn of_settings(
    name: &FunctionName,
    version: FunctionVersion,
    settings: &FunctionSettings,
) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    let FunctionSettings { runtime, role, handler, description, timeout, memory_size, environment, .. } =
        settings;
    for (name, value) in [("Runtime", runtime), ("Role", role), ("Handler", handler)] {
        if let Some(value) = value {
            put(name, value.as_str().into());
        }
    }
    put("Description", description.as_str().into());
    put("Timeout", (*timeout).into());
    put("MemorySize", (*memory_size).into());
    put("PackageType", json!(settings.package_type));
    put("Architectures", json!([settings.architecture]));
    if !environment.is_empty() {
        put("Environment", json!({"Variables": environment}));
    }
    for (name, default) in
        [("TracingConfig", json!({"Mode": "PassThrough"})), ("EphemeralStorage", json!({"Size": 512}))]
    {
        put(name, settings.given.get(name).cloned().unwrap_or(default));
    }
    put("SnapStart", snap_start(version, settings));
    put("LoggingConfig", logging(name, settings));
    for (name, value) in settings.given.iter() {
        if let Some(shown) = given(name, value) {
            put(name, shown);
        }
    }
    members
}

fn snap_start(version: FunctionVersion, settings: &FunctionSettings) -> Value {
    let apply_on =
        settings.given.get("SnapStart").and_then(|given| given.get("ApplyOn")).and_then(Value::as_str);
    let apply_on = apply_on.unwrap_or("None");
    let optimized = apply_on == "PublishedVersions" && version != FunctionVersion::Latest;
    json!({"ApplyOn": apply_on, "OptimizationStatus": if optimized { "On" } else { "Off" }})
}

/// Levels belong to structured logs alone.
fn logging(name: &FunctionName, settings: &FunctionSettings) -> Value {
    let given = settings.given.get("LoggingConfig");
    let member = |name: &str| given.and_then(|given| given.get(name)).and_then(Value::as_str);
    let format = member("LogFormat").unwrap_or("Text");
    let group = member("LogGroup").map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned);
    let mut shown = json!({"LogFormat": format, "LogGroup": group});
    if format == "JSON" {
        for level in ["ApplicationLogLevel", "SystemLogLevel"] {
            shown[level] = member(level).unwrap_or("INFO").into();
        }
    }
    shown
}

/// A member that is shown as it was given, unless it says nothing, or is shown with its defaults.
fn given(name: &str, value: &Value) -> Option<Value> {
    let told = |member: &str| value.get(member).filter(|value| !says_nothing(value));
    match name {
        "TracingConfig" | "EphemeralStorage" | "SnapStart" | "LoggingConfig" => None,
        "VpcConfig" => Some(json!({
            "SubnetIds": value.get("SubnetIds").cloned().unwrap_or(json!([])),
            "SecurityGroupIds": value.get("SecurityGroupIds").cloned().unwrap_or(json!([])),
            "Ipv6AllowedForDualStack": value.get("Ipv6AllowedForDualStack").cloned().unwrap_or(false.into()),
            "VpcId": "",
        })),
        "DeadLetterConfig" => told("TargetArn").map(|_| value.clone()),
        _ if says_nothing(value) => None,
        _ => Some(value.clone()),
    }
}

fn says_nothing(value: &Value) -> bool {
    value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(settings: &FunctionSettings, version: FunctionVersion) -> Value {
        of_settings(&"hello".parse().unwrap(), version, settings).into()
    }

    fn with_given(given: Value) -> FunctionSettings {
        let Value::Object(given) = given else { panic!("{given}") };
        FunctionSettings { given: given.try_into().unwrap(), ..FunctionSettings::default() }
    }

    #[test]
    fn what_was_never_set_has_the_defaults_of_lambda() {
        let expected = json!({
            "Description": "", "Timeout": 3, "MemorySize": 128, "PackageType": "Zip", "Architectures": ["x86_64"],
            "TracingConfig": {"Mode": "PassThrough"}, "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"},
        });
        assert_eq!(shown(&FunctionSettings::default(), FunctionVersion::Latest), expected);
    }

    #[test]
    fn what_was_given_is_shown_as_lambda_completes_it() {
        let settings = with_given(json!({
            "VpcConfig": {"SubnetIds": ["subnet-1"]}, "SnapStart": {"ApplyOn": "PublishedVersions"}, "KMSKeyArn": "",
            "LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}, "DeadLetterConfig": {"TargetArn": ""},
            "EphemeralStorage": {"Size": 1024},
        }));
        let latest = shown(&settings, FunctionVersion::Latest);
        assert_eq!(latest["SnapStart"]["OptimizationStatus"], "Off");
        assert_eq!(latest["VpcConfig"]["SubnetIds"], json!(["subnet-1"]));
        assert_eq!(latest["VpcConfig"]["SecurityGroupIds"], json!([]));
        assert_eq!(latest["LoggingConfig"]["ApplicationLogLevel"], "INFO");
        assert_eq!(latest["LoggingConfig"]["SystemLogLevel"], "WARN");
        assert_eq!(latest["EphemeralStorage"]["Size"], 1024);
        assert!(latest.get("KMSKeyArn").is_none() && latest.get("DeadLetterConfig").is_none());
        let published = shown(&settings, FunctionVersion::Published(1));
        assert_eq!(published["SnapStart"]["OptimizationStatus"], "On");
    }

    #[test]
    fn an_instant_has_milliseconds_and_an_offset() {
        assert_eq!(
            last_modified_text("2026-11-21T08:30:00.125Z".parse().unwrap()),
            "2026-11-21T08:30:00.125+0000"
        );
        assert_eq!(
            last_modified_text("2026-11-21T08:30:00Z".parse().unwrap()),
            "2026-11-21T08:30:00.000+0000"
        );
    }
}
