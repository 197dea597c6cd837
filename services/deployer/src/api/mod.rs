//! Lambda's API, for functions that are packages: one more intake of the deployer, not a second one.
//!
//! What changes code, or the layers under it, becomes an [`Asked`](crate::Asked) and takes the pipeline; all else is a
//! change of state. Each handler authorizes before it tells what exists, then looks up, does, notes and answers. What the
//! model of the gateway does not have is refused there.

// What handlers share, in the order in which they need it.
mod names;

mod found;

mod settings;

mod configuration;

mod paging;

mod errors;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_api::{Access, Handlers, Notes};
use countersign_domain::{FunctionArn, FunctionName, Scope};
use countersign_gateway::error::internal;
use countersign_gateway::model::{Operation, lambda};
use countersign_gateway::{ApiError, Call, Pages, Reply};
use countersign_ports::Clock;
use countersign_ports::code_signing_configs::CodeSigningConfigs;
use countersign_ports::functions::Functions;
use countersign_ports::layers::Layers;
use countersign_ports::objects::{ObjectStore, PresignedReads};

use crate::Deployer;

/// The operations of Lambda, over a deployer and the state that it shares.
pub struct LambdaApi {
    access: Access,
    deployer: Arc<Deployer>,
    ports: LambdaApiPorts,
    settings: LambdaApiSettings,
}

/// What the API needs from the world beside its deployer.
#[derive(Clone)]
pub struct LambdaApiPorts {
    /// Functions, versions and aliases.
    pub functions: Arc<dyn Functions>,
    /// Code signing configs.
    pub code_signing_configs: Arc<dyn CodeSigningConfigs>,
    /// Layers.
    pub layers: Arc<dyn Layers>,
    /// Where packages lie.
    pub objects: Arc<dyn ObjectStore>,
    /// The links to packages that a client may download.
    pub links: Arc<dyn PresignedReads>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Where the API stands.
#[derive(Clone)]
pub struct LambdaApiSettings {
    /// Region and account of every function.
    pub scope: Scope,
    /// The key of its page tokens.
    pub pages: Pages,
}

impl LambdaApi {
    /// The API of the functions that `deployer` deploys.
    pub fn new(
        access: Access,
        deployer: Arc<Deployer>,
        ports: LambdaApiPorts,
        settings: LambdaApiSettings,
    ) -> Self {
        Self { access, deployer, ports, settings }
    }

    /// The ARN of a function of this name, which is ours.
    fn arn(&self, name: &FunctionName) -> FunctionArn {
        FunctionArn::new(self.settings.scope.clone(), name.clone())
    }
}

#[async_trait]
impl Handlers for LambdaApi {
    async fn answer(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        match HANDLERS.iter().find(|(operation, _)| *operation == call.operation) {
            Some((_, handler)) => handler(self, call, notes).await,
            None => {
                tracing::error!(operation = call.operation.name, "an operation of the model has no handler");
                Err(internal(call.service))
            }
        }
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send + 'a>>;
type Handler = for<'a> fn(&'a LambdaApi, &'a Call, &'a mut Notes) -> Answer<'a>;

/// Which function answers which operation.
macro_rules! handlers {
    ($($operation:ident => $module:ident::$function:ident,)*) => {
        static HANDLERS: &[(&Operation, Handler)] = &[
            $((&lambda::$operation, |api, call, notes| Box::pin($module::$function(api, call, notes))),)*
        ];
    };
}

handlers! {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_model_has_one_handler() {
        for operation in lambda::SERVICE.operations {
            let handlers = HANDLERS.iter().filter(|(answered, _)| answered == operation).count();
            assert_eq!(handlers, 1, "{}", operation.name);
        }
    }
}
