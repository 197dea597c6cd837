//! The trail: appended to in the order of the commits, and read through an index for each question.

mod select;

use async_trait::async_trait;
use countersign_domain::TrailRecord;
use countersign_ports::StoreError;
use countersign_ports::trail::{PAGE_MAX, Position, Trail, TrailFilter, TrailPage};

use crate::attempt::{Failure, attempt};
use crate::columns::{count, for_people, from_json, to_json};
use crate::database::{Database, Session};
use crate::statement::sql;
use crate::store::Store;
pub(crate) use select::{Direction, Span, page};

#[async_trait]
impl<D: Database> Trail for Store<D> {
    async fn append(&self, records: &[TrailRecord]) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            append(&mut change, records).await?;
            change.commit().await
        })
        .await
    }

    async fn page(&self, filter: &TrailFilter, after: Position, max: usize) -> Result<TrailPage, StoreError> {
        let max = max.min(PAGE_MAX);
        attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            let last = last(&mut snapshot).await?;
            let rows = found(&mut snapshot, filter, after, max, Direction::Onwards).await?;
            let records = records(rows)?;
            let full = records.len() == max;
            let next = if full { records.last().map_or(after, |(place, _)| *place) } else { last };
            Ok(TrailPage { records, next: next.max(after) })
        })
        .await
    }

    async fn newest(&self, filter: &TrailFilter, max: usize) -> Result<TrailPage, StoreError> {
        let max = max.min(PAGE_MAX);
        attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            let next = last(&mut snapshot).await?;
            let mut rows = found(&mut snapshot, filter, Position::START, max, Direction::Back).await?;
            rows.reverse();
            Ok(TrailPage { records: records(rows)?, next })
        })
        .await
    }

    async fn wait(&self) {
        self.database.appended().await;
    }
}

/// Appends records to the trail, in the transaction of what they tell of.
pub(crate) async fn append(change: &mut impl Session, records: &[TrailRecord]) -> Result<(), Failure> {
    if records.is_empty() {
        return Ok(());
    }
    change.append().await?;
    let newest = sql("SELECT newest_time FROM trail ORDER BY position DESC LIMIT 1");
    let mut newest_time = change.row::<(i64,)>(newest).await?.map_or(0, |(time,)| time);
    for record in records {
        let time = record.time().as_millis();
        newest_time = newest_time.max(time);
        if !insert(change, record, newest_time).await? {
            continue;
        }
        for resource in record.resources() {
            mark(change, record, "INSERT INTO trail_resources (position, resource)", Some(resource.arn()))
                .await?;
        }
        if newest_time - time > LATE_MILLIS {
            mark(change, record, "INSERT INTO trail_late (position)", None).await?;
        }
    }
    Ok(())
}

/// False if the record is there already.
async fn insert(change: &mut impl Session, record: &TrailRecord, newest_time: i64) -> Result<bool, Failure> {
    let inserted = sql(
        "INSERT INTO trail (event_id, event_time, newest_time, event_source, operation, principal, error_code, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (event_id) DO NOTHING",
    )
    .bind(record.id().to_string())
    .bind(record.time().as_millis())
    .bind(newest_time)
    .bind(record.source().as_str())
    .bind(record.name().operation())
    .bind(record.identity().arn().map(for_people).as_deref())
    .bind(record.error_code().map(for_people).as_deref())
    .bind(to_json("trail.record", record)?);
    Ok(change.execute(inserted).await? == 1)
}

/// Writes the record's place into another table, with `value` behind it.
async fn mark(
    change: &mut impl Session,
    record: &TrailRecord,
    into: &str,
    value: Option<&str>,
) -> Result<(), Failure> {
    let second = if value.is_some() { ", $2" } else { "" };
    let text =
        format!("{into} SELECT position{second} FROM trail WHERE event_id = $1 ON CONFLICT DO NOTHING");
    let marked = sql(text).bind(record.id().to_string());
    let marked = match value {
        Some(value) => marked.bind(for_people(value)),
        None => marked,
    };
    change.execute(marked).await?;
    Ok(())
}

async fn last(snapshot: &mut impl Session) -> Result<Position, Failure> {
    let last = sql("SELECT position FROM trail ORDER BY position DESC LIMIT 1");
    let last = snapshot.row::<(i64,)>(last).await?.map_or(0, |(place,)| place);
    Ok(Position::new(count("trail.position", last)?))
}

/// The rows that `filter` lets through, in the order of `direction`. Those in their order lie within the span of their
/// times; the late ones lie behind it.
async fn found(
    snapshot: &mut impl Session,
    filter: &TrailFilter,
    after: Position,
    max: usize,
    direction: Direction,
) -> Result<Vec<Row>, Failure> {
    let Some(span) = span(snapshot, filter, after).await? else { return Ok(Vec::new()) };
    let spans = match (span.late(), direction) {
        (None, _) => vec![span],
        (Some(late), Direction::Onwards) => vec![span, late],
        (Some(late), Direction::Back) => vec![late, span],
    };
    let mut rows = Vec::new();
    for span in spans {
        let missing = max - rows.len();
        rows.extend(snapshot.rows::<Row>(page(filter, &span, missing, direction)).await?);
    }
    Ok(rows)
}

/// Where the records of the filter's times lie; `None` if there are none.
async fn span(
    snapshot: &mut impl Session,
    filter: &TrailFilter,
    after: Position,
) -> Result<Option<Span>, Failure> {
    let after = i64::try_from(after.number()).unwrap_or(i64::MAX);
    let mut span = Span { after, before: None, late: false };
    if let Some(since) = filter.since {
        let Some(first) = first_at(snapshot, since.as_millis()).await? else { return Ok(None) };
        span.after = span.after.max(first - 1);
    }
    if let Some(until) = filter.until {
        let past = until.as_millis().saturating_add(LATE_MILLIS + 1);
        span.before = first_at(snapshot, past).await?;
    }
    Ok(Some(span))
}

/// The first place at which the trail had reached that time.
async fn first_at(snapshot: &mut impl Session, millis: i64) -> Result<Option<i64>, Failure> {
    let first = "SELECT position FROM trail WHERE newest_time >= $1 ORDER BY newest_time, position LIMIT 1";
    Ok(snapshot.row::<(i64,)>(sql(first).bind(millis)).await?.map(|(place,)| place))
}

type Row = (i64, String);

fn records(rows: Vec<Row>) -> Result<Vec<(Position, TrailRecord)>, StoreError> {
    let rows = rows.into_iter().map(|(place, record)| {
        Ok((Position::new(count("trail.position", place)?), from_json("trail.record", &record)?))
    });
    rows.collect()
}

/// How long after a later record's time a record is not yet late: longer than a deployment takes, and clocks differ.
const LATE_MILLIS: i64 = 3_600_000;
