//! Objects in S3, through the one S3 client, and the notifications that stores send of them.
//!
//! Only this crate names the SDKs of S3 and SQS, and none of their types pass through its public items. It never decides
//! what is signed or deployed, keeps no state, and never trusts a notification for more than the name of an object version.
//!
//! # Stores
//! What differs between the stores, and what is done about it. "Measured" is by a test against the real server; MinIO and
//! AWS are by their documentation.
//!
//! | | AWS | MinIO | Ceph RGW (measured, 16.2) | LocalStack (measured, 4.14) |
//! |---|---|---|---|---|
//! | `If-None-Match: *` on PUT | heeded | heeded | ignored: it writes over | heeded |
//! | checksum header of an upload | checked | checked | ignored | checked |
//! | HEAD of a version id that was never minted | 400 or 404 | 400 or 404 | 400 or 404 | 404 |
//! | a notification's key | form-encoded | form-encoded, `/` too | as it is | percent-encoded |
//! | a notification's `eventSource` | `aws:s3` | `minio:s3` | `ceph:s3` | `aws:s3` |
//! | tells of uploads that it refused | no | no | yes | no |
//! | `sequencer` says the order | yes | yes | no | no: it is a constant |
//! | the key in EventBridge | as it is | none | none | percent-encoded |
//!
//! So [`S3Objects`] looks before it writes a new object and sends the condition as well: where that is ignored, the lease of
//! the job is what keeps two writers apart. It holds every upload against its digest itself. [`events::parse`] reads each
//! source's keys by its own rules, and nothing here goes by the `sequencer`. Buckets are named in the path
//! ([`S3Settings::path_style`]) everywhere but on AWS.
//!
//! moto tells no version in its notifications, which is refused as an unversioned bucket; its EventBridge does.
#![forbid(unsafe_code)]

pub mod events;

mod download;
mod failure;
mod key_encoding;
mod listing;
mod settings;
mod sqs;
mod store;
mod upload;

pub use settings::{S3Settings, SqsSettings, StaticKeys};
pub use sqs::SqsQueue;
pub use store::S3Objects;
pub use upload::{Progress, UPLOAD_LIMIT_BYTES};
