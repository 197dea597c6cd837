//! The signer: a package dropped into a source bucket, or named by a request, is gated, signed and put into its
//! destination, once.
//!
//! The modules are the stages of that flow, in order, and `pipeline` alone holds the control flow. This crate never holds a
//! private key, speaks no protocol of a bucket, a broker or a database, and never decides who may be trusted.
#![forbid(unsafe_code)]

mod pipeline;

// The stages, in the order of the flow.

// a message: the versions that were dropped, or the job that was requested
mod intake;
mod request;

// the one job of a drop or a request, held under a lease
mod claim;

// what can be refused before a byte is read
mod admit;

// fetched, gated, signed and verified in private files
mod sign;

// or an earlier signature of the same bytes
mod reuse;

// put under the job's own key, read back, verified
mod publish;

// the job's end and its events, in one commit
mod report;

// the other way in: what no notification told of
mod sweep;

// What stages share.
mod check;
mod halt;

// What stands around the flow.

// requests of AWS's clients, the flow's third way in
mod api;

// the key custody of an installation
pub mod custody;

// new signing profiles
pub mod profile;

// what is missing is told before a drop tells it
pub mod preflight;

// the signer as a process of its own
pub mod process;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::{ProfileVersionArn, Scope, Sha256Digest};
use countersign_package::chain::TrustRoots;
use countersign_package::limits::{Limits, SIGNATURE_SIZE_MAX_BYTES};
use countersign_ports::jobs::Jobs;
use countersign_ports::keys::SigningKeys;
use countersign_ports::objects::ObjectStore;
use countersign_ports::profiles::Profiles;
use countersign_ports::queue::Delivery;
use countersign_ports::{Clock, WorkerId};
use countersign_runtime::{Handled, Handler, Route, Scratch, Turns};

pub use api::{SignerApi, SignerApiPorts, SignerApiSettings};
pub use custody::prepare_leaves;
pub use report::EVENT_SOURCE;

/// How a signer works.
#[derive(Debug, Clone)]
pub struct SignerSettings {
    /// Where its jobs live.
    pub scope: Scope,
    /// What a drop means, at first: see [`Signer::set_routes`].
    pub routes: Vec<Route>,
    /// The roots under which its own signatures have to verify.
    pub trust_roots: TrustRoots,
    /// Where packages are kept while they are worked on: a directory of this process alone, with room for three
    /// packages a job.
    pub work_dir: PathBuf,
    /// This process, unique for every start.
    pub worker: WorkerId,
    /// The largest package that is signed, in bytes. Stops an upload from filling the work directory.
    pub package_limit_bytes: u64,
    /// What a package may ask of this machine.
    pub gate_limits: Limits,
    /// The pause between two sweeps.
    pub sweep_interval: Duration,
}

/// What a signer needs from the world.
#[derive(Clone)]
pub struct SignerPorts {
    /// Source and destination buckets.
    pub objects: Arc<dyn ObjectStore>,
    /// The signing jobs.
    pub jobs: Arc<dyn Jobs>,
    /// The signing profiles.
    pub profiles: Arc<dyn Profiles>,
    /// The key custody.
    pub keys: Arc<dyn SigningKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Signs what is dropped and requested: hand it the messages of its queue as a [`Handler`], and run [`Signer::sweep_loop`] beside.
pub struct Signer {
    settings: SignerSettings,
    routes: RwLock<Arc<[Route]>>,
    ports: SignerPorts,
    trust_roots: Arc<TrustRoots>,
    scratch: Scratch,
    turns: Turns<(ProfileVersionArn, Sha256Digest)>,
}

impl Signer {
    /// A signer. Removes from the work directory what an earlier process left there.
    ///
    /// # Errors
    /// When the work directory cannot be made or cleaned.
    pub fn new(settings: SignerSettings, ports: SignerPorts) -> io::Result<Self> {
        let scratch = Scratch::open(&settings.work_dir, "signing")?;
        let trust_roots = Arc::new(settings.trust_roots.clone());
        let routes = RwLock::new(Arc::from(settings.routes.clone()));
        Ok(Self { settings, routes, ports, trust_roots, scratch, turns: Turns::new() })
    }

    /// Replaces the routes for every drop that is looked at from now on; a job keeps those it began with.
    pub fn set_routes(&self, routes: Vec<Route>) {
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(routes);
    }

    /// The routes as they are now.
    fn routes(&self) -> Arc<[Route]> {
        Arc::clone(&self.routes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A signed package is larger than the dropped one by its signature, in bytes.
    fn signed_limit_bytes(&self) -> u64 {
        self.settings.package_limit_bytes.saturating_add(SIGNATURE_SIZE_MAX_BYTES)
    }
}

#[async_trait]
impl Handler for Signer {
    /// Handles a notification of an object store, or the event that requests a job; `intake` says what they amount to.
    async fn handle(&self, delivery: &Delivery) -> Handled {
        intake::handle(self, delivery).await
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
