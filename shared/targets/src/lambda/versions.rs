//! Published versions, each with our number in its description.

use aws_sdk_lambda::operation::publish_version::PublishVersionError;
use aws_sdk_lambda::types::FunctionConfiguration;
use countersign_ports::targets::{LocalPackage, TargetError, TargetVersion};

use super::failure::{failed, refused};
use super::function::{Function, is_code};

impl Function<'_> {
    /// What Lambda calls our version, if it stands.
    ///
    /// # Errors
    /// [`TargetError::VersionTaken`] if it stands with something else.
    pub(super) async fn standing(
        &self,
        version: u64,
        code: &LocalPackage,
    ) -> Result<Option<TargetVersion>, TargetError> {
        let ours = self.described(&description(version)).await?;
        let same =
            |found: &FunctionConfiguration| is_code(code, found.code_sha256()) && found.layers().is_empty();
        if !ours.iter().all(same) {
            return Err(TargetError::VersionTaken { function: self.name.clone(), version });
        }
        Ok(ours.iter().find_map(|found| number(found.version())))
    }

    /// Publishes `$LATEST`, which has to be this code.
    pub(super) async fn publish(
        &self,
        version: u64,
        code: &LocalPackage,
    ) -> Result<TargetVersion, TargetError> {
        let Some(latest) = self.latest().await? else { return Err(self.changed()) };
        self.demand_success(&latest)?;
        self.demand_no_layers(&latest)?;
        let sha256 = latest.code_sha256().filter(|sha256| is_code(code, Some(*sha256)));
        let sha256 = sha256.ok_or_else(|| self.changed())?;
        let request = self.client.publish_version().function_name(self.name.as_str()).code_sha256(sha256);
        // Lambda publishes this very revision or nothing.
        let request = request.revision_id(self.revision(&latest)?).description(description(version));
        let published = match request.send().await {
            Ok(published) => published,
            // All parameters are about what `$LATEST` is.
            Err(error) if error.as_service_error().is_some_and(is_other_code) => return Err(self.changed()),
            Err(error) => return Err(failed(&format!("publishing {}", self.name), &error)),
        };
        // If nothing changed since the last version Lambda gives that one, and with it another description.
        match number(published.version()) {
            Some(number) if is_code(code, published.code_sha256()) => Ok(number),
            _ => Err(self.changed()),
        }
    }

    /// The published versions with this description.
    async fn described(&self, description: &str) -> Result<Vec<FunctionConfiguration>, TargetError> {
        let (mut found, mut marker) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let request = self.client.list_versions_by_function().function_name(self.name.as_str());
            let page = request.set_marker(marker).send().await;
            let page = page.map_err(|error| failed(&format!("the versions of {}", self.name), &error))?;
            let ours = |version: &FunctionConfiguration| {
                version.description() == Some(description) && number(version.version()).is_some()
            };
            found.extend(page.versions.unwrap_or_default().into_iter().filter(ours));
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        let reason = format!("{} has more than {PAGES_MAX} pages of versions; delete old ones", self.name);
        Err(refused("too_many_lambda_versions", reason))
    }

    fn changed(&self) -> TargetError {
        TargetError::Unavailable(format!("somebody else changed {} at the same time", self.name))
    }
}

fn description(version: u64) -> String {
    format!("countersign version {version}")
}

fn is_other_code(error: &PublishVersionError) -> bool {
    error.is_invalid_parameter_value_exception()
}

/// A published version's number; `$LATEST` is none.
fn number(version: Option<&str>) -> Option<TargetVersion> {
    version.filter(|text| is_number(text)).map(|text| TargetVersion(text.to_owned()))
}

/// A number as Lambda writes it, and nothing that names `$LATEST` or an alias.
pub(super) fn is_number(text: &str) -> bool {
    text.parse().is_ok_and(|number: u64| number.to_string() == text)
}

/// Pages of versions that are looked through, of fifty each.
const PAGES_MAX: usize = 200;
