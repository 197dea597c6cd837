//! Which S3 and which queue are meant, and how long they may take.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider,
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

/// Which queue of SQS is meant. It has no `Debug`: it may hold a secret.
#[derive(Clone)]
pub struct SqsSettings {
    /// The queue's URL, as SQS gives it. A standard queue: S3 notifies no FIFO queues.
    pub queue_url: String,
    /// The endpoint's URL; `None` is AWS itself. The queue's URL names the queue alone, and is never connected to.
    pub endpoint: Option<String>,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The keys; `None` is the default chain: environment, profile, container, instance.
    pub credentials: Option<StaticKeys>,
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
    pub(crate) async fn client(&self) -> aws_sdk_s3::Client {
        let common = common(&self.region, self.credentials.as_ref()).await;
        let mut builder = aws_sdk_s3::config::Builder::from(&common);
        builder.set_endpoint_url(self.endpoint.clone());
        let config = builder
            .force_path_style(self.path_style)
            // Other endpoints than AWS refuse the SDK's default checksums in trailers, and return whole-object ones for
            // ranges. Every upload carries an explicit SHA-256 instead, and every download is hashed here.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }
}

impl SqsSettings {
    pub(crate) async fn client(&self) -> aws_sdk_sqs::Client {
        let common = common(&self.region, self.credentials.as_ref()).await;
        let mut builder = aws_sdk_sqs::config::Builder::from(&common);
        builder.set_endpoint_url(self.endpoint.clone());
        aws_sdk_sqs::Client::from_conf(builder.build())
    }
}

impl StaticKeys {
    fn provider(&self) -> SharedCredentialsProvider {
        let secret = self.secret_access_key.expose_secret();
        let keys = Credentials::new(&self.access_key_id, secret, None, None, "countersign configuration");
        SharedCredentialsProvider::new(keys)
    }
}

/// What every client has in common. Endpoints are not among it: those of the environment are not taken over.
async fn common(region: &str, credentials: Option<&StaticKeys>) -> SdkConfig {
    let (version, region) = (BehaviorVersion::latest(), Region::new(region.to_owned()));
    let config = match credentials {
        Some(keys) => {
            let builder = SdkConfig::builder().behavior_version(version).region(region);
            builder.credentials_provider(keys.provider()).build()
        }
        None => aws_config::defaults(version).region(region).load().await,
    };
    let retry = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
    config.into_builder().retry_config(retry).timeout_config(timeouts(ANSWER_TIMEOUT)).build()
}

pub(crate) fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(answer).build()
}

/// For asking whether a service answers: one try, and a short one, as whoever asks will ask again.
pub(crate) fn probe_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_timeout(PROBE_TIMEOUT).build()
}

/// How often one call is tried. The caller's queue tries again later.
const ATTEMPTS_MAX: u32 = 4;

const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the head of an answer may take: longer than SQS waits for a message. Bodies have no such limit: the SDK ends a transfer that stalls.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for an upload, whose answer comes after its whole body.
pub(crate) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
