//! AWS Lambda as a deploy target.
//!
//! Lambda counts its versions itself. Ours is kept in the description of each: `countersign version 3`. What stands as
//! `$LATEST` is where a version is prepared and no version at all: invoke aliases or versions.

mod alias;
mod failure;
mod function;
mod settings;
mod versions;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use countersign_domain::{AliasName, FunctionName};
use countersign_ports::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};

use failure::refused;
use function::{Function, Patience};

pub use settings::{LambdaCreate, LambdaSettings, StaticKeys};

/// Deploys to the functions of one account and region. The packages' bucket has to be in that region, and Lambda fetches
/// with the rights of the caller. Clones share their connections; several processes may deploy to one function.
///
/// A function that carries layers is refused, as are packages with layers: nobody verified what would run beside the
/// code. A function must have no code signing config of AWS either, which knows nothing of our signatures.
#[derive(Clone)]
pub struct LambdaTarget {
    client: Client,
    create: Option<LambdaCreate>,
    patience: Patience,
}

impl LambdaTarget {
    /// A client of the Lambda that `settings` mean. Nothing is sent yet; only the default chain of credentials may look
    /// around.
    pub async fn connect(settings: &LambdaSettings) -> Self {
        let client = settings.client().await;
        Self { client, create: settings.create.clone(), patience: Patience::default() }
    }

    fn function<'a>(&'a self, name: &'a FunctionName) -> Function<'a> {
        Function { client: &self.client, name, patience: self.patience }
    }

    /// Makes `$LATEST` these bytes, unless our version stands already and is given back.
    async fn prepare(
        &self,
        function: &Function<'_>,
        version: u64,
        code: &LocalPackage,
    ) -> Result<Option<TargetVersion>, TargetError> {
        // The revision is read before the versions: whoever publishes in between changes it, and is not overwritten.
        let Some(latest) = function.latest().await? else {
            let create = self.create.as_ref().ok_or_else(|| unknown_function(function.name))?;
            return function.create(create, code).await.map(|()| None);
        };
        if let Some(standing) = function.standing(version, code).await? {
            return Ok(Some(standing));
        }
        function.update_code(&latest, code).await.map(|()| None)
    }
}

#[async_trait]
impl DeployTarget for LambdaTarget {
    async fn publish_version(
        &self,
        function: &FunctionName,
        version: u64,
        packages: &LocalPackages,
    ) -> Result<TargetVersion, TargetError> {
        if !packages.layers.is_empty() {
            return Err(layers_unsupported());
        }
        let (function, code) = (self.function(function), &packages.code);
        let published = match self.prepare(&function, version, code).await? {
            Some(standing) => standing,
            // Crash point: `$LATEST` may be these bytes already; the next attempt sets it once more.
            None => function.publish(version, code).await?,
        };
        // Crash point: the version stands, and the next attempt finds it by its description.
        function.await_invocable(&published).await?;
        Ok(published)
    }

    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError> {
        self.function(function).point(alias, version).await
    }
}

fn layers_unsupported() -> TargetError {
    refused("layers_unsupported", "a Lambda target takes no layers; put their content into the package")
}

fn unknown_function(name: &FunctionName) -> TargetError {
    let reason = format!(
        "Lambda has no function {name}; create it, or give the [[target]] role, runtime and handler to create it with"
    );
    refused("unknown_lambda_function", reason)
}

#[cfg(test)]
mod tests;
