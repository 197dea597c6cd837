//! What a signing profile permits to others. A change names the revision that it was thought of for, so that nobody undoes
//! what they did not see.

use std::str::FromStr;

use countersign_api::Notes;
use countersign_domain::{ProfilePermission, RevisionId};
use countersign_gateway::model::signer::{
    CONFLICT_ERROR, RESOURCE_NOT_FOUND_ERROR, SERVICE_LIMIT_EXCEEDED_ERROR,
};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::permissions::{PermissionError, ProfilePolicy};
use countersign_runtime::random;
use serde_json::json;

use super::answer::reply;
use super::page::Page;
use super::refusal::{failed, invalid};
use super::subject::{no_such_profile, resource_policy};
use super::{PROFILE, SignerApi};

impl SignerApi {
    /// `AddProfilePermission`.
    pub(super) async fn add_permission(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.own_profile(call).await?;
        notes.about(PROFILE, profile.arn.profile().to_string());
        let name = profile.arn.profile().name();
        let permission = permission(call)?;
        if let Some(version) =
            permission.profile_version.as_ref().filter(|version| *version != profile.arn.version())
        {
            return Err(no_such_profile(&format!("{name}/{version}")));
        }
        let expected = match call.input.text(&["revisionId"]) {
            // As Terraform writes that it expects none.
            None | Some("") => None,
            Some(_) => Some(expected(call)?),
        };
        let new = new_revision(call)?;
        let added = self.ports.permissions.add_permission(name, &permission, expected.as_ref(), &new).await;
        added.map_err(|error| refused(call, &error))?;
        Ok(reply(json!({ "revisionId": new })))
    }

    /// `ListProfilePermissions`, in the order in which they were added. A policy is never longer than a page.
    pub(super) async fn list_permissions(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.own_profile(call).await?;
        notes.about(PROFILE, profile.arn.profile().to_string());
        let name = profile.arn.profile().name();
        let policy = self.ports.permissions.permissions(name).await.map_err(|error| failed(call, &error))?;
        let policy = policy.ok_or_else(|| {
            RESOURCE_NOT_FOUND_ERROR.error(format!("No policies associated with profile {name}"))
        })?;
        // No page has a next one, so that no token is one of ours.
        Page::of(call, &self.settings.pages)?;
        Ok(reply(json!({
            "revisionId": policy.revision,
            "policySizeBytes": policy.size_bytes(),
            "permissions": policy.permissions,
        })))
    }

    /// `RemoveProfilePermission`.
    pub(super) async fn remove_permission(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let profile = self.own_profile(call).await?;
        notes.about(PROFILE, profile.arn.profile().to_string());
        let name = profile.arn.profile().name();
        let id = call.input.text(&["statementId"]).unwrap_or_default();
        // What is no statement id is the id of no statement.
        let statement = id.parse().map_err(|_| no_such_statement(name.as_str(), id))?;
        let (expected, new) = (expected(call)?, new_revision(call)?);
        let removed = self.ports.permissions.remove_permission(name, &statement, &expected, &new).await;
        removed.map_err(|error| refused(call, &error))?;
        Ok(reply(json!({ "revisionId": new })))
    }
}

/// The statement that a call adds.
fn permission(call: &Call) -> Result<ProfilePermission, ApiError> {
    fn member<T: FromStr<Err: ToString>>(call: &Call, name: &str) -> Result<T, ApiError> {
        call.input
            .text(&[name])
            .unwrap_or_default()
            .parse()
            .map_err(|error: T::Err| invalid(error.to_string()))
    }
    let version = call.input.text(&["profileVersion"]);
    let permission = ProfilePermission {
        statement_id: member(call, "statementId")?,
        action: member(call, "action")?,
        principal: member(call, "principal")?,
        profile_version: version.map(|_| member(call, "profileVersion")).transpose()?,
    };
    // What IAM does not read would close the profile to everybody.
    let alone = ProfilePolicy { revision: new_revision(call)?, permissions: vec![permission.clone()] };
    resource_policy(&alone).map_err(invalid)?;
    Ok(permission)
}

/// The revision that a call was thought of for. What is no revision id is no revision of anything.
fn expected(call: &Call) -> Result<RevisionId, ApiError> {
    let id = call.input.text(&["revisionId"]).unwrap_or_default();
    id.parse().map_err(|_| other_revision())
}

fn new_revision(call: &Call) -> Result<RevisionId, ApiError> {
    random::bytes().map(RevisionId::from_random).map_err(|error| failed(call, &error))
}

fn refused(call: &Call, error: &PermissionError) -> ApiError {
    match error {
        PermissionError::NoSuchProfile(name) => no_such_profile(name.as_str()),
        PermissionError::NoSuchStatement { profile, statement } => {
            no_such_statement(profile.as_str(), statement.as_str())
        }
        PermissionError::StatementExists { .. } => CONFLICT_ERROR.error(error.to_string()),
        PermissionError::OtherRevision { .. } => other_revision(),
        PermissionError::TooManyStatements(_) | PermissionError::PolicyTooLarge { .. } => {
            SERVICE_LIMIT_EXCEEDED_ERROR.error(error.to_string())
        }
        PermissionError::Store(error) => failed(call, error),
    }
}

fn no_such_statement(profile: &str, statement: &str) -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error(format!("Signing profile {profile} has no permission {statement}"))
}

fn other_revision() -> ApiError {
    CONFLICT_ERROR.error("The revision id does not match the latest revision id of the profile's permissions")
}
