//! The one statement that reads records.

use countersign_ports::trail::TrailFilter;

use crate::columns::for_people;
use crate::statement::{Conditions, Statement, Value, sql};

/// Part of the trail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// What is read lies after this place,
    pub(crate) after: i64,
    /// and before this one.
    pub(crate) before: Option<i64>,
    /// Only what came long after its time.
    pub(crate) late: bool,
}

impl Span {
    /// The late ones behind it.
    pub(super) fn late(&self) -> Option<Self> {
        let before = self.before?;
        Some(Self { after: self.after.max(before - 1), before: None, late: true })
    }
}

/// In which order records are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    /// In that of their places.
    Onwards,
    /// The last ones first.
    Back,
}

/// Place and text of up to `max` records. What is rare (late records, those about one resource) is walked through, and
/// each record is looked up; SQLite takes the tables of a CROSS JOIN in the order in which they stand.
pub(crate) fn page(filter: &TrailFilter, span: &Span, max: usize, direction: Direction) -> Statement {
    let (tables, place, joined) = match (span.late, &filter.resource) {
        (true, _) => ("trail_late l CROSS JOIN trail t", "l.position", true),
        (false, Some(_)) => ("trail_resources r CROSS JOIN trail t", "r.position", true),
        (false, None) => ("trail t", "t.position", false),
    };
    let mut which = Conditions::default();
    which.and(&format!("{place} > ?"), [span.after.into()]);
    if let Some(before) = span.before {
        which.and(&format!("{place} < ?"), [before.into()]);
    }
    if joined {
        which.and(&format!("t.position = {place}"), []);
    }
    restrict(&mut which, filter, span.late);
    let order = match direction {
        Direction::Onwards => "ASC",
        Direction::Back => "DESC",
    };
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    which
        .statement(|which, limit| {
            sql(format!(
                "SELECT t.position, t.record FROM {tables} {which} ORDER BY {place} {order} LIMIT ${limit}"
            ))
        })
        .bind(max)
}

fn restrict(which: &mut Conditions, filter: &TrailFilter, late: bool) {
    let texts = [
        ("t.operation = ?", filter.name.as_ref().map(|name| name.operation().to_owned())),
        ("t.event_source = ?", filter.source.map(|source| source.as_str().to_owned())),
        ("t.principal = ?", filter.principal.as_deref().map(for_people)),
        ("t.error_code = ?", filter.error_code.as_deref().map(for_people)),
        (about(late), filter.resource.as_deref().map(for_people)),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            which.and(condition, [Value::from(value)]);
        }
    }
    if filter.only_errors || filter.error_code.is_some() {
        which.and("t.error_code IS NOT NULL", []);
    }
    if let Some(since) = filter.since {
        which.and("t.event_time >= ?", [since.as_millis().into()]);
    }
    if let Some(until) = filter.until {
        which.and("t.event_time <= ?", [until.as_millis().into()]);
    }
}

fn about(late: bool) -> &'static str {
    if late {
        "EXISTS (SELECT 1 FROM trail_resources r WHERE r.resource = ? AND r.position = t.position)"
    } else {
        "r.resource = ?"
    }
}
