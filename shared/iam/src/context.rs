//! What is known about a request beside who, what and on what: condition keys and their values.

use std::collections::BTreeMap;

/// Condition keys with their values. Keys are case-insensitive, values are not. A key without values is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Adds a value to those of `key`. Forms: ARNs, numbers, `true` and `false`, ISO 8601 or epoch seconds, IP
    /// addresses, base64 for binary values.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.entry(folded(key)).or_default().push(value.into());
        self
    }

    /// Adds each of `values` to those of `key`; without any, the key is as it was.
    #[must_use]
    pub fn with_all<V: Into<String>>(self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self, |context, value| context.with(key, value))
    }

    /// The values of `key`, or none.
    pub fn values(&self, key: &str) -> &[String] {
        self.folded_values(&folded(key))
    }

    /// The values of a key in its folded form.
    pub(crate) fn folded_values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// The value of a key, in its folded form, that has exactly one, and not the empty one: what a policy variable can
    /// bring in.
    pub(crate) fn single(&self, key: &str) -> Option<&str> {
        match self.folded_values(key) {
            [value] if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// Sets `key` to `value` alone, whatever it was.
    pub(crate) fn set(&mut self, key: &str, value: Option<String>) {
        self.0.remove(&folded(key));
        if let Some(value) = value {
            self.0.insert(folded(key), vec![value]);
        }
    }
}

/// A condition key in the form in which two spellings of it are equal.
pub(crate) fn folded(key: &str) -> String {
    key.to_lowercase()
}
