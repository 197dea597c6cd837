//! The profile or job that a call is about, and whether the caller may do that with it. What the store says of it before
//! that is told to nobody who was not allowed.

use countersign_api::Asks;
use countersign_domain::{JobArn, PrincipalArn, ProfileName};
use countersign_gateway::model::signer::RESOURCE_NOT_FOUND_ERROR;
use countersign_gateway::{ApiError, Call};
use countersign_iam::{PolicyError, ResourcePolicy, keys};
use countersign_ports::jobs::Job;
use countersign_ports::permissions::ProfilePolicy;
use countersign_ports::profiles::Profile;
use serde_json::{Value, json};

use super::SignerApi;
use super::refusal::{failed, invalid};

/// Who calls.
pub(super) fn caller(call: &Call) -> Result<PrincipalArn, ApiError> {
    call.caller.principal().arn.parse().map_err(|error| failed(call, &error))
}

/// The account whose profile a call means: the one it names, or the caller's own.
pub(super) fn profile_owner(call: &Call) -> &str {
    call.input.text(&["profileOwner"]).unwrap_or(&call.caller.principal().account)
}

/// The name of the profile that a call is about.
pub(super) fn profile_name(call: &Call) -> Result<ProfileName, ApiError> {
    call.input.text(&["profileName"]).unwrap_or_default().parse().map_err(invalid)
}

/// There is no profile of this name, or of this version.
pub(super) fn no_such_profile(name: &str) -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error(format!("Signing profile {name} does not exist"))
}

/// There is no such job.
pub(super) fn no_such_job(id: &str) -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error(format!("Signing job {id} does not exist"))
}

impl SignerApi {
    /// The profile of this installation that `call` names, once the caller may do that with it.
    pub(super) async fn own_profile(&self, call: &Call) -> Result<Profile, ApiError> {
        self.profile_of(call, self.settings.scope.account().as_str()).await
    }

    /// The profile of the account `owner` that `call` names, once the caller may do that with it: by the caller's
    /// policies, and by what the profile permits.
    pub(super) async fn profile_of(&self, call: &Call, owner: &str) -> Result<Profile, ApiError> {
        let name = profile_name(call)?;
        let is_ours = owner == self.settings.scope.account().as_str();
        let found = if is_ours { self.profile(call, &name).await? } else { None };
        let permits = if is_ours { self.permits(call, &name).await? } else { None };
        let version = call.input.text(&["profileVersion"]);
        let version = version.or(found.as_ref().map(|profile| profile.arn.version().as_str()));
        let asks = Asks::of(call).on(self.arn_of(owner, &format!("signing-profiles/{name}")));
        let asks = about(asks, version, found.as_ref());
        self.access.authorize_with(permits.as_ref(), call, asks)?;
        found.ok_or_else(|| no_such_profile(name.as_str()))
    }

    /// The profile of this name; nothing of it may be told before the caller is allowed.
    pub(super) async fn profile(&self, call: &Call, name: &ProfileName) -> Result<Option<Profile>, ApiError> {
        self.ports.profiles.profile(name).await.map_err(|error| failed(call, &error))
    }

    /// What a profile permits to others, if it permits anything.
    pub(super) async fn permits(
        &self,
        call: &Call,
        name: &ProfileName,
    ) -> Result<Option<ResourcePolicy>, ApiError> {
        let policy = self.ports.permissions.permissions(name).await.map_err(|error| failed(call, &error))?;
        policy.map(|policy| resource_policy(&policy).map_err(|error| failed(call, &error))).transpose()
    }

    /// The job of this installation that `call` names, if there is one; nothing of it may be told before the caller is
    /// allowed.
    pub(super) async fn job(&self, call: &Call, id: &str) -> Result<Option<Job>, ApiError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let arn = JobArn::new(self.settings.scope.clone(), id);
        self.ports.jobs.job(&arn).await.map_err(|error| failed(call, &error))
    }

    /// The ARN of what belongs to `account`, where this installation stands.
    pub(super) fn arn_of(&self, account: &str, resource: &str) -> String {
        let scope = &self.settings.scope;
        format!("arn:{}:signer:{}:{account}:/{resource}", scope.partition(), scope.region())
    }

    /// Whether the policies of the caller alone allow it: for what belongs to the caller's account as well, or to none.
    pub(super) fn authorize_by_identity(&self, call: &Call, asks: Asks) -> Result<(), ApiError> {
        let caller = caller(call)?;
        if caller.account() == self.settings.scope.account() {
            return self.access.authorize(call, asks).map(drop);
        }
        let open = parsed(&[allow(caller.account().as_str(), "*")]).map_err(|error| failed(call, &error))?;
        self.access.authorize_with(Some(&open), call, asks).map(drop)
    }
}

/// The same, with what a condition can ask of a profile.
pub(super) fn about(asks: Asks, version: Option<&str>, profile: Option<&Profile>) -> Asks {
    let asks = match version {
        Some(version) => asks.with(keys::SIGNER_PROFILE_VERSION, version),
        None => asks,
    };
    match profile {
        Some(profile) => asks.tagged(&profile.tags),
        None => asks,
    }
}

/// The policy of a profile as IAM reads it. It belongs to the profile, so whatever is asked for is covered.
pub(super) fn resource_policy(policy: &ProfilePolicy) -> Result<ResourcePolicy, PolicyError> {
    let statements = policy.permissions.iter().map(|permission| {
        let mut statement = allow(&permission.principal.to_string(), permission.action.as_str());
        statement["Sid"] = permission.statement_id.as_str().into();
        if let Some(version) = &permission.profile_version {
            statement["Condition"] =
                json!({ "StringEquals": { keys::SIGNER_PROFILE_VERSION: version.as_str() } });
        }
        statement
    });
    parsed(&statements.collect::<Vec<_>>())
}

fn allow(principal: &str, action: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": action, "Resource": "*" })
}

fn parsed(statements: &[Value]) -> Result<ResourcePolicy, PolicyError> {
    ResourcePolicy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

#[cfg(test)]
mod tests {
    use countersign_domain::{ProfileAction, ProfilePermission};
    use countersign_iam::{Context, Policy, Request, evaluate_with_resource_policy};

    use super::*;

    const PROFILE: &str = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p";

    fn permission(principal: &str, version: Option<&str>) -> ProfilePermission {
        ProfilePermission {
            statement_id: "a-b_1".parse().unwrap(),
            action: ProfileAction::StartSigningJob,
            principal: principal.parse().unwrap(),
            profile_version: version.map(|version| version.parse().unwrap()),
        }
    }

    fn permits(permission: ProfilePermission, caller: &str, action: &str) -> bool {
        let policy = ProfilePolicy { revision: "r".parse().unwrap(), permissions: vec![permission] };
        let policy = resource_policy(&policy).unwrap();
        let all = Policy::parse(
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        );
        let context = Context::default().with(keys::SIGNER_PROFILE_VERSION, "AbCdEfGhIj");
        let request =
            Request::new(caller.parse().unwrap(), action.parse().unwrap(), PROFILE.parse().unwrap(), context);
        let owner = "000000000000".parse().unwrap();
        evaluate_with_resource_policy(&[&all.unwrap()], Some(&policy), &request, &owner).into_result().is_ok()
    }

    #[test]
    fn a_permission_is_for_its_principal_action_and_version_alone() {
        let (ci, other) = ("arn:aws:iam::999999999999:user/ci", "arn:aws:iam::999999999999:user/other");
        let (start, get) = ("signer:StartSigningJob", "signer:GetSigningProfile");
        assert!(permits(permission("999999999999", None), ci, start));
        assert!(permits(permission(ci, Some("AbCdEfGhIj")), ci, start));
        assert!(!permits(permission(ci, None), other, start));
        assert!(!permits(permission("999999999998", None), ci, start));
        assert!(!permits(permission("999999999999", None), ci, get));
        assert!(!permits(permission("999999999999", Some("0123456789")), ci, start));
    }

    #[test]
    fn iam_reads_every_principal_that_can_be_permitted() {
        for principal in [
            "999999999999",
            "arn:aws:iam::999999999999:root",
            "arn:aws:iam::999999999999:role/path/of/ci",
            "arn:aws:iam::999999999999:user/ci@example.com",
            "arn:aws:sts::999999999999:assumed-role/ci/session",
        ] {
            let permissions = vec![permission(principal, None)];
            let policy = ProfilePolicy { revision: "r".parse().unwrap(), permissions };
            assert!(resource_policy(&policy).is_ok(), "{principal}");
        }
    }
}
