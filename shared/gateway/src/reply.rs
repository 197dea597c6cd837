//! Answers: status, headers and body, of successes and of errors.

use bytes::Bytes;
use countersign_domain::UnixMillis;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use crate::error::ApiError;
use crate::model::Operation;

/// The body of an answer. It is in memory: no operation here streams.
pub type ResponseBody = Full<Bytes>;

/// A success.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    members: Map<String, Value>,
    status: Option<StatusCode>,
}

impl Reply {
    /// A success with these members in its body. Of an operation whose model has no body they are left out.
    pub fn new(members: Map<String, Value>) -> Self {
        Self { members, status: None }
    }

    /// The same success under another status than the model's.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// The members of the body.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }
}

/// An instant as bodies have it: seconds since the epoch, with milliseconds as a fraction if there are any.
pub fn epoch_seconds(instant: UnixMillis) -> Value {
    let millis = instant.as_millis();
    if millis % 1000 == 0 {
        return Value::from(millis / 1000);
    }
    // Exact to the millisecond: instants are below 2^48 milliseconds.
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    let seconds = millis as f64 / 1000.0;
    Number::from_f64(seconds).map_or(Value::Null, Value::Number)
}

/// `reply` to a request for `operation`.
pub(crate) fn success(operation: &Operation, reply: Reply, request_id: Uuid) -> Response<ResponseBody> {
    let by_model = StatusCode::from_u16(operation.status).unwrap_or(StatusCode::OK);
    let status = reply.status.unwrap_or(by_model);
    let body = (operation.replies && status != StatusCode::NO_CONTENT).then_some(reply.members);
    response(status, body, request_id)
}

/// `error` in the body of its class.
pub(crate) fn failure(error: &ApiError, request_id: Uuid) -> Response<ResponseBody> {
    let mut response = response(error.status(), Some(error.members().clone()), request_id);
    let headers = response.headers_mut();
    headers.insert(ERROR_TYPE, HeaderValue::from_static(error.class().name));
    if let Some(seconds) = error.seconds_to_wait() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn response(
    status: StatusCode,
    body: Option<Map<String, Value>>,
    request_id: Uuid,
) -> Response<ResponseBody> {
    let has_body = body.is_some();
    let bytes = body.map(|members| Bytes::from(Value::Object(members).to_string())).unwrap_or_default();
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Without it botocore takes the inner `code` of Signer's errors for the class.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{lambda, signer};

    #[test]
    fn status_and_body_are_those_of_the_model() {
        let members = Map::from_iter([("Tags".to_owned(), Value::Object(Map::new()))]);
        let status = |operation: &Operation| {
            let response = success(operation, Reply::new(members.clone()), Uuid::nil());
            (response.status().as_u16(), response.headers().contains_key(CONTENT_TYPE))
        };
        assert_eq!(status(&lambda::LIST_TAGS), (200, true));
        assert_eq!(status(&lambda::CREATE_FUNCTION), (201, true));
        assert_eq!(status(&lambda::TAG_RESOURCE), (204, false));
        assert_eq!(status(&signer::CANCEL_SIGNING_PROFILE), (200, false));
    }

    #[test]
    fn an_error_says_its_class_and_when_to_try_again() {
        let error = lambda::TOO_MANY_REQUESTS_ERROR.error("Rate exceeded").retry_after(2);
        let response = failure(&error, Uuid::nil());
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["x-amzn-errortype"], "TooManyRequestsException");
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["x-amzn-requestid"], Uuid::nil().to_string().as_str());
    }

    #[test]
    fn instants_are_epoch_seconds() {
        let seconds = |text: &str| epoch_seconds(text.parse().unwrap());
        assert_eq!(seconds("2023-11-14T22:13:20Z"), 1_700_000_000);
        assert_eq!(seconds("2023-11-14T22:13:20.125Z"), 1_700_000_000.125);
    }
}
