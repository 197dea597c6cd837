//! AWS Signer's API (version 2017-08-25): one more intake. A call is authorized, what it names is looked up, and what it asks
//! for is done in the same store that the worker and the command line use.
//!
//! A handler asks the store nothing that its answer tells before it holds an `Allowed`. It never writes the trail, never
//! signs: `StartSigningJob` commits a job with the event that requests it, and the worker takes it from there.

// The operations, a group a module.
mod jobs;
mod lifecycle;
mod payload;
mod permissions;
mod platforms;
mod profiles;
mod revocations;
mod start;
mod tags;

// What they share.
mod answer;
mod page;
mod refusal;
mod subject;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_api::{Access, Handlers, Notes};
use countersign_domain::Scope;
use countersign_gateway::error::internal;
use countersign_gateway::{ApiError, Call, Pages, Reply};
use countersign_ports::Clock;
use countersign_ports::job_registry::JobRegistry;
use countersign_ports::keys::SigningKeys;
use countersign_ports::objects::ObjectStore;
use countersign_ports::permissions::ProfilePermissions;
use countersign_ports::profiles::Profiles;
use countersign_ports::revocations::RevocationRegistry;

/// How the API answers.
#[derive(Clone)]
pub struct SignerApiSettings {
    /// Where its profiles and jobs live.
    pub scope: Scope,
    /// Seals its page tokens; all processes of one endpoint need the same key.
    pub pages: Pages,
    /// The largest package that is signed, in bytes, as the worker has it.
    pub package_limit_bytes: u64,
}

/// What the API needs from the world.
#[derive(Clone)]
pub struct SignerApiPorts {
    /// The signing profiles.
    pub profiles: Arc<dyn Profiles>,
    /// What they permit to other accounts.
    pub permissions: Arc<dyn ProfilePermissions>,
    /// The signing jobs.
    pub jobs: Arc<dyn JobRegistry>,
    /// What is revoked.
    pub revocations: Arc<dyn RevocationRegistry>,
    /// Source and destination buckets.
    pub objects: Arc<dyn ObjectStore>,
    /// The key custody, which makes the first key of a new profile.
    pub keys: Arc<dyn SigningKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// All operations of AWS Signer, behind `countersign_api::Recorded` and the gateway.
pub struct SignerApi {
    access: Access,
    ports: SignerApiPorts,
    settings: SignerApiSettings,
}

impl SignerApi {
    /// The API for those whom `access` knows.
    pub fn new(access: Access, ports: SignerApiPorts, settings: SignerApiSettings) -> Self {
        Self { access, ports, settings }
    }
}

#[async_trait]
impl Handlers for SignerApi {
    async fn answer(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        match call.operation.name {
            "ListSigningPlatforms" => self.list_platforms(call),
            "GetSigningPlatform" => self.get_platform(call),
            "PutSigningProfile" => self.put_profile(call, notes).await,
            "GetSigningProfile" => self.get_profile(call, notes).await,
            "ListSigningProfiles" => self.list_profiles(call).await,
            "CancelSigningProfile" => self.cancel_profile(call, notes).await,
            "RevokeSigningProfile" => self.revoke_profile(call, notes).await,
            "AddProfilePermission" => self.add_permission(call, notes).await,
            "ListProfilePermissions" => self.list_permissions(call, notes).await,
            "RemoveProfilePermission" => self.remove_permission(call, notes).await,
            "StartSigningJob" => self.start_job(call, notes).await,
            "DescribeSigningJob" => self.describe_job(call, notes).await,
            "ListSigningJobs" => self.list_jobs(call).await,
            "RevokeSignature" => self.revoke_signature(call, notes).await,
            "GetRevocationStatus" => self.revocation_status(call, notes).await,
            "SignPayload" => self.sign_payload(call, notes).await,
            "ListTagsForResource" => self.list_tags(call, notes).await,
            "TagResource" => self.tag(call, notes).await,
            "UntagResource" => self.untag(call, notes).await,
            other => {
                tracing::error!(operation = other, "an operation of the model has no handler");
                Err(internal(call.service))
            }
        }
    }
}

/// The resource types of CloudFormation, by which the trail calls what a call is about.
const PROFILE: &str = "AWS::Signer::SigningProfile";
const JOB: &str = "AWS::Signer::SigningJob";
