//! Names that people and storage give to things.

/// A name that breaks the grammar of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {kind}: {rule}")]
pub struct InvalidName {
    /// What the text was meant to be, such as `bucket name`.
    pub kind: &'static str,
    /// The text as it was given, cut to 80 characters.
    pub value: String,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $broken_rule:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::name::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match $broken_rule(text) {
                    None => Ok(Self(text.to_owned())),
                    Some(rule) => {
                        Err($crate::name::InvalidName { kind: $kind, value: text.chars().take(80).collect(), rule })
                    }
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::text::serde_as_text!($type);
    };
}

pub(crate) use name;

name!(
    /// The name of a signing profile: 2 to 64 letters, digits or underscores, as in Signer's model.
    ProfileName, "signing profile name", broken_profile_name_rule
);
name!(
    /// The version of a signing profile, minted when the profile is created: 10 letters or digits.
    ProfileVersionId, "signing profile version", broken_profile_version_rule
);
name!(
    /// An S3 bucket: 3 to 63 characters, S3's rules for general purpose buckets.
    BucketName, "bucket name", broken_bucket_rule
);
name!(
    /// An S3 object key: 1 to 1024 bytes of UTF-8 without control characters.
    ///
    /// S3 itself allows control characters; none is ever needed here, and each is a way to forge a log line.
    ObjectKey, "object key", broken_key_rule
);
name!(
    /// The id of one version of an object, opaque. Never `null`, which S3 gives to objects of unversioned buckets.
    VersionId, "object version id", broken_version_rule
);
name!(
    /// The name of a function: 1 to 64 letters, digits, `-` or `_`.
    FunctionName, "function name", broken_function_rule
);
name!(
    /// The name of an alias: 1 to 128 letters, digits, `-` or `_`, but not all digits, which would read as a version.
    AliasName, "alias name", broken_alias_rule
);
name!(
    /// The name of a code signing config declared in the configuration.
    CodeSigningConfigName, "code signing config name", broken_function_rule
);
name!(
    /// The name of a deploy target declared in the configuration.
    TargetName, "target name", broken_function_rule
);
name!(
    /// The name of a principal declared in the configuration: who asks for something.
    PrincipalName, "principal name", broken_function_rule
);

fn broken_profile_name_rule(text: &str) -> Option<&'static str> {
    let legal =
        (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (!legal).then_some("use 2 to 64 letters, digits or underscores")
}

fn broken_profile_version_rule(text: &str) -> Option<&'static str> {
    let legal = text.len() == 10 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    (!legal).then_some("it has exactly 10 letters or digits")
}

fn broken_bucket_rule(text: &str) -> Option<&'static str> {
    let label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if !(3..=63).contains(&text.len()) {
        return Some("use 3 to 63 characters");
    }
    if !text.bytes().all(|b| label(b) || b == b'-' || b == b'.') {
        return Some("use lower-case letters, digits, hyphens and dots");
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !text.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        return Some("begin and end with a letter or digit");
    }
    if text.contains("..") || text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("no two dots in a row, and not an IP address");
    }
    None
}

fn broken_key_rule(text: &str) -> Option<&'static str> {
    if !(1..=1024).contains(&text.len()) {
        return Some("use 1 to 1024 bytes");
    }
    text.chars().any(char::is_control).then_some("no control characters")
}

fn broken_version_rule(text: &str) -> Option<&'static str> {
    if text == "null" {
        return Some("`null` is the version of an unversioned object; turn on bucket versioning");
    }
    let legal = (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    (!legal).then_some("use 1 to 1024 printable ASCII characters")
}

fn broken_function_rule(text: &str) -> Option<&'static str> {
    let legal = (1..=64).contains(&text.len()) && text.bytes().all(is_word_byte);
    (!legal).then_some("use 1 to 64 letters, digits, hyphens or underscores")
}

pub(crate) fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

fn broken_alias_rule(text: &str) -> Option<&'static str> {
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return Some("not only digits: that reads as a version");
    }
    let legal = (1..=128).contains(&text.len()) && text.bytes().all(is_word_byte);
    (!legal).then_some("use 1 to 128 letters, digits, hyphens or underscores")
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn rejects<T: FromStr>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn profile_names_follow_signers_model() {
        assert!("my_profile_2".parse::<ProfileName>().is_ok());
        rejects::<ProfileName>(&["", "a", "with-hyphen", "späß", &"x".repeat(65), "a b", "a\n"]);
    }

    #[test]
    fn bucket_names_follow_s3() {
        assert!("my.bucket-1".parse::<BucketName>().is_ok());
        rejects::<BucketName>(&[
            "ab",
            "Abc",
            "-abc",
            "abc-",
            "a..b",
            "127.0.0.1",
            "a_b",
            "a/b",
            "bucket@evil",
        ]);
    }

    #[test]
    fn a_null_version_is_no_version() {
        rejects::<VersionId>(&["null", "", "a b", "a\u{7f}"]);
    }

    #[test]
    fn an_alias_is_never_a_number() {
        assert!("live".parse::<AliasName>().is_ok());
        rejects::<AliasName>(&["12", "", "a/b", ".."]);
    }

    #[test]
    fn an_error_names_the_value_and_the_rule() {
        let error = "a..b".parse::<BucketName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""a..b" is not a bucket name: no two dots in a row, and not an IP address"#
        );
    }

    #[test]
    fn json_goes_through_the_parser() {
        assert!(serde_json::from_str::<BucketName>("\"UPPER\"").is_err());
        let bucket: BucketName = serde_json::from_str("\"signed\"").unwrap();
        assert_eq!(serde_json::to_string(&bucket).unwrap(), "\"signed\"");
    }
}
