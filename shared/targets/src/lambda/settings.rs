//! Which Lambda is meant, and how long it may take.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Builder, Credentials, Region};
use secrecy::{ExposeSecret, SecretString};

/// Which Lambda is meant. It has no `Debug`: it may hold a secret.
#[derive(Clone)]
pub struct LambdaSettings {
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// The endpoint's URL; `None` is AWS itself. It comes from the configuration alone, never from a message.
    pub endpoint: Option<String>,
    /// The keys; `None` is the default chain: environment, profile, container, instance.
    pub credentials: Option<StaticKeys>,
    /// What a missing function is made with; `None` refuses its deployments.
    pub create: Option<LambdaCreate>,
}

/// An access key.
#[derive(Clone)]
pub struct StaticKeys {
    /// Its id, which is not secret.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: SecretString,
}

/// What a function is made with; everything else is as Lambda has it by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaCreate {
    /// The ARN of the role with which the function runs.
    pub role: String,
    /// The runtime, such as `provided.al2023`.
    pub runtime: String,
    /// The handler, such as `bootstrap`.
    pub handler: String,
}

impl LambdaSettings {
    pub(super) async fn client(&self) -> Client {
        let mut builder = match &self.credentials {
            Some(keys) => Builder::new()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(self.region.clone()))
                .credentials_provider(keys.provider()),
            None => self.default_chain().await,
        };
        builder.set_endpoint_url(self.endpoint.clone());
        let config = builder
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(timeouts())
            .build();
        Client::from_conf(config)
    }

    async fn default_chain(&self) -> Builder {
        let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(self.region.clone()));
        Builder::from(&loader.load().await)
    }
}

impl StaticKeys {
    fn provider(&self) -> Credentials {
        let secret = self.secret_access_key.expose_secret();
        Credentials::new(&self.access_key_id, secret, None, None, "countersign configuration")
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(ANSWER_TIMEOUT).build()
}

/// How often one call is tried. The caller's queue tries again later.
const ATTEMPTS_MAX: u32 = 3;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take. Before it answers a change of code, Lambda fetches the whole package.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
