//! Values that stand as text, in a path or a query.

use countersign_domain::UnixMillis;
use serde_json::Value;

use super::refused;
use crate::error::ApiError;
use crate::model::{Kind, Shape};

/// The value of a member in the query: nothing, one value, or for a list as many as there are.
pub(super) fn parameter(name: &str, shape: &Shape, values: &[&str]) -> Result<Option<Value>, ApiError> {
    match (&shape.kind, values) {
        (_, []) => Ok(None),
        (Kind::List { member, .. }, values) => {
            let values: Result<Vec<Value>, ApiError> =
                values.iter().map(|value| scalar(member, value)).collect();
            values.map(|values| Some(Value::Array(values)))
        }
        (_, [value]) => scalar(shape, value).map(Some),
        (_, _) => Err(refused(format!("the parameter {name} is there more than once"))),
    }
}

/// One value of `shape`, from its text.
pub(super) fn scalar(shape: &Shape, text: &str) -> Result<Value, ApiError> {
    let wrong = |wanted: &str| refused(format!("STRING_VALUE can not be converted to {wanted}"));
    match &shape.kind {
        Kind::String { .. } => Ok(text.into()),
        Kind::Boolean => text.parse().map(Value::Bool).map_err(|_| wrong("a Boolean")),
        Kind::Integer { long: true, .. } => text.parse::<i64>().map(Value::from).map_err(|_| wrong("a Long")),
        Kind::Integer { long: false, .. } => {
            text.parse::<i32>().map(Value::from).map_err(|_| wrong("an Integer"))
        }
        Kind::Timestamp => {
            let instant: UnixMillis = text.parse().map_err(|_| wrong("a Timestamp"))?;
            Ok(crate::reply::epoch_seconds(instant))
        }
        // No model has these outside a body; the generator's test would show one that does.
        Kind::Structure(_)
        | Kind::List { .. }
        | Kind::Map { .. }
        | Kind::Blob { .. }
        | Kind::Double { .. } => Err(wrong("a value of a query")),
    }
}
