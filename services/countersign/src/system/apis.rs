//! The APIs of Signer and Lambda over the parts of this process, each call with its record in the trail.

use std::sync::Arc;

use countersign_api::Recorded;
use countersign_deployer::Deployer;
use countersign_deployer::api::{LambdaApi, LambdaApiPorts, LambdaApiSettings};
use countersign_gateway::model::{Service, lambda, signer};
use countersign_gateway::{Api, Gateway};
use countersign_ports::trail::Trail;
use countersign_process::api;
use countersign_runtime::{Config, SystemClock};
use countersign_signer::{SignerApi, SignerApiPorts, SignerApiSettings};

use super::Parts;

/// Both APIs behind one gateway.
pub(super) fn gateway(parts: &Parts, config: &Config, deployer: &Arc<Deployer>) -> Gateway {
    let trail: Arc<dyn Trail> = Arc::new(parts.store.clone());
    let scope = &config.scope;
    let signer = Recorded::new(signer_api(parts, config), trail.clone(), scope.clone());
    let lambda = Recorded::new(lambda_api(parts, config, deployer), trail, scope.clone());
    let services: Vec<(&'static Service, Arc<dyn Api>)> =
        vec![(&signer::SERVICE, Arc::new(signer)), (&lambda::SERVICE, Arc::new(lambda))];
    api::gateway(scope, &parts.access, services)
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

fn lambda_api(parts: &Parts, config: &Config, deployer: &Arc<Deployer>) -> LambdaApi {
    let ports = LambdaApiPorts {
        functions: Arc::new(parts.store.clone()),
        code_signing_configs: Arc::new(parts.store.clone()),
        layers: Arc::new(parts.store.clone()),
        objects: Arc::new(parts.objects.clone()),
        links: Arc::new(parts.objects.clone()),
        clock: Arc::new(SystemClock),
    };
    let settings = LambdaApiSettings { scope: config.scope.clone(), pages: parts.access.pages() };
    LambdaApi::new(parts.access.clone(), deployer.clone(), ports, settings)
}
