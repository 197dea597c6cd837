//! How a signing profile begins and how it ends. Its name is never free again, and nothing of it is changed in between.

use countersign_api::{Asks, Notes};
use countersign_domain::{Platform, Tags, ValidityPeriod};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::StoreError;
use serde_json::{Value, json};

use super::answer::{empty, reply};
use super::refusal::{failed, invalid};
use super::subject::{caller, no_such_profile, profile_name};
use super::{PROFILE, SignerApi};
use crate::profile::{self, CreateError};

impl SignerApi {
    /// `PutSigningProfile`: the profile, its one version and the first key of that are there when the answer leaves.
    pub(super) async fn put_profile(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let name = profile_name(call)?;
        let account = self.settings.scope.account();
        let arn = self.arn_of(account.as_str(), &format!("signing-profiles/{name}"));
        let tags = tags(call)?;
        self.access.authorize(call, Asks::of(call).on(&arn).tagging(&tags))?;
        let platform = platform(call)?;
        refuse_settings(call, platform)?;
        let (scope, now) = (&self.settings.scope, self.ports.clock.now());
        let new = profile::new_profile(scope, &name, platform, validity(call)?, now);
        let new = profile::NewProfile { tags, ..new.map_err(|error| failed(call, &error))? };
        let created = profile::create(self.ports.profiles.as_ref(), self.ports.keys.as_ref(), &new).await;
        let created = created.map_err(|error| match error {
            CreateError::NameUsed(name) => invalid(format!("Profile with name {name} already exists")),
            error @ (CreateError::Keys(_) | CreateError::Store(_)) => failed(call, &error),
        })?;
        notes.about(PROFILE, &arn);
        Ok(reply(json!({
            "arn": arn,
            "profileVersion": created.arn.version().as_str(),
            "profileVersionArn": created.arn.to_string(),
        })))
    }

    /// `CancelSigningProfile`: it signs no more, and what it signed stays valid.
    pub(super) async fn cancel_profile(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.own_profile(call).await?;
        let name = profile.arn.profile().name();
        notes.about(PROFILE, profile.arn.profile().to_string());
        let canceled = self.ports.profiles.cancel_profile(name, self.ports.clock.now()).await;
        canceled.map_err(|error| match error {
            StoreError::Conflict(_) => invalid(format!(
                "Signing Profile {name} cannot be canceled because it has been revoked. A revoked profile cannot be \
                 canceled."
            )),
            error @ (StoreError::Unavailable(_)
            | StoreError::Corrupt { .. }
            | StoreError::LeaseLost(_)
            | StoreError::AlreadyExists(_)
            | StoreError::NotFound(_)) => failed(call, &error),
        })?;
        Ok(empty())
    }

    /// `RevokeSigningProfile`: what its version signed after the effective time is trusted no more.
    pub(super) async fn revoke_profile(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let (input, by) = (&call.input, caller(call)?);
        let profile = self.own_profile(call).await?;
        let version = input.text(&["profileVersion"]).unwrap_or_default();
        if profile.arn.version().as_str() != version {
            return Err(no_such_profile(&format!("{}/{version}", profile.arn.profile().name())));
        }
        notes.about(PROFILE, profile.arn.profile().to_string());
        let effective =
            input.instant(&["effectiveTime"]).ok_or_else(|| invalid("effectiveTime must be there"))?;
        let now = self.ports.clock.now();
        if effective > now {
            return Err(invalid("The effective time of a revocation must not be in the future"));
        }
        let reason = input.text(&["reason"]).unwrap_or_default();
        let revoked = self.ports.revocations.revoke_profile(&profile.arn, effective, &by, reason, now).await;
        revoked.map_err(|error| match error {
            StoreError::Conflict(_) => invalid(format!(
                "Signing profile version {} is revoked from an earlier time on; its effective time can only be moved \
                 to an earlier one",
                profile.arn
            )),
            error @ (StoreError::Unavailable(_)
            | StoreError::Corrupt { .. }
            | StoreError::LeaseLost(_)
            | StoreError::AlreadyExists(_)
            | StoreError::NotFound(_)) => failed(call, &error),
        })?;
        Ok(empty())
    }
}

/// The tags in the request.
pub(super) fn tags(call: &Call) -> Result<Tags, ApiError> {
    let tags = call.input.at(&["tags"]).cloned().unwrap_or_else(|| json!({}));
    serde_json::from_value(tags).map_err(invalid)
}

fn platform(call: &Call) -> Result<Platform, ApiError> {
    let id = call.input.text(&["platformId"]).unwrap_or_default();
    id.parse().map_err(|_| invalid(format!("Invalid platformId: {id}")))
}

fn validity(call: &Call) -> Result<ValidityPeriod, ApiError> {
    let Some(period) = call.input.at(&["signatureValidityPeriod"]) else {
        return Ok(ValidityPeriod::DEFAULT);
    };
    match (period.get("value").and_then(Value::as_i64), period.get("type").and_then(Value::as_str)) {
        (Some(value), Some(unit)) => format!("{value}{unit}").parse().map_err(invalid),
        _ => Err(invalid("signatureValidityPeriod needs both a value and a type")),
    }
}

/// The platforms here sign with keys of the custody and in one way alone.
fn refuse_settings(call: &Call, platform: Platform) -> Result<(), ApiError> {
    for (member, name) in SETTINGS {
        let given = call.input.at(&[member]).and_then(Value::as_object);
        if given.is_some_and(|given| !given.is_empty()) {
            return Err(invalid(format!("{name} should not be present when using {platform} platform")));
        }
    }
    Ok(())
}

/// The members that no platform here takes, with their names in AWS's text.
const SETTINGS: [(&str, &str); 3] = [
    ("signingParameters", "Signing parameters"),
    ("signingMaterial", "Signing material"),
    ("overrides", "Overrides"),
];
