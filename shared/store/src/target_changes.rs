//! What the deploy targets have still to follow.

use async_trait::async_trait;
use countersign_domain::{FunctionName, UnixMillis};
use countersign_ports::StoreError;
use countersign_ports::target_changes::{Changed, TargetChange, TargetChanges};

use crate::attempt::{Failure, attempt};
use crate::columns::{bigint, corrupt, count, parse};
use crate::database::{Database, Session};
use crate::deployments;
use crate::statement::{Statement, placeholders, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> TargetChanges for Store<D> {
    async fn pending(
        &self,
        function: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<TargetChange>, StoreError> {
        let rows = attempt(|| self.database.rows::<ChangeRow>(pending(function, max))).await?;
        rows.into_iter().map(TargetChange::try_from).collect()
    }

    async fn under_way(
        &self,
        function: &FunctionName,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, StoreError> {
        attempt(move || async move {
            let leases = deployments::leases_of(function);
            deployments::under_way_until(&mut self.database.snapshot().await?, leases, now).await
        })
        .await
    }

    async fn followed(&self, changes: &[TargetChange]) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            for batch in changes.chunks(CHANGES_A_STATEMENT) {
                let which = placeholders(1, batch.len());
                let mut forgotten = sql(format!("DELETE FROM target_changes WHERE sequence IN {which}"));
                for change in batch {
                    forgotten = forgotten.bind(bigint("target_changes.sequence", change.sequence)?);
                }
                change.execute(forgotten).await?;
            }
            change.commit().await
        })
        .await
    }
}

/// Notes what a target has to follow, in the transaction of the change.
pub(crate) async fn note(
    session: &mut impl Session,
    function: &FunctionName,
    changed: &Changed,
) -> Result<(), Failure> {
    let (kind, name) = match changed {
        Changed::Alias(alias) => (ALIAS, alias.to_string()),
        Changed::Version(number) => (VERSION, number.to_string()),
        Changed::Function => (FUNCTION, String::new()),
    };
    let noted = sql("INSERT INTO target_changes (function_name, kind, name) VALUES ($1, $2, $3)");
    session.execute(noted.bind(function.as_str()).bind(kind).bind(name)).await?;
    Ok(())
}

/// Notes everything that a function has, before it is deleted. The aliases come first.
pub(crate) async fn note_all(session: &mut impl Session, function: &FunctionName) -> Result<(), Failure> {
    for (kind, name, table) in [(ALIAS, "name", "aliases"), (VERSION, "CAST(version AS TEXT)", "versions")] {
        let noted = sql(format!(
            "INSERT INTO target_changes (function_name, kind, name)
             SELECT function_name, '{kind}', {name} FROM {table} WHERE function_name = $1"
        ));
        session.execute(noted.bind(function.as_str())).await?;
    }
    note(session, function, &Changed::Function).await
}

fn pending(function: Option<&FunctionName>, max: u32) -> Statement {
    let select = "SELECT sequence, function_name, kind, name FROM target_changes";
    match function {
        Some(function) => sql(format!("{select} WHERE function_name = $1 ORDER BY sequence LIMIT $2"))
            .bind(function.as_str()),
        None => sql(format!("{select} ORDER BY sequence LIMIT $1")),
    }
    .bind(i64::from(max))
}

#[derive(sqlx::FromRow)]
struct ChangeRow {
    sequence: i64,
    function_name: String,
    kind: String,
    name: String,
}

impl TryFrom<ChangeRow> for TargetChange {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        let changed = match row.kind.as_str() {
            ALIAS => Changed::Alias(parse("target_changes.name", &row.name)?),
            VERSION => Changed::Version(parse("target_changes.name", &row.name)?),
            FUNCTION => Changed::Function,
            other => return Err(corrupt("target_changes.kind", other)),
        };
        Ok(Self {
            sequence: count("target_changes.sequence", row.sequence)?,
            function: parse("target_changes.function_name", &row.function_name)?,
            changed,
        })
    }
}

const ALIAS: &str = "alias";
const VERSION: &str = "version";
const FUNCTION: &str = "function";

/// How many changes one statement forgets, far below the parameters that either database allows.
const CHANGES_A_STATEMENT: usize = 500;
