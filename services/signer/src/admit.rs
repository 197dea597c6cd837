//! What can be refused before a byte is read, and where the signed package is to go.

use countersign_domain::event::CreateFunction;
use countersign_domain::{
    AliasName, FunctionName, InvalidName, JobId, ObjectKey, ObjectLocation, Prefix, TargetName,
};
use countersign_ports::profiles::{Profile, ProfileStatus};
use countersign_runtime::{DeployRoute, Route};

use crate::Signer;
use crate::claim::Claimed;
use crate::halt::{Halt, Refusal, unversioned_destination, using_destination};

/// What is to come of a package that may be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Where the signed package goes: the job's destination, its id and `.zip`, as on AWS.
    pub(crate) destination: ObjectLocation,
    /// The deployment to ask for once it is signed.
    pub(crate) deployment: Option<PlannedDeployment>,
}

/// A deployment to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedDeployment {
    pub(crate) function: FunctionName,
    pub(crate) alias: Option<AliasName>,
    pub(crate) target: Option<TargetName>,
    pub(crate) create: Option<CreateFunction>,
}

/// Admits the job, or refuses it by what is known without its bytes.
pub(crate) async fn admit(signer: &Signer, claimed: &Claimed, route: Option<&Route>) -> Result<Plan, Halt> {
    check_profile(&claimed.profile)?;
    let source = claimed.job.source.location();
    check_key(&source)?;
    let deploy = route.and_then(|route| Some((route, route.deploy.as_ref()?)));
    let deployment = deploy.map(|(route, deploy)| plan_deployment(route, deploy, &source)).transpose()?;
    let destination = destination_of(&claimed.job.destination, claimed.job.arn.job());
    let destination = destination.map_err(|error| Refusal::new("invalid_destination", error.to_string()))?;
    match signer.ports.objects.keeps_versions(&destination.bucket).await {
        Ok(true) => Ok(Plan { destination, deployment }),
        Ok(false) => Err(unversioned_destination(&destination.bucket).into()),
        Err(error) => Err(using_destination(error)),
    }
}

fn check_profile(profile: &Profile) -> Result<(), Refusal> {
    let code = match profile.status {
        ProfileStatus::Active => return Ok(()),
        ProfileStatus::Canceled => "profile_canceled",
        ProfileStatus::Revoked => "profile_revoked",
    };
    let detail = format!("signing profile version {} is {} and signs no more", profile.arn, profile.status);
    Err(Refusal::new(code, detail))
}

fn check_key(source: &ObjectLocation) -> Result<(), Refusal> {
    if ends_in_zip(&source.key) {
        return Ok(());
    }
    let detail = format!(
        "the key {:?} does not end in .zip; upload the package under one that does",
        source.key.as_str()
    );
    Err(Refusal::new("key_not_zip", detail))
}

/// Resolved before signing: a package that nobody can deploy as its route says is better refused than left signed.
fn plan_deployment(
    route: &Route,
    deploy: &DeployRoute,
    source: &ObjectLocation,
) -> Result<PlannedDeployment, Refusal> {
    let function = deploy.function.resolve(&route.source, source);
    let function = function.map_err(|error| Refusal::new("no_function_name", error.to_string()))?;
    let code_signing_config = deploy.code_signing_config.clone();
    let create = deploy.create.then_some(CreateFunction { code_signing_config });
    let (alias, target) = (deploy.alias.clone(), deploy.target.clone());
    Ok(PlannedDeployment { function, alias, target, create })
}

/// Where the signed package of a job goes.
pub(crate) fn destination_of(destination: &Prefix, job: JobId) -> Result<ObjectLocation, InvalidName> {
    destination.join(&format!("{job}.zip"))
}

/// True for the key of a package that may be signed, as on AWS.
pub(crate) fn ends_in_zip(key: &ObjectKey) -> bool {
    key.as_str().ends_with(".zip")
}
