//! Versions: published, and listed.

use countersign_api::Notes;
use countersign_domain::{FunctionVersion, Qualifier};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::functions::StandingVersion;
use serde_json::Value;

use crate::Publication;
use crate::api::LambdaApi;
use crate::api::configuration::{configuration, listed};
use crate::api::errors::{self, code_sha256, other_code};
use crate::api::found::{Found, event_id, found, left, requester};
use crate::api::functions::refuse_publish_to;
use crate::api::names::Named;
use crate::api::paging::Page;
use crate::api::updates::seen_revision;
use crate::api::verdicts;

/// `PublishVersion`. Nothing is checked anew, as on AWS: what stands was decided upon when it was deployed.
pub(super) async fn publish(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let named = Named::of(&api.settings.scope, call)?.whole()?;
    let Found { named, latest, allowed, .. } = found(api, call, notes, named).await?;
    refuse_publish_to(call)?;
    let sha256 = call.input.text(&["CodeSha256"]).filter(|sha256| !sha256.is_empty());
    if let Some(expected) = sha256.filter(|sha256| *sha256 != code_sha256(&latest.code.sha256)) {
        return Err(other_code(expected, &latest.code.sha256));
    }
    let publication = Publication {
        description: call.input.text(&["Description"]).map(str::to_owned),
        code_sha256: sha256.map(|_| latest.code.sha256),
        revision: seen_revision(call, &latest)?,
    };
    let requester = requester(api, call)?;
    let deployer = &api.deployer;
    let ended = deployer.publish_version(event_id(call), requester, &named.name, publication, allowed).await;
    let version = verdicts::deployed(notes, &named, &named.arn(), ended)?;
    let standing = left(api, &named, version).await?;
    let arn = named.arn_at(&standing.version.to_string());
    Ok(Reply::new(configuration(&named.name, &standing, arn)))
}

/// `ListVersionsByFunction`: `$LATEST`, then the versions in their order. A position is the number, `$LATEST` as 0.
pub(super) async fn list(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
    let named = Named::of(&api.settings.scope, call)?.whole()?;
    let Found { named, latest, .. } = found(api, call, notes, named).await?;
    let page = Page::of(call, &api.settings.pages, MOST_VERSIONS)?;
    let after = page.after.as_deref().map(str::parse).transpose().map_err(errors::failed)?;
    let versions = api.ports.functions.versions(&named.name, after.unwrap_or(0), page.to_read()).await;
    let versions = versions.map_err(|error| errors::function(&named, error))?;
    let first = after.is_none().then_some(&latest);
    let items = first.into_iter().chain(&versions).map(|version| item(api, &named, version));
    Ok(page.reply("Versions", items.collect()))
}

fn item(api: &LambdaApi, named: &Named, version: &StandingVersion) -> (String, Value) {
    let arn = api.arn(&named.name).at(Qualifier::Version(version.version));
    let position = match version.version {
        FunctionVersion::Latest => 0,
        FunctionVersion::Published(number) => number,
    };
    (position.to_string(), listed(&named.name, version, arn.to_string()).into())
}

/// Versions of a page at most, whatever is asked for (Lambda's own bound).
const MOST_VERSIONS: usize = 50;
