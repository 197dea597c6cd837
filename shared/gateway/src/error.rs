//! Errors as AWS answers them: a class, its status, and a body whose members differ by class (recorded replies of both
//! services; the classes of a service are in its model).

use http::StatusCode;
use serde_json::{Map, Value};

use crate::model::{BodyRest, ErrorClass, Service, lambda, signer};
use crate::sigv4::Refused;

/// An error that a client is answered with. Made by [`ErrorClass::error`].
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    class: &'static ErrorClass,
    members: Map<String, Value>,
    retry_after: Option<u64>,
}

impl ErrorClass {
    /// An error of this class that says `message`, with the members that the class has.
    pub fn error(&'static self, message: impl Into<String>) -> ApiError {
        let mut error = ApiError { class: self, members: Map::new(), retry_after: None };
        error = error.with(self.message, message.into());
        match self.rest {
            BodyRest::None => error,
            BodyRest::Type(of) => error.with("Type", of),
            BodyRest::Code => error.with("code", self.name),
        }
    }
}

impl ApiError {
    /// The same error with another member in its body, or another value in one: Signer's `code`, Lambda's `Reason`,
    /// what Countersign tells beyond AWS.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// The same error without a member: some of Lambda's have no `Type`.
    #[must_use]
    pub fn without(mut self, member: &str) -> Self {
        self.members.remove(member);
        self
    }

    /// The same error, with the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The class.
    pub fn class(&self) -> &'static ErrorClass {
        self.class
    }

    /// The text.
    pub fn message(&self) -> &str {
        self.members.get(self.class.message).and_then(Value::as_str).unwrap_or_default()
    }

    /// The status; 500 if the class has none that HTTP knows.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.class.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The members of the body.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    pub(crate) fn seconds_to_wait(&self) -> Option<u64> {
        self.retry_after
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let class = match refused {
            Refused::Unsigned => &MISSING_AUTHENTICATION_TOKEN,
            Refused::Incomplete(_) => &INCOMPLETE_SIGNATURE,
            Refused::Invalid(_) => &INVALID_SIGNATURE,
            Refused::UnknownClient(_) => &UNRECOGNIZED_CLIENT,
            Refused::Unavailable(_) => &INTERNAL_FAILURE,
        };
        class.error(refused.to_string())
    }
}

/// The request does not satisfy the model: `ValidationException`, in the body that the service gives it.
pub(crate) fn validation(service: &Service, message: String) -> ApiError {
    if is_signer(service) { signer::VALIDATION_ERROR.error(message) } else { VALIDATION.error(message) }
}

/// Something failed here, and the client learns nothing more of it.
pub fn internal(service: &Service) -> ApiError {
    let class =
        if is_signer(service) { &signer::INTERNAL_SERVICE_ERROR_ERROR } else { &lambda::SERVICE_ERROR };
    class.error(INTERNAL)
}

/// The caller asks too often.
pub(crate) fn too_many_requests(service: &Service, operation: &str, seconds: u64) -> ApiError {
    let error = match (is_signer(service), operation) {
        (true, "StartSigningJob") => signer::THROTTLING_ERROR.error(RATE_EXCEEDED),
        (true, _) => signer::TOO_MANY_REQUESTS_ERROR.error(RATE_EXCEEDED),
        (false, _) => {
            lambda::TOO_MANY_REQUESTS_ERROR.error(RATE_EXCEEDED).with("Reason", "CallerRateLimitExceeded")
        }
    };
    error.retry_after(seconds)
}

fn is_signer(service: &Service) -> bool {
    service.name == signer::SERVICE.name
}

/// A class of errors that any AWS service gives before an operation is reached.
macro_rules! common {
    ($($(#[$doc:meta])* $name:ident = $class:literal, $status:literal, $message:literal;)*) => {
        $($(#[$doc])* pub static $name: ErrorClass = ErrorClass::new($class, $status, $message);)*
    };
}

common! {
    /// The caller may not do this. Both services authorize before they look.
    ACCESS_DENIED = "AccessDeniedException", 403, "Message";
    /// The signature lacks a part.
    INCOMPLETE_SIGNATURE = "IncompleteSignatureException", 400, "message";
    /// The signature is of another request, key, time or place.
    INVALID_SIGNATURE = "InvalidSignatureException", 403, "message";
    /// The request is unsigned.
    MISSING_AUTHENTICATION_TOKEN = "MissingAuthenticationTokenException", 403, "message";
    /// The access key is unknown.
    UNRECOGNIZED_CLIENT = "UnrecognizedClientException", 403, "message";
    /// A failure before the service was known.
    INTERNAL_FAILURE = "InternalFailure", 500, "message";
    /// The request is not of the types that the model has.
    SERIALIZATION = "SerializationException", 400, "Message";
    /// Lambda's, which its model does not list.
    VALIDATION = "ValidationException", 400, "message";
    /// The body is too large.
    REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLargeException", 413, "message";
    /// There are too many headers.
    HEADERS_TOO_LARGE = "RequestHeaderFieldsTooLargeException", 431, "message";
    /// The body did not arrive in time.
    REQUEST_TIMEOUT = "RequestTimeoutException", 408, "message";
}

/// What a request that is for no operation is answered with, once it is known who asks.
pub(crate) const UNKNOWN_OPERATION: &str = "Unable to determine service/operation name to be authorized";

const INTERNAL: &str = "An internal error occurred. Please try again later.";
const RATE_EXCEEDED: &str = "Rate exceeded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_differs_by_class_as_recorded() {
        let not_found = lambda::RESOURCE_NOT_FOUND_ERROR.error("gone");
        assert_eq!(
            Value::from(not_found.members().clone()),
            serde_json::json!({"Message": "gone", "Type": "User"})
        );
        let parameter = lambda::INVALID_PARAMETER_VALUE_ERROR.error("no").without("Type");
        assert_eq!(Value::from(parameter.members().clone()), serde_json::json!({"message": "no"}));
        let job = signer::VALIDATION_ERROR.error("no version").with("code", "InvalidJobParameters");
        let body = serde_json::json!({"message": "no version", "code": "InvalidJobParameters"});
        assert_eq!(Value::from(job.members().clone()), body);
        assert_eq!((not_found.status(), not_found.message()), (StatusCode::NOT_FOUND, "gone"));
    }

    #[test]
    fn an_error_of_the_service_is_typed_as_one() {
        assert_eq!(internal(&lambda::SERVICE).members().get("Type"), Some(&Value::from("Service")));
        assert_eq!(internal(&signer::SERVICE).class().name, "InternalServiceErrorException");
    }
}
