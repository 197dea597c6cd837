//! The trail: one record a call of an API, a decision and a deployment, in CloudTrail's shape (CloudTrail User Guide,
//! "CloudTrail record contents").
//!
//! A record never grows beyond [`MAX_RECORD_BYTES`]: what is too long is cut and says so. No secret and no value of an
//! environment variable is in one, because [`Parameters`] leaves them out.

mod checked;
mod identity;
mod parameters;
mod words;

use serde::{Deserialize, Serialize};

use crate::arn::Scope;
use crate::text::cut;
use crate::time::UnixMillis;
pub use checked::{AdditionalEventData, MAX_FINDINGS, MAX_REASON_BYTES, SignatureStatus};
pub use identity::{IdentityKind, UserIdentity};
pub use parameters::{MAX_PARAMETERS_BYTES, Parameters};
pub use words::{EventName, EventSource, EventType, InvalidTrailWord, TrailEventId};

/// A record. Members that were never said are left out, and `requestParameters` and `responseElements` are null, as
/// CloudTrail has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrailRecord {
    event_version: EventVersion,
    user_identity: UserIdentity,
    #[serde(with = "words::seconds")]
    event_time: UnixMillis,
    event_source: EventSource,
    event_name: EventName,
    aws_region: String,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: String,
    user_agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    request_parameters: Option<Parameters>,
    response_elements: Option<Parameters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    additional_event_data: Option<AdditionalEventData>,
    #[serde(rename = "requestID", default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(rename = "eventID")]
    event_id: TrailEventId,
    read_only: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    resources: Vec<TrailResource>,
    event_type: EventType,
    management_event: bool,
    recipient_account_id: String,
    event_category: EventCategory,
}

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrailResource {
    account_id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "ARN")]
    arn: String,
}

impl TrailRecord {
    /// A record of `who` doing `what` at `when`, at the endpoint or in the service of `scope`. It says that nothing was
    /// changed and nothing went wrong, until it is told otherwise; the source is this installation itself.
    pub fn new(
        id: TrailEventId,
        who: UserIdentity,
        what: (EventSource, EventName),
        when: UnixMillis,
        scope: &Scope,
    ) -> Self {
        let (event_source, event_name) = what;
        Self {
            event_version: EventVersion::V1_11,
            user_identity: who,
            event_time: when.plus_millis(-(when.as_millis() % 1000)),
            event_source,
            event_name,
            aws_region: scope.region().to_owned(),
            source_ip_address: event_source.as_str().to_owned(),
            user_agent: event_source.as_str().to_owned(),
            error_code: None,
            error_message: None,
            request_parameters: None,
            response_elements: None,
            additional_event_data: None,
            request_id: None,
            event_id: id,
            read_only: true,
            resources: Vec::new(),
            event_type: EventType::AwsApiCall,
            management_event: true,
            recipient_account_id: scope.account().to_string(),
            event_category: EventCategory::Management,
        }
    }

    /// It came from `source_ip`, sent by a client that calls itself `user_agent`; `-` where that is not known.
    #[must_use]
    pub fn sent_from(mut self, source_ip: Option<std::net::IpAddr>, user_agent: Option<&str>) -> Self {
        self.source_ip_address = source_ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string());
        self.user_agent = cut(user_agent.unwrap_or("-"), MAX_TEXT_BYTES);
        self
    }

    /// The request that was answered under this id.
    #[must_use]
    pub fn in_request(mut self, id: &str) -> Self {
        self.request_id = Some(cut(id, MAX_TEXT_BYTES));
        self
    }

    /// It tells of what the service did by itself.
    #[must_use]
    pub fn of_service(mut self) -> Self {
        self.event_type = EventType::AwsServiceEvent;
        self
    }

    /// It changes something.
    #[must_use]
    pub fn writing(mut self) -> Self {
        self.read_only = false;
        self
    }

    /// What was asked.
    #[must_use]
    pub fn asking(mut self, parameters: Option<Parameters>) -> Self {
        self.request_parameters = parameters;
        self
    }

    /// What was answered to a call that changed something.
    #[must_use]
    pub fn answering(mut self, elements: Option<Parameters>) -> Self {
        self.response_elements = elements;
        self
    }

    /// It failed with this code and text.
    #[must_use]
    pub fn failing(mut self, code: &str, message: &str) -> Self {
        self.error_code = Some(cut(code, MAX_TEXT_BYTES));
        self.error_message = Some(cut(message, MAX_TEXT_BYTES));
        self
    }

    /// What was checked of the packages.
    #[must_use]
    pub fn checked(mut self, data: AdditionalEventData) -> Self {
        self.additional_event_data = Some(data);
        self
    }

    /// It is about this resource too. Only the first [`MAX_RESOURCES`] are kept.
    #[must_use]
    pub fn about(mut self, kind: &str, arn: &str) -> Self {
        if self.resources.len() < MAX_RESOURCES {
            let account = arn.split(':').nth(4).filter(|account| !account.is_empty());
            self.resources.push(TrailResource {
                account_id: cut(account.unwrap_or(&self.recipient_account_id), MAX_TEXT_BYTES),
                kind: cut(kind, MAX_TEXT_BYTES),
                arn: cut(arn, MAX_TEXT_BYTES),
            });
        }
        self
    }

    /// What names the record: written twice, it is one.
    pub fn id(&self) -> TrailEventId {
        self.event_id
    }

    /// When it was, in whole seconds.
    pub fn time(&self) -> UnixMillis {
        self.event_time
    }

    /// Which service.
    pub fn source(&self) -> EventSource {
        self.event_source
    }

    /// What was done.
    pub fn name(&self) -> &EventName {
        &self.event_name
    }

    /// Who did it.
    pub fn identity(&self) -> &UserIdentity {
        &self.user_identity
    }

    /// What it is about.
    pub fn resources(&self) -> &[TrailResource] {
        &self.resources
    }

    /// The code that it failed with.
    pub fn error_code(&self) -> Option<&str> {
        self.error_code.as_deref()
    }

    /// The text that it failed with.
    pub fn error_message(&self) -> Option<&str> {
        self.error_message.as_deref()
    }

    /// What was checked of the packages.
    pub fn additional(&self) -> Option<&AdditionalEventData> {
        self.additional_event_data.as_ref()
    }
}

impl TrailResource {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }
}

/// The version of the shape, of which every member is 1.08's or older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EventVersion {
    #[serde(rename = "1.11")]
    V1_11,
}

/// Calls of the control plane; there are no others here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EventCategory {
    Management,
}

/// The largest record, in bytes of JSON, as CloudTrail's. It is the sum of what its parts may have.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// The longest text, in bytes of JSON, as CloudTrail's: a client chooses its user agent.
pub const MAX_TEXT_BYTES: usize = 1024;

/// The most resources: a function, its config and five layers.
pub const MAX_RESOURCES: usize = 8;

#[cfg(test)]
mod tests;
