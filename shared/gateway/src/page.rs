//! Page tokens: where a listing goes on, sealed so that nobody can make one up or take it to another listing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::error::ApiError;
use crate::model::{Operation, Service, lambda, signer};

/// Seals and opens page tokens. All processes that answer one endpoint need the same key.
#[derive(Clone)]
pub struct Pages {
    key: SecretSlice<u8>,
}

/// A token that was not made for this listing, or not here at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page token is not one of this listing: ask for the first page again, with the same parameters")]
pub struct InvalidToken;

impl Pages {
    /// Tokens under `key`, which should be 32 random bytes.
    pub fn new(key: SecretSlice<u8>) -> Self {
        Self { key }
    }

    /// The token after `position` (a key of the last item, in the listing's own words) of the listing that `operation`
    /// gives for `members`.
    pub fn token(&self, operation: &Operation, members: &Map<String, Value>, position: &str) -> String {
        let seal = self.seal(operation, members, position.as_bytes());
        URL_SAFE_NO_PAD.encode([&seal[..], position.as_bytes()].concat())
    }

    /// The position that `token` stands for.
    ///
    /// # Errors
    /// When it was not made by [`Self::token`] for the same operation and filters. How many items a page has may
    /// differ.
    pub fn position(
        &self,
        operation: &Operation,
        members: &Map<String, Value>,
        token: &str,
    ) -> Result<String, InvalidToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let (seal, position) = bytes.split_at_checked(SEAL_LENGTH).ok_or(InvalidToken)?;
        let expected = self.seal(operation, members, position);
        if !bool::from(expected.ct_eq(seal)) {
            return Err(InvalidToken);
        }
        String::from_utf8(position.to_vec()).map_err(|_| InvalidToken)
    }

    /// An HMAC over everything that a token is bound to, each part behind its length.
    fn seal(
        &self,
        operation: &Operation,
        members: &Map<String, Value>,
        position: &[u8],
    ) -> [u8; SEAL_LENGTH] {
        // HMAC takes a key of any length (RFC 2104 section 2).
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret()).expect("a key of any length");
        let filters = filters(members);
        for part in [operation.name.as_bytes(), filters.as_bytes(), position] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        let mut seal = [0; SEAL_LENGTH];
        seal.copy_from_slice(&mac.finalize().into_bytes()[..SEAL_LENGTH]);
        seal
    }
}

impl InvalidToken {
    /// The error that `service` answers it with.
    pub fn error(self, service: &Service) -> ApiError {
        if service.name == signer::SERVICE.name {
            signer::VALIDATION_ERROR.error(self.to_string())
        } else {
            lambda::INVALID_PARAMETER_VALUE_ERROR.error(self.to_string())
        }
    }
}

/// The members that choose what is listed, by name.
fn filters(members: &Map<String, Value>) -> String {
    let mut filters: Vec<_> =
        members.iter().filter(|(name, _)| !OF_THE_PAGE.contains(&name.as_str())).collect();
    filters.sort_by_key(|(name, _)| *name);
    let filters =
        filters.into_iter().map(|(name, value)| Value::from(vec![name.as_str().into(), value.clone()]));
    Value::Array(filters.collect()).to_string()
}

/// The members that say which page, and how many items.
const OF_THE_PAGE: &[&str] = &["nextToken", "maxResults", "Marker", "MaxItems"];

/// Bytes of the HMAC that a token carries: 128 bits cannot be guessed over the network.
const SEAL_LENGTH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pages(key: u8) -> Pages {
        Pages::new(vec![key; 32].into())
    }

    fn filtered(status: &str) -> Map<String, Value> {
        Map::from_iter([("status".to_owned(), status.into())])
    }

    #[test]
    fn a_token_is_of_one_listing() {
        let (jobs, profiles) = (&signer::LIST_SIGNING_JOBS, &signer::LIST_SIGNING_PROFILES);
        let token = pages(1).token(jobs, &filtered("Failed"), "job-9");
        let position = |pages: Pages, operation, members: &_| pages.position(operation, members, &token);
        assert_eq!(position(pages(1), jobs, &filtered("Failed")), Ok("job-9".to_owned()));
        let mut next = filtered("Failed");
        next.insert("nextToken".to_owned(), token.clone().into());
        next.insert("maxResults".to_owned(), 5.into());
        assert_eq!(position(pages(1), jobs, &next), Ok("job-9".to_owned()));
        assert_eq!(position(pages(2), jobs, &filtered("Failed")), Err(InvalidToken));
        assert_eq!(position(pages(1), profiles, &filtered("Failed")), Err(InvalidToken));
        assert_eq!(position(pages(1), jobs, &filtered("Succeeded")), Err(InvalidToken));
    }

    #[test]
    fn a_bad_token_is_the_error_of_the_service() {
        assert_eq!(InvalidToken.error(&signer::SERVICE).class().name, "ValidationException");
        assert_eq!(InvalidToken.error(&lambda::SERVICE).class().name, "InvalidParameterValueException");
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(position in ".{0,40}", at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let members = filtered("Failed");
            let token = pages(1).token(&signer::LIST_SIGNING_JOBS, &members, &position);
            let open = |token: &str| pages(1).position(&signer::LIST_SIGNING_JOBS, &members, token);
            prop_assert_eq!(open(&token), Ok(position));
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(open(&URL_SAFE_NO_PAD.encode(bytes)), Err(InvalidToken));
        }

        #[test]
        fn anything_else_is_refused(token in ".{0,80}") {
            let open = pages(1).position(&signer::LIST_SIGNING_JOBS, &filtered("Failed"), &token);
            prop_assert_eq!(open, Err(InvalidToken));
        }
    }
}
