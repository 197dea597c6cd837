//! Addresses of the world: each with its only parser, whose errors say what to write and never repeat the text, because
//! somebody may have written a password into it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use url::Url;

/// An address to listen on.
pub(super) struct Listen(pub(super) SocketAddr);

/// The root of an HTTP service, as written: `https://minio.internal:9000`.
pub(super) struct HttpEndpoint(pub(super) String);

/// The URL of an SQS queue, as written.
pub(super) struct QueueUrl(pub(super) String);

/// A node of the broker, as written: `amqps://rabbit-1.internal:5671`; a path is the virtual host.
#[derive(Debug)]
pub(super) struct BrokerAddress(pub(super) String);

/// The database with its user and parameters, as written, without a password.
pub(super) struct DatabaseUrl(pub(super) String);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |_| format!("{text:?} is not an address to listen on: write ADDRESS:PORT such as 127.0.0.1:4580");
        text.parse().map(Self).map_err(wrong)
    }
}

impl FromStr for HttpEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = http_url(text)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err("has a path or a query: write scheme, host and port alone".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for QueueUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = http_url(text)?;
        if url.path() == "/" || url.query().is_some() {
            let write = "https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE";
            return Err(format!("is not the URL of a queue: write it as SQS gives it, {write}"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for BrokerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = url(text, &["amqps://", "amqp://"])?;
        if has_credentials(&url) {
            return Err(
                "holds a user or a password: write the user into rabbitmq.user, and put the password into \
                        rabbitmq.password_file or COUNTERSIGN_RABBITMQ_PASSWORD"
                    .into(),
            );
        }
        if host(&url).is_empty() {
            return Err("has no host: write one such as amqps://rabbit-1.internal:5671".into());
        }
        if url.query().is_some() {
            return Err("has a query: leave it out; each setting has its own key".into());
        }
        // AMQP 0-9-1 URI specification, section 2.2: one segment, and an empty one is a virtual host with no name.
        match url.path() {
            "" => Ok(Self(text.to_owned())),
            "/" => Err("ends with /, which means a virtual host without a name: leave the / out".into()),
            path if path[1..].contains('/') => {
                Err("has a path of several parts: write one virtual host, with %2F for each / in its name"
                    .into())
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = url(text, &["postgresql://", "postgres://"])?;
        if url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password") {
            return Err("holds a password: put it into postgresql.password_file or \
                        COUNTERSIGN_POSTGRESQL_PASSWORD"
                .into());
        }
        let database = url.path().trim_start_matches('/');
        if url.username().is_empty() || host(&url).is_empty() || database.is_empty() || database.contains('/')
        {
            return Err("names not user, host and database: write postgresql://USER@HOST/DATABASE".into());
        }
        check_parameters(&url).map(|()| Self(text.to_owned()))
    }
}

/// A client passes over what it does not know, and `sslmod=verify-full` must not become no TLS.
fn check_parameters(url: &Url) -> Result<(), String> {
    let mut seen = false;
    for (name, value) in url.query_pairs() {
        if name.starts_with("sslrootcert") {
            return Err("has the parameter sslrootcert: write the file into postgresql.ca_file".into());
        }
        if name != "sslmode" {
            return Err(format!("has the parameter {name:?}, which nobody reads: write sslmode alone"));
        }
        if seen {
            return Err("has the parameter sslmode twice: write it once".into());
        }
        if !SSL_MODES.contains(&value.as_ref()) {
            return Err(format!("has an unknown sslmode: write one of {}", SSL_MODES.join(", ")));
        }
        seen = true;
    }
    Ok(())
}

/// True if `text` names a service that is reached over a network without TLS.
pub(super) fn is_plain_over_a_network(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    matches!(url.scheme(), "http" | "amqp") && !is_this_machine(host(&url))
}

/// True if `text` names a database that is reached over a network without proof that it is the right one.
pub(super) fn is_unverified_database(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| !is_this_machine(host(&url)) && !verifies(&url))
}

/// True if the database's certificate is compared with trusted roots.
pub(super) fn verifies_database(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| !is_socket(host(&url)) && verifies(&url))
}

/// True if traffic to `text` uses TLS.
pub(super) fn is_tls(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "amqps"))
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = url(text, &["https://", "http://"])?;
    if has_credentials(&url) {
        return Err(
            "holds a user or a password: leave them out; credentials come from AWS's default chain, such as \
                    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .into(),
        );
    }
    Ok(url)
}

/// What is written is given to clients as it is, so that nothing may be in it that a parser would forgive or drop.
fn url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    if !schemes.iter().any(|scheme| text.starts_with(scheme)) {
        return Err(format!("is not an address of this kind: it begins with {}", schemes.join(" or ")));
    }
    if text.len() > MAX_URL_BYTES {
        return Err(format!("is longer than {MAX_URL_BYTES} bytes"));
    }
    if text.contains(|character: char| !character.is_ascii_graphic() || character == '\\') {
        return Err("holds spaces, \\ or characters beyond ASCII: write them percent-encoded".into());
    }
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if url.fragment().is_some() {
        return Err("has a fragment: leave out # and what follows, or write %23".into());
    }
    if url.port() == Some(0) {
        return Err("has port 0: write the port on which the service listens".into());
    }
    Ok(url)
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn is_this_machine(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let address = literal.parse::<IpAddr>();
    is_socket(host) || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// True for the path of a socket's directory, percent-encoded.
fn is_socket(host: &str) -> bool {
    host.starts_with("%2F") || host.starts_with("%2f")
}

/// Without a mode the certificate is verified.
fn verifies(url: &Url) -> bool {
    let mut modes = url.query_pairs().filter(|(name, _)| name == "sslmode");
    modes.all(|(_, mode)| mode.starts_with("verify-"))
}

const MAX_URL_BYTES: usize = 2048;

/// libpq's modes, without those that may or may not encrypt.
const SSL_MODES: [&str; 4] = ["verify-full", "verify-ca", "require", "disable"];
