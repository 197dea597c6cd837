//! AWS Signature Version 4, the verifying side ("Signature Version 4 signing process", AWS General Reference):
//! in the `Authorization` header, or in the query of a presigned URL.
//!
//! Three steps, each of which consumes the last: [`Claims`] are what the request says, a [`Candidate`] claims a
//! known key in time and place, a [`Caller`] has signed this very request. The first two need no body, so that a
//! stranger cannot make the gateway read one.

mod canonical;
mod claims;
mod credentials;
mod instant;
mod scope;
mod verify;

pub use claims::{Claims, credential_scope_service};
pub use credentials::{AccessKey, Credentials, CredentialsUnavailable, Principal};
pub use verify::{Caller, Candidate, Endpoint};

#[cfg(test)]
pub(crate) use verify::caller_for_tests;

pub(crate) use canonical::{form_pairs, normalized_path};

/// Why a request was not taken for the caller's. The texts are those of AWS where they are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request is not signed at all.
    #[error("Missing Authentication Token")]
    Unsigned,
    /// The signature lacks a part, or a part cannot be read.
    #[error("{0}")]
    Incomplete(String),
    /// The signature is of another request, key, time or place.
    #[error("{0}")]
    Invalid(String),
    /// The access key is unknown, or a session token came with it.
    #[error("{0}")]
    UnknownClient(&'static str),
    /// The keys could not be looked up: nothing is known about the caller.
    #[error(transparent)]
    Unavailable(#[from] CredentialsUnavailable),
}
