//! What is allowed and yet worth a warning.

use std::sync::Arc;

use super::address::{is_plain_over_a_network, is_unverified_database};
use super::{Config, TargetKind, Trigger};
use crate::Principal;

/// One sentence a caution, in the order of the configuration.
pub(super) fn of(config: &Config) -> Vec<String> {
    let plain = addresses(config).into_iter().filter(|(_, address)| is_plain_over_a_network(address));
    let mut cautions: Vec<String> = plain
        .map(|(path, address)| {
            format!("{path}: {address} is not encrypted: others on the way can read and change what is sent")
        })
        .collect();
    let url = config.postgresql.as_ref().map(|postgresql| &postgresql.url);
    if url.is_some_and(|url| is_unverified_database(url)) {
        cautions.push(
            "postgresql.url: nothing proves that the server is the right one, or encrypts what is sent: write \
             sslmode=verify-full"
                .to_owned(),
        );
    }
    cautions.extend(config.authority.principals().iter().enumerate().flat_map(of_principal));
    cautions
}

/// What its author hardly meant.
fn of_principal((index, principal): (usize, &Arc<Principal>)) -> Vec<String> {
    if principal.policies().is_empty() {
        let nothing = "nothing is allowed to it, because it has no policy";
        return vec![format!("principal[{index}].policies: {nothing}")];
    }
    let warnings = principal.policies().iter().flat_map(|policy| {
        policy.warnings().iter().map(move |warning| format!("{}: {warning}", policy.name()))
    });
    warnings.map(|warning| format!("principal[{index}].policies: {warning}")).collect()
}

/// Every address that is called, with its path.
fn addresses(config: &Config) -> Vec<(String, &str)> {
    let s3 = config.s3.iter().flat_map(|s3| &s3.endpoint);
    let mut addresses: Vec<(String, &str)> =
        s3.map(|endpoint| ("s3.endpoint".to_owned(), endpoint.as_str())).collect();
    let broker = config.rabbitmq.iter().flat_map(|rabbitmq| rabbitmq.addresses.iter().enumerate());
    addresses
        .extend(broker.map(|(index, address)| (format!("rabbitmq.addresses[{index}]"), address.as_str())));
    for (index, trigger) in config.triggers.iter().enumerate() {
        match trigger {
            Trigger::Sqs { endpoint: Some(endpoint), .. } => {
                addresses.push((format!("trigger[{index}].endpoint"), endpoint));
            }
            Trigger::Sqs { queue_url, endpoint: None } => {
                addresses.push((format!("trigger[{index}].queue_url"), queue_url));
            }
            Trigger::Amqp { .. } => {}
        }
    }
    for (index, target) in config.targets.iter().enumerate() {
        if let TargetKind::Lambda { endpoint: Some(endpoint), .. } = &target.kind {
            addresses.push((format!("target[{index}].endpoint"), endpoint));
        }
    }
    addresses
}
