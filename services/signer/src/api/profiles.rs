//! Signing profiles as they are read: one, or a page of them.

use countersign_api::{Asks, Notes};
use countersign_domain::ProfileName;
use countersign_gateway::{ApiError, Call, Reply, epoch_seconds};
use countersign_ports::profiles::{Profile, ProfileFilter, ProfileStatus};
use serde_json::{Value, json};

use super::answer::reply;
use super::page::Page;
use super::platforms::display_name;
use super::refusal::{failed, invalid};
use super::{PROFILE, SignerApi, subject};

impl SignerApi {
    /// `GetSigningProfile`, whatever the status of the profile; of another account, if the profile permits it.
    pub(super) async fn get_profile(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.profile_of(call, subject::profile_owner(call)).await?;
        notes.about(PROFILE, profile.arn.profile().to_string());
        let mut members = shown(&profile);
        members["statusReason"] =
            profile.revocation.as_ref().map(|revocation| revocation.reason.clone()).into();
        members["revocationRecord"] = revocation_record(&profile);
        Ok(reply(members))
    }

    /// `ListSigningProfiles`, in the order of their names.
    pub(super) async fn list_profiles(&self, call: &Call) -> Result<Reply, ApiError> {
        self.access.authorize(call, Asks::of(call))?;
        let page = Page::of(call, &self.settings.pages)?;
        let after = page.after().map(str::parse::<ProfileName>).transpose().map_err(invalid)?;
        let profiles = match filter(call) {
            Some(filter) => {
                let listed = self.ports.profiles.list_profiles(&filter, after.as_ref(), page.wanted()).await;
                listed.map_err(|error| failed(call, &error))?
            }
            None => Vec::new(),
        };
        let position = |profile: &Profile| profile.arn.profile().name().to_string();
        Ok(page.reply("profiles", profiles, position, shown))
    }
}

/// Which profiles a listing wants; `None` if there can be none.
fn filter(call: &Call) -> Option<ProfileFilter> {
    let input = &call.input;
    let platform = input.text(&["platformId"]).map(str::parse).transpose().ok()?;
    let named = input.at(&["statuses"]).and_then(Value::as_array).into_iter().flatten();
    let named: Vec<&str> = named.filter_map(Value::as_str).collect();
    let mut statuses = ProfileStatus::ALL.to_vec();
    statuses.retain(|status| named.contains(&status.to_string().as_str()));
    let include_canceled = input.at(&["includeCanceled"]).and_then(Value::as_bool).unwrap_or(false);
    Some(ProfileFilter { platform, statuses, include_canceled })
}

/// What a listing and a look at one profile have in common.
fn shown(profile: &Profile) -> Value {
    json!({
        "profileName": profile.arn.profile().name().as_str(),
        "profileVersion": profile.arn.version().as_str(),
        "profileVersionArn": profile.arn.to_string(),
        "signatureValidityPeriod": {
            "value": profile.validity.value(),
            "type": profile.validity.unit().as_str(),
        },
        "platformId": profile.platform.id(),
        "platformDisplayName": display_name(profile.platform),
        "status": profile.status.to_string(),
        "arn": profile.arn.profile().to_string(),
        "tags": profile.tags,
    })
}

fn revocation_record(profile: &Profile) -> Value {
    profile.revocation.as_ref().map_or(Value::Null, |revocation| {
        json!({
            "revocationEffectiveFrom": epoch_seconds(revocation.effective_from),
            "revokedAt": epoch_seconds(revocation.revoked_at),
            "revokedBy": revocation.revoked_by.as_str(),
        })
    })
}
