//! What is fixed in a record: ids, names, kinds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::deployment::DeploymentId;
use crate::job::{canonical_uuid, named_uuid};
use crate::text::serde_as_text;

/// A text that is no word of the trail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidTrailWord {
    value: String,
    expected: &'static str,
}

/// Names a record, whatever becomes of it: CloudTrail's `eventID`, a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrailEventId(Uuid);

impl TrailEventId {
    /// The record of the request that was answered under this id.
    pub fn for_request(request: &Uuid) -> Self {
        Self(named_uuid("countersign.trail.request", &[&request.hyphenated().to_string()]))
    }

    /// The record of one step of a deployment: made again, it is the same record.
    pub fn for_deployment(deployment: DeploymentId, step: &str) -> Self {
        Self(named_uuid("countersign.trail.deployment", &[&deployment.to_string(), step]))
    }
}

impl FromStr for TrailEventId {
    type Err = InvalidTrailWord;

    fn from_str(text: &str) -> Result<Self, InvalidTrailWord> {
        canonical_uuid(text)
            .map(Self)
            .ok_or_else(|| invalid(text, "the id of a record: a UUID in lower case"))
    }
}

impl fmt::Display for TrailEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

serde_as_text!(TrailEventId);

/// Which service a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventSource {
    /// `lambda.amazonaws.com`.
    Lambda,
    /// `signer.amazonaws.com`.
    Signer,
}

impl EventSource {
    /// The source as CloudTrail writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lambda => "lambda.amazonaws.com",
            Self::Signer => "signer.amazonaws.com",
        }
    }
}

impl FromStr for EventSource {
    type Err = InvalidTrailWord;

    fn from_str(text: &str) -> Result<Self, InvalidTrailWord> {
        match text {
            "lambda" | "lambda.amazonaws.com" => Ok(Self::Lambda),
            "signer" | "signer.amazonaws.com" => Ok(Self::Signer),
            _ => Err(invalid(text, "an event source: use lambda or signer")),
        }
    }
}

impl fmt::Display for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(EventSource);

/// What was done: for Lambda the operation with the version of its API, such as `CreateFunction20150331`; for Signer the
/// operation. 1 to 128 letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(String);

impl EventName {
    /// The name of a Lambda operation, by the version that its path begins with: `2015-03-31`.
    ///
    /// # Errors
    /// When they make no name.
    pub fn lambda(operation: &str, api_version: &str) -> Result<Self, InvalidTrailWord> {
        let revised = if REVISED.contains(&operation) { "v2" } else { "" };
        format!("{operation}{}{revised}", api_version.replace('-', "")).parse()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the version of an API: `CreateFunction`.
    pub fn operation(&self) -> &str {
        let name = self.0.strip_suffix("v2").unwrap_or(&self.0);
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
        match name.split_at_checked(name.len() - digits) {
            Some((operation, _)) if digits == 8 && !operation.is_empty() => operation,
            Some(_) | None => &self.0,
        }
    }
}

impl FromStr for EventName {
    type Err = InvalidTrailWord;

    fn from_str(text: &str) -> Result<Self, InvalidTrailWord> {
        let legal = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let expected = "an event name: 1 to 128 letters and digits such as CreateFunction20150331";
        if legal { Ok(Self(text.to_owned())) } else { Err(invalid(text, expected)) }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(EventName);

/// How a record came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    /// Somebody called, or sent a message that stands for a call.
    AwsApiCall,
    /// The service did it by itself: a decision.
    AwsServiceEvent,
}

/// Instants as CloudTrail writes them: RFC 3339 in UTC, in whole seconds.
pub(super) mod seconds {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::time::UnixMillis;

    pub(in super::super) fn serialize<S: Serializer>(
        at: &UnixMillis,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = at.to_string();
        serializer.collect_str(&format_args!("{}Z", text.get(..19).unwrap_or(&text)))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<UnixMillis, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let at: UnixMillis = text.parse().map_err(D::Error::custom)?;
        if at.as_millis() % 1000 == 0 {
            Ok(at)
        } else {
            Err(D::Error::custom("an instant of the trail has whole seconds"))
        }
    }
}

fn invalid(text: &str, expected: &'static str) -> InvalidTrailWord {
    InvalidTrailWord { value: text.chars().take(80).collect(), expected }
}

/// The operations of 2015-03-31 whose names have `v2`, as CloudTrail writes them.
const REVISED: [&str; 6] = [
    "AddPermission",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
];
