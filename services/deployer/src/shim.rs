//! Stands in for what the deployer gets from another branch: every call answers that it cannot.
#![allow(missing_docs)]
use crate::{Deployer, Outcome, Undecided};
use countersign_domain::*;
use countersign_iam::Allowed;
use countersign_ports::functions::*;
use countersign_runtime::Requester;
pub struct Publication {
    pub description: Option<String>,
    pub code_sha256: Option<Sha256Digest>,
    pub revision: Option<RevisionId>,
}
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    #[error("{0}")]
    Refused(FunctionError),
    #[error("{0}")]
    Pending(String),
}
impl Deployer {
    pub fn code_bucket(&self) -> &BucketName {
        static B: std::sync::OnceLock<BucketName> = std::sync::OnceLock::new();
        B.get_or_init(|| "signed".parse().unwrap())
    }
    pub async fn publish_version(
        &self,
        _: EventId,
        _: Requester,
        _: &FunctionName,
        _: Publication,
        _: Allowed,
    ) -> Result<Outcome, Undecided> {
        Err(Undecided::Later("not yet".into()))
    }
    pub async fn create_alias(
        &self,
        _: &FunctionName,
        _: &AliasName,
        _: &AliasTarget,
        _: &Allowed,
    ) -> Result<Alias, NotChanged> {
        Err(NotChanged::Pending("not yet".into()))
    }
    pub async fn update_alias(
        &self,
        _: &FunctionName,
        _: &AliasName,
        _: &AliasTarget,
        _: Option<&RevisionId>,
        _: &Allowed,
    ) -> Result<Alias, NotChanged> {
        Err(NotChanged::Pending("not yet".into()))
    }
    pub async fn delete_alias(&self, _: &FunctionName, _: &AliasName, _: &Allowed) -> Result<(), NotChanged> {
        Err(NotChanged::Pending("not yet".into()))
    }
    pub async fn delete_version(&self, _: &FunctionName, _: u64, _: &Allowed) -> Result<(), NotChanged> {
        Err(NotChanged::Pending("not yet".into()))
    }
    pub async fn delete_function(&self, _: &FunctionName, _: &Allowed) -> Result<(), NotChanged> {
        Err(NotChanged::Pending("not yet".into()))
    }
}
