//! AWS Lambda as a deploy target.
//!
//! Lambda counts its versions itself. Ours is kept in the description of each: `countersign version 3`. A version is
//! prepared as `$LATEST`, which is why that may be ahead of what was deployed while a deployment is under way.

mod alias;
mod failure;
mod function;
mod settings;
mod versions;

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use countersign_domain::{AliasName, FunctionName, FunctionVersion, Sha256Digest};
use countersign_ports::functions::Weight;
use countersign_ports::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError, TargetVersion};

use alias::Pointer;
use failure::refused;
use function::{Function, Patience, is_code};

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

    fn creation(&self, name: &FunctionName) -> Result<&LambdaCreate, TargetError> {
        self.create.as_ref().ok_or_else(|| unknown_function(name))
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
            return function.create(self.creation(function.name)?, code).await.map(|()| None);
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

    async fn put_latest(&self, function: &FunctionName, packages: &LocalPackages) -> Result<(), TargetError> {
        if !packages.layers.is_empty() {
            return Err(layers_unsupported());
        }
        let (function, code) = (self.function(function), &packages.code);
        match function.latest().await? {
            Some(latest) if is_code(code, latest.code_sha256()) => {
                function.demand_success(&latest)?;
                return function.demand_no_layers(&latest);
            }
            Some(latest) => function.update_code(&latest, code).await?,
            None => function.create(self.creation(function.name)?, code).await?,
        }
        // Crash point: `$LATEST` is these bytes and Lambda may still be at it; the next attempt waits for it again.
        function.await_invocable(&TargetVersion::latest()).await
    }

    async fn find_version(
        &self,
        function: &FunctionName,
        version: FunctionVersion,
        code: &Sha256Digest,
    ) -> Result<Option<TargetVersion>, TargetError> {
        let function = self.function(function);
        match version {
            FunctionVersion::Published(number) => function.find(number, code).await,
            FunctionVersion::Latest => {
                let latest = function.configuration(None).await?;
                Ok(latest.map(|_| TargetVersion::latest()))
            }
        }
    }

    async fn point_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
    ) -> Result<(), TargetError> {
        self.function(function).point(alias, &Pointer::to(version)).await
    }

    async fn split_alias(
        &self,
        function: &FunctionName,
        alias: &AliasName,
        version: &TargetVersion,
        further: (&TargetVersion, Weight),
    ) -> Result<(), TargetError> {
        self.function(function).point(alias, &Pointer::split(version, further)).await
    }

    async fn delete_alias(&self, function: &FunctionName, alias: &AliasName) -> Result<(), TargetError> {
        self.function(function).delete_alias(alias).await
    }

    async fn delete_version(
        &self,
        function: &FunctionName,
        version: u64,
        in_use: &BTreeSet<Sha256Digest>,
    ) -> Result<(), TargetError> {
        self.function(function).delete_version(version, in_use).await
    }

    async fn delete_function(&self, function: &FunctionName) -> Result<(), TargetError> {
        self.function(function).delete(None).await
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
