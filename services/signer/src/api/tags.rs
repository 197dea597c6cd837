//! The tags of signing profiles, the one kind of resource that has any.

use countersign_api::{Asks, Notes};
use countersign_domain::{ProfileArn, TagKey};
use countersign_gateway::model::signer::{BAD_REQUEST_ERROR, NOT_FOUND_ERROR};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_iam::keys;
use countersign_ports::StoreError;
use countersign_ports::profiles::Profile;
use serde_json::{Value, json};

use super::answer::{empty, reply};
use super::lifecycle::tags;
use super::refusal::failed;
use super::{PROFILE, SignerApi};

impl SignerApi {
    /// `ListTagsForResource`.
    pub(super) async fn list_tags(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.tagged_profile(call, Asks::of(call), notes).await?;
        Ok(reply(json!({ "tags": profile.tags })))
    }

    /// `TagResource`.
    pub(super) async fn tag(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let tags = tags(call)?;
        let profile = self.tagged_profile(call, Asks::of(call).tagging(&tags), notes).await?;
        let tagged = self.ports.profiles.tag_profile(profile.arn.profile().name(), &tags).await;
        tagged.map_err(|error| refused(call, &error))?;
        Ok(empty())
    }

    /// `UntagResource`.
    pub(super) async fn untag(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let tag_keys = tag_keys(call)?;
        let asks = Asks::of(call).with_all(keys::AWS_TAG_KEYS, tag_keys.iter().map(TagKey::as_str));
        let profile = self.tagged_profile(call, asks, notes).await?;
        let untagged = self.ports.profiles.untag_profile(profile.arn.profile().name(), &tag_keys).await;
        untagged.map_err(|error| refused(call, &error))?;
        Ok(empty())
    }

    /// The profile that `call` names by its ARN, once the caller may do what it asks.
    async fn tagged_profile(&self, call: &Call, asks: Asks, notes: &mut Notes) -> Result<Profile, ApiError> {
        let text = call.input.text(&["resourceArn"]).unwrap_or_default();
        let arn: ProfileArn = text.parse().map_err(|error| BAD_REQUEST_ERROR.error(format!("{error}")))?;
        let found = self.profile(call, arn.name()).await?.filter(|profile| *profile.arn.profile() == arn);
        let asks = match &found {
            Some(profile) => asks.on(text).tagged(&profile.tags),
            None => asks.on(text),
        };
        self.access.authorize(call, asks)?;
        notes.about(PROFILE, text);
        found.ok_or_else(|| NOT_FOUND_ERROR.error(format!("Resource {text} does not exist")))
    }
}

fn tag_keys(call: &Call) -> Result<Vec<TagKey>, ApiError> {
    let tag_keys = call.input.at(&["tagKeys"]).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    serde_json::from_value(tag_keys).map_err(|error| BAD_REQUEST_ERROR.error(error.to_string()))
}

fn refused(call: &Call, error: &StoreError) -> ApiError {
    match error {
        StoreError::Conflict(reason) => BAD_REQUEST_ERROR.error(reason.clone()),
        StoreError::NotFound(_) => NOT_FOUND_ERROR.error(error.to_string()),
        StoreError::Unavailable(_)
        | StoreError::Corrupt { .. }
        | StoreError::LeaseLost(_)
        | StoreError::AlreadyExists(_) => failed(call, error),
    }
}
