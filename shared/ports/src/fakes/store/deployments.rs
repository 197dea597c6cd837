use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    CodeSigningConfig, CodeSigningConfigName, DeploymentId, Event, Sha256Digest, UnixMillis, Verdict,
};

use super::{Holder, MemoryStore, State};
use crate::deployments::{
    Basis, CodeSigningConfigs, Decision, Deployment, DeploymentClaim, Deployments, Finish, Function,
    NewDeployment, RecordedVerdict, Recording, applicable_config, configs_by_name,
};
use crate::{Lease, StoreError};

pub(super) struct HeldDeployment {
    new: NewDeployment,
    holder: Option<Holder>,
    recorded: Option<RecordedVerdict>,
    finish: Option<Finish>,
}

pub(super) struct HeldFunction {
    function: Function,
    binding_changes: u64,
    newest_version: u64,
    standing: BTreeMap<u64, (Sha256Digest, Vec<Sha256Digest>)>,
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

    async fn record(&self, decision: &Decision, lease: &Lease) -> Result<Recording, StoreError> {
        self.call("record", |state| state.record(decision, lease))
    }

    async fn finish(
        &self,
        deployment: DeploymentId,
        lease: &Lease,
        finish: &Finish,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.call("finish", |state| state.finish(deployment, lease, finish, events))
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.call("deployment", |state| Ok(state.deployments.get(&id).map(HeldDeployment::seen)))
    }
}

#[async_trait]
impl CodeSigningConfigs for MemoryStore {
    async fn declare(&self, configs: &[CodeSigningConfig]) -> Result<(), StoreError> {
        self.call("declare", |state| {
            let declared = configs_by_name(configs)?;
            for Function { name, code_signing_config } in state.functions.values().map(|held| &held.function) {
                if let Some(config) = code_signing_config.as_ref().filter(|name| !declared.contains_key(name)) {
                    return Err(StoreError::Conflict(format!(
                        "function {name} is bound to code signing config {config}, which is no longer declared"
                    )));
                }
            }
            if state.configs != declared {
                state.configs = declared;
                state.revision += 1;
            }
            Ok(())
        })
    }

    async fn code_signing_config(
        &self,
        name: &CodeSigningConfigName,
    ) -> Result<Option<CodeSigningConfig>, StoreError> {
        self.call("code_signing_config", |state| Ok(state.configs.get(name).cloned()))
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
        let held = self.functions.get(&request.function_name);
        let function = held.map(|held| held.function.clone());
        let name = applicable_config(function.as_ref(), request);
        let missing = |name| StoreError::NotFound(format!("code signing config {name}"));
        let config = |name| self.configs.get(name).cloned().ok_or_else(|| missing(name));
        let code_signing_config = name.map(config).transpose()?;
        let revision = self.revision + held.map_or(0, |held| held.binding_changes);
        Ok(Basis { function, code_signing_config, revision })
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
        if self.basis(&decision.request)?.revision != decision.revision {
            return Ok(Recording::Stale);
        }
        let version = match decision.verdict {
            Verdict::Deploy | Verdict::DeployWithWarning => Some(self.allot_version(decision)?),
            Verdict::Block => None,
        };
        let recorded = RecordedVerdict::assertion(decision.clone(), version);
        self.held_deployment(decision.deployment, lease)?.recorded = Some(recorded.clone());
        Ok(Recording::Recorded(recorded))
    }

    fn allot_version(&mut self, decision: &Decision) -> Result<u64, StoreError> {
        let name = &decision.request.function_name;
        if let (None, Some(create)) = (self.functions.get(name), &decision.request.create) {
            let code_signing_config = create.code_signing_config.clone();
            let function = Function { name: name.clone(), code_signing_config };
            self.functions.insert(name.clone(), HeldFunction::of(function));
        }
        let held = self.functions.get_mut(name);
        let held = held.ok_or_else(|| StoreError::NotFound(format!("function {name}")))?;
        let packages = (decision.code_sha256, decision.layer_sha256.clone());
        match held.standing.last_key_value() {
            Some((version, standing)) if *standing == packages => Ok(*version),
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
        events: &[Event],
    ) -> Result<(), StoreError> {
        let held = self.held_deployment(deployment, lease)?;
        if !finish.follows(held.recorded.as_ref()) {
            return Err(StoreError::Conflict(format!("deployment {deployment} cannot end as {finish:?}")));
        }
        held.holder = None;
        held.finish = Some(finish.clone());
        let recorded = held.recorded.clone();
        if let (Some(recorded), Finish::Succeeded { version, .. }) = (recorded, finish) {
            let decision = recorded.decision();
            let packages = (decision.code_sha256, decision.layer_sha256.clone());
            let function = self.functions.get_mut(&decision.request.function_name);
            function.into_iter().for_each(|held| _ = held.standing.insert(*version, packages.clone()));
        }
        self.tell(events);
        Ok(())
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
            (new.event.clone(), new.publisher.clone(), new.principal.clone(), new.request.clone())
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
            finish: self.finish.clone(),
            findings: findings.unwrap_or_default(),
        }
    }
}

impl HeldFunction {
    fn of(function: Function) -> Self {
        Self { function, binding_changes: 1, newest_version: 0, standing: BTreeMap::new() }
    }
}

fn decided_otherwise(decision: &Decision) -> StoreError {
    StoreError::Conflict(format!("deployment {} was asked for or decided otherwise", decision.deployment))
}
