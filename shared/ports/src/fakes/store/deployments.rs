use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{DeploymentId, Event, FunctionVersion, TrailRecord, UnixMillis, Verdict};

use super::functions::{HeldFunction, HeldVersion};
use super::{Holder, MemoryStore, State};
use crate::change::{Change, layers_of};
use crate::code_signing_configs::KeptConfig;
use crate::deployments::{
    Basis, Decision, Deployment, DeploymentClaim, Deployments, Finish, NewDeployment, RecordedVerdict,
    Recording, applicable_config,
};
use crate::functions::{Alias, AliasTarget, Function, Stamp, StandingVersion};
use crate::{Lease, StoreError};

pub(super) struct HeldDeployment {
    new: NewDeployment,
    holder: Option<Holder>,
    recorded: Option<RecordedVerdict>,
    finish: Option<Finish>,
}

#[async_trait]
impl Deployments for MemoryStore {
    async fn begin(&self, deployment: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError> {
        self.call("begin", |state| state.begin(deployment, lease))
    }

    async fn renew(&self, deployment: DeploymentId, lease: &Lease) -> Result<(), StoreError> {
        self.call("renew", |state| {
            state.held_deployment(deployment, lease)?.holder = Holder::new(lease);
            Ok(())
        })
    }

    async fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError> {
        self.call("basis", |state| state.basis(request))
    }

    async fn record(
        &self,
        decision: &Decision,
        lease: &Lease,
        trail: &[TrailRecord],
    ) -> Result<Recording, StoreError> {
        self.call("record", |state| {
            let recording = state.record(decision, lease)?;
            if matches!(recording, Recording::Recorded(_)) {
                state.append(trail);
            }
            Ok(recording)
        })
    }

    async fn publish(&self, deployment: DeploymentId, lease: &Lease) -> Result<Recording, StoreError> {
        self.call("publish", |state| state.publish(deployment, lease))
    }

    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        stamp: &Stamp,
        events: &[Event],
        trail: &[TrailRecord],
    ) -> Result<(), StoreError> {
        self.call("finish", |state| {
            state.finish(deployment, lease, finish, stamp, events)?;
            state.append(trail);
            Ok(())
        })
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.call("deployment", |state| Ok(state.deployments.get(&id).map(HeldDeployment::seen)))
    }
}

impl State {
    fn begin(&mut self, new: &NewDeployment, lease: &Lease) -> Result<DeploymentClaim, StoreError> {
        if let Some(held) = self.deployments.get(&new.id) {
            if !held.asks_the_same(new) {
                return Err(StoreError::Conflict(format!(
                    "event {} asked for something else before",
                    new.event
                )));
            }
            if held.finish.is_some() {
                return Ok(DeploymentClaim::Ended(held.seen()));
            }
        }
        if let Some(until) = self.bars(new, lease) {
            return Ok(DeploymentClaim::Busy(until));
        }
        for held in self.deployments.values_mut().filter(|held| held.is_beside(new)) {
            held.holder = None;
        }
        let held = self.deployments.entry(new.id).or_insert_with(|| HeldDeployment::of(new.clone()));
        held.holder = Holder::new(lease);
        Ok(DeploymentClaim::Begun { recorded: held.recorded.clone() })
    }

    /// Until when this deployment or another one of its function is in other hands.
    fn bars(&self, new: &NewDeployment, lease: &Lease) -> Option<UnixMillis> {
        let beside = self.deployments.values().filter(|held| held.is_beside(new)).filter_map(|held| {
            let until = held.holder.as_ref()?.until;
            (until > lease.now).then_some(until)
        });
        let own = self.deployments.get(&new.id).and_then(|held| Holder::bars(held.holder.as_ref(), lease));
        beside.chain(own).max()
    }

    fn basis(&self, request: &DeploymentRequest) -> Result<Basis, StoreError> {
        let function = self.existing(&request.function_name).map(|held| held.function.clone());
        let name = applicable_config(function.as_ref(), request);
        let missing = |name| StoreError::NotFound(format!("code signing config {name}"));
        let config = |name| self.configs.get(name).map(KeptConfig::demands).ok_or_else(|| missing(name));
        let code_signing_config = name.map(config).transpose()?;
        let changes = self.functions.get(&request.function_name).map_or(0, |held| held.binding_changes);
        Ok(Basis { function, code_signing_config, revision: self.revision + changes })
    }

    fn record(&mut self, decision: &Decision, lease: &Lease) -> Result<Recording, StoreError> {
        let held = self.held_deployment(decision.deployment, lease)?;
        if held.new.request != decision.request {
            return Err(decided_otherwise(decision));
        }
        if let Some(recorded) = &held.recorded {
            let same = recorded.decision() == decision;
            return if same {
                Ok(Recording::Recorded(recorded.clone()))
            } else {
                Err(decided_otherwise(decision))
            };
        }
        let change = held.new.change.clone();
        let function = self.existing(&decision.request.function_name).map(|held| &held.function);
        if let Some(refusal) = change.refusal(function, &decision.request) {
            return Ok(Recording::Refused(refusal));
        }
        if self.basis(&decision.request)?.revision != decision.revision {
            return Ok(Recording::Stale);
        }
        let version = match decision.verdict {
            Verdict::Deploy | Verdict::DeployWithWarning => {
                self.make_function(&change, decision)?;
                change.publishes().then(|| self.allot_version(&change, decision)).transpose()?
            }
            Verdict::Block => None,
        };
        self.keep_decision(decision.clone(), version, lease)
    }

    fn publish(&mut self, deployment: DeploymentId, lease: &Lease) -> Result<Recording, StoreError> {
        let held = self.held_deployment(deployment, lease)?;
        if let Some(recorded) = &held.recorded {
            return Ok(Recording::Recorded(recorded.clone()));
        }
        let NewDeployment { request, change, .. } = held.new.clone();
        if change.sets_latest() {
            return Err(StoreError::Conflict(format!(
                "deployment {deployment} publishes nothing that stands"
            )));
        }
        let function = self.existing(&request.function_name);
        if let Some(refusal) = change.refusal(function.map(|held| &held.function), &request) {
            return Ok(Recording::Refused(refusal));
        }
        let brought = function.and_then(|held| held.brought_by).and_then(|id| self.deployments.get(&id));
        let brought = brought.and_then(|held| held.recorded.as_ref());
        let unknown = || StoreError::NotFound(format!("what brought $LATEST of {}", request.function_name));
        let brought = brought.ok_or_else(unknown)?.decision().clone();
        let revision = self.basis(&request)?.revision;
        let decision = Decision { deployment, request, revision, ..brought };
        let version = self.allot_version(&change, &decision)?;
        self.keep_decision(decision, Some(version), lease)
    }

    fn keep_decision(
        &mut self,
        decision: Decision,
        version: Option<u64>,
        lease: &Lease,
    ) -> Result<Recording, StoreError> {
        let id = decision.deployment;
        let recorded = RecordedVerdict::assertion(decision, version);
        self.held_deployment(id, lease)?.recorded = Some(recorded.clone());
        Ok(Recording::Recorded(recorded))
    }

    fn make_function(&mut self, change: &Change, decision: &Decision) -> Result<(), StoreError> {
        let name = &decision.request.function_name;
        let tags = change.tags();
        let made_anew = matches!(change, Change::Create { .. });
        match (self.existing(name), &decision.request.create) {
            (Some(_), _) if !made_anew => Ok(()),
            (_, Some(create)) => {
                let code_signing_config = create.code_signing_config.clone();
                let function = Function { name: name.clone(), code_signing_config, tags, latest: None };
                let held =
                    self.functions.entry(name.clone()).or_insert_with(|| HeldFunction::of(function.clone()));
                held.revive(function);
                Ok(())
            }
            (_, None) => Err(StoreError::NotFound(format!("function {name}"))),
        }
    }

    fn allot_version(&mut self, change: &Change, decision: &Decision) -> Result<u64, StoreError> {
        let name = &decision.request.function_name;
        let held = self.functions.get_mut(name);
        let held = held.ok_or_else(|| StoreError::NotFound(format!("function {name}")))?;
        let settings = change.settings(held.function.latest.as_ref());
        let layers = layers_of(&settings, &decision.layers);
        match held.versions.last_key_value() {
            Some((version, newest)) if newest.as_latest().has(&decision.code, &layers, &settings) => {
                Ok(*version)
            }
            Some(_) | None => {
                held.newest_version += 1;
                Ok(held.newest_version)
            }
        }
    }

    fn finish(
        &mut self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        stamp: &Stamp,
        events: &[Event],
    ) -> Result<(), StoreError> {
        let held = self.held_deployment(deployment, lease)?;
        if !finish.follows(held.recorded.as_ref()) {
            return Err(StoreError::Conflict(format!("deployment {deployment} cannot end as {finish:?}")));
        }
        held.holder = None;
        held.finish = Some(finish.clone());
        let (recorded, new) = (held.recorded.clone(), held.new.clone());
        let function = self.functions.get_mut(&new.request.function_name);
        match (function, recorded, finish) {
            (Some(function), Some(recorded), Finish::Succeeded { version, alias }) => {
                function.change(&new.change, recorded.decision(), *version, stamp);
                if let (Some(number), Some(name)) = (version, alias) {
                    let version = FunctionVersion::Published(*number);
                    let target =
                        AliasTarget { version, description: function.described(name), further: None };
                    let alias = Alias { name: name.clone(), target, revision: stamp.revision.clone() };
                    function.aliases.insert(name.clone(), alias);
                }
            }
            (Some(function), ..) if function.function.latest.is_none() => {
                function.deleted |= matches!(new.change, Change::Create { .. });
            }
            _ => {}
        }
        self.tell(events);
        Ok(())
    }

    /// Until when a deployment of the function is under way.
    pub(super) fn busy_until(
        &self,
        function: &countersign_domain::FunctionName,
        now: UnixMillis,
    ) -> Option<UnixMillis> {
        let of_function =
            self.deployments.values().filter(|held| held.new.request.function_name == *function);
        of_function.filter_map(|held| Some(held.holder.as_ref()?.until)).filter(|until| *until > now).max()
    }

    /// Ends what was left behind of a function's deployments.
    pub(super) fn end_deployments(&mut self, function: &countersign_domain::FunctionName) {
        for held in self.deployments.values_mut() {
            if held.finish.is_none() && held.new.request.function_name == *function {
                held.holder = None;
                held.finish = Some(Finish::Failed { reason: crate::functions::FUNCTION_DELETED.to_owned() });
            }
        }
    }

    fn held_deployment(
        &mut self,
        id: DeploymentId,
        lease: &Lease,
    ) -> Result<&mut HeldDeployment, StoreError> {
        let held = self.deployments.get_mut(&id);
        let held = held.filter(|held| held.holder.as_ref().is_some_and(|held| held.worker == lease.worker));
        held.ok_or_else(|| StoreError::LeaseLost(format!("deployment {id}")))
    }
}

impl HeldDeployment {
    fn of(new: NewDeployment) -> Self {
        Self { new, holder: None, recorded: None, finish: None }
    }

    fn asks_the_same(&self, new: &NewDeployment) -> bool {
        let asked = |new: &NewDeployment| {
            (
                new.event.clone(),
                new.publisher.clone(),
                new.principal.clone(),
                new.request.clone(),
                new.change.clone(),
            )
        };
        asked(&self.new) == asked(new)
    }

    /// True if it is another unfinished deployment of the same function.
    fn is_beside(&self, new: &NewDeployment) -> bool {
        self.new.id != new.id
            && self.finish.is_none()
            && self.new.request.function_name == new.request.function_name
    }

    fn seen(&self) -> Deployment {
        let findings = self.recorded.as_ref().map(|recorded| recorded.decision().findings.clone());
        Deployment {
            id: self.new.id,
            publisher: self.new.publisher.clone(),
            principal: self.new.principal.clone(),
            request: self.new.request.clone(),
            change: self.new.change.clone(),
            finish: self.finish.clone(),
            findings: findings.unwrap_or_default(),
        }
    }
}

impl HeldFunction {
    /// What a deployment that succeeded leaves.
    fn change(&mut self, change: &Change, decision: &Decision, version: Option<u64>, stamp: &Stamp) {
        let before = self.function.latest.clone();
        let settings = change.settings(before.as_ref());
        let latest = StandingVersion {
            version: FunctionVersion::Latest,
            layers: layers_of(&settings, &decision.layers),
            code: decision.code.clone(),
            settings,
            revision: stamp.revision.clone(),
            last_modified: stamp.at,
        };
        let published = version.filter(|version| !self.versions.contains_key(version));
        if change.sets_latest() {
            self.function.latest = Some(latest.clone());
            self.brought_by = Some(decision.deployment);
        } else if let (Some(standing), true) = (&mut self.function.latest, published.is_some()) {
            standing.revision = stamp.revision.clone();
        }
        if let Some(version) = published {
            let description = change.description().map(str::to_owned);
            let standing = StandingVersion { version: FunctionVersion::Published(version), ..latest };
            self.versions.insert(version, HeldVersion { standing, description });
        }
    }
}

fn decided_otherwise(decision: &Decision) -> StoreError {
    StoreError::Conflict(format!("deployment {} was asked for or decided otherwise", decision.deployment))
}
