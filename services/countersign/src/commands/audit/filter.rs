//! Which records are asked for.

use std::str::FromStr;

use countersign_domain::{EventName, EventSource, UnixMillis};
use countersign_ports::Clock;
use countersign_ports::trail::TrailFilter;
use countersign_runtime::SystemClock;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Not before then: RFC 3339, or that long ago (90s, 15m, 1h, 7d)
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Not after then
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// This operation, such as CreateFunction
    #[arg(long, value_name = "NAME")]
    event: Option<EventName>,
    /// This service: lambda or signer
    #[arg(long, value_name = "SERVICE")]
    source: Option<EventSource>,
    /// By this principal
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// About this function, profile, job, layer or config
    #[arg(long, value_name = "ARN")]
    resource: Option<String>,
    /// Failed with this code, such as AccessDeniedException
    #[arg(long, value_name = "CODE")]
    error: Option<String>,
    /// Failed
    #[arg(long)]
    errors: bool,
}

impl Args {
    /// The filter, as of now.
    pub(super) fn chosen(&self) -> TrailFilter {
        let now = SystemClock.now();
        TrailFilter {
            since: self.since.map(|moment| moment.at(now)),
            until: self.until.map(|moment| moment.at(now)),
            name: self.event.clone(),
            source: self.source,
            principal: self.principal.clone(),
            resource: self.resource.clone(),
            error_code: self.error.clone(),
            only_errors: self.errors,
        }
    }
}

/// An instant, or how long ago it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(UnixMillis),
    AgoMillis(i64),
}

/// A text that says no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write RFC 3339 such as 2026-11-21T08:30:00Z, or how long ago: a number and s, m, h or d")]
struct NoMoment;

impl Moment {
    fn at(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::At(at) => at,
            Self::AgoMillis(millis) => now.plus_millis(-millis),
        }
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let unit_millis = match text.chars().next_back() {
            Some('s') => 1000,
            Some('m') => 60_000,
            Some('h') => 3_600_000,
            Some('d') => 86_400_000,
            Some(_) | None => return text.parse().map(Self::At).map_err(|_| NoMoment),
        };
        let number = text.get(..text.len() - 1).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let number: u32 = number.and_then(|digits| digits.parse().ok()).ok_or(NoMoment)?;
        Ok(Self::AgoMillis(i64::from(number) * unit_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_or_how_long_ago_it_was() {
        let now: UnixMillis = "2026-11-21T08:30:00Z".parse().unwrap();
        for (text, at) in [
            ("90s", "2026-11-21T08:28:30Z"),
            ("15m", "2026-11-21T08:15:00Z"),
            ("1h", "2026-11-21T07:30:00Z"),
            ("7d", "2026-11-14T08:30:00Z"),
            ("4294967295d", "1970-01-01T00:00:00Z"),
            ("2026-11-21T09:30:00+01:00", "2026-11-21T08:30:00Z"),
        ] {
            assert_eq!(
                text.parse::<Moment>().map(|moment| moment.at(now)),
                Ok(at.parse().unwrap()),
                "{text}"
            );
        }
        for text in ["", "h", "1", "-1h", "+1h", "1 h", "1H", "1w", "yesterday", "größe", "4294967296s"] {
            assert_eq!(text.parse::<Moment>(), Err(NoMoment), "{text}");
        }
    }
}
