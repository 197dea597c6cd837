//! Aliases.

use std::collections::HashMap;

use aws_sdk_lambda::operation::get_alias::GetAliasOutput;
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use countersign_domain::AliasName;
use countersign_ports::functions::Weight;
use countersign_ports::targets::{TargetError, TargetVersion};

use super::failure::{failed, is_missing};
use super::function::Function;
use super::versions::is_number;

/// Where an alias points to: a version, and the parts of the calls that go to others.
pub(super) struct Pointer<'a> {
    version: &'a TargetVersion,
    weights: HashMap<String, f64>,
}

impl<'a> Pointer<'a> {
    /// All calls go to `version`.
    pub(super) fn to(version: &'a TargetVersion) -> Self {
        Self { version, weights: HashMap::new() }
    }

    /// A part of the calls goes to `further`. Two of our versions may be one of Lambda's, which then gets all of them.
    pub(super) fn split(version: &'a TargetVersion, (further, weight): (&TargetVersion, Weight)) -> Self {
        let weights = [(further.0.clone(), weight.get())].into();
        if further == version { Self::to(version) } else { Self { version, weights } }
    }

    /// True if `alias` points there.
    fn is_of(&self, alias: &GetAliasOutput) -> bool {
        let weights = alias.routing_config().and_then(AliasRoutingConfiguration::additional_version_weights);
        let same = weights.map_or(self.weights.is_empty(), |weights| *weights == self.weights);
        alias.function_version() == Some(self.version.0.as_str()) && same
    }

    fn routing(&self) -> AliasRoutingConfiguration {
        let weights = Some(self.weights.clone());
        AliasRoutingConfiguration::builder().set_additional_version_weights(weights).build()
    }
}

impl Function<'_> {
    /// Points `alias` there.
    pub(super) async fn point(&self, alias: &AliasName, to: &Pointer<'_>) -> Result<(), TargetError> {
        // Asked here, as not every Lambda refuses an alias to nothing.
        self.demand_version(to.version).await?;
        for further in to.weights.keys() {
            self.demand_version(&TargetVersion(further.clone())).await?;
        }
        match self.alias(alias).await? {
            Some(standing) if to.is_of(&standing) => Ok(()),
            Some(standing) => self.move_alias(alias, &standing, to).await,
            None => self.create_alias(alias, to).await,
        }
    }

    /// Deletes `alias`, if it is there.
    pub(super) async fn delete_alias(&self, alias: &AliasName) -> Result<(), TargetError> {
        let request = self.client.delete_alias().function_name(self.name.as_str()).name(alias.as_str());
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(failed(&format!("deleting the alias {alias} of {}", self.name), &error)),
        }
    }

    async fn demand_version(&self, version: &TargetVersion) -> Result<(), TargetError> {
        let named = version.is_latest() || is_number(&version.0);
        if !named || self.configuration(Some(&version.0)).await?.is_none() {
            return Err(self.no_such_version(version));
        }
        Ok(())
    }

    async fn alias(&self, alias: &AliasName) -> Result<Option<GetAliasOutput>, TargetError> {
        let request = self.client.get_alias().function_name(self.name.as_str()).name(alias.as_str());
        match request.send().await {
            Ok(standing) => Ok(Some(standing)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(&format!("reading the alias {alias} of {}", self.name), &error)),
        }
    }

    async fn create_alias(&self, alias: &AliasName, to: &Pointer<'_>) -> Result<(), TargetError> {
        let request = self.client.create_alias().function_name(self.name.as_str()).name(alias.as_str());
        let request = request.function_version(&to.version.0);
        let routing = (!to.weights.is_empty()).then(|| to.routing());
        let created = request.set_routing_config(routing).send().await;
        created.map_err(|error| failed(&format!("creating the alias {alias} of {}", self.name), &error))?;
        Ok(())
    }

    /// Refused by Lambda if somebody else moved it since.
    async fn move_alias(
        &self,
        alias: &AliasName,
        standing: &GetAliasOutput,
        to: &Pointer<'_>,
    ) -> Result<(), TargetError> {
        let unsaid = || TargetError::Unavailable(format!("Lambda names no revision of the alias {alias}"));
        let revision = standing.revision_id().ok_or_else(unsaid)?;
        let request = self.client.update_alias().function_name(self.name.as_str()).name(alias.as_str());
        let request =
            request.function_version(&to.version.0).routing_config(to.routing()).revision_id(revision);
        let moved = request.send().await;
        moved.map_err(|error| failed(&format!("moving the alias {alias} of {}", self.name), &error))?;
        Ok(())
    }
}
