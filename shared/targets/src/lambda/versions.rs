//! Published versions, each with our number in its description.

use std::collections::BTreeSet;

use aws_sdk_lambda::operation::publish_version::PublishVersionError;
use aws_sdk_lambda::types::FunctionConfiguration;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::Sha256Digest;
use countersign_ports::targets::{LocalPackage, TargetError, TargetVersion};

use super::failure::{failed, is_missing, refused};
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

    /// What Lambda calls our version: the one that was published for it, or, where Lambda found nothing new to publish, the
    /// newest one of ours with the same code.
    pub(super) async fn find(
        &self,
        version: u64,
        code: &Sha256Digest,
    ) -> Result<Option<TargetVersion>, TargetError> {
        let (own, digest) = (description(version), STANDARD.encode(code.as_bytes()));
        let published = self.published().await?;
        let own = published.iter().find(|found| found.description() == Some(own.as_str()));
        let same = published.iter().rev().filter(|found| is_ours(found));
        let mut same = same.filter(|found| found.code_sha256() == Some(digest.as_str()));
        Ok(own.or_else(|| same.next()).and_then(|found| number(found.version())))
    }

    /// Deletes what was published for our version, unless its code is in use: another of ours may be the same one here.
    pub(super) async fn delete_version(
        &self,
        version: u64,
        in_use: &BTreeSet<Sha256Digest>,
    ) -> Result<(), TargetError> {
        let in_use: Vec<_> = in_use.iter().map(|code| STANDARD.encode(code.as_bytes())).collect();
        for found in self.described(&description(version)).await? {
            let shared = found.code_sha256().is_none_or(|code| in_use.iter().any(|used| used == code));
            match number(found.version()) {
                Some(number) if !shared => self.delete(Some(&number)).await?,
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// Deletes a version, or the function with all that it has.
    pub(super) async fn delete(&self, version: Option<&TargetVersion>) -> Result<(), TargetError> {
        let request = self.client.delete_function().function_name(self.name.as_str());
        let qualifier = version.map(ToString::to_string);
        match request.set_qualifier(qualifier).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(failed(&format!("deleting {}", self.name), &error)),
        }
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
        let mut published = self.published().await?;
        published.retain(|version| version.description() == Some(description));
        Ok(published)
    }

    /// Every published version; none if there is no such function.
    async fn published(&self) -> Result<Vec<FunctionConfiguration>, TargetError> {
        let (mut found, mut marker) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let request = self.client.list_versions_by_function().function_name(self.name.as_str());
            let page = match request.set_marker(marker).send().await {
                Ok(page) => page,
                Err(error) if is_missing(&error) => return Ok(Vec::new()),
                Err(error) => return Err(failed(&format!("the versions of {}", self.name), &error)),
            };
            let versions = page.versions.unwrap_or_default().into_iter();
            found.extend(versions.filter(|version| number(version.version()).is_some()));
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
    format!("{DESCRIPTION_PREFIX}{version}")
}

/// True for a version that was published for one of ours.
fn is_ours(found: &FunctionConfiguration) -> bool {
    let ours = found.description().and_then(|description| description.strip_prefix(DESCRIPTION_PREFIX));
    ours.is_some_and(is_number)
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

/// What the description of a version of ours begins with, before its number.
const DESCRIPTION_PREFIX: &str = "countersign version ";

/// Pages of versions that are looked through, of fifty each.
const PAGES_MAX: usize = 200;
