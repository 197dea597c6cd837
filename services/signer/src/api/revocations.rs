//! Revoking one signature, and telling what is revoked to those who verify one.

use std::str::FromStr;

use countersign_api::{Asks, Notes};
use countersign_domain::{JobArn, Platform, ProfileVersionArn};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::StoreError;
use serde_json::json;

use super::answer::{empty, reply};
use super::refusal::{failed, invalid};
use super::subject::{about, caller, no_such_job};
use super::{JOB, PROFILE, SignerApi};

impl SignerApi {
    /// `RevokeSignature`: at once and for ever; for other accounts, if the profile permits it.
    pub(super) async fn revoke_signature(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let (input, by, ours) = (&call.input, caller(call)?, self.settings.scope.account().as_str());
        let (id, owner) =
            (input.text(&["jobId"]).unwrap_or_default(), input.text(&["jobOwner"]).unwrap_or(ours));
        let job = if owner == ours { self.job(call, id).await? } else { None };
        let permits = match &job {
            Some(job) => self.permits(call, job.profile.profile().name()).await?,
            None => None,
        };
        let arn = self.arn_of(owner, &format!("signing-jobs/{id}"));
        let version = job.as_ref().map(|job| job.profile.version().as_str());
        let asks = about(Asks::of(call).on(&arn), version, None);
        self.access.authorize_with(permits.as_ref(), call, asks)?;
        notes.about(JOB, arn);
        let job = job.ok_or_else(|| no_such_job(id))?;
        let reason = input.text(&["reason"]).unwrap_or_default();
        let revoked = self.ports.revocations.revoke_job(&job.arn, &by, reason, self.ports.clock.now()).await;
        revoked.map_err(|error| match error {
            StoreError::NotFound(_) => {
                invalid(format!("Signing job {id} is {}: only a signature can be revoked", job.status))
            }
            error @ (StoreError::Unavailable(_)
            | StoreError::Corrupt { .. }
            | StoreError::LeaseLost(_)
            | StoreError::AlreadyExists(_)
            | StoreError::Conflict(_)) => failed(call, &error),
        })?;
        Ok(empty())
    }

    /// `GetRevocationStatus`, for every platform, although AWS answers for Notation alone. Certificates are revoked by
    /// revoking the profile version that they name, so of their hashes none is ever revoked.
    pub(super) async fn revocation_status(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let platform = member::<Platform>(call, "platformId");
        let platform = platform.map_err(|_| {
            invalid(format!("Invalid platformId: {}", call.input.text(&["platformId"]).unwrap_or_default()))
        })?;
        let job = member::<JobArn>(call, "jobArn")?;
        let version = member::<ProfileVersionArn>(call, "profileVersionArn")?;
        let asks = Asks::of(call).on(job.to_string()).on(version.profile().to_string());
        self.authorize_by_identity(call, asks)?;
        notes.about(JOB, job.to_string());
        notes.about(PROFILE, version.profile().to_string());
        self.demand_ours(call, &job, &version, platform).await?;
        let signed_at = call.input.instant(&["signatureTimestamp"]);
        let signed_at = signed_at.ok_or_else(|| invalid("signatureTimestamp must be there"))?;
        let status = self.ports.revocations.revocation_status(&job, &version).await;
        let status = status.map_err(|error| failed(call, &error))?.of_signature_made_at(signed_at);
        let mut revoked = Vec::new();
        revoked.extend(status.profile.map(|_| version.to_string()));
        revoked.extend(status.job.map(|_| job.to_string()));
        Ok(reply(json!({ "revokedEntities": revoked })))
    }

    /// Of signatures that were not made here nothing is known, and "not revoked" would be a guess.
    async fn demand_ours(
        &self,
        call: &Call,
        job: &JobArn,
        version: &ProfileVersionArn,
        platform: Platform,
    ) -> Result<(), ApiError> {
        let profile = self.profile(call, version.profile().name()).await?;
        let profile = profile.filter(|profile| profile.arn == *version);
        let profile = profile.ok_or_else(|| invalid(format!("Invalid profileVersionArn: {version}")))?;
        if profile.platform != platform {
            return Err(invalid(format!("Invalid platformId: {platform}")));
        }
        if job.scope() != version.profile().scope() {
            return Err(invalid(format!("Invalid jobArn: {job}")));
        }
        Ok(())
    }
}

fn member<T: FromStr>(call: &Call, name: &str) -> Result<T, ApiError> {
    let text = call.input.text(&[name]).unwrap_or_default();
    text.parse().map_err(|_| invalid(format!("Invalid {name}: {text}")))
}
