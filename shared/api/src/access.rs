//! Who may call, and what each of them may.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use countersign_gateway::error::ACCESS_DENIED;
use countersign_gateway::sigv4;
use countersign_gateway::{ApiError, Call, Credentials, CredentialsUnavailable, Pages};
use countersign_iam::{Action, Allowed, Context, Denied, Resource, ResourcePolicy};
use countersign_runtime::{Authority, Principal};

use secrecy::SecretString;

use crate::{Asks, KeyRing};

/// The authority and its access keys, as they are now. Clones share them, so that a reload reaches everybody.
#[derive(Clone)]
pub struct Access {
    now: Arc<RwLock<Arc<(Authority, KeyRing)>>>,
}

impl Access {
    /// Access for the holders of `keys` under `authority`.
    pub fn new(authority: Authority, keys: KeyRing) -> Self {
        Self { now: Arc::new(RwLock::new(Arc::new((authority, keys)))) }
    }

    /// Replaces both for every call from now on.
    pub fn replace(&self, authority: Authority, keys: KeyRing) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new((authority, keys));
    }

    /// Who calls, with the policies that count now.
    ///
    /// # Errors
    /// When the key was taken away since the call came in.
    pub fn principal(&self, call: &Call) -> Result<Arc<Principal>, ApiError> {
        holder(&self.now(), call).ok_or_else(gone)
    }

    /// Seals page tokens under a key that follows from the access keys.
    pub fn pages(&self) -> Pages {
        Pages::new(self.now().1.page_key())
    }

    /// The secret of an access key, for another protocol's signatures.
    pub fn secret(&self, access_key_id: &str) -> Option<SecretString> {
        self.now().1.find(access_key_id).map(|(_, secret)| secret.clone())
    }

    /// Whether the holder of an access key may do `action` on `resource`, for another protocol's requests.
    pub fn may(
        &self,
        access_key_id: &str,
        action: Action,
        resource: Resource,
        context: Context,
    ) -> Option<Allowed> {
        let now = self.now();
        let (principal, _) = now.1.find(access_key_id)?;
        now.0.authorize(principal, action, &[resource], context).ok()
    }

    /// Whether the caller may do that, on resources of this installation that have no policies of their own.
    ///
    /// # Errors
    /// `AccessDeniedException` with AWS's text.
    pub fn authorize(&self, call: &Call, asks: Asks) -> Result<Allowed, ApiError> {
        self.authorize_with(None, call, asks)
    }

    /// The same for a resource that has a policy, if it is there: across accounts, both sides must allow it.
    ///
    /// # Errors
    /// `AccessDeniedException` with AWS's text.
    pub fn authorize_with(
        &self,
        policy: Option<&ResourcePolicy>,
        call: &Call,
        asks: Asks,
    ) -> Result<Allowed, ApiError> {
        let now = self.now();
        let principal = holder(&now, call).ok_or_else(gone)?;
        let Asks { action, resources, context } = asks;
        let decided = now.0.authorize_with(policy, &principal, action, &resources, context);
        decided.map_err(|denied| denied_error(&denied))
    }

    fn now(&self) -> Arc<(Authority, KeyRing)> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Credentials for Access {
    async fn find(&self, access_key_id: &str) -> Result<Option<sigv4::AccessKey>, CredentialsUnavailable> {
        let now = self.now();
        Ok(now.1.find(access_key_id).map(|(principal, secret)| {
            let told = sigv4::Principal {
                name: principal.name().to_string(),
                arn: principal.arn().to_string(),
                account: principal.account().to_string(),
            };
            sigv4::AccessKey::new(told, secret.clone())
        }))
    }
}

fn holder((_, keys): &(Authority, KeyRing), call: &Call) -> Option<Arc<Principal>> {
    keys.find(call.caller.access_key_id()).map(|(principal, _)| Arc::clone(principal))
}

fn gone() -> ApiError {
    ACCESS_DENIED.error("The access key of this request is no longer valid")
}

fn denied_error(denied: &Denied) -> ApiError {
    ACCESS_DENIED.error(denied.to_string())
}
