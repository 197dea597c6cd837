//! `[s3]`, `[rabbitmq]` and `[postgresql]`: the servers that the services share.

use std::path::PathBuf;

use secrecy::SecretString;

use super::address::{BrokerAddress, DatabaseUrl, HttpEndpoint, is_tls, verifies_database};
use super::secret::{SecretError, SecretSource};
use super::section::Section;
use crate::{DataDir, Environment};

/// The object store, where it is not the one of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Config {
    /// Its URL, such as `https://minio.internal:9000`; `None` for AWS.
    pub endpoint: Option<String>,
    /// The bucket stands in the path and not in the host name. By default true with an endpoint, false without.
    pub path_style: bool,
}

/// The broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitConfig {
    /// Its nodes, 1 to 16, to be tried in order: `amqps://` or `amqp://`, a path is the virtual host. No credentials.
    pub addresses: Vec<String>,
    /// The user.
    pub user: String,
    /// Where the user's password comes from.
    pub password: SecretSource,
    /// A file (PEM) with the roots that `amqps` trusts instead of the system's, as written: relative to the data
    /// directory.
    pub ca_file: Option<PathBuf>,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// Its URL with user and parameters, without a password.
    pub url: String,
    /// Where the user's password comes from, if it needs one.
    pub password: SecretSource,
    /// A file (PEM) with roots that TLS trusts besides Mozilla's, as written: relative to the data directory.
    pub ca_file: Option<PathBuf>,
    /// The most connections of one process, 2 to 100. By default 8.
    pub max_connections: u32,
}

impl RabbitConfig {
    /// The user's password. The variable wins over the file.
    ///
    /// # Errors
    /// When there is neither, or the file does not hold one line of text.
    pub fn password(&self, data: &DataDir, environment: &Environment) -> Result<SecretString, SecretError> {
        self.password.demand(data, environment)
    }
}

impl PostgresConfig {
    /// The user's password, or `None` if the database asks for none. The variable wins over the file.
    ///
    /// # Errors
    /// When the file does not hold one line of text.
    pub fn password(
        &self,
        data: &DataDir,
        environment: &Environment,
    ) -> Result<Option<SecretString>, SecretError> {
        self.password.read(data, environment)
    }
}

pub(super) fn read_s3(mut section: Section<'_>) -> S3Config {
    let has_endpoint = section.has("endpoint");
    let endpoint = section.parsed::<HttpEndpoint>("endpoint").map(|endpoint| endpoint.0);
    let path_style = section.boolean("path_style", has_endpoint);
    section.finish();
    S3Config { endpoint, path_style }
}

pub(super) fn read_rabbitmq(mut section: Section<'_>) -> Option<RabbitConfig> {
    let addresses = read_addresses(&mut section);
    let user = section.required("user", "the broker's user, such as \"countersign-signer\"");
    let password_file = section.file("password_file");
    let ca_file = section.file("ca_file");
    if ca_file.is_some() && !addresses.iter().any(|address| is_tls(address)) {
        section.mistake("ca_file", "has no effect without TLS: write amqps:// addresses, or leave it out");
    }
    section.finish();
    let password = SecretSource::new("rabbitmq.password_file", RABBITMQ_PASSWORD, password_file);
    Some(RabbitConfig { addresses, user: user?, password, ca_file })
}

fn read_addresses(section: &mut Section<'_>) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for (path, text) in section.some_texts("addresses", MAX_ADDRESSES) {
        match text.parse::<BrokerAddress>() {
            Ok(BrokerAddress(address)) => addresses.push(address),
            Err(reason) => section.mistake_at(&path, reason),
        }
    }
    addresses
}

pub(super) fn read_postgresql(mut section: Section<'_>) -> Option<PostgresConfig> {
    let write =
        "the database's, such as \"postgresql://countersign@db.internal/countersign?sslmode=verify-full\"";
    let url = section.required::<DatabaseUrl>("url", write).map(|url| url.0);
    let password_file = section.file("password_file");
    let ca_file = section.file("ca_file");
    if ca_file.is_some() && url.as_deref().is_some_and(|url| !verifies_database(url)) {
        section.mistake(
            "ca_file",
            "has no effect unless the url says sslmode=verify-full or verify-ca, or no sslmode",
        );
    }
    let max_connections = section.number("max_connections", 8, 2, MAX_CONNECTIONS);
    section.finish();
    let password = SecretSource::new("postgresql.password_file", POSTGRESQL_PASSWORD, password_file);
    let max_connections = u32::try_from(max_connections).ok()?;
    Some(PostgresConfig { url: url?, password, ca_file, max_connections })
}

pub(super) const RABBITMQ_PASSWORD: &str = "COUNTERSIGN_RABBITMQ_PASSWORD";
pub(super) const POSTGRESQL_PASSWORD: &str = "COUNTERSIGN_POSTGRESQL_PASSWORD";

const MAX_ADDRESSES: usize = 16;
/// PostgreSQL itself allows 100 by default, for all processes together.
const MAX_CONNECTIONS: u64 = 100;
