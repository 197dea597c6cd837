//! Leases: who works on a thing, until when.

use std::fmt;
use std::str::FromStr;

use countersign_domain::UnixMillis;

/// A worker: 1 to 128 printable ASCII characters, unique for every start of a process, so that a restarted worker never
/// mistakes its predecessor's lease for its own.
///
/// To a store, two calls with one id are one worker that repeats itself: it gets what it holds again. A process that
/// handles several messages at once therefore gives each message an id of its own, the same for every delivery of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkerId(String);

/// A text that is not a worker id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a worker id: use 1 to 128 printable ASCII characters")]
pub struct InvalidWorkerId(String);

impl WorkerId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkerId {
    type Err = InvalidWorkerId;

    fn from_str(text: &str) -> Result<Self, InvalidWorkerId> {
        let legal = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if legal { Ok(Self(text.to_owned())) } else { Err(InvalidWorkerId(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right of one worker to a thing until an instant. A lease that has run out may be taken by anyone; whoever lost
/// it finds its next write refused with [`StoreError::LeaseLost`](crate::StoreError::LeaseLost).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub worker: WorkerId,
    /// The present instant, against which an earlier lease is judged.
    pub now: UnixMillis,
    /// When this lease runs out.
    pub until: UnixMillis,
}
