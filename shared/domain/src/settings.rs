//! What a function is set to: the members of `CreateFunction` and `UpdateFunctionConfiguration` that are kept and shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::layer::LayerVersionArn;

/// The settings of a function, with Lambda's member names and defaults. Values are those that the API's model admitted;
/// nothing here runs anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct FunctionSettings {
    /// Such as `python3.13`; none for a function that an event made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// The ARN of the role that it would run as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What is called, such as `handler.main`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// For people; empty if there is none.
    pub description: String,
    /// For how many seconds a call may take.
    pub timeout: u32,
    /// The memory of a call, in MiB.
    pub memory_size: u32,
    /// Variables of a call.
    pub environment: Environment,
    /// The instruction set.
    pub architecture: Architecture,
    /// How the code is packed.
    pub package_type: PackageType,
    /// The layers under the code, in order; at most [`MAX_LAYERS`](crate::event::MAX_LAYERS), each a package that was
    /// decided upon with the code.
    pub layers: Vec<LayerVersionArn>,
    /// Every other member, as it was given.
    pub given: GivenMembers,
}

impl Default for FunctionSettings {
    fn default() -> Self {
        Self {
            runtime: None,
            role: None,
            handler: None,
            description: String::new(),
            timeout: DEFAULT_TIMEOUT_SECONDS,
            memory_size: DEFAULT_MEMORY_MIB,
            environment: Environment::default(),
            architecture: Architecture::X86_64,
            package_type: PackageType::Zip,
            layers: Vec::new(),
            given: GivenMembers::default(),
        }
    }
}

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// The default.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "arm64")]
    Arm64,
}

/// How code is packed. Images are not deployed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PackageType {
    /// A zip.
    Zip,
}

/// The variables of a function: at most [`ENVIRONMENT_MAX_BYTES`] as JSON. They are often secrets, so `Debug` tells their
/// names alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// True if there is no variable.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<String, String>> for Environment {
    type Error = TooLarge;

    fn try_from(variables: BTreeMap<String, String>) -> Result<Self, TooLarge> {
        let size_bytes = json_size(&variables);
        if size_bytes > ENVIRONMENT_MAX_BYTES {
            return Err(TooLarge { what: "the environment", size_bytes, max_bytes: ENVIRONMENT_MAX_BYTES });
        }
        Ok(Self(variables))
    }
}

impl From<Environment> for BTreeMap<String, String> {
    fn from(environment: Environment) -> Self {
        environment.0
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The members that are kept as they were given, such as `VpcConfig`, `TracingConfig` and `EphemeralStorage`: a JSON
/// object of at most [`GIVEN_MAX_BYTES`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct GivenMembers(Map<String, Value>);

impl GivenMembers {
    /// The member `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// These members and `more`, which counts where both have a name.
    ///
    /// # Errors
    /// When they are larger than [`GIVEN_MAX_BYTES`].
    pub fn with(&self, more: &Self) -> Result<Self, TooLarge> {
        let mut members = self.0.clone();
        members.extend(more.0.clone());
        members.try_into()
    }
}

impl TryFrom<Map<String, Value>> for GivenMembers {
    type Error = TooLarge;

    fn try_from(members: Map<String, Value>) -> Result<Self, TooLarge> {
        let size_bytes = json_size(&members);
        if size_bytes > GIVEN_MAX_BYTES {
            return Err(TooLarge { what: "the other settings", size_bytes, max_bytes: GIVEN_MAX_BYTES });
        }
        Ok(Self(members))
    }
}

impl From<GivenMembers> for Map<String, Value> {
    fn from(members: GivenMembers) -> Self {
        members.0
    }
}

/// Settings that are larger than a function may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {size_bytes} bytes as JSON, and at most {max_bytes} are kept")]
pub struct TooLarge {
    /// Which of them.
    pub what: &'static str,
    /// How large they are, in bytes.
    pub size_bytes: usize,
    /// How large they may be, in bytes.
    pub max_bytes: usize,
}

fn json_size(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |json| json.len())
}

/// Variables of a function as JSON, as on AWS.
pub const ENVIRONMENT_MAX_BYTES: usize = 4096;

/// The members that are kept as given, as JSON. Stops a request from filling the state.
pub const GIVEN_MAX_BYTES: usize = 32 * 1024;

const DEFAULT_TIMEOUT_SECONDS: u32 = 3;
const DEFAULT_MEMORY_MIB: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_given_is_lambdas_default() {
        let settings: FunctionSettings = serde_json::from_value(json!({})).unwrap();
        assert_eq!(settings, FunctionSettings::default());
        assert_eq!((settings.timeout, settings.memory_size), (3, 128));
        assert_eq!(settings.architecture, Architecture::X86_64);
    }

    #[test]
    fn settings_round_trip() {
        let settings = json!({
            "Runtime": "python3.13", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "h.main",
            "Description": "", "Timeout": 30, "MemorySize": 256, "Environment": {"A": "b"},
            "Architecture": "arm64", "PackageType": "Zip",
            "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:numpy:3"],
            "Given": {"TracingConfig": {"Mode": "Active"}},
        });
        let parsed: FunctionSettings = serde_json::from_value(settings.clone()).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), settings);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (member, value) in [
            ("PackageType", json!("Image")),
            ("Architecture", json!("X86_64")),
            ("Timeout", json!(-1)),
            ("Layers", json!(["arn:aws:lambda:us-east-1:000000000000:layer:numpy"])),
            ("Environment", json!({"A": "x".repeat(ENVIRONMENT_MAX_BYTES)})),
            ("Given", json!({"A": "x".repeat(GIVEN_MAX_BYTES)})),
            ("Unknown", json!(1)),
        ] {
            assert!(
                serde_json::from_value::<FunctionSettings>(json!({ member: value })).is_err(),
                "{member}"
            );
        }
    }

    #[test]
    fn variables_are_not_told() {
        let settings: FunctionSettings =
            serde_json::from_value(json!({"Environment": {"TOKEN": "hunter2"}})).unwrap();
        let told = format!("{settings:?}");
        assert!(told.contains("TOKEN") && !told.contains("hunter2"), "{told}");
    }
}
