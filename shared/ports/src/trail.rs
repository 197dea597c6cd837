//! The trail: who did what, for good.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use countersign_domain::{EventName, EventSource, TrailRecord, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// The records of calls and decisions. Nothing changes one or takes it away.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Writes records at the end of the trail, all or none. `Ok` means that they are durable. A record whose id is there
    /// already is not written again: the first one stays.
    async fn append(&self, records: &[TrailRecord]) -> Result<(), StoreError>;

    /// The first `max` records after `after` that `filter` lets through, in the order of their positions, which is the
    /// order in which they became readable: whoever goes on from [`TrailPage::next`] misses none and sees none twice. At
    /// most [`PAGE_MAX`] are given.
    async fn page(&self, filter: &TrailFilter, after: Position, max: usize) -> Result<TrailPage, StoreError>;

    /// The last `max` records that `filter` lets through, at most [`PAGE_MAX`], in the order of their positions; the page
    /// goes on after the last record of the trail.
    async fn newest(&self, filter: &TrailFilter, max: usize) -> Result<TrailPage, StoreError>;

    /// Returns when records may have been appended since, or after a pause of at most a few seconds: look again.
    async fn wait(&self);
}

/// The place of a record in the trail, from 1 on; places may be left out. 0 is before all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(u64);

/// A text that is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position of the trail: write a number")]
pub struct InvalidPosition(String);

impl Position {
    /// Before the first record.
    pub const START: Self = Self(0);

    /// The place with this number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        // Only the one form that a position is written in.
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        number.map(Self).ok_or_else(|| InvalidPosition(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which records are asked for: those that meet every condition that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Not before this instant.
    pub since: Option<UnixMillis>,
    /// Not after this instant.
    pub until: Option<UnixMillis>,
    /// What was done, with or without the version of an API: the operation counts.
    pub name: Option<EventName>,
    /// Of this service.
    pub source: Option<EventSource>,
    /// By whom: the whole ARN.
    pub principal: Option<String>,
    /// About what: the whole ARN.
    pub resource: Option<String>,
    /// Failed with this code.
    pub error_code: Option<String>,
    /// Failed.
    pub only_errors: bool,
}

impl TrailFilter {
    /// True if the record meets every condition.
    pub fn admits(&self, record: &TrailRecord) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let resource = self.resource.as_deref();
        self.since.is_none_or(|since| record.time() >= since)
            && self.until.is_none_or(|until| record.time() <= until)
            && self.name.as_ref().is_none_or(|name| record.name().operation() == name.operation())
            && self.source.is_none_or(|source| record.source() == source)
            && is(&self.principal, record.identity().arn())
            && resource.is_none_or(|wanted| record.resources().iter().any(|found| found.arn() == wanted))
            && is(&self.error_code, record.error_code())
            && (!self.only_errors || record.error_code().is_some())
    }
}

/// Records, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailPage {
    /// The records with their places.
    pub records: Vec<(Position, TrailRecord)>,
    /// Every record up to here was looked at.
    pub next: Position,
}

/// The most records of a page. A record has up to 256 KiB, and a page is held in memory.
pub const PAGE_MAX: usize = 1000;
