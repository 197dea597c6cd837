//! Gives a type that parses from text and prints as text its `serde` form: that same text; and cuts what is too long.

/// `Serialize` through `Display`, `Deserialize` through `FromStr`: a value read from JSON, TOML or a database has
/// passed the one parser.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use serde_as_text;

/// As much of `text` as takes `max_bytes` in JSON; what was cut says so.
pub(crate) fn cut(text: &str, max_bytes: usize) -> String {
    let end = end_within(text, max_bytes);
    if end == text.len() {
        return text.to_owned();
    }
    let end = end_within(text, max_bytes.saturating_sub(CUT.len()));
    text.get(..end).unwrap_or_default().to_owned() + CUT
}

/// Where the longest beginning of `text` ends that takes at most `max_bytes` in JSON.
fn end_within(text: &str, max_bytes: usize) -> usize {
    let mut size_bytes = 0;
    let past = text.char_indices().find(|(_, c)| {
        size_bytes += in_json(*c);
        size_bytes > max_bytes
    });
    past.map_or(text.len(), |(end, _)| end)
}

fn in_json(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        '\u{0}'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

const CUT: &str = "… (cut)";
