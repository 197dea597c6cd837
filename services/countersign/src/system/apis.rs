//! The APIs of Signer and Lambda over the parts of this process, each call with its record in the trail.

use std::sync::Arc;

use countersign_api::Recorded;
use countersign_gateway::model::{Service, signer};
use countersign_gateway::{Api, Gateway};
use countersign_ports::trail::Trail;
use countersign_process::api;
use countersign_runtime::{Config, SystemClock};
use countersign_signer::{SignerApi, SignerApiPorts, SignerApiSettings};

use super::Parts;

/// Both APIs behind one gateway.
pub(super) fn gateway(parts: &Parts, config: &Config) -> Gateway {
    let trail: Arc<dyn Trail> = Arc::new(parts.store.clone());
    let services: Vec<(&'static Service, Arc<dyn Api>)> = vec![(
        &signer::SERVICE,
        Arc::new(Recorded::new(signer_api(parts, config), trail, config.scope.clone())),
    )];
    api::gateway(&config.scope, &parts.access, services)
}

fn signer_api(parts: &Parts, config: &Config) -> SignerApi {
    let ports = SignerApiPorts {
        profiles: Arc::new(parts.store.clone()),
        permissions: Arc::new(parts.store.clone()),
        jobs: Arc::new(parts.store.clone()),
        revocations: Arc::new(parts.store.clone()),
        objects: Arc::new(parts.objects.clone()),
        keys: parts.keys.clone(),
        clock: Arc::new(SystemClock),
    };
    let settings = SignerApiSettings {
        scope: config.scope.clone(),
        pages: parts.access.pages(),
        package_limit_bytes: config.package_size_max_bytes,
    };
    SignerApi::new(parts.access.clone(), ports, settings)
}
