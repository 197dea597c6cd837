//! Which PostgreSQL is meant, and how it is reached.

use std::path::PathBuf;
use std::time::Duration;

use countersign_ports::StoreError;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// Which PostgreSQL is meant. It has no `Debug`: it may hold a secret.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgresql://USER@HOST[:PORT]/DATABASE[?sslmode=MODE]`, without a password. A host that is a percent-encoded
    /// absolute path is the directory of a Unix socket. The modes are libpq's `verify-full` (the default), `verify-ca`,
    /// `require` (encrypted, to whomever) and `disable`; those that may or may not encrypt are refused.
    pub url: String,
    /// The user's password, where the server asks for one.
    pub password: Option<SecretString>,
    /// A PEM file of certificate authorities that are trusted besides Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// How many connections there are at most, from 2. The relay listens on one of them.
    pub max_connections: u32,
    /// How long an operation waits for a connection.
    pub connect_timeout: Duration,
}

impl PostgresSettings {
    /// What the driver is told. Nothing is left to its defaults that it would take from the environment.
    pub(super) fn options(&self) -> Result<PgConnectOptions, StoreError> {
        let url = Url::parse(&self.url).map_err(|error| wrong(&error.to_string()))?;
        check_parts(&url)?;
        if self.max_connections < 2 {
            return Err(StoreError::Unavailable("PostgreSQL needs at least 2 connections".to_owned()));
        }
        let host = decoded(url.host_str().unwrap_or_default())?;
        let mode = match ssl_mode(&url)? {
            Some(mode) => mode,
            None if host.starts_with('/') => PgSslMode::Disable,
            None => PgSslMode::VerifyFull,
        };
        let options = PgConnectOptions::new_without_pgpass()
            .port(url.port().unwrap_or(DEFAULT_PORT))
            .username(&decoded(url.username())?)
            .password(self.password.as_ref().map_or("", |password| password.expose_secret()))
            .database(&decoded(url.path().trim_start_matches('/'))?)
            .ssl_mode(mode)
            .application_name("countersign");
        let options = if host.starts_with('/') { options.socket(&host) } else { options.host(&host) };
        Ok(match &self.ca_file {
            Some(file) => options.ssl_root_cert(file),
            None => options,
        })
    }
}

/// The parts that have to be there, and no others. No message repeats the URL, which may hold a password.
fn check_parts(url: &Url) -> Result<(), StoreError> {
    let database = url.path().trim_start_matches('/');
    match url {
        url if url.password().is_some() => {
            Err(wrong("it has a password in it; a configuration is no place for secrets: give it apart"))
        }
        url if !matches!(url.scheme(), "postgresql" | "postgres") => {
            Err(wrong("it does not begin with postgresql://"))
        }
        url if url.username().is_empty() => Err(wrong("it names no user")),
        url if url.host_str().unwrap_or_default().is_empty() => Err(wrong("it names no host")),
        _ if database.is_empty() || database.contains('/') => Err(wrong("it names no database")),
        url if url.fragment().is_some() => Err(wrong("it has a fragment")),
        _ => Ok(()),
    }
}

fn ssl_mode(url: &Url) -> Result<Option<PgSslMode>, StoreError> {
    let mut mode = None;
    for (name, value) in url.query_pairs() {
        if name != "sslmode" || mode.is_some() {
            return Err(wrong("it has other parameters than one sslmode"));
        }
        mode = Some(match value.as_ref() {
            "verify-full" => PgSslMode::VerifyFull,
            "verify-ca" => PgSslMode::VerifyCa,
            "require" => PgSslMode::Require,
            "disable" => PgSslMode::Disable,
            _ => return Err(wrong("its sslmode is not verify-full, verify-ca, require or disable")),
        });
    }
    Ok(mode)
}

fn decoded(part: &str) -> Result<String, StoreError> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_not_utf8| wrong("it is not UTF-8"))?;
    if text.contains('\0') { Err(wrong("it has a NUL in it")) } else { Ok(text.into_owned()) }
}

fn wrong(reason: &str) -> StoreError {
    StoreError::Unavailable(format!("the URL of PostgreSQL is wrong: {reason}"))
}

const DEFAULT_PORT: u16 = 5432;
