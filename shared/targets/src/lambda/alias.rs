//! Aliases.

use std::collections::HashMap;

use aws_sdk_lambda::operation::get_alias::GetAliasOutput;
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use countersign_domain::AliasName;
use countersign_ports::targets::{TargetError, TargetVersion};

use super::failure::{failed, is_missing};
use super::function::Function;
use super::versions::is_number;

impl Function<'_> {
    /// Points `alias` to `version`, with all of its traffic.
    pub(super) async fn point(&self, alias: &AliasName, version: &TargetVersion) -> Result<(), TargetError> {
        // Asked here, as not every Lambda refuses an alias to nothing.
        if !is_number(&version.0) || self.configuration(Some(&version.0)).await?.is_none() {
            return Err(self.no_such_version(version));
        }
        match self.alias(alias).await? {
            Some(standing) if points_to(&standing, version) => Ok(()),
            Some(standing) => self.move_alias(alias, &standing, version).await,
            None => self.create_alias(alias, version).await,
        }
    }

    async fn alias(&self, alias: &AliasName) -> Result<Option<GetAliasOutput>, TargetError> {
        let request = self.client.get_alias().function_name(self.name.as_str()).name(alias.as_str());
        match request.send().await {
            Ok(standing) => Ok(Some(standing)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(&format!("reading the alias {alias} of {}", self.name), &error)),
        }
    }

    async fn create_alias(&self, alias: &AliasName, version: &TargetVersion) -> Result<(), TargetError> {
        let request = self.client.create_alias().function_name(self.name.as_str()).name(alias.as_str());
        let created = request.function_version(&version.0).send().await;
        created.map_err(|error| failed(&format!("creating the alias {alias} of {}", self.name), &error))?;
        Ok(())
    }

    /// Refused by Lambda if somebody else moved it since.
    async fn move_alias(
        &self,
        alias: &AliasName,
        standing: &GetAliasOutput,
        version: &TargetVersion,
    ) -> Result<(), TargetError> {
        let unsaid = || TargetError::Unavailable(format!("Lambda names no revision of the alias {alias}"));
        let revision = standing.revision_id().ok_or_else(unsaid)?;
        let all = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(HashMap::new()));
        let request = self.client.update_alias().function_name(self.name.as_str()).name(alias.as_str());
        let request = request.function_version(&version.0).routing_config(all.build()).revision_id(revision);
        let moved = request.send().await;
        moved.map_err(|error| failed(&format!("moving the alias {alias} of {}", self.name), &error))?;
        Ok(())
    }
}

/// True if the alias sends everything to `version`.
fn points_to(alias: &GetAliasOutput, version: &TargetVersion) -> bool {
    let weights = alias.routing_config().and_then(AliasRoutingConfiguration::additional_version_weights);
    alias.function_version() == Some(version.0.as_str()) && weights.is_none_or(HashMap::is_empty)
}
