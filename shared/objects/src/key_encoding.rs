//! Object keys as S3 writes them into notifications and listings: form encoding, with `+` for a space, or percent
//! encoding alone.

use percent_encoding::percent_decode_str;

/// A text that is not a key in S3's encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyEncoding {
    /// A `%` without two hexadecimal digits.
    #[error("the key has a % that two hexadecimal digits do not follow")]
    Escape,
    /// The decoded bytes are not text.
    #[error("the key is not UTF-8")]
    Utf8,
}

/// The key behind its form encoding. `+` is a space: a plus sign is written `%2B`.
pub(crate) fn decoded(text: &str) -> Result<String, InvalidKeyEncoding> {
    unescaped(&text.replace('+', " "))
}

/// The key behind its percent encoding, in which `+` is a plus sign.
pub(crate) fn unescaped(text: &str) -> Result<String, InvalidKeyEncoding> {
    let mut escapes = text.split('%').skip(1);
    let whole =
        |escape: &str| escape.as_bytes().get(..2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
    if !escapes.all(whole) {
        return Err(InvalidKeyEncoding::Escape);
    }
    let key = percent_decode_str(text).decode_utf8().map_err(|_| InvalidKeyEncoding::Utf8)?;
    Ok(key.into_owned())
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plus_is_a_space_and_an_escaped_plus_is_a_plus() {
        assert_eq!(decoded("fn+a/x%2B1.zip").unwrap(), "fn a/x+1.zip");
        assert_eq!(decoded("fn%20a%2Fx%2b1.zip").unwrap(), "fn a/x+1.zip");
        assert_eq!(decoded("100%25.zip").unwrap(), "100%.zip", "decoded once, not twice");
        assert_eq!(decoded("%252E.zip").unwrap(), "%2E.zip");
    }

    #[test]
    fn without_forms_a_plus_is_a_plus() {
        assert_eq!(unescaped("fn%20a+b%2Bc.zip").unwrap(), "fn a+b+c.zip");
        assert_eq!(unescaped("100%"), Err(InvalidKeyEncoding::Escape));
    }

    #[test]
    fn half_an_escape_is_no_key() {
        for text in ["%", "a%2", "a%zz", "%%20", "%+1", "%é", "%2", "%-1"] {
            assert_eq!(decoded(text), Err(InvalidKeyEncoding::Escape), "{text}");
        }
        assert_eq!(decoded("%ff"), Err(InvalidKeyEncoding::Utf8));
        assert_eq!(decoded("%c3"), Err(InvalidKeyEncoding::Utf8));
    }

    proptest! {
        #[test]
        fn every_key_comes_back(key in any::<String>()) {
            let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(decoded(&encoded), Ok(key.clone()));
            prop_assert_eq!(decoded(&encoded.replace("%20", "+")), Ok(key.clone()));
            prop_assert_eq!(decoded(&encoded.replace("%2F", "/").replace("%2E", ".")), Ok(key));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[%+a-f0-9é]{0,24}") {
            if let Ok(key) = decoded(&text) {
                prop_assert!(key.len() <= text.len());
            }
        }
    }
}
