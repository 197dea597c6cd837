//! One function of Lambda and its `$LATEST`, which every version is published from.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{FunctionCode, LastUpdateStatus, LastUpdateStatusReasonCode, Runtime, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::FunctionName;
use countersign_ports::targets::{LocalPackage, TargetError, TargetVersion};

use super::failure::{failed, is_missing, refused, shortened};
use super::settings::LambdaCreate;

/// One function of Lambda, there or not.
pub(super) struct Function<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a FunctionName,
    pub(super) patience: Patience,
}

/// How long Lambda may be busy with a function.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// How often it is asked.
    pub(super) polls: u32,
    /// How long after each answer.
    pub(super) interval: Duration,
}

impl Default for Patience {
    /// Three minutes. A function in a VPC takes one or two at its first time.
    fn default() -> Self {
        Self { polls: 180, interval: Duration::from_secs(1) }
    }
}

/// What Lambda says of a function or of one of its versions.
pub(super) type Configuration = GetFunctionConfigurationOutput;

impl Function<'_> {
    /// `$LATEST` once nothing happens to it any more; `None` if there is no such function.
    pub(super) async fn latest(&self) -> Result<Option<Configuration>, TargetError> {
        self.settled(None).await
    }

    /// Makes the function with this code, and no version of it.
    pub(super) async fn create(&self, create: &LambdaCreate, code: &LocalPackage) -> Result<(), TargetError> {
        let object = &code.object;
        let source = FunctionCode::builder()
            .s3_bucket(object.bucket.as_str())
            .s3_key(object.key.as_str())
            .s3_object_version(object.version.as_str());
        let request = self.client.create_function().function_name(self.name.as_str()).code(source.build());
        let request = request.role(&create.role).handler(&create.handler).publish(false);
        let created = request.runtime(Runtime::from(create.runtime.as_str())).send().await;
        let created = created.map_err(|error| failed(&format!("creating {}", self.name), &error))?;
        self.demand_code(code, created.code_sha256())
    }

    /// Makes `$LATEST` the verified object, unless somebody changed it since `seen`.
    pub(super) async fn update_code(
        &self,
        seen: &Configuration,
        code: &LocalPackage,
    ) -> Result<(), TargetError> {
        self.demand_no_layers(seen)?;
        let object = &code.object;
        let request = self.client.update_function_code().function_name(self.name.as_str()).publish(false);
        let request = request.s3_bucket(object.bucket.as_str()).s3_key(object.key.as_str());
        let request = request.s3_object_version(object.version.as_str());
        let updated = request.revision_id(self.revision(seen)?).send().await;
        let updated = updated.map_err(|error| failed(&format!("updating {}", self.name), &error))?;
        self.demand_code(code, updated.code_sha256())
    }

    /// Waits until the version may be invoked: Lambda first prepares one that needs a network or a snapshot.
    pub(super) async fn await_invocable(&self, version: &TargetVersion) -> Result<(), TargetError> {
        let Some(configuration) = self.settled(Some(&version.0)).await? else {
            return Err(self.no_such_version(version));
        };
        self.demand_success(&configuration)
    }

    /// Waits until Lambda has done what it is at; `None` if there is no such function or version.
    async fn settled(&self, qualifier: Option<&str>) -> Result<Option<Configuration>, TargetError> {
        for _ in 0..self.patience.polls {
            match self.configuration(qualifier).await? {
                Some(configuration) if !is_settled(&configuration) => {}
                settled => return Ok(settled),
            }
            tokio::time::sleep(self.patience.interval).await;
        }
        let waited = self.patience.interval.saturating_mul(self.patience.polls);
        let name = self.name;
        Err(TargetError::Unavailable(format!(
            "Lambda is still busy with {name} after {} s",
            waited.as_secs()
        )))
    }

    /// What Lambda says of the version, or of `$LATEST`; `None` if there is none.
    pub(super) async fn configuration(
        &self,
        qualifier: Option<&str>,
    ) -> Result<Option<Configuration>, TargetError> {
        let request = self.client.get_function_configuration().function_name(self.name.as_str());
        match request.set_qualifier(qualifier.map(str::to_owned)).send().await {
            Ok(configuration) => Ok(Some(configuration)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(&format!("reading {}", self.name), &error)),
        }
    }

    pub(super) fn demand_success(&self, configuration: &Configuration) -> Result<(), TargetError> {
        let updated = configuration.last_update_status() == Some(&LastUpdateStatus::Successful);
        if updated && configuration.state() != Some(&State::Failed) {
            return Ok(());
        }
        let reason = configuration.last_update_status_reason().or(configuration.state_reason());
        let told = format!("{}: {}", self.name, shortened(reason.unwrap_or("Lambda gives no reason")));
        match configuration.last_update_status_reason_code() {
            Some(LastUpdateStatusReasonCode::InternalError) => Err(TargetError::Unavailable(told)),
            _ => Err(refused("lambda_update_failed", told)),
        }
    }

    /// Nobody verified a layer that stands in the function's own configuration, and every version would run it.
    pub(super) fn demand_no_layers(&self, configuration: &Configuration) -> Result<(), TargetError> {
        if configuration.layers().is_empty() {
            return Ok(());
        }
        let reason = format!("{} has layers that were not verified; remove them and deploy again", self.name);
        Err(refused("unverified_layers", reason))
    }

    pub(super) fn revision<'c>(&self, configuration: &'c Configuration) -> Result<&'c str, TargetError> {
        let unsaid = || TargetError::Unavailable(format!("Lambda names no revision of {}", self.name));
        configuration.revision_id().ok_or_else(unsaid)
    }

    /// What Lambda fetched has to be what was decided upon.
    fn demand_code(&self, code: &LocalPackage, fetched: Option<&str>) -> Result<(), TargetError> {
        if is_code(code, fetched) {
            return Ok(());
        }
        let (object, decided) = (&code.object, &code.sha256);
        let fetched = shortened(fetched.unwrap_or("none"));
        tracing::error!(function = %self.name, %object, fetched, %decided, "Lambda fetched other bytes");
        let reason = format!(
            "Lambda fetched {object} with SHA-256 {fetched} (base64), and {decided} was decided upon; these bytes are \
             $LATEST of {} now, and no version of it",
            self.name
        );
        Err(refused("package_changed", reason))
    }

    pub(super) fn no_such_version(&self, version: &TargetVersion) -> TargetError {
        TargetError::NoSuchVersion { function: self.name.clone(), version: version.clone() }
    }
}

/// True if Lambda's digest, the base64 of a SHA-256, is that of the package.
pub(super) fn is_code(code: &LocalPackage, code_sha256: Option<&str>) -> bool {
    code_sha256 == Some(STANDARD.encode(code.sha256.as_bytes()).as_str())
}

/// True if Lambda has done what it was at, well or not. What it does not say counts as being at it.
fn is_settled(configuration: &Configuration) -> bool {
    let state = [State::Active, State::Inactive, State::Failed];
    let update = [LastUpdateStatus::Successful, LastUpdateStatus::Failed];
    configuration.state().is_some_and(|now| state.contains(now))
        && configuration.last_update_status().is_some_and(|now| update.contains(now))
}
