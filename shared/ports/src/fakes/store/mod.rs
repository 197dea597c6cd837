//! The state of both services in memory.

mod code_signing_configs;
mod deployments;
mod exposure;
mod functions;
mod job_registry;
mod jobs;
mod layers;
mod permissions;
mod profiles;
mod revocations;
mod target_changes;
mod trail;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use countersign_domain::{
    CodeSigningConfigName, DeploymentId, Event, EventId, FunctionName, JobArn, LayerName, ProfileName,
    TrailRecord, UnixMillis,
};
use tokio::sync::Notify;

use super::FaultPlan;
use crate::code_signing_configs::KeptConfig;
use crate::jobs::{Job, JobRevocation, Outbox};
use crate::permissions::ProfilePolicy;
use crate::profiles::Profile;
use crate::target_changes::TargetChange;
use crate::{Lease, StoreError, WorkerId};

/// Every port of the state in memory: profiles, permissions, revocations, jobs, outbox, deployments, functions, layers,
/// code signing configs, exposures, the trail. Clones share their state. Operations carry the names of the ports'
/// methods in the [`FaultPlan`].
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    committed: Arc<Notify>,
    appended: Arc<Notify>,
    faults: FaultPlan,
}

#[derive(Default)]
struct State {
    revision: u64,
    profiles: BTreeMap<ProfileName, Profile>,
    policies: BTreeMap<ProfileName, ProfilePolicy>,
    job_revocations: BTreeMap<JobArn, JobRevocation>,
    jobs: BTreeMap<JobArn, HeldJob>,
    told: Vec<Event>,
    outbox: Vec<Event>,
    configs: BTreeMap<CodeSigningConfigName, KeptConfig>,
    functions: BTreeMap<FunctionName, functions::HeldFunction>,
    layers: BTreeMap<LayerName, layers::HeldLayer>,
    deployments: BTreeMap<DeploymentId, deployments::HeldDeployment>,
    trail: Vec<TrailRecord>,
    target_changes: Vec<TargetChange>,
    changes_noted: u64,
}

struct HeldJob {
    /// Without its revocation, which [`State::shown`] adds.
    job: Job,
    holder: Option<Holder>,
    requested: bool,
}

struct Holder {
    worker: WorkerId,
    until: UnixMillis,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(faults: FaultPlan) -> Self {
        Self { state: Arc::default(), committed: Arc::default(), appended: Arc::default(), faults }
    }

    /// Every event that was ever committed, published or not, in order.
    pub fn told(&self) -> Vec<Event> {
        self.lock().told.clone()
    }

    /// Every job, in the order of their ARNs.
    pub fn jobs(&self) -> Vec<Job> {
        let state = self.lock();
        state.jobs.values().map(|held| state.shown(&held.job)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call of a port: the effect runs on the locked state, whole or not at all, as the fault plan says.
    fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let lost = || StoreError::Unavailable(format!("{operation} was told to fail"));
        let answer = self.faults.apply(operation, lost, || effect(&mut self.lock()));
        if !self.lock().outbox.is_empty() {
            self.committed.notify_one();
        }
        answer
    }
}

impl State {
    /// The job with the revocation of the signature that it delivered.
    fn shown(&self, job: &Job) -> Job {
        let signed_by = job.signature.as_ref().map(|signature| &signature.signed_by);
        let revocation = signed_by.and_then(|signed_by| self.job_revocations.get(signed_by)).cloned();
        Job { revocation, ..job.clone() }
    }

    fn tell(&mut self, events: &[Event]) {
        for event in events {
            let waiting = self.outbox.iter().any(|other| other.id == event.id);
            if !waiting {
                self.told.push(event.clone());
                self.outbox.push(event.clone());
            }
        }
    }
}

impl Holder {
    fn new(lease: &Lease) -> Option<Self> {
        Some(Self { worker: lease.worker.clone(), until: lease.until })
    }

    /// Until when somebody else than the holder of `lease` has the thing.
    fn bars(holder: Option<&Self>, lease: &Lease) -> Option<UnixMillis> {
        let other = holder.filter(|holder| holder.worker != lease.worker && holder.until > lease.now)?;
        Some(other.until)
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn unpublished(&self, source: &str, max: usize) -> Result<Vec<Event>, StoreError> {
        self.call("unpublished", |state| {
            let told = state.outbox.iter().filter(|event| event.source == source);
            Ok(told.take(max).cloned().collect())
        })
    }

    async fn mark_published(&self, events: &[EventId]) -> Result<(), StoreError> {
        self.call("mark_published", |state| {
            state.outbox.retain(|event| !events.contains(&event.id));
            Ok(())
        })
    }

    async fn wait(&self) {
        let pause = tokio::time::sleep(std::time::Duration::from_millis(50));
        tokio::select! {
            () = self.committed.notified() => {}
            () = pause => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{
        code_signing_configs, deployments, exposure, functions, job_registry, jobs, layers, outbox,
        permissions, profiles, revocations, samples, target_changes, trail,
    };
    use crate::fakes::Fault;
    use crate::jobs::{JobClaim, Jobs as _};

    async fn empty() -> MemoryStore {
        MemoryStore::new(FaultPlan::default())
    }

    #[tokio::test]
    async fn it_keeps_the_contracts() {
        profiles::check(empty).await;
        permissions::check(empty).await;
        revocations::check(empty).await;
        jobs::check(empty).await;
        job_registry::check(empty).await;
        outbox::check(empty).await;
        deployments::check(empty).await;
        trail::check(empty).await;
        code_signing_configs::check(empty).await;
        functions::check(empty).await;
        layers::check(empty).await;
        exposure::check(empty).await;
        target_changes::check(empty).await;
    }

    #[tokio::test]
    async fn a_call_fails_without_effect_or_after_it() {
        let faults = FaultPlan::default();
        let store = MemoryStore::new(faults.clone());
        let job = samples::new_job("a.zip");
        let started = samples::told("started", &job);
        let lease = samples::lease("w1", 0, 10);
        for (fault, jobs_after) in [(Fault::WithoutEffect, 0), (Fault::AfterEffect, 1)] {
            faults.fail_next("claim_job", fault);
            let claim = store.claim_job(&job, &lease, &started).await;
            assert!(matches!(claim, Err(StoreError::Unavailable(_))), "{claim:?}");
            assert_eq!((store.jobs().len(), store.told().len()), (jobs_after, jobs_after), "{fault:?}");
        }
        let repeated = store.claim_job(&job, &lease, &started).await;
        assert!(matches!(repeated, Ok(JobClaim::Claimed(_))), "a repeated call finds what the lost one did");
        assert!(faults.is_spent());
    }
}
