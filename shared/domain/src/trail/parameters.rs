//! What was asked and answered, without what nobody may read later.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The members of a request or an answer as CloudTrail shows them: their names begin with a lower case letter, packages,
/// payloads and environments are left out, and of presigned URLs only that there was one is told. At most
/// [`MAX_PARAMETERS_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parameters(Map<String, Value>);

impl Parameters {
    /// Of the input or the output of an operation; nothing of an empty one.
    pub fn of(members: &Map<String, Value>) -> Option<Self> {
        if members.is_empty() {
            return None;
        }
        let shown = structure(members);
        let size_bytes = serde_json::to_string(&shown).map_or(usize::MAX, |text| text.len());
        if size_bytes <= MAX_PARAMETERS_BYTES {
            return Some(Self(shown));
        }
        let mut omitted = Map::new();
        omitted.insert("omitted".to_owned(), json!(true));
        omitted.insert("originalSize".to_owned(), json!(size_bytes));
        omitted.insert("reason".to_owned(), json!(format!("larger than {MAX_PARAMETERS_BYTES} bytes")));
        Some(Self(omitted))
    }
}

fn structure(members: &Map<String, Value>) -> Map<String, Value> {
    let members = members.iter().map(|(name, value)| (decapitalized(name), value));
    members.filter_map(|(name, value)| Some((name.clone(), member(&name, value)?))).collect()
}

/// What is shown of a member, if anything is.
fn member(name: &str, value: &Value) -> Option<Value> {
    match name {
        "zipFile" => None,
        "environment" | "variables" => Some(json!({})),
        "payload" => Some(Value::from(HIDDEN)),
        // Their names are the caller's.
        "tags" | "signingParameters" => Some(texts(value)),
        _ => Some(shown(value)),
    }
}

fn shown(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(structure(members)),
        Value::Array(values) => values.iter().map(shown).collect(),
        Value::String(text) => Value::from(unsigned_text(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn texts(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), texts(value))).collect(),
        other @ (Value::Array(_) | Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_)) => {
            shown(other)
        }
    }
}

/// A presigned URL lets whoever has it read what it names.
fn unsigned_text(text: &str) -> &str {
    let is_signed = SIGNATURES.iter().any(|name| {
        let mut windows = text.as_bytes().windows(name.len());
        windows.any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    });
    if is_signed { HIDDEN } else { text }
}

fn decapitalized(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// The largest request or answer in a record, in bytes of JSON, as CloudTrail's.
pub const MAX_PARAMETERS_BYTES: usize = 100 * 1024;

/// What CloudTrail says instead of a secret.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The query parameters that carry a signature.
const SIGNATURES: [&str; 3] = ["x-amz-signature=", "x-amz-security-token=", "&signature="];
