//! What the SDK's errors mean to a caller of the port.

use std::error::Error;

use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use countersign_ports::targets::TargetError;

/// The port's error where `doing` failed.
pub(super) fn failed<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> TargetError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(response) = error.raw_response() else {
        return TargetError::Unavailable(format!("{doing}: {}", with_causes(error)));
    };
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    meaning(doing, response.status().as_u16(), code, message)
}

/// True where Lambda answered that something is not there.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

pub(super) fn refused(code: &str, reason: impl Into<String>) -> TargetError {
    TargetError::Refused { code: code.to_owned(), reason: reason.into() }
}

fn meaning(doing: &str, status: u16, code: &str, message: &str) -> TargetError {
    let told = format!("{doing}: HTTP {status} {}: {}", shortened(code), shortened(message));
    match (status, code) {
        (_, "CodeStorageExceededException" | "AliasLimitExceededException") => TargetError::Full(told),
        (_, "CodeVerificationFailedException") => refused("lambda_code_verification_failed", told),
        (_, "InvalidCodeSignatureException") => refused("lambda_invalid_code_signature", told),
        (_, "CodeSigningConfigNotFoundException") => refused("lambda_code_signing_config_missing", told),
        (_, "InvalidParameterValueException") => refused("lambda_invalid_parameter", told),
        (_, "ThrottlingException" | "TooManyRequestsException") => TargetError::Unavailable(told),
        // 401 and 403: whoever granted too little mends it, and the package is not at fault.
        (401 | 403, _) => TargetError::Unavailable(format!("{told} (grant it, then it is deployed)")),
        // What was there a moment ago: 404 is gone, 409 is under change, 412 was changed by somebody else.
        (404 | 408 | 409 | 412 | 429 | 500.., _) => TargetError::Unavailable(told),
        _ => refused("lambda_refused", told),
    }
}

/// An error and its causes on one line.
fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    shortened(&causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}")))
}

/// What an endpoint says, fit for a log line.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Characters of a foreign message that are repeated. Stops an endpoint from filling a log.
const MESSAGE_CHARS_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: u16, code: &str) -> String {
        let meant = meaning("doing", status, code, "");
        let TargetError::Refused { code, .. } = meant else { panic!("{meant:?}") };
        code
    }

    #[test]
    fn what_passes_by_itself_or_is_granted_is_tried_again() {
        let answers = [
            (429, "TooManyRequestsException"),
            (400, "ThrottlingException"),
            (500, "ServiceException"),
            (503, ""),
            (408, ""),
            (409, "ResourceConflictException"),
            (412, "PreconditionFailedException"),
            (404, "ResourceNotFoundException"),
            (403, "AccessDeniedException"),
            (403, "ExpiredTokenException"),
            (401, ""),
        ];
        for (status, code) in answers {
            let meant = meaning("doing", status, code, "");
            assert!(matches!(meant, TargetError::Unavailable(_)), "{status} {code}: {meant:?}");
        }
    }

    #[test]
    fn what_lambda_refuses_has_a_stable_code() {
        assert_eq!(code(400, "InvalidParameterValueException"), "lambda_invalid_parameter");
        assert_eq!(code(400, "CodeVerificationFailedException"), "lambda_code_verification_failed");
        assert_eq!(code(400, "InvalidCodeSignatureException"), "lambda_invalid_code_signature");
        assert_eq!(code(404, "CodeSigningConfigNotFoundException"), "lambda_code_signing_config_missing");
        assert_eq!(code(413, "RequestTooLargeException"), "lambda_refused");
        assert_eq!(code(301, ""), "lambda_refused");
    }

    #[test]
    fn no_room_is_full() {
        for code in ["CodeStorageExceededException", "AliasLimitExceededException"] {
            assert!(matches!(meaning("doing", 400, code, ""), TargetError::Full(_)), "{code}");
        }
    }

    #[test]
    fn a_foreign_message_stays_on_its_line() {
        assert_eq!(shortened("a\r\nb\u{1b}[2J"), "a  b [2J");
        assert_eq!(shortened(&"x".repeat(10_000)).len(), MESSAGE_CHARS_MAX);
    }
}
