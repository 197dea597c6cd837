//! A record for people and for programs, always on one line.

use countersign_domain::TrailRecord;
use countersign_domain::trail::{AdditionalEventData, TrailResource};

use crate::output::{self, shown};

/// Makes a line of a record.
pub(super) type Line = fn(&TrailRecord) -> anyhow::Result<String>;

/// The record as CloudTrail writes it. What could break a line or rewrite a terminal is escaped, of which JSON itself
/// demands only a part (RFC 8259, section 7).
pub(super) fn json(record: &TrailRecord) -> anyhow::Result<String> {
    let text = serde_json::to_string(record)?;
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    Ok(line)
}

/// The record for a person.
pub(super) fn line(record: &TrailRecord) -> anyhow::Result<String> {
    let [time, who, what, on, outcome] = cells(record);
    Ok(format!("{time} {who:<12} {what:<27} {on} {outcome}"))
}

/// The records for a person.
pub(super) fn table(records: &[TrailRecord]) -> String {
    let mut table = output::table(["TIME", "WHO", "WHAT", "ON", "OUTCOME"]);
    for record in records {
        table.add_row(cells(record));
    }
    table.to_string()
}

fn cells(record: &TrailRecord) -> [String; 5] {
    let who = record.identity().name().or(record.identity().arn());
    let resources = record.resources();
    let on = resources.first().map_or("-", TrailResource::arn);
    let further = resources.len().saturating_sub(1);
    let on = if further > 0 { format!("{} (+{further})", shown(on)) } else { shown(on) };
    [
        record.time().to_string(),
        shown(who.unwrap_or("-")),
        shown(record.name().operation()),
        on,
        outcome(record),
    ]
}

fn outcome(record: &TrailRecord) -> String {
    let status = record.additional().and_then(AdditionalEventData::signature_status);
    match (record.error_code(), status) {
        (Some(code), Some(status)) => format!("{} ({})", shown(code), status.as_str()),
        (Some(code), None) => shown(code),
        (None, Some(status)) => format!("ok ({})", status.as_str()),
        (None, None) => "ok".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::trail::{EventSource, TrailEventId, UserIdentity};
    use countersign_domain::{Check, DeploymentId, Finding, Outcome, PackageRole, Scope};

    fn hostile() -> TrailRecord {
        let evil = "a\u{1b}[2J\r\n\u{85}\u{9b}\u{2028}b";
        let event = "e".parse().unwrap();
        let deployment = DeploymentId::for_event(&"ci".parse().unwrap(), &event);
        let failed = Finding {
            package: PackageRole::Function,
            check: Check::Mismatch,
            outcome: Outcome::Failed(evil.to_owned()),
        };
        let what = (EventSource::Lambda, "UpdateFunctionCode20150331v2".parse().unwrap());
        let (id, at) =
            (TrailEventId::for_deployment(deployment, "x"), "2026-11-21T08:30:00Z".parse().unwrap());
        let scope = Scope::new("us-east-1", "000000000000").unwrap();
        TrailRecord::new(id, UserIdentity::user(evil, evil, evil), what, at, &scope)
            .sent_from(None, Some(evil))
            .failing(evil, evil)
            .about(evil, evil)
            .about("f", "arn")
            .checked(AdditionalEventData::of(deployment, &[failed]))
    }

    fn breaks_a_line(text: &str) -> bool {
        text.chars().any(char::is_control)
    }

    #[test]
    fn no_value_breaks_a_line() {
        let record = hostile();
        let json = json(&record).unwrap();
        assert!(!breaks_a_line(&json) && !json.contains('\u{2028}'), "{json}");
        assert_eq!(serde_json::from_str::<TrailRecord>(&json).unwrap(), record, "and nothing is lost");
        let line = line(&record).unwrap();
        assert!(!breaks_a_line(&line), "{line}");
        assert!(line.starts_with("2026-11-21T08:30:00.000Z a\\u{1b}[2J"), "{line}");
        assert!(line.contains(" UpdateFunctionCode ") && line.ends_with("(UNSIGNED)"), "{line}");
        assert_eq!(table(&[record.clone(), record]).lines().count(), 3);
    }
}
