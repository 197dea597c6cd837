//! The server side of AWS REST-JSON, as AWS Signer and AWS Lambda speak it: what stands between a listener and a
//! service.
//!
//! A request is authenticated (`sigv4`), routed (`route`), counted (`limits`), bound to the members of its operation
//! (`bind`), validated against the service's own model (`model`, `validate`), handed to the service (`serve`), and
//! answered (`reply`, `error`, `page`). A service implements [`Api`] and [`sigv4::Credentials`]; this crate never
//! contains one, and decides nothing about what a caller may do.
#![forbid(unsafe_code)]

pub mod bind;
pub mod error;
mod limits;
pub mod model;
mod page;
mod reply;
pub mod route;
mod serve;
pub mod sigv4;
pub mod validate;

pub use error::ApiError;
pub use limits::Rate;
pub use page::{InvalidToken, Pages};
pub use reply::{Reply, ResponseBody, epoch_seconds};
pub use serve::{Api, Call, Clock, Gateway, Refusal, Settings};
pub use sigv4::{
    AccessKey, Caller, Credentials, CredentialsUnavailable, Principal, credential_scope_service,
};
pub use validate::Input;
