//! A function that stands, for a caller who may know.

use countersign_api::{Asks, Notes};
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{FunctionVersion, Qualifier};
use countersign_gateway::{ApiError, Call};
use countersign_iam::Allowed;
use countersign_ports::change::Change;
use countersign_ports::functions::{Function, StandingVersion};
use countersign_runtime::Requester;

use crate::Asked;
use crate::api::LambdaApi;
use crate::api::errors::{self, function_not_found};
use crate::api::names::Named;

/// A function, what stands of it, and the proof that the caller may do what the call asks.
pub(super) struct Found {
    pub(super) named: Named,
    pub(super) function: Function,
    pub(super) latest: StandingVersion,
    pub(super) allowed: Allowed,
}

/// The function that the call names, if its caller may do this with it.
///
/// # Errors
/// That the caller may not, which is told before there is no such function.
pub(super) async fn found(
    api: &LambdaApi,
    call: &Call,
    notes: &mut Notes,
    named: Named,
) -> Result<Found, ApiError> {
    found_asking(api, call, notes, named, |asks, _| asks).await
}

/// The same, where the request has condition keys of its own.
///
/// # Errors
/// As [`found`].
pub(super) async fn found_asking(
    api: &LambdaApi,
    call: &Call,
    notes: &mut Notes,
    named: Named,
    keys: impl FnOnce(Asks, Option<&Function>) -> Asks,
) -> Result<Found, ApiError> {
    notes.about(FUNCTION, named.unqualified().to_string());
    let function = api.ports.functions.function(&named.name).await.map_err(errors::store)?;
    let asks = Asks::of(call).on(named.arn());
    let asks = match &function {
        Some(function) => asks.tagged(&function.tags),
        None => asks,
    };
    let allowed = api.access.authorize(call, keys(asks, function.as_ref()))?;
    let missing = || function_not_found(named.arn());
    let function = function.ok_or_else(missing)?;
    let latest = function.latest.clone().ok_or_else(missing)?;
    Ok(Found { named, function, latest, allowed })
}

impl Found {
    /// The version that the request's qualifier means.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn version(&self, api: &LambdaApi) -> Result<StandingVersion, ApiError> {
        let missing = || function_not_found(self.named.arn());
        let version = match self.named.qualifier().map_err(|_| missing())? {
            None | Some(Qualifier::Version(FunctionVersion::Latest)) => return Ok(self.latest.clone()),
            Some(Qualifier::Version(version)) => version,
            Some(Qualifier::Alias(alias)) => {
                let alias =
                    api.ports.functions.alias(&self.named.name, &alias).await.map_err(errors::store)?;
                alias.ok_or_else(missing)?.target.version
            }
        };
        standing(api, &self.named, version).await?.ok_or_else(missing)
    }
}

/// A version of a function, if it stands.
///
/// # Errors
/// When the store fails.
pub(super) async fn standing(
    api: &LambdaApi,
    named: &Named,
    version: FunctionVersion,
) -> Result<Option<StandingVersion>, ApiError> {
    api.ports.functions.version(&named.name, version).await.map_err(errors::store)
}

/// What a deployment left: the version that it published, or `$LATEST`.
///
/// # Errors
/// When another call has deleted it since.
pub(super) async fn left(
    api: &LambdaApi,
    named: &Named,
    published: Option<u64>,
) -> Result<StandingVersion, ApiError> {
    let version = published.map_or(FunctionVersion::Latest, FunctionVersion::Published);
    let gone = || errors::in_progress(named.unqualified());
    standing(api, named, version).await?.ok_or_else(gone)
}

/// What a call asks of the deployer, which `allowed` proves that it may.
///
/// # Errors
/// When the caller's key is gone meanwhile.
pub(super) fn asked(
    api: &LambdaApi,
    call: &Call,
    request: DeploymentRequest,
    change: Change,
    allowed: Allowed,
) -> Result<Asked, ApiError> {
    let requester = requester(api, call)?;
    Ok(api.deployer.asked(event_id(call), requester, request, change, allowed))
}

/// Who asks, as deployments know it.
///
/// # Errors
/// When the caller's key is gone meanwhile.
pub(super) fn requester(api: &LambdaApi, call: &Call) -> Result<Requester, ApiError> {
    let principal = api.access.principal(call)?;
    Ok(Requester { publisher: principal.arn().to_string(), principal })
}

/// The id under which a call asks for a deployment: no other request has it.
pub(super) fn event_id(call: &Call) -> countersign_domain::EventId {
    call.request_id.to_string().parse().expect("a UUID is an event id")
}

/// The CloudFormation type of functions.
pub(super) const FUNCTION: &str = "AWS::Lambda::Function";
