//! Objects in S3, through the one S3 client, and the notifications that S3 sends of them.
//!
//! Only this crate names the S3 SDK, and none of the SDK's types pass through its public items. It never decides what
//! is signed or deployed, keeps no state, and never trusts a notification for more than the name of an object version.
#![forbid(unsafe_code)]

pub mod events;

mod download;
mod failure;
mod key_encoding;
mod listing;
mod settings;
mod store;
mod upload;

pub use settings::{S3Settings, StaticKeys};
pub use store::S3Objects;
pub use upload::{Progress, UPLOAD_LIMIT_BYTES};
