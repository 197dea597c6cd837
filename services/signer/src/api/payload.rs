//! `SignPayload`, which is for container images on AWS and for no platform here.

use countersign_api::Notes;
use countersign_gateway::{ApiError, Call, Reply};

use super::refusal::invalid;
use super::subject::profile_owner;
use super::{PROFILE, SignerApi};

impl SignerApi {
    /// `SignPayload`: refused, as AWS refuses it for profiles of Lambda, to whoever may.
    pub(super) async fn sign_payload(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.profile_of(call, profile_owner(call)).await?;
        notes.about(PROFILE, profile.arn.profile().to_string());
        Err(invalid(format!("SignPayload is not supported for signing platform {}", profile.platform)))
    }
}
