//! AWS accounts.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// An account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

/// A text that is not an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an account id: write 12 digits")]
pub struct InvalidAccountId(String);

impl AccountId {
    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, InvalidAccountId> {
        let legal = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if legal { Ok(Self(text.to_owned())) } else { Err(InvalidAccountId(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(AccountId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_12_ascii_digits() {
        assert!("000000000000".parse::<AccountId>().is_ok());
        for text in ["", "12345678901", "1234567890123", "12345678901x", " 12345678901", "١٢٣٤٥٦"] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
