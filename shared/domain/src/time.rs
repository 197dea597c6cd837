//! Instants and calendar periods. The time itself always comes from outside.

use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::text::serde_as_text;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Its text form is RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

/// An instant outside the years 1970 to 9999, or a text that is not RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an instant: write RFC 3339 such as 2026-11-21T08:30:00Z, between 1970 and 9999")]
pub struct InvalidInstant(String);

impl UnixMillis {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant `millis` milliseconds after the epoch.
    ///
    /// # Errors
    /// When it lies outside the years 1970 to 9999, which no certificate or RFC 3339 text can say.
    pub fn new(millis: i64) -> Result<Self, InvalidInstant> {
        if (0..=MAX_MILLIS).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(InvalidInstant(millis.to_string()))
        }
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn as_secs(self) -> u64 {
        (self.0 / 1000).unsigned_abs()
    }

    /// This instant moved by `millis`, held inside the years 1970 to 9999.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(0, MAX_MILLIS))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl FromStr for UnixMillis {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        let timestamp: Timestamp =
            text.parse().map_err(|_| InvalidInstant(text.chars().take(80).collect()))?;
        Self::new(timestamp.as_millisecond())
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

serde_as_text!(UnixMillis);

/// How long a signature stays valid, in calendar units, as Signer counts it. Its text form is `135MONTHS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValidityPeriod {
    value: u32,
    unit: ValidityUnit,
}

/// Signer's `ValidityType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidityUnit {
    /// Calendar days.
    Days,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

/// A period that is not a positive number of DAYS, MONTHS or YEARS up to 135 months.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a validity period: write a number and DAYS, MONTHS or YEARS, at most 135MONTHS")]
pub struct InvalidValidity(String);

impl ValidityPeriod {
    /// Signer's default and maximum.
    pub const DEFAULT: Self = Self { value: 135, unit: ValidityUnit::Months };

    /// The number of units.
    pub fn value(self) -> u32 {
        self.value
    }

    /// The calendar unit.
    pub fn unit(self) -> ValidityUnit {
        self.unit
    }

    /// The instant at which a signature made at `start` expires, in UTC calendar arithmetic.
    pub fn after(self, start: UnixMillis) -> UnixMillis {
        let value = i64::from(self.value);
        let span = match self.unit {
            ValidityUnit::Days => value.days(),
            ValidityUnit::Months => value.months(),
            ValidityUnit::Years => value.years(),
        };
        let end = start.timestamp().to_zoned(TimeZone::UTC).checked_add(span);
        end.map_or(UnixMillis(MAX_MILLIS), |end| UnixMillis(end.timestamp().as_millisecond()))
    }

    fn is_legal(self) -> bool {
        let most = match self.unit {
            ValidityUnit::Days => 4109, // 135 months are never fewer days than this
            ValidityUnit::Months => 135,
            ValidityUnit::Years => 11,
        };
        (1..=most).contains(&self.value)
    }
}

impl ValidityUnit {
    /// The unit as Signer writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Days => "DAYS",
            Self::Months => "MONTHS",
            Self::Years => "YEARS",
        }
    }
}

impl FromStr for ValidityPeriod {
    type Err = InvalidValidity;

    fn from_str(text: &str) -> Result<Self, InvalidValidity> {
        let invalid = || InvalidValidity(text.chars().take(80).collect());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (value, unit) = text.split_at(digits);
        let unit = match unit {
            "DAYS" => ValidityUnit::Days,
            "MONTHS" => ValidityUnit::Months,
            "YEARS" => ValidityUnit::Years,
            _ => return Err(invalid()),
        };
        let period = Self { value: value.parse().map_err(|_| invalid())?, unit };
        if period.is_legal() { Ok(period) } else { Err(invalid()) }
    }
}

impl fmt::Display for ValidityPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, self.unit.as_str())
    }
}

serde_as_text!(ValidityPeriod);

/// 9999-12-30T22:00:00Z, the last instant that jiff can show in every time zone.
const MAX_MILLIS: i64 = 253_402_207_200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_instant_can_be_shown_and_read() {
        let last = UnixMillis::EPOCH.plus_millis(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(last.to_string().parse(), Ok(last));
        assert!(UnixMillis::new(last.as_millis() + 1).is_err());
    }

    #[test]
    fn an_instant_round_trips_as_rfc_3339() {
        let instant: UnixMillis = "2026-11-21T08:30:00.125Z".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-21T08:30:00.125Z");
        assert_eq!("2026-11-21T09:30:00.125+01:00".parse(), Ok(instant));
    }

    #[test]
    fn instants_outside_the_calendar_are_refused() {
        assert!(UnixMillis::new(-1).is_err());
        assert!(UnixMillis::new(i64::MAX).is_err());
        assert!("tomorrow".parse::<UnixMillis>().is_err());
    }

    #[test]
    fn months_are_calendar_months() {
        // Observed on Signer: signed 2023-07-18, expires 2034-10-18 with the default period.
        let signed: UnixMillis = "2023-07-18T10:00:00Z".parse().unwrap();
        assert_eq!(ValidityPeriod::DEFAULT.after(signed).to_string(), "2034-10-18T10:00:00.000Z");
    }

    #[test]
    fn periods_past_the_maximum_are_refused() {
        for text in ["0DAYS", "136MONTHS", "12YEARS", "5000DAYS", "5", "DAYS", "5 DAYS", "-1DAYS", "5days"] {
            assert!(text.parse::<ValidityPeriod>().is_err(), "{text}");
        }
        assert_eq!("11YEARS".parse::<ValidityPeriod>().unwrap().to_string(), "11YEARS");
    }
}
