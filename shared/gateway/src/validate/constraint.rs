//! The constraints of a shape, and AWS's words for each.

use serde_json::Value;

use crate::model::{Bounds, Kind, Pattern, Shape};

/// One constraint.
pub(super) enum Constraint<'s> {
    MaxLength(Measure, u64),
    MinLength(Measure, u64),
    MaxValue(Number),
    MinValue(Number),
    Matches(&'s Pattern),
    OneOf(&'s [&'s str]),
    NotNull,
}

/// What a length counts.
#[derive(Clone, Copy)]
pub(super) enum Measure {
    /// Characters (Unicode scalar values) of a text, elements of a list, entries of a map.
    Elements,
    /// Bytes that a base64 text stands for.
    Bytes,
}

/// A bound, printed as Java prints its type: `1`, `1.0`.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
}

/// The constraints of the value itself, in the order in which AWS lists them.
pub(super) fn of(shape: &Shape) -> Vec<Constraint<'_>> {
    match &shape.kind {
        Kind::String { length, pattern, values } => {
            let mut constraints = lengths(Measure::Elements, *length);
            constraints.extend(pattern.as_ref().map(Constraint::Matches));
            constraints.extend((!values.is_empty()).then_some(Constraint::OneOf(values)));
            constraints
        }
        Kind::List { length, .. } | Kind::Map { length, .. } => lengths(Measure::Elements, *length),
        Kind::Blob { length } => lengths(Measure::Bytes, *length),
        Kind::Integer { range, .. } => values(range.max.map(Number::Whole), range.min.map(Number::Whole)),
        Kind::Double { range } => values(range.max.map(Number::Real), range.min.map(Number::Real)),
        Kind::Structure(_) | Kind::Boolean | Kind::Timestamp => Vec::new(),
    }
}

impl Constraint<'_> {
    /// Whether `value` satisfies it. A `null` satisfies none.
    pub(super) fn holds(&self, value: &Value) -> bool {
        match self {
            Self::NotNull => !value.is_null(),
            Self::MaxLength(measure, max) => measure.of(value).is_some_and(|length| length <= *max),
            Self::MinLength(measure, min) => measure.of(value).is_some_and(|length| length >= *min),
            Self::MaxValue(max) => max.compare(value).is_some_and(std::cmp::Ordering::is_le),
            Self::MinValue(min) => min.compare(value).is_some_and(std::cmp::Ordering::is_ge),
            Self::Matches(pattern) => value.as_str().is_some_and(|text| pattern.matches(text)),
            Self::OneOf(values) => value.as_str().is_some_and(|text| values.contains(&text)),
        }
    }

    /// AWS's words.
    pub(super) fn text(&self) -> String {
        match self {
            Self::NotNull => "Member must not be null".to_owned(),
            Self::MaxLength(_, max) => format!("Member must have length less than or equal to {max}"),
            Self::MinLength(_, min) => format!("Member must have length greater than or equal to {min}"),
            Self::MaxValue(max) => format!("Member must have value less than or equal to {}", max.text()),
            Self::MinValue(min) => format!("Member must have value greater than or equal to {}", min.text()),
            Self::Matches(pattern) => {
                format!("Member must satisfy regular expression pattern: {}", pattern.text())
            }
            Self::OneOf(values) => format!("Member must satisfy enum value set: [{}]", values.join(", ")),
        }
    }
}

impl Measure {
    fn of(self, value: &Value) -> Option<u64> {
        let length = match (self, value) {
            (Self::Bytes, Value::String(text)) => base64::decoded_len_estimate(text.len()) - padding(text),
            (Self::Elements, Value::String(text)) => text.chars().count(),
            (Self::Elements, Value::Array(values)) => values.len(),
            (Self::Elements, Value::Object(values)) => values.len(),
            (Self::Bytes | Self::Elements, _) => return None,
        };
        u64::try_from(length).ok()
    }
}

/// The bytes by which padded base64 stands for less than three a group.
fn padding(text: &str) -> usize {
    text.bytes().rev().take(2).filter(|byte| *byte == b'=').count()
}

impl Number {
    /// How `value` stands to this bound.
    fn compare(self, value: &Value) -> Option<std::cmp::Ordering> {
        match self {
            Self::Whole(bound) => value.as_i64().map(|value| value.cmp(&bound)),
            Self::Real(bound) => value.as_f64().and_then(|value| value.partial_cmp(&bound)),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Whole(bound) => bound.to_string(),
            Self::Real(bound) => format!("{bound:?}"),
        }
    }
}

fn lengths(measure: Measure, length: Bounds<u64>) -> Vec<Constraint<'static>> {
    let max = length.max.map(|max| Constraint::MaxLength(measure, max));
    max.into_iter().chain(length.min.map(|min| Constraint::MinLength(measure, min))).collect()
}

fn values(max: Option<Number>, min: Option<Number>) -> Vec<Constraint<'static>> {
    max.map(Constraint::MaxValue).into_iter().chain(min.map(Constraint::MinValue)).collect()
}
