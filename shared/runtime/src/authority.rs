//! Who may do what: the one place that is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_domain::Scope;
use countersign_iam::{
    AccountId, Action, Allowed, Context, Denied, Request, Resource, ResourcePolicy,
    evaluate_with_resource_policy,
};

use crate::{AccessKeyId, Principal, Requester, UnknownPublisher};

/// The principals of an installation, found by the users of the broker and by the access keys that stand for them, and
/// the answer to what each of them may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    scope: Scope,
    principals: Vec<Arc<Principal>>,
    by_publisher: BTreeMap<String, Arc<Principal>>,
    by_access_key: BTreeMap<AccessKeyId, Arc<Principal>>,
}

impl Authority {
    /// An authority over the resources in `scope` that knows nobody.
    pub fn new(scope: Scope) -> Self {
        let (by_publisher, by_access_key) = (BTreeMap::new(), BTreeMap::new());
        Self { scope, principals: Vec::new(), by_publisher, by_access_key }
    }

    /// The same, with one more principal. A user or key that stood for another one stands for this one now.
    #[must_use]
    pub fn with(mut self, principal: Principal) -> Self {
        let principal = Arc::new(principal);
        let users = principal.publishers().iter().cloned();
        self.by_publisher.extend(users.map(|user| (user, Arc::clone(&principal))));
        let keys = principal.access_keys().iter().map(|key| key.id().clone());
        self.by_access_key.extend(keys.map(|key| (key, Arc::clone(&principal))));
        self.principals.push(principal);
        self
    }

    /// Region and account of the resources about which it decides.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The principals, in the order in which they were declared.
    pub fn principals(&self) -> &[Arc<Principal>] {
        &self.principals
    }

    /// Who a message with this publisher, as the broker authenticated it, is from.
    ///
    /// # Errors
    /// When the broker vouches for nobody, or for somebody unknown here.
    pub fn requester(&self, publisher: Option<&str>) -> Result<Requester, UnknownPublisher> {
        let publisher = publisher.ok_or(UnknownPublisher::Nobody)?;
        let stranger = || UnknownPublisher::Stranger(publisher.chars().take(SHOWN_CHARS).collect());
        let principal = self.by_publisher.get(publisher).ok_or_else(stranger)?;
        Ok(Requester { publisher: publisher.to_owned(), principal: Arc::clone(principal) })
    }

    /// Whose access key this is, if it is one. Nothing is proven by that: the id is no secret.
    pub fn holder_of(&self, access_key_id: &str) -> Option<&Arc<Principal>> {
        self.by_access_key.get(access_key_id)
    }

    /// Whether `principal` may do `action` on every one of `resources`, which belong to this installation and have no
    /// policies of their own; without any, on `*`. So a principal of another account may nothing.
    ///
    /// # Errors
    /// Why not, in AWS's words.
    pub fn authorize(
        &self,
        principal: &Principal,
        action: Action,
        resources: &[Resource],
        context: Context,
    ) -> Result<Allowed, Box<Denied>> {
        self.authorize_with(None, principal, action, resources, context)
    }

    /// The same for resources that have a policy, if it is there: in one account either side may allow, across accounts
    /// both must.
    ///
    /// # Errors
    /// Why not, in AWS's words.
    pub fn authorize_with(
        &self,
        resource_policy: Option<&ResourcePolicy>,
        principal: &Principal,
        action: Action,
        resources: &[Resource],
        context: Context,
    ) -> Result<Allowed, Box<Denied>> {
        let (first, others) = match resources {
            [] => (Resource::any(), resources),
            [first, others @ ..] => (first.clone(), others),
        };
        let request = Request::new(principal.arn().clone(), action, first, context);
        let request = others.iter().cloned().fold(request, Request::and_on);
        let policies: Vec<_> = principal.policies().iter().collect();
        evaluate_with_resource_policy(&policies, resource_policy, &request, &self.owner()).into_result()
    }

    /// The account of the resources.
    fn owner(&self) -> AccountId {
        self.scope.account().as_str().parse().expect("a scope has an account of 12 digits")
    }
}

/// How much of a stranger's name is shown.
const SHOWN_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use countersign_iam::Policy;

    use super::*;

    fn authority() -> Authority {
        Authority::new(Scope::new("us-east-1", "111122223333").unwrap())
    }

    fn principal(account: &str) -> Principal {
        Principal::new("ci".parse().unwrap(), account.parse().unwrap())
    }

    /// What `principal` may do with the function `hello`, and why not.
    fn may(principal: &Principal, policy: Option<&ResourcePolicy>, action: &str) -> Result<(), String> {
        let function = "arn:aws:lambda:us-east-1:111122223333:function:hello".parse().unwrap();
        let decided = authority().authorize_with(
            policy,
            principal,
            action.parse().unwrap(),
            &[function],
            Context::default(),
        );
        decided.map(drop).map_err(|denied| denied.to_string())
    }

    #[test]
    fn only_who_is_named_is_somebody() {
        let authority = authority().with(principal("111122223333").with_publishers(["ci-bot"]));
        let requester = authority.requester(Some("ci-bot")).unwrap();
        assert_eq!((requester.publisher.as_str(), requester.principal.name().as_str()), ("ci-bot", "ci"));
        assert_eq!(authority.requester(None), Err(UnknownPublisher::Nobody));
        for stranger in ["CI-bot", "ci", "", "ci-bot "] {
            let refused = authority.requester(Some(stranger));
            assert_eq!(refused, Err(UnknownPublisher::Stranger(stranger.to_owned())));
        }
    }

    #[test]
    fn who_has_no_policy_may_nothing() {
        let denied = may(&principal("111122223333"), None, "lambda:UpdateFunctionCode").unwrap_err();
        assert_eq!(
            denied,
            "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: lambda:UpdateFunctionCode on \
             resource: arn:aws:lambda:us-east-1:111122223333:function:hello because no identity-based policy allows \
             the lambda:UpdateFunctionCode action"
        );
        assert!(may(&principal("111122223333").with_all_rights(), None, "lambda:UpdateFunctionCode").is_ok());
    }

    #[test]
    fn another_account_needs_the_policy_of_the_resource_as_well() {
        let foreign = principal("999999999999").with_all_rights();
        assert!(may(&foreign, None, "lambda:GetFunction").unwrap_err().contains("no resource-based policy"));
        let shared = ResourcePolicy::parse(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*",
            "Principal":{"AWS":"arn:aws:iam::999999999999:user/ci"}}}"#,
        )
        .unwrap();
        assert!(may(&foreign, Some(&shared), "lambda:GetFunction").is_ok());
        assert!(may(&foreign, Some(&shared), "lambda:DeleteFunction").is_err());
        assert!(may(&principal("999999999999"), Some(&shared), "lambda:GetFunction").is_err());
    }

    #[test]
    fn every_resource_must_be_allowed_and_none_is_the_star() {
        let policy = Policy::parse(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"signer:*",
            "Resource":"arn:aws:signer:*:*:/signing-profiles/a"}}"#,
        );
        let principal = principal("111122223333").with_policies([policy.unwrap()]);
        let [a, b] =
            ["a", "b"].map(|name| format!("arn:aws:signer:us-east-1:111122223333:/signing-profiles/{name}"));
        let [a, b]: [Resource; 2] = [a.parse().unwrap(), b.parse().unwrap()];
        let may = |resources: &[Resource]| {
            let action = "signer:GetSigningProfile".parse().unwrap();
            authority().authorize(&principal, action, resources, Context::default()).is_ok()
        };
        assert!(may(std::slice::from_ref(&a)));
        assert!(!may(&[a, b]));
        assert!(!may(&[]));
    }
}
