//! The words that cross a process boundary: names, ARNs, principals, permissions, tags, digests, instants, jobs,
//! functions, layers, deployments, events, the trail.
//!
//! Each type has a private field and one parser, which `FromStr`, `serde` and every adapter share, so a value that
//! exists is a value that is well formed. This crate never contains I/O, a clock, randomness or a decision.
#![forbid(unsafe_code)]

pub mod account;
pub mod arn;
pub mod code;
pub mod code_signing;
pub mod deployment;
pub mod digest;
pub mod event;
pub mod function;
pub mod job;
pub mod layer;
pub mod location;
pub mod name;
pub mod permission;
pub mod platform;
pub mod principal;
pub mod settings;
pub mod tag;
pub mod time;
pub mod trail;

mod text;

pub use account::AccountId;
pub use arn::{JobArn, ProfileArn, ProfileVersionArn, Scope};
pub use code::{Code, CodeSignature, LayerCode};
pub use code_signing::{
    AllowedPublisher, CodeSigningConfig, CodeSigningConfigArn, CodeSigningConfigId, PublisherArn,
    UntrustedArtifact,
};
pub use deployment::{Check, CodeVersion, DeploymentId, Finding, Outcome, PackageRole, Verdict};
pub use digest::Sha256Digest;
pub use event::{Event, EventData, EventId};
pub use function::{FunctionArn, FunctionVersion, Qualifier};
pub use job::{JobId, JobStatus, SignedObject};
pub use layer::{LayerName, LayerPermission, LayerPrincipal, LayerVersionArn, OrganizationId};
pub use location::{ObjectLocation, ObjectVersion, Prefix};
pub use name::{
    AliasName, BucketName, CodeSigningConfigName, FunctionName, InvalidName, ObjectKey, PrincipalName,
    ProfileName, ProfileVersionId, TargetName, VersionId,
};
pub use permission::{PermittedPrincipal, ProfileAction, ProfilePermission, RevisionId, StatementId};
pub use platform::Platform;
pub use principal::PrincipalArn;
pub use settings::{Architecture, Environment, FunctionSettings, GivenMembers, PackageType};
pub use tag::{TagKey, TagValue, Tags};
pub use time::{UnixMillis, ValidityPeriod};
pub use trail::{EventName, EventSource, TrailEventId, TrailRecord};
