//! Values as AWS repeats them in an error: as Java prints them.

use serde_json::{Map, Value};

use crate::model::{Kind, Member, Shape};

/// `Value 'x'`; for a sensitive value, and for bytes, no more than `Value`.
pub(super) fn value(shape: &Shape, value: &Value) -> String {
    if shape.sensitive || matches!(shape.kind, Kind::Blob { .. }) {
        return "Value".to_owned();
    }
    format!("Value '{}'", text(shape, value).chars().take(MAX_SHOWN).collect::<String>())
}

fn text(shape: &Shape, value: &Value) -> String {
    if shape.sensitive {
        return REDACTED.to_owned();
    }
    match (&shape.kind, value) {
        (_, Value::Null) => "null".to_owned(),
        (Kind::Structure(members), Value::Object(given)) => braced(&fields(members, given)),
        (Kind::List { member, .. }, Value::Array(values)) => {
            let values: Vec<String> =
                values.iter().take(MAX_ELEMENTS).map(|value| text(member, value)).collect();
            format!("[{}]", values.join(", "))
        }
        (Kind::Map { key, value: inner, .. }, Value::Object(values)) => {
            let entry = |(name, value): (&String, &Value)| {
                let name = if key.sensitive { REDACTED } else { name };
                format!("{name}={}", text(inner, value))
            };
            braced(&values.iter().take(MAX_ELEMENTS).map(entry).collect::<Vec<_>>())
        }
        (Kind::Double { .. }, Value::Number(number)) => {
            number.as_f64().map_or_else(String::new, |number| format!("{number:?}"))
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

fn fields(members: &[Member], given: &Map<String, Value>) -> Vec<String> {
    let field = |member: &Member| {
        let value = given.get(member.name)?;
        Some(format!("{}={}", super::joined("", member.name), text(member.shape, value)))
    };
    members.iter().filter_map(field).collect()
}

fn braced(fields: &[String]) -> String {
    format!("{{{}}}", fields.join(", "))
}

/// What AWS's own clients print in the place of a sensitive value.
const REDACTED: &str = "***Sensitive Data Redacted***";

/// Characters of a value that an error repeats.
const MAX_SHOWN: usize = 4096;

/// Elements of a list or map that an error repeats.
const MAX_ELEMENTS: usize = 256;
