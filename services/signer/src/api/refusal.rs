//! The errors that operations share. Where AWS's text is known it stands with its operation; the others are our own.

use std::error::Error;

use countersign_gateway::error::internal;
use countersign_gateway::model::signer::VALIDATION_ERROR;
use countersign_gateway::{ApiError, Call};

/// Something here did not work; the client learns no more of it, the log does.
pub(super) fn failed(call: &Call, error: &(dyn Error + 'static)) -> ApiError {
    let (operation, request_id) = (call.operation.name, call.request_id);
    tracing::error!(operation, %request_id, error, "a call failed");
    internal(call.service)
}

/// What the request says is not legal.
#[allow(clippy::needless_pass_by_value, reason = "so that `map_err` takes it")]
pub(super) fn invalid(error: impl ToString) -> ApiError {
    VALIDATION_ERROR.error(error.to_string())
}

/// What a request for a signing job says is not legal, with the code that AWS gives it.
pub(super) fn invalid_job(error: impl ToString) -> ApiError {
    invalid(error).with("code", "InvalidJobParameters")
}
