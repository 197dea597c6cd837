//! The instant of a signature: `X-Amz-Date` in ISO 8601's basic form, or the `Date` of RFC 9110.

use countersign_domain::UnixMillis;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// An instant of whole seconds that a request was signed at, with the text that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedAt {
    pub(super) instant: UnixMillis,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) text: String,
}

impl SignedAt {
    /// Reads `YYYYMMDDTHHMMSSZ`, and nothing else.
    pub(super) fn from_basic(text: &str) -> Option<Self> {
        let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let shaped = text.len() == 16
            && (0..8).chain(9..15).all(digit)
            && text.get(8..9) == Some("T")
            && text.ends_with('Z');
        if !shaped {
            return None;
        }
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let extended = format!(
            "{}-{}-{}T{}:{}:{}Z",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(9, 11),
            part(11, 13),
            part(13, 15)
        );
        Some(Self { instant: extended.parse().ok()?, text: text.to_owned() })
    }

    /// Reads a `Date` header: an HTTP date, or what `X-Amz-Date` would say.
    pub(super) fn from_date_header(text: &str) -> Option<Self> {
        Self::from_basic(text).or_else(|| {
            let timestamp = DateTimeParser::new().parse_timestamp(text).ok()?;
            let instant = UnixMillis::new(timestamp.as_millisecond()).ok()?;
            Some(Self { instant, text: basic(instant) })
        })
    }
}

/// `YYYYMMDDTHHMMSSZ`.
pub(super) fn basic(instant: UnixMillis) -> String {
    let timestamp = Timestamp::from_millisecond(instant.as_millis()).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_form_round_trips() {
        let signed = SignedAt::from_basic("20261121T083000Z").unwrap();
        assert_eq!(signed.instant.to_string(), "2026-11-21T08:30:00.000Z");
        assert_eq!(basic(signed.instant), "20261121T083000Z");
        for text in ["20261121T083000", "2026-11-21T08:30Z", "20261341T083000Z", "2026112+T083000Z", ""] {
            assert_eq!(SignedAt::from_basic(text), None, "{text}");
        }
    }

    #[test]
    fn an_http_date_is_signed_in_the_basic_form() {
        let signed = SignedAt::from_date_header("Sat, 21 Nov 2026 08:30:00 GMT").unwrap();
        assert_eq!(signed.text, "20261121T083000Z");
        assert_eq!(SignedAt::from_date_header("yesterday"), None);
    }
}
