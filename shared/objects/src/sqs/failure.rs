//! What SQS's errors mean to a consumer.

use std::error::Error;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use countersign_ports::queue::QueueError;

use crate::failure::{shortened, with_causes};

/// A call, by the action that a policy has to allow.
pub(super) struct Call<'a> {
    pub(super) action: &'static str,
    pub(super) queue: &'a str,
}

impl Call<'_> {
    /// The port's error for the SDK's.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> QueueError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(response) = error.raw_response() else {
            return self.unavailable(&with_causes(error));
        };
        self.answered(response.status().as_u16(), code(error), error.message().unwrap_or_default())
    }

    /// The same for a call that names a receipt.
    pub(super) fn not_settled<E>(&self, error: &SdkError<E, HttpResponse>) -> QueueError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        // An invalid parameter is the receipt of a message that is gone or was visible again, or a lease beyond the 12
        // hours: the times sent are within SQS's limits.
        match code(error) {
            "ReceiptHandleIsInvalid" | "MessageNotInflight" | "InvalidParameterValue" | "InvalidIdFormat" => {
                QueueError::ReceiptLost
            }
            _ => self.failed(error),
        }
    }

    fn answered(&self, status: u16, code: &str, message: &str) -> QueueError {
        match (status, code) {
            (_, "NonExistentQueue" | "QueueDoesNotExist") => {
                self.unavailable("there is no such queue: check its URL, the region and the endpoint")
            }
            (401 | 403, _) | (_, "AccessDenied") => self.unavailable(&format!(
                "denied ({}): the credentials have to be valid, and allowed {} on this queue",
                shortened(code),
                self.action
            )),
            _ => self.unavailable(&format!("HTTP {status} {}: {}", shortened(code), shortened(message))),
        }
    }

    fn unavailable(&self, reason: &str) -> QueueError {
        QueueError::Unavailable(format!("{} on {}: {reason}", self.action, shortened(self.queue)))
    }
}

/// The code without what SQS's two protocols put around it.
fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    bare(error.code().unwrap_or_default())
}

fn bare(code: &str) -> &str {
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    code.strip_suffix("Exception").unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_meaning() {
        let call = Call { action: "sqs:ReceiveMessage", queue: "https://sqs.example/1/drops" };
        let told = |status, code| call.answered(status, bare(code), "told").to_string();
        for code in ["AccessDeniedException", "AccessDenied", "AWS.SimpleQueueService.AccessDenied"] {
            assert!(told(400, code).contains("allowed sqs:ReceiveMessage on this queue"), "{code}");
        }
        assert!(told(403, "InvalidClientTokenId").contains("denied (InvalidClientTokenId)"));
        for code in ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"] {
            assert!(told(400, code).contains("no such queue"), "{code}");
        }
        let unavailable =
            "the queue is unavailable: sqs:ReceiveMessage on https://sqs.example/1/drops: HTTP 500 A: told";
        assert_eq!(told(500, "A"), unavailable);
    }
}
