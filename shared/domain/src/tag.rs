//! Tags of a resource, as AWS has them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::name;

name!(
    /// The key of a tag: 1 to 128 characters of Signer's `TagKey`, not beginning with `aws:`.
    TagKey, "tag key", broken_key_rule
);
name!(
    /// The value of a tag: up to 256 characters.
    TagValue, "tag value", broken_value_rule
);

/// The tags of one resource: at most [`MAX_TAGS`], each key once. Its JSON is an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<TagKey, TagValue>", into = "BTreeMap<TagKey, TagValue>")]
pub struct Tags(BTreeMap<TagKey, TagValue>);

/// More tags than a resource may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a resource has at most {MAX_TAGS} tags, and these are {0}")]
pub struct TooManyTags(usize);

impl Tags {
    /// These tags and `more`, which counts where both have a key.
    ///
    /// # Errors
    /// When they are more than [`MAX_TAGS`].
    pub fn with(&self, more: &Self) -> Result<Self, TooManyTags> {
        let mut tags = self.0.clone();
        tags.extend(more.0.clone());
        tags.try_into()
    }

    /// These tags but those of `keys`, of which some may not be there.
    #[must_use]
    pub fn without(&self, keys: &[TagKey]) -> Self {
        Self(self.iter().filter(|(key, _)| !keys.contains(key)).map(cloned).collect())
    }

    /// The value of the tag `key`.
    pub fn get(&self, key: &TagKey) -> Option<&TagValue> {
        self.0.get(key)
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&TagKey, &TagValue)> {
        self.0.iter()
    }

    /// True if there is no tag.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<TagKey, TagValue>> for Tags {
    type Error = TooManyTags;

    fn try_from(tags: BTreeMap<TagKey, TagValue>) -> Result<Self, TooManyTags> {
        if tags.len() > MAX_TAGS { Err(TooManyTags(tags.len())) } else { Ok(Self(tags)) }
    }
}

impl From<Tags> for BTreeMap<TagKey, TagValue> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

fn cloned((key, value): (&TagKey, &TagValue)) -> (TagKey, TagValue) {
    (key.clone(), value.clone())
}

/// What AWS's services have in common (Tagging AWS Resources, "Tag naming limits and requirements"), and what Signer's
/// pattern `^(?!aws:)[a-zA-Z+-=._:/]+$` adds, in which `+-=` is a range. Signer's model is the stricter one and is held
/// where its requests come in.
fn broken_key_rule(text: &str) -> Option<&'static str> {
    if !(1..=128).contains(&text.chars().count()) {
        return Some("use 1 to 128 characters");
    }
    if text.starts_with("aws:") {
        return Some("keys that begin with aws: are AWS's own");
    }
    let legal = |c: char| c.is_alphanumeric() || " +,-./:;<=_@".contains(c);
    (!text.chars().all(legal)).then_some("use letters, digits, spaces and +,-./:;<=_@")
}

fn broken_value_rule(text: &str) -> Option<&'static str> {
    (text.chars().count() > 256).then_some("use at most 256 characters")
}

/// The most tags of one resource (Signer's `TagMap`).
pub const MAX_TAGS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(numbers: std::ops::Range<usize>) -> Tags {
        let tags = numbers.map(|number| (format!("k{number}").parse().unwrap(), "v".parse().unwrap()));
        Tags::try_from(tags.collect::<BTreeMap<_, _>>()).unwrap()
    }

    #[test]
    fn keys_are_those_of_aws() {
        for key in [
            "Environment",
            "cost/center:1",
            "a+b=c",
            "AWS:x",
            "aws",
            "<;,_.-",
            "Cost Center",
            "a@b",
            "späß",
            &"k".repeat(128),
        ] {
            assert!(key.parse::<TagKey>().is_ok(), "{key}");
        }
        for key in ["", "aws:x", "a\n", "a\u{0}", "a*", "a\u{202e}b", &"k".repeat(129)] {
            assert!(key.parse::<TagKey>().is_err(), "{key}");
        }
    }

    #[test]
    fn a_value_is_counted_in_characters() {
        assert!("ß".repeat(256).parse::<TagValue>().is_ok());
        assert!("".parse::<TagValue>().is_ok());
        assert!("ß".repeat(257).parse::<TagValue>().is_err());
    }

    #[test]
    fn there_are_never_more_than_the_limit() {
        let full = tags(0..MAX_TAGS);
        assert_eq!(full.with(&tags(5..9)), Ok(full.clone()), "a key that is there takes no room");
        assert_eq!(full.with(&tags(200..203)), Err(TooManyTags(203)));
        assert_eq!(full.without(&["k0".parse().unwrap(), "none".parse().unwrap()]), tags(1..MAX_TAGS));
        let json = serde_json::to_string(&full).unwrap().replace('}', r#","more":"v"}"#);
        assert!(serde_json::from_str::<Tags>(&json).is_err(), "JSON goes past the limit");
    }

    #[test]
    fn json_is_an_object_of_texts() {
        let tags: Tags = serde_json::from_str(r#"{"team":"a","b":""}"#).unwrap();
        assert_eq!(serde_json::to_string(&tags).unwrap(), r#"{"b":"","team":"a"}"#);
        assert!(serde_json::from_str::<Tags>(r#"{"aws:team":"a"}"#).is_err());
        assert_eq!(tags.get(&"team".parse().unwrap()).map(TagValue::as_str), Some("a"));
    }
}
