//! A service whose every call leaves a record before its answer.

use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::Scope;
use countersign_domain::trail::AdditionalEventData;
use countersign_gateway::error::internal;
use countersign_gateway::{Api, ApiError, Call, Refusal, Reply};
use countersign_ports::trail::Trail;

use crate::record;

/// The operations of a service.
#[async_trait]
pub trait Handlers: Send + Sync + 'static {
    /// Authorizes `call`, carries it out, and notes what its record shall tell beside question and answer.
    ///
    /// # Errors
    /// What the client is answered with.
    async fn answer(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError>;
}

/// What the record of a call tells beside question and answer.
#[derive(Debug, Default)]
pub struct Notes {
    pub(crate) resources: Vec<(&'static str, String)>,
    pub(crate) checked: Option<AdditionalEventData>,
}

impl Notes {
    /// The call is about this resource: its CloudFormation type, such as `AWS::Lambda::Function`, and its ARN.
    pub fn about(&mut self, kind: &'static str, arn: impl Into<String>) {
        self.resources.push((kind, arn.into()));
    }

    /// What was checked of packages.
    pub fn checked(&mut self, data: AdditionalEventData) {
        self.checked = Some(data);
    }
}

/// `service` behind the gateway, with a record of each call in the trail.
pub struct Recorded<S> {
    service: S,
    trail: Arc<dyn Trail>,
    scope: Scope,
}

impl<S: Handlers> Recorded<S> {
    /// Records the calls of `service`, whose resources are in `scope`.
    pub fn new(service: S, trail: Arc<dyn Trail>, scope: Scope) -> Self {
        Self { service, trail, scope }
    }
}

#[async_trait]
impl<S: Handlers> Api for Recorded<S> {
    async fn call(&self, call: Call) -> Result<Reply, ApiError> {
        let mut notes = Notes::default();
        let answer = self.service.answer(&call, &mut notes).await;
        // CRASH: what the call changed stands, and neither its record nor its answer was given.
        let record = record::of_call(&call, &answer, notes, &self.scope);
        match self.trail.append(&[record]).await {
            Ok(()) => answer,
            Err(error) => {
                let request_id = call.request_id;
                tracing::error!(%error, %request_id, "the trail takes no records: a call is answered as a failure");
                Err(internal(call.service))
            }
        }
    }

    async fn refused(&self, refusal: Refusal<'_>) {
        let request_id = refusal.request_id;
        let record = record::of_refusal(&refusal, &self.scope);
        if let Err(error) = self.trail.append(&[record]).await {
            tracing::error!(%error, %request_id, "the trail takes no records: a refusal has none");
        }
    }
}
