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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_there_is_left_out_at_any_depth() {
        let given = json!({"a": null, "b": {"c": null, "d": false}, "e": [{"f": null}], "g": "", "h": {}});
        let members = reply(given).members().clone();
        assert_eq!(Value::Object(members), json!({"b": {"d": false}, "e": [{}], "g": "", "h": {}}));
        assert!(empty().members().is_empty());
    }
}
