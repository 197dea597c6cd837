//! How an operation fails, and when it is tried again.

use std::time::Duration;

use countersign_ports::StoreError;

/// What one attempt at an operation failed with.
#[derive(Debug)]
pub enum Failure {
    /// Another attempt would not help, or the change may have been made.
    Final(StoreError),
    /// The database took the whole attempt back, and another one may succeed.
    TakenBack(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

/// Makes an attempt, and others if it is taken back.
pub(crate) async fn attempt<T, F>(operation: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failure>>,
{
    for pause in PAUSES {
        match limited(operation()).await {
            Ok(answer) => return Ok(answer),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::TakenBack(_)) => tokio::time::sleep(pause).await,
        }
    }
    limited(operation()).await.map_err(|(Failure::Final(error) | Failure::TakenBack(error))| error)
}

async fn limited<T>(attempt: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, attempt).await;
    answer.unwrap_or_else(|_elapsed| {
        let reason = format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
        Err(Failure::Final(StoreError::Unavailable(reason)))
    })
}

/// How long to wait after each attempt but the last. Longer troubles are for the caller's queue.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(10), Duration::from_millis(50), Duration::from_millis(250)];

/// How long one attempt may take. Databases answer sooner; this is for a network that swallows everything.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
