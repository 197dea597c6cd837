//! The two times of a signature, in the forms of FORMAT.md section 4.4.1.

use countersign_domain::UnixMillis;
use der::{Any, Tag, Tagged};

use super::Form;

/// signingTime as a signer writes it.
pub(super) fn encode_signing_time(instant: UnixMillis, form: Form) -> der::Result<Any> {
    let text = generalized(instant);
    match form {
        Form::Countersign if ("1950".."2050").contains(&&text[..4]) => {
            Any::new(Tag::UtcTime, &text.as_bytes()[2..])
        }
        Form::Countersign | Form::OurAws | Form::NativeAws => encode_expiry(instant),
    }
}

/// The signature expiry as a signer writes it.
pub(super) fn encode_expiry(instant: UnixMillis) -> der::Result<Any> {
    Any::new(Tag::GeneralizedTime, generalized(instant).as_bytes())
}

/// signingTime of a signature; none where it is not in the form that `form` allows.
pub(super) fn decode_signing_time(value: &Any, form: Form) -> Option<UnixMillis> {
    let instant = parse(value)?;
    let native = form == Form::NativeAws && value.tag() == Tag::GeneralizedTime;
    let canonical = || encode_signing_time(instant, form).is_ok_and(|encoded| encoded == *value);
    (native || canonical()).then_some(instant)
}

/// The signature expiry; none where it is not in the form that `form` allows.
pub(super) fn decode_expiry(value: &Any, form: Form) -> Option<UnixMillis> {
    let instant = parse(value).filter(|_| value.tag() == Tag::GeneralizedTime)?;
    let whole = form != Form::Countersign || instant.as_millis() % 1000 == 0;
    let canonical = || encode_expiry(instant).is_ok_and(|encoded| encoded == *value);
    (whole && (form == Form::NativeAws || canonical())).then_some(instant)
}

/// `YYYYMMDDHHMMSS[.fff]Z`, the fraction as DER has it (X.690 section 11.7.3).
fn generalized(instant: UnixMillis) -> String {
    let digits: String = instant.to_string().chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let (seconds, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    match fraction.trim_end_matches('0') {
        "" => format!("{seconds}Z"),
        fraction => format!("{seconds}.{fraction}Z"),
    }
}

/// Both ASN.1 times, with up to three digits of fraction.
fn parse(value: &Any) -> Option<UnixMillis> {
    let text = std::str::from_utf8(value.value()).ok()?.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = match (value.tag(), seconds.len()) {
        (Tag::UtcTime, 12) if !text.contains('.') => format!("{}{seconds}", century(seconds)),
        (Tag::GeneralizedTime, 14) => seconds.to_owned(),
        _ => return None,
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(&seconds) || !digits(fraction) || !(1..=3).contains(&fraction.len()) {
        return None;
    }
    let (date, time) = seconds.split_at(8);
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}.{fraction}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    let instant: UnixMillis = rfc3339.parse().ok()?;
    generalized(instant).starts_with(&seconds).then_some(instant) // no leap second, no hour 24
}

/// RFC 5280 section 4.1.2.5.1.
fn century(two_digit_year: &str) -> &'static str {
    if two_digit_year < "50" { "20" } else { "19" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> UnixMillis {
        text.parse().unwrap()
    }

    fn text(value: &Any) -> (Tag, &str) {
        (value.tag(), std::str::from_utf8(value.value()).unwrap())
    }

    #[test]
    fn signing_time_follows_rfc_5652_on_our_platforms() {
        for (at, expected) in [
            ("2026-11-21T08:30:00Z", (Tag::UtcTime, "261121083000Z")),
            ("2049-12-31T23:59:59Z", (Tag::UtcTime, "491231235959Z")),
            ("2050-01-01T00:00:00Z", (Tag::GeneralizedTime, "20500101000000Z")),
            ("1970-01-01T00:00:00Z", (Tag::UtcTime, "700101000000Z")),
        ] {
            let value = encode_signing_time(instant(at), Form::Countersign).unwrap();
            assert_eq!(text(&value), expected);
            assert_eq!(decode_signing_time(&value, Form::Countersign), Some(instant(at)));
        }
    }

    #[test]
    fn the_aws_platform_has_milliseconds_as_der_writes_them() {
        for (at, expected) in [
            ("2026-09-28T09:19:26.806Z", "20260928091926.806Z"),
            ("2026-09-28T09:19:26.800Z", "20260928091926.8Z"),
            ("2026-09-28T09:19:20.000Z", "20260928091920Z"),
        ] {
            let value = encode_signing_time(instant(at), Form::OurAws).unwrap();
            assert_eq!(text(&value), (Tag::GeneralizedTime, expected));
            assert_eq!(decode_signing_time(&value, Form::OurAws), Some(instant(at)));
            assert_eq!(decode_expiry(&value, Form::OurAws), Some(instant(at)));
        }
    }

    #[test]
    fn trailing_zeros_pass_in_native_packages_alone() {
        let value = Any::new(Tag::GeneralizedTime, b"20260928091926.800Z".as_slice()).unwrap();
        let at = Some(instant("2026-09-28T09:19:26.8Z"));
        assert_eq!(decode_signing_time(&value, Form::NativeAws), at);
        assert_eq!(decode_expiry(&value, Form::NativeAws), at);
        assert_eq!(decode_signing_time(&value, Form::OurAws), None);
        assert_eq!(decode_expiry(&value, Form::OurAws), None);
        assert_eq!(decode_signing_time(&value, Form::Countersign), None);
    }

    #[test]
    fn other_forms_are_refused() {
        for (tag, bytes) in [
            (Tag::GeneralizedTime, b"20260928091926".as_slice()),
            (Tag::GeneralizedTime, b"20260928091926+0100"),
            (Tag::GeneralizedTime, b"20260928091926.1234Z"),
            (Tag::GeneralizedTime, b"20260928091926.Z"),
            (Tag::GeneralizedTime, b"20260928091926,8Z"),
            (Tag::GeneralizedTime, b"20260928091960Z"),
            (Tag::GeneralizedTime, b"20260931091926Z"),
            (Tag::GeneralizedTime, b"202609280919Z"),
            (Tag::GeneralizedTime, b"+0260928091926Z"),
            (Tag::UtcTime, b"260928091926.8Z"),
            (Tag::UtcTime, b"2609280919Z"),
            (Tag::Utf8String, b"20260928091926Z"),
        ] {
            let value = Any::new(tag, bytes).unwrap();
            for form in [Form::Countersign, Form::OurAws, Form::NativeAws] {
                assert_eq!(decode_signing_time(&value, form), None, "{:?} {form:?}", text(&value));
                assert_eq!(decode_expiry(&value, form), None, "{:?} {form:?}", text(&value));
            }
        }
    }

    #[test]
    fn a_generalized_time_before_2050_is_no_signing_time_of_ours() {
        let value = Any::new(Tag::GeneralizedTime, b"20260928091926Z".as_slice()).unwrap();
        assert_eq!(decode_signing_time(&value, Form::Countersign), None);
        assert!(decode_expiry(&value, Form::Countersign).is_some());
    }
}
