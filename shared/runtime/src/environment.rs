//! The environment variables that concern us, read once when a process starts.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// A snapshot of the variables whose names begin with `COUNTERSIGN_` or `AWS_`, and of `RUST_LOG`. It has no `Debug`:
/// some of them are secrets.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The environment of this process. A variable that is not UTF-8 counts as absent.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of `name`; an empty one counts as absent, as shells make it hard to tell them apart.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`, which must not be shown.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.value(name).map(SecretString::from)
    }

    /// The names of all variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let ours =
            |name: &str| name.starts_with("COUNTERSIGN_") || name.starts_with("AWS_") || name == "RUST_LOG";
        Self { variables: variables.into_iter().filter(|(name, _)| ours(name)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_variables_are_kept_and_empty_ones_are_absent() {
        let pairs = [("COUNTERSIGN_LISTEN", "127.0.0.1:1"), ("HOME", "/root"), ("AWS_REGION", "")];
        let environment: Environment =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(environment.value("COUNTERSIGN_LISTEN"), Some("127.0.0.1:1"));
        assert_eq!(environment.value("HOME"), None);
        assert_eq!(environment.value("AWS_REGION"), None);
    }
}
