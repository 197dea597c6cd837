//! What answers are made of.

use countersign_gateway::Reply;
use serde_json::{Map, Value};

/// A success with these members; those that are null are left out, as AWS leaves out what is not there.
pub(super) fn reply(members: Value) -> Reply {
    match present(members) {
        Value::Object(members) => Reply::new(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => empty(),
    }
}

/// A success about which there is nothing to say.
pub(super) fn empty() -> Reply {
    Reply::new(Map::new())
}

/// `value` without the members that are null, at any depth.
pub(super) fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let there = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(there.map(|(name, member)| (name, present(member))).collect())
        }
        Value::Array(values) => values.into_iter().map(present).collect(),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}
