//! How the state can fail its callers.

/// What a caller of a store has to tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store could not be reached or did not answer; the change may or may not have been made. Try again: every
    /// operation may be repeated.
    #[error("the state store is unavailable: {0}")]
    Unavailable(String),
    /// What was read is not what was ever written.
    #[error("the state store holds {what} that does not parse: {reason}")]
    Corrupt {
        /// The table or column.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Another worker took over, or the thing has ended; nothing was changed.
    #[error("this worker no longer holds the lease of {0}")]
    LeaseLost(String),
    /// A thing of that name exists; nothing was changed.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// There is no such thing; nothing was changed.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The thing is in a state that does not allow the change; nothing was changed.
    #[error("{0}")]
    Conflict(String),
}
