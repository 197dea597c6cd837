//! Numbers in conditions, compared digit by digit: a binary fraction would call two different numbers equal.

use std::cmp::Ordering;

/// A decimal number of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Decimal {
    /// `10`, `-0.5`, `+3.00`; no exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (minus, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !fraction.is_none_or(is_number) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.unwrap_or("").trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: minus && !zero, whole, fraction })
    }

    fn magnitude(&self) -> (usize, &str, &str) {
        (self.whole.len(), &self.whole, &self.fraction)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_magnitude = self.magnitude().cmp(&other.magnitude());
        match (self.negative, other.negative) {
            (false, false) => by_magnitude,
            (true, true) => by_magnitude.reverse(),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn equal_numbers_are_equal_however_written() {
        for (one, other) in [("1", "1.0"), ("001", "1"), ("-0", "0"), ("+0.50", "0.5"), ("-0.0", "+0")] {
            assert_eq!(decimal(one), decimal(other));
        }
    }

    #[test]
    fn numbers_that_a_float_confuses_are_apart() {
        assert!(decimal("9007199254740993") > decimal("9007199254740992"));
        assert!(decimal("0.1000000000000000001") > decimal("0.1"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", "+", ".5", "5.", "1e3", "0x10", "1,000", " 1", "NaN", "--1", "1.2.3", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_integers(one in -1_000_000_i64..1_000_000, other in -1_000_000_i64..1_000_000) {
            let scaled = |n: i64| decimal(&format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000));
            prop_assert_eq!(scaled(one).cmp(&scaled(other)), one.cmp(&other));
        }
    }
}
