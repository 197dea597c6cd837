//! Which S3 is meant, and how long it may take.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use secrecy::{ExposeSecret, SecretString};

/// Which S3 is meant. It has no `Debug`: it may hold a secret.
#[derive(Clone)]
pub struct S3Settings {
    /// The endpoint's URL; `None` is AWS itself. It comes from the configuration alone, never from a message.
    pub endpoint: Option<String>,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The keys; `None` is the default chain: environment, profile, container, instance.
    pub credentials: Option<StaticKeys>,
    /// True if the bucket stands in the path instead of the host name, as every endpoint but AWS wants it.
    pub path_style: bool,
}

/// An access key.
#[derive(Clone)]
pub struct StaticKeys {
    /// Its id, which is not secret.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: SecretString,
}

impl S3Settings {
    pub(crate) async fn client(&self) -> Client {
        let mut builder = match &self.credentials {
            Some(keys) => Builder::new()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(self.region.clone()))
                .credentials_provider(keys.provider()),
            None => self.default_chain().await,
        };
        builder.set_endpoint_url(self.endpoint.clone());
        let config = builder
            .force_path_style(self.path_style)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(timeouts(ANSWER_TIMEOUT))
            // Other endpoints than AWS refuse the SDK's default checksums in trailers, and return whole-object ones for
            // ranges. Every upload carries an explicit SHA-256 instead, and every download is hashed here.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
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

pub(crate) fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(answer).build()
}

/// How often one call is tried. The caller's queue tries again later.
const ATTEMPTS_MAX: u32 = 4;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the head of an answer may take. Bodies have no such limit: the SDK ends a transfer that stalls.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for an upload, whose answer comes after its whole body.
pub(crate) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
