//! Addresses of brokers, and whom to trust there.

use std::io;
use std::path::Path;

use countersign_ports::queue::QueueError;
use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::ExposeSecret;

use super::RabbitSettings;

/// The brokers to try, in order, with the credentials for them.
pub(super) struct Addresses {
    pub(super) uris: Vec<AMQPUri>,
    pub(super) tls: Option<RustlsConnector>,
}

impl Addresses {
    /// # Errors
    /// [`QueueError::Refused`] with what to write instead.
    pub(super) fn new(settings: &RabbitSettings) -> Result<Self, QueueError> {
        if settings.addresses.is_empty() || settings.addresses.len() > ADDRESSES_MAX {
            return Err(refused(format!(
                "give 1 to {ADDRESSES_MAX} addresses such as amqps://rabbit.internal:5671"
            )));
        }
        if settings.user.is_empty() || settings.user.len() > USER_LIMIT_BYTES {
            return Err(refused(format!("the user has to have 1 to {USER_LIMIT_BYTES} bytes")));
        }
        let uris = settings.addresses.iter().map(|address| uri(address, settings));
        let uris = uris.collect::<Result<Vec<_>, _>>()?;
        let encrypted = uris.iter().any(|uri| uri.scheme == AMQPScheme::AMQPS);
        let tls = encrypted.then(|| connector(settings.ca_file.as_deref())).transpose()?;
        Ok(Self { uris, tls })
    }
}

/// Where the broker at `uri` is, without credentials.
pub(super) fn place(uri: &AMQPUri) -> String {
    format!("{}:{}", uri.authority.host, uri.authority.port)
}

fn uri(address: &str, settings: &RabbitSettings) -> Result<AMQPUri, QueueError> {
    // The address is not repeated: it may hold a password.
    if address.contains('@') {
        return Err(refused("an address holds no credentials: set the user and the password by themselves"));
    }
    let wrong = |why: &str| {
        refused(format!("{address:?} is no address of a broker: {why}; write amqps://HOST:PORT/VHOST"))
    };
    let parsed: http::Uri = address.parse().map_err(|_| wrong("it does not parse"))?;
    let scheme = match parsed.scheme_str() {
        Some("amqp") => AMQPScheme::AMQP,
        Some("amqps") => AMQPScheme::AMQPS,
        _ => return Err(wrong("it begins with neither amqp:// nor amqps://")),
    };
    if parsed.query().is_some() {
        return Err(wrong("it has a query"));
    }
    let host = parsed.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = parsed.port_u16().unwrap_or_else(|| scheme.default_port());
    let (username, password) = (settings.user.clone(), settings.password.expose_secret().to_owned());
    let userinfo = AMQPUserInfo { username, password };
    let query = AMQPQueryString { heartbeat: Some(HEARTBEAT_SECONDS), ..AMQPQueryString::default() };
    let vhost =
        vhost(parsed.path()).ok_or_else(|| wrong("its virtual host is not one percent-encoded name"))?;
    Ok(AMQPUri { scheme, authority: AMQPAuthority { userinfo, host, port }, vhost, query })
}

/// The virtual host that a path names: `/` and nothing mean the one called `/`, as `/%2F` does.
fn vhost(path: &str) -> Option<String> {
    let name = path.strip_prefix('/').unwrap_or(path);
    if name.is_empty() {
        return Some("/".to_owned());
    }
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    (!name.contains('/') && decoded.len() <= NAME_LIMIT_BYTES).then(|| decoded.into_owned())
}

fn connector(ca_file: Option<&Path>) -> Result<RustlsConnector, QueueError> {
    let config = match ca_file {
        Some(path) => trusting(path).map_err(|error| refused(format!("{}: {error}", path.display())))?,
        None => RustlsConnectorConfig::new_with_native_certs()
            .map_err(|error| refused(format!("the system's root certificates: {error}; set ca_file")))?,
    };
    config.connector_with_no_client_auth().map_err(|error| refused(error.to_string()))
}

fn trusting(ca_file: &Path) -> io::Result<RustlsConnectorConfig> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let pem = std::fs::read(ca_file)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| invalid(format!("it is no PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(invalid("it holds no certificate in PEM".to_owned()));
    }
    let mut config = RustlsConnectorConfig::default();
    config.add_parsable_certificates(certificates);
    Ok(config)
}

fn refused(why: impl Into<String>) -> QueueError {
    QueueError::Refused(why.into())
}

/// The most brokers of one cluster that are listed.
const ADDRESSES_MAX: usize = 16;

/// The longest user, in bytes: an AMQP short string, which the property `user_id` is.
const USER_LIMIT_BYTES: usize = 255;

/// The longest name of a virtual host, in bytes: an AMQP short string.
const NAME_LIMIT_BYTES: usize = 255;

/// How often a connection shows that it lives: one that fell silent is given up after this.
const HEARTBEAT_SECONDS: u16 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(addresses: &[&str]) -> RabbitSettings {
        RabbitSettings {
            addresses: addresses.iter().map(|&address| address.to_owned()).collect(),
            user: "countersign-signer".to_owned(),
            password: "secret".into(),
            ca_file: None,
        }
    }

    fn parsed(address: &str) -> (AMQPScheme, String, u16, String) {
        let AMQPUri { scheme, authority, vhost, .. } = uri(address, &settings(&[])).unwrap();
        (scheme, authority.host, authority.port, vhost)
    }

    #[test]
    fn an_address_names_scheme_host_port_and_virtual_host() {
        let plain = |port, vhost: &str| (AMQPScheme::AMQP, "rabbit".to_owned(), port, vhost.to_owned());
        assert_eq!(parsed("amqp://rabbit"), plain(5672, "/"));
        assert_eq!(parsed("amqp://rabbit:1/"), plain(1, "/"));
        assert_eq!(parsed("amqp://rabbit/%2F"), plain(5672, "/"));
        assert_eq!(parsed("amqp://rabbit/code%20signing"), plain(5672, "code signing"));
        assert_eq!(parsed("amqps://rabbit").2, 5671);
        assert_eq!(parsed("amqp://[::1]:5672").1, "::1");
    }

    #[test]
    fn what_nobody_can_connect_to_is_refused_without_repeating_a_password() {
        for wrong in
            ["", "rabbit:5672", "http://rabbit", "amqp://", "amqp://rabbit/a/b", "amqp://rabbit?heartbeat=0"]
        {
            assert!(matches!(uri(wrong, &settings(&[])), Err(QueueError::Refused(_))), "{wrong:?}");
        }
        let told =
            Addresses::new(&settings(&["amqp://guest:hunter2@rabbit"])).map(drop).unwrap_err().to_string();
        assert!(told.contains("no credentials") && !told.contains("hunter2"), "{told}");
        assert!(Addresses::new(&settings(&[])).is_err());
        assert!(Addresses::new(&settings(&["amqp://rabbit"; 17])).is_err());
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("ca.pem");
        let refusal = || {
            let ca_file = Some(path.clone());
            let settings = RabbitSettings { ca_file, ..settings(&["amqps://rabbit"]) };
            Addresses::new(&settings).map(drop).unwrap_err().to_string()
        };
        assert!(refusal().contains("ca.pem"), "{}", refusal());
        std::fs::write(&path, "nothing").unwrap();
        assert!(refusal().contains("no certificate in PEM"), "{}", refusal());
    }
}
