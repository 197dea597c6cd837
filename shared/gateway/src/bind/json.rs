//! JSON, read strictly: no key twice (two readers would see two requests), no deep nesting, and a bound on how many
//! values a body may become in memory.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one JSON value.
///
/// # Errors
/// What is wrong and where, in words for the sender.
pub(super) fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    let left = Cell::new(MAX_VALUES);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Strict { left: &left, depth: MAX_DEPTH }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict<'c> {
    left: &'c Cell<usize>,
    depth: usize,
}

impl Strict<'_> {
    /// What reads the values inside this one.
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")))?;
        Ok(Self { depth, ..self })
    }

    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        let left = left.ok_or_else(|| E::custom(format_args!("more than {MAX_VALUES} values")))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if values.contains_key(&key) {
                let key: String = key.chars().take(MAX_QUOTED).collect();
                return Err(A::Error::custom(format_args!("the key {key:?} is there twice")));
            }
            let value = map.next_value_seed(inner)?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

/// Levels of nesting; the deepest input of the models has five.
const MAX_DEPTH: usize = 16;

/// Values in a body. Without a bound, 70 MB of `[[],[],…` would be some gigabytes in memory.
const MAX_VALUES: usize = 100_000;

/// Characters of a key that an error repeats.
const MAX_QUOTED: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> String {
        parse(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_key_is_there_once() {
        assert!(error(r#"{"a":1,"a":2}"#).contains("\"a\" is there twice"));
        assert!(error(r#"{"x":{"a":1,"\u0061":2}}"#).contains("twice"));
    }

    #[test]
    fn nesting_and_values_are_bounded() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(deep(16).as_bytes()).is_ok());
        assert!(error(&deep(17)).contains("deeper"));
        assert!(error(&format!("[{}0]", "0,".repeat(100_000))).contains("more than 100000 values"));
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        for body in ["{}x", "{} {}", "", "{", "nul", "{\"a\":1e999}", "\u{feff}{}"] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(parse(b" {\"a\":[1,-2,2.5,null,true,\"x\"]} ").unwrap()["a"][2], 2.5);
    }
}
