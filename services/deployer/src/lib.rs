//! The deployer: decides whether signed packages may be deployed, records the decision, and carries it out, once.
//!
//! The modules are the stages of that flow, in order, and `pipeline` alone holds the control flow. This crate never signs and
//! never reaches a private key, takes no policy from a message, and speaks no protocol of a bucket, a broker or a database.
#![forbid(unsafe_code)]

mod pipeline;

// The stages, in the order of the flow.

// a message: the deployment that it asks for
mod intake;

// the one deployment of an event, held under a lease
mod begin;

// what its principal may ask for
mod authorize;

// the exact packages, what verification and the revocation source say
mod gather;

// the verdict, without an effect
mod decide;

// the verdict, durable
mod record;

// version and alias, or nothing
mod enact;

// the deployment's end and its events, in one commit
mod report;

// What stages share.
mod halt;
mod metrics;
mod outcome;
mod trail;

// What stands around the flow: a zip that comes with a call, put where it has a version.
mod keep;

// What stands around the flow: a package that is kept without being deployed.
mod examine;

// What stands around the flow: what was deployed, looked at again.
mod exposure;

// What stands around the flow: Lambda's API, one more intake.
pub mod api;

// What stands around the flow: aliases, and what is deleted, which the target follows.
mod alter;
mod follow;

// What stands around the flow: the deployer as a process of its own.
pub mod process;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use countersign_domain::{BucketName, FunctionName, TargetName};
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_ports::deployments::{Decision, Deployments};
use countersign_ports::functions::Functions;
use countersign_ports::objects::ObjectStore;
use countersign_ports::queue::Delivery;
use countersign_ports::revocations::RevocationSource;
use countersign_ports::target_changes::TargetChanges;
use countersign_ports::targets::DeployTarget;
use countersign_ports::{Clock, WorkerId};
use countersign_runtime::{Authority, Handled, Handler, Scratch, Turns};

pub use alter::{NotChanged, Publication};
pub use examine::NotExamined;
pub use exposure::{ExposureWatch, told_of};
pub use intake::Asked;
pub use keep::NotKept;
pub use outcome::{Outcome, Undecided};
pub use report::EVENT_SOURCE;

/// How a deployer works.
#[derive(Debug, Clone)]
pub struct DeployerSettings {
    /// The only roots under which a signature counts.
    pub trust_roots: TrustRoots,
    /// Who may ask for what, at first: see [`Deployer::set_authority`].
    pub authority: Authority,
    /// Where packages are kept while they are worked on: a directory of this process alone, with room for the packages
    /// of a function and its layers for every deployment at once.
    pub work_dir: PathBuf,
    /// This process, unique for every start.
    pub worker: WorkerId,
    /// Where a zip that comes with a call is put. Versioned.
    pub code_bucket: BucketName,
    /// Refuse functions without a code signing config instead of deploying them unvalidated.
    pub require_code_signing: bool,
    /// The largest package that is deployed, in bytes, its signature included. Stops an object from filling the work
    /// directory.
    pub package_limit_bytes: u64,
    /// What a package may ask of this machine.
    pub gate_limits: Limits,
}

/// What a deployer needs from the world.
#[derive(Clone)]
pub struct DeployerPorts {
    /// Where the packages lie.
    pub objects: Arc<dyn ObjectStore>,
    /// Functions, their policies and the deployments.
    pub deployments: Arc<dyn Deployments>,
    /// What stands of the functions.
    pub functions: Arc<dyn Functions>,
    /// What the targets have still to follow.
    pub target_changes: Arc<dyn TargetChanges>,
    /// What is revoked.
    pub revocations: Arc<dyn RevocationSource>,
    /// Where the packages go.
    pub targets: Targets,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The deploy targets by their names.
#[derive(Clone)]
pub struct Targets {
    default: TargetName,
    by_name: BTreeMap<TargetName, Arc<dyn DeployTarget>>,
}

impl Targets {
    /// One target, which a request means that names none.
    pub fn new(name: TargetName, target: Arc<dyn DeployTarget>) -> Self {
        Self { default: name.clone(), by_name: [(name, target)].into() }
    }

    /// The same with one more target.
    #[must_use]
    pub fn with(mut self, name: TargetName, target: Arc<dyn DeployTarget>) -> Self {
        self.by_name.insert(name, target);
        self
    }

    /// The target of that name, or of none.
    fn find(&self, name: Option<&TargetName>) -> Option<&Arc<dyn DeployTarget>> {
        self.by_name.get(name.unwrap_or(&self.default))
    }

    /// True for the target that a request means that names none.
    fn is_default(&self, name: &TargetName) -> bool {
        *name == self.default
    }

    /// Every target with its name.
    fn all(&self) -> impl Iterator<Item = (&TargetName, &Arc<dyn DeployTarget>)> {
        self.by_name.iter()
    }
}

/// Deploys what is asked for: hand it the requests as a [`Handler`].
pub struct Deployer {
    settings: DeployerSettings,
    authority: RwLock<Arc<Authority>>,
    ports: DeployerPorts,
    trust_roots: Arc<TrustRoots>,
    scratch: Scratch,
    turns: Turns<FunctionName>,
}

impl Deployer {
    /// A deployer. Removes from the work directory what an earlier process left there.
    ///
    /// # Errors
    /// When the work directory cannot be made or cleaned.
    pub fn new(settings: DeployerSettings, ports: DeployerPorts) -> io::Result<Self> {
        let scratch = Scratch::open(&settings.work_dir, "deploying")?;
        let trust_roots = Arc::new(settings.trust_roots.clone());
        let authority = RwLock::new(Arc::new(settings.authority.clone()));
        Ok(Self { settings, authority, ports, trust_roots, scratch, turns: Turns::new() })
    }

    /// Replaces the principals and what they may do, for every message that is looked at from now on.
    pub fn set_authority(&self, authority: Authority) {
        *self.authority.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(authority);
    }

    /// Carries out what a call asks for, and answers how that ended: by the very pipeline that a message takes.
    ///
    /// # Errors
    /// [`Undecided`] if it did not end: nothing was changed, or the same call asked again finds out.
    pub async fn deploy(&self, asked: &Asked) -> Result<Outcome, Undecided> {
        pipeline::run(self, asked).await.map_err(Undecided::from)
    }

    /// Where a zip that comes with a call is put: see [`Deployer::keep_code`].
    pub fn code_bucket(&self) -> &BucketName {
        &self.settings.code_bucket
    }

    /// What would be decided about it now. Nothing is recorded and nothing is deployed.
    ///
    /// # Errors
    /// The end that the deployment would have without a decision.
    pub async fn dry_run(&self, asked: &Asked) -> Result<Decision, Undecided> {
        pipeline::dry_run(self, asked).await.map_err(Undecided::from)
    }

    /// The authority as it is now.
    fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.authority.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Handler for Deployer {
    /// Handles an event that asks for a deployment.
    async fn handle(&self, delivery: &Delivery) -> Handled {
        intake::handle(self, delivery).await
    }
}

impl fmt::Debug for Deployer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
