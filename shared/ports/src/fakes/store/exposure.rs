use async_trait::async_trait;
use countersign_domain::{Code, CodeSignature, FunctionVersion, PackageRole, UnixMillis};

use super::functions::HeldFunction;
use super::{MemoryStore, State};
use crate::StoreError;
use crate::exposure::{Exposure, ExposureCause, Exposures};
use crate::functions::StandingVersion;
use crate::revocations::{RevocationSource, RevocationStatus};

#[async_trait]
impl Exposures for MemoryStore {
    async fn exposed(
        &self,
        now: UnixMillis,
        after: Option<&Exposure>,
        max: u32,
    ) -> Result<Vec<Exposure>, StoreError> {
        let running = self.call("exposed", |state| Ok(state.running()))?;
        let mut all = Vec::new();
        for (package, signature) in running {
            let status = self.revocation_status(&signature.job_arn, &signature.profile_version_arn).await?;
            let causes = causes(&signature, &status, now).into_iter();
            all.extend(causes.map(|(cause, since)| Exposure { cause, since, ..package.clone() }));
        }
        all.sort_by(|one, other| one.place().cmp(&other.place()));
        let page = all.into_iter().filter(|found| after.is_none_or(|after| found.place() > after.place()));
        Ok(page.take(max as usize).collect())
    }
}

impl State {
    /// Every signed package that runs, as if it had expired long ago.
    fn running(&self) -> Vec<(Exposure, CodeSignature)> {
        let functions = self.functions.values().filter(|held| !held.deleted);
        let running = functions.flat_map(|held| running(held).map(move |version| (held, version)));
        let packages = running.flat_map(|(held, version)| {
            packages(version).map(move |(package, code)| (held, version.version, package, code))
        });
        let signed = packages.filter_map(|(held, version, package, code)| {
            let function = held.function.name.clone();
            let (cause, since) = (ExposureCause::Expired, UnixMillis::EPOCH);
            Some((Exposure { function, version, package, cause, since }, code.signature.clone()?))
        });
        signed.collect()
    }
}

fn running(held: &HeldFunction) -> impl Iterator<Item = &StandingVersion> {
    let pointed =
        |number: u64| held.aliases.values().any(|alias| alias.points_to(FunctionVersion::Published(number)));
    let versions = held.versions.iter().filter(move |(number, _)| pointed(**number));
    held.function.latest.iter().chain(versions.map(|(_, version)| version.as_latest()))
}

fn packages(version: &StandingVersion) -> impl Iterator<Item = (PackageRole, &Code)> {
    let layers = (1..).zip(&version.layers).map(|(place, layer)| (PackageRole::Layer(place), &layer.code));
    std::iter::once((PackageRole::Function, &version.code)).chain(layers)
}

fn causes(
    signature: &CodeSignature,
    status: &RevocationStatus,
    now: UnixMillis,
) -> Vec<(ExposureCause, UnixMillis)> {
    let expired = (signature.expires_at < now).then_some((ExposureCause::Expired, signature.expires_at));
    let job = status.job.iter().map(|job| (ExposureCause::JobRevoked, job.revoked_at));
    let profile = status.profile.iter().filter(|profile| signature.signed_at > profile.effective_from);
    let profile = profile.map(|profile| (ExposureCause::ProfileRevoked, profile.revoked_at));
    expired.into_iter().chain(job).chain(profile).collect()
}
