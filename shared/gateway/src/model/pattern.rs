//! Patterns of the models: Java's regular expressions, matched against the whole of a value.
//!
//! `fancy-regex`, because the models look around (`(?!aws:)` in tag keys, `(?<!\.)` in bucket names), which the `regex`
//! crate cannot. What needs no look-around it hands to the linear engine of `regex`; what does is bounded in steps, and
//! a value that exhausts them does not match.

use std::sync::OnceLock;

use fancy_regex::{Regex, RegexBuilder};

/// A pattern of a model. It is compiled when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// The pattern as the model has it.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether the whole of `value` matches, as Java's `String.matches` would say.
    pub fn matches(&self, value: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(value).unwrap_or(false))
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.regex().is_some()
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || RegexBuilder::new(&whole(self.text)).backtrack_limit(MAX_STEPS).build().ok();
        self.compiled.get_or_init(compile).as_ref()
    }
}

/// The pattern for a whole value, with what Java reads differently spelled out: its classes are of ASCII, and its dot
/// takes no line end of any kind.
fn whole(java: &str) -> String {
    let mut text = String::from(r"\A(?:");
    let mut in_class = false;
    let mut characters = java.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push_str(&escaped(characters.next(), in_class)),
            '.' if !in_class => text.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            other => {
                in_class = (in_class || other == '[') && other != ']';
                text.push(other);
            }
        }
    }
    text.push_str(r")\z");
    text
}

fn escaped(character: Option<char>, in_class: bool) -> String {
    let class = match character {
        Some('d') => "0-9",
        Some('s') => r"\t\n\x0B\f\r ",
        Some('w') => "a-zA-Z0-9_",
        Some(other) => return format!("\\{other}"),
        None => return "\\".to_owned(),
    };
    if in_class { class.to_owned() } else { format!("[{class}]") }
}

/// Steps that a pattern with look-around may take: a value is at most some kilobytes, and none of the patterns
/// nests repetitions.
const MAX_STEPS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &'static str, value: &str) -> bool {
        Pattern::new(pattern).matches(value)
    }

    #[test]
    fn the_whole_value_must_match() {
        assert!(matches("[0-9]+", "123"));
        assert!(!matches("[0-9]+", "123x"));
        assert!(!matches("a|ab", "abc"));
        assert!(matches("(x+)|()", ""));
        assert!(!matches("[0-9]+", "123\n"));
    }

    #[test]
    fn look_around_works() {
        let alias = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)";
        assert!(matches(alias, "v2024") && !matches(alias, "2024"));
        let tag = "^(?!aws:)[a-zA-Z+-=._:/]+$";
        assert!(matches(tag, "team:a/b=c") && !matches(tag, "aws:team") && !matches(tag, "a b"));
        let bucket = r"[0-9A-Za-z\.\-_]*(?<!\.)";
        assert!(matches(bucket, "a.b") && !matches(bucket, "a."));
    }

    #[test]
    fn classes_are_of_ascii_as_in_java() {
        assert!(matches(r"\d{2}", "42") && !matches(r"\d", "٣"));
        assert!(matches(r"[^\s]+", "a\u{a0}b") && !matches(r"[^\s]+", "a b"));
        assert!(matches("(.*)", "ä!") && !matches("(.*)", "a\nb") && !matches("(.*)", "a\u{2028}b"));
    }
}
