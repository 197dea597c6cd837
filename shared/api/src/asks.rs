//! What a call asks to be allowed, as IAM sees it.

use countersign_domain::Tags;
use countersign_gateway::Call;
use countersign_iam::{Action, Context, Resource, keys};

/// One action on resources, with what is known about it.
#[derive(Debug, Clone)]
pub struct Asks {
    pub(crate) action: Action,
    pub(crate) resources: Vec<Resource>,
    pub(crate) context: Context,
}

impl Asks {
    /// What `call` itself asks: the action of its operation, on `*` until resources are named.
    pub fn of(call: &Call) -> Self {
        Self::to(call, &format!("{}:{}", call.service.name, call.operation.name))
    }

    /// Another action that a call needs, such as `s3:GetObjectVersion`.
    pub fn to(call: &Call, action: &str) -> Self {
        let action = action.parse().expect("a service and a name are an action");
        Self { action, resources: Vec::new(), context: context_of(call) }
    }

    /// The same, on the resource of this ARN too.
    #[must_use]
    pub fn on(mut self, arn: impl AsRef<str>) -> Self {
        // What is no resource is allowed to nobody but those who may all: never to somebody by accident.
        self.resources.push(arn.as_ref().parse().unwrap_or_else(|_| Resource::any()));
        self
    }

    /// The same, with another value of a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context = self.context.with(key, value);
        self
    }

    /// The same, with all of these values of a condition key.
    #[must_use]
    pub fn with_all<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.context = self.context.with_all(key, values);
        self
    }

    /// The same, on a resource that has these tags.
    #[must_use]
    pub fn tagged(self, tags: &Tags) -> Self {
        tags.iter()
            .fold(self, |asks, (key, value)| asks.with(&keys::aws_resource_tag(key.as_str()), value.as_str()))
    }

    /// The same, of a request that brings these tags.
    #[must_use]
    pub fn tagging(self, tags: &Tags) -> Self {
        tags.iter().fold(self, |asks, (key, value)| {
            asks.with(&keys::aws_request_tag(key.as_str()), value.as_str())
                .with(keys::AWS_TAG_KEYS, key.as_str())
        })
    }
}

/// What is known of every call.
fn context_of(call: &Call) -> Context {
    let now = call.received_at;
    let context = Context::default()
        .with(keys::AWS_CURRENT_TIME, now.to_string())
        .with(keys::AWS_EPOCH_TIME, now.as_secs().to_string())
        .with(keys::AWS_REQUESTED_REGION, call.region.as_str())
        // TLS ends before the listener, where it is used; what we serve ourselves has none.
        .with(keys::AWS_SECURE_TRANSPORT, "false")
        .with(keys::AWS_USERID, call.caller.principal().name.as_str());
    context.with_all(keys::AWS_SOURCE_IP, call.source_ip.map(|address| address.to_string()))
}
