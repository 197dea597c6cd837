//! Who may call the one port: the administrator, whose access key lies in the data directory, and the principals of the
//! configuration.

use std::sync::Arc;

use anyhow::bail;
use countersign_api::{Access, KeyRing};
use countersign_domain::PrincipalName;
use countersign_embedded_s3::Keys;
use countersign_iam::{Action, Context, Resource};
use countersign_runtime::{Authority, Config, DataDir, Environment, Principal};
use secrecy::SecretString;

use super::PUBLISHER;
use crate::access_key::AccessKey;

/// Access for the principals of the configuration and for this process itself, which may all and holds
/// `administrator`.
pub(super) fn access(
    config: &Config,
    data: &DataDir,
    environment: &Environment,
    administrator: &AccessKey,
) -> anyhow::Result<Access> {
    let authority = authority(config)?;
    let keys = KeyRing::of(&config.authority, data, environment)?;
    let own = authority.principals().iter().find(|principal| principal.name() == &own_principal()).cloned();
    let keys = own.into_iter().fold(keys, |keys, own| {
        keys.with(
            own,
            &administrator.access_key_id,
            SecretString::from(administrator.secret_access_key.as_str()),
        )
    });
    Ok(Access::new(authority, keys))
}

/// The principals of the configuration and this process itself, which may all.
pub(super) fn authority(config: &Config) -> anyhow::Result<Authority> {
    let own = Principal::new(own_principal(), config.scope.account().as_str().parse()?);
    if config.authority.principals().iter().any(|principal| principal.name() == own.name()) {
        bail!(
            "principal: {PUBLISHER} is what `up` calls itself: give the principal of this name another one"
        );
    }
    Ok(config.authority.clone().with(own.with_publishers([PUBLISHER]).with_all_rights()))
}

/// Who the services of this process are to themselves.
pub(crate) fn own_principal() -> PrincipalName {
    PUBLISHER.parse().expect("a legal principal name")
}

/// The embedded S3 endpoint asks the same authority.
pub(super) struct S3Access(pub(super) Access);

impl Keys for S3Access {
    fn secret(&self, access_key_id: &str) -> Option<SecretString> {
        self.0.secret(access_key_id)
    }

    fn may(&self, access_key_id: &str, action: &str, resource: &str) -> bool {
        let (Ok(action), Ok(resource)) = (action.parse::<Action>(), resource.parse::<Resource>()) else {
            return false;
        };
        self.0.may(access_key_id, action, resource, Context::default()).is_some()
    }
}

pub(super) fn keys(access: &Access) -> Arc<dyn Keys> {
    Arc::new(S3Access(access.clone()))
}
