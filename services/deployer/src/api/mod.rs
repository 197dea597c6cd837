//! Lambda's API, for functions that are packages: one more intake of the deployer, not a second one.
//!
//! What changes code, or the layers under it, becomes an [`Asked`](crate::Asked) and takes the pipeline; all else is a
//! change of state. Each handler authorizes before it tells what exists, then looks up, does, notes and answers. What the
//! model of the gateway does not have is refused there.

// What handlers share, in the order in which they need it.
mod names;

mod found;

mod packages;

mod settings;

mod verdicts;

mod configuration;

mod paging;

mod errors;

// The operations.
mod functions;

mod updates;

mod versions;

mod aliases;

mod configs;

mod binding;

mod layers;

mod tags;

mod account;

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

handlers! {
    CREATE_FUNCTION => functions::create,
    GET_FUNCTION => functions::get,
    GET_FUNCTION_CONFIGURATION => functions::get_configuration,
    LIST_FUNCTIONS => functions::list,
    DELETE_FUNCTION => functions::delete,
    UPDATE_FUNCTION_CODE => updates::code,
    UPDATE_FUNCTION_CONFIGURATION => updates::settings,
    PUBLISH_VERSION => versions::publish,
    LIST_VERSIONS_BY_FUNCTION => versions::list,
    CREATE_ALIAS => aliases::create,
    GET_ALIAS => aliases::get,
    UPDATE_ALIAS => aliases::update,
    DELETE_ALIAS => aliases::delete,
    LIST_ALIASES => aliases::list,
    CREATE_CODE_SIGNING_CONFIG => configs::create,
    GET_CODE_SIGNING_CONFIG => configs::get,
    UPDATE_CODE_SIGNING_CONFIG => configs::update,
    DELETE_CODE_SIGNING_CONFIG => configs::delete,
    LIST_CODE_SIGNING_CONFIGS => configs::list,
    LIST_FUNCTIONS_BY_CODE_SIGNING_CONFIG => configs::functions,
    PUT_FUNCTION_CODE_SIGNING_CONFIG => binding::put,
    GET_FUNCTION_CODE_SIGNING_CONFIG => binding::get,
    DELETE_FUNCTION_CODE_SIGNING_CONFIG => binding::delete,
    PUBLISH_LAYER_VERSION => layers::publish,
    GET_LAYER_VERSION => layers::get,
    GET_LAYER_VERSION_BY_ARN => layers::get_by_arn,
    LIST_LAYERS => layers::list,
    LIST_LAYER_VERSIONS => layers::versions,
    DELETE_LAYER_VERSION => layers::delete,
    ADD_LAYER_VERSION_PERMISSION => layers::add_permission,
    GET_LAYER_VERSION_POLICY => layers::policy,
    REMOVE_LAYER_VERSION_PERMISSION => layers::remove_permission,
    TAG_RESOURCE => tags::tag,
    UNTAG_RESOURCE => tags::untag,
    LIST_TAGS => tags::list,
    GET_ACCOUNT_SETTINGS => account::settings,
}

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
