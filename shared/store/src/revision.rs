//! The count of the changes of policy and revocation, on which every decision is based.

use crate::attempt::Failure;
use crate::columns::{corrupt, count};
use crate::database::Session;
use crate::statement::sql;

/// How many changes there were.
pub(crate) async fn current(session: &mut impl Session) -> Result<u64, Failure> {
    let row: Option<(i64,)> = session.row(sql("SELECT value FROM revision WHERE id = 1")).await?;
    let (value,) = row.ok_or_else(|| corrupt("revision", "its row is missing"))?;
    Ok(count("revision.value", value)?)
}

/// Counts a change, so that no decision that was based on the state before it is recorded.
pub(crate) async fn advance(change: &mut impl Session) -> Result<(), Failure> {
    match change.execute(sql("UPDATE revision SET value = value + 1 WHERE id = 1")).await? {
        1 => Ok(()),
        rows => Err(corrupt("revision", format!("it has {rows} rows instead of one")).into()),
    }
}
