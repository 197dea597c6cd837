//! The variables that override keys, and those that do not.

use super::parts::{POSTGRESQL_PASSWORD, RABBITMQ_PASSWORD};

/// `route[1].deploy.alias` is `COUNTERSIGN_ROUTE_1_DEPLOY_ALIAS`.
pub(super) fn variable_of(path: &str) -> String {
    let words = path.replace(['[', '.'], "_").replace(']', "");
    format!("{PREFIX}{}", words.to_ascii_uppercase())
}

/// True if a variable that overrides no key is a mistake.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) && !NOT_KEYS.contains(&name) && !is_service_link(name)
}

/// Kubernetes sets such variables in every container when a service is called `countersign…`; nobody wrote them.
fn is_service_link(name: &str) -> bool {
    let port = name.ends_with("_PORT") || name.contains("_PORT_");
    name.ends_with("_SERVICE_HOST") || port
}

const PREFIX: &str = "COUNTERSIGN_";

/// Variables of the programs themselves, which stand in no file.
const NOT_KEYS: [&str; 7] = [
    "COUNTERSIGN_CONFIG",
    "COUNTERSIGN_DATA_DIR",
    "COUNTERSIGN_KEY_PASSPHRASE",
    "COUNTERSIGN_LOG",
    "COUNTERSIGN_LOG_FORMAT",
    RABBITMQ_PASSWORD,
    POSTGRESQL_PASSWORD,
];
