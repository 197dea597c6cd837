//! What the server's errors mean to a caller.

use countersign_ports::StoreError;

use crate::attempt::Failure;
use crate::columns::failed;

/// Of a statement before the commit: an attempt that lost its connection was taken back by the server.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn failure(error: sqlx::Error) -> Failure {
    if matches!(error, sqlx::Error::Io(_)) || has_code(&error, &[ROLLED_BACK, DISCONNECTED]) {
        return Failure::TakenBack(unavailable(&error));
    }
    Failure::Final(unavailable(&error))
}

/// Of a commit: without an answer nobody knows whether it was made.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn commit_failure(error: sqlx::Error) -> Failure {
    if has_code(&error, &[ROLLED_BACK]) {
        return Failure::TakenBack(unavailable(&error));
    }
    Failure::Final(unavailable(&error))
}

/// An error as the ports have it.
pub(super) fn unavailable(error: &sqlx::Error) -> StoreError {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        let reason =
            "the PostgreSQL server gave no connection in time: it is away, or all connections are in use";
        return StoreError::Unavailable(reason.to_owned());
    }
    failed(error)
}

fn has_code(error: &sqlx::Error, classes: &[&[&str]]) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| classes.iter().any(|codes| codes.contains(&code.as_ref())))
}

/// serialization_failure, deadlock_detected.
const ROLLED_BACK: &[&str] = &["40001", "40P01"];

/// The server ends the connection, and with it the transaction: admin_shutdown, crash_shutdown, cannot_connect_now,
/// idle_in_transaction_session_timeout, idle_session_timeout.
const DISCONNECTED: &[&str] = &["57P01", "57P02", "57P03", "25P03", "57P05"];
