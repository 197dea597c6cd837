//! Instants in conditions: the W3C's profile of ISO 8601, or seconds since 1970.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// `2026-11-21` (its first instant, in UTC), `2026-11-21T08:30Z`, `2026-11-21T08:30:00.125+01:00`, or `1795249800`.
///
/// Four digits are refused: the W3C's profile calls them a year, and they could be seconds.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > MAX_CHARACTERS || !text.bytes().all(|b| b.is_ascii_digit() || b"TZ:+-.".contains(&b)) {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = (text.len() != 4).then(|| text.parse().ok())??;
        return Timestamp::from_second(seconds).ok();
    }
    if !text.contains('T') {
        let date: Date = (text.len() == 10).then(|| text.parse().ok())??;
        return date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp());
    }
    text.parse().ok()
}

/// The longest form has nanoseconds and an offset.
const MAX_CHARACTERS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_one_instant_are_equal() {
        let midnight = parse("2026-11-21").unwrap();
        for text in [
            "2026-11-21T00:00Z",
            "2026-11-21T00:00:00Z",
            "2026-11-21T00:00:00.000Z",
            "2026-11-21T01:00:00+01:00",
            "1795219200",
        ] {
            assert_eq!(parse(text), Some(midnight), "{text}");
        }
        assert_eq!(parse("0"), Some(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-11-21T00:00:00",
            "2026-13-01",
            "21.11.2026",
            "2026-11-21 00:00:00Z",
            "now",
            "2026-11-21T00:00:00[Europe/Berlin]",
            "-1",
            "1e9",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
