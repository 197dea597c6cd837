//! What runs on a signature that has expired or was revoked: found by the expiries and revocations, not by the functions.

use async_trait::async_trait;
use countersign_domain::{FunctionVersion, PackageRole, UnixMillis};
use countersign_ports::StoreError;
use countersign_ports::exposure::{Exposure, ExposureCause, Exposures};

use crate::attempt::attempt;
use crate::columns::{bigint, corrupt, count, instant, parse};
use crate::database::Database;
use crate::statement::{Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> Exposures for Store<D> {
    async fn exposed(
        &self,
        now: UnixMillis,
        after: Option<&Exposure>,
        max: u32,
    ) -> Result<Vec<Exposure>, StoreError> {
        let after = after.map(place).transpose()?.unwrap_or_default();
        let page = || exposed(now, after.clone(), max);
        let rows = attempt(|| self.database.rows::<ExposureRow>(page())).await?;
        rows.into_iter().map(Exposure::try_from).collect()
    }
}

type Place = (String, i64, i64, i64);

fn place(exposure: &Exposure) -> Result<Place, StoreError> {
    let (function, version, package, cause) = exposure.place();
    let (version, cause) = (bigint("version", version)?, bigint("cause", cause)?);
    Ok((function.to_string(), version, i64::from(package), cause))
}

/// The exposures after a place, of `$LATEST` and of what an alias points to. They are gathered first: SQLite would else walk
/// through every signed package in the order of the page. Its CROSS JOIN begins with the revocations, which are few.
pub(crate) fn exposed(now: UnixMillis, after: Place, max: u32) -> Statement {
    let (function, version, package, cause) = after;
    sql(EXPOSED)
        .bind(now.as_millis())
        .bind(function)
        .bind(version)
        .bind(package)
        .bind(cause)
        .bind(i64::from(max))
}

const EXPOSED: &str = "
    WITH exposed AS MATERIALIZED (
        SELECT function_name, version, package, CAST(0 AS BIGINT) AS cause, expires_at AS since
        FROM signed_packages WHERE expires_at < $1
        UNION ALL
        SELECT p.function_name, p.version, p.package, CAST(1 AS BIGINT), r.revoked_at
        FROM revocations r CROSS JOIN signed_packages p WHERE p.job_arn = r.revoked
        UNION ALL
        SELECT p.function_name, p.version, p.package, CAST(2 AS BIGINT), r.revoked_at
        FROM revocations r CROSS JOIN signed_packages p
        WHERE p.profile_version_arn = r.revoked AND p.signed_at > r.effective_from
    )
    SELECT e.function_name, e.version, e.package, e.cause, e.since FROM exposed e
    WHERE (e.version = 0 OR EXISTS (SELECT 1 FROM aliases a WHERE a.function_name = e.function_name
            AND (a.version = e.version OR a.further_version = e.version)))
        AND (e.function_name, e.version, e.package, e.cause) > ($2, $3, $4, $5)
    ORDER BY e.function_name, e.version, e.package, e.cause LIMIT $6";

#[derive(sqlx::FromRow)]
struct ExposureRow {
    function_name: String,
    version: i64,
    package: i64,
    cause: i64,
    since: i64,
}

impl TryFrom<ExposureRow> for Exposure {
    type Error = StoreError;

    fn try_from(row: ExposureRow) -> Result<Self, StoreError> {
        let version = count("signed_packages.version", row.version)?;
        let package =
            u32::try_from(row.package).map_err(|error| corrupt("signed_packages.package", error))?;
        let cause =
            ExposureCause::ALL.into_iter().find(|cause| i64::try_from(cause.number()) == Ok(row.cause));
        Ok(Self {
            function: parse("signed_packages.function_name", &row.function_name)?,
            version: if version == 0 { FunctionVersion::Latest } else { FunctionVersion::Published(version) },
            package: if package == 0 { PackageRole::Function } else { PackageRole::Layer(package) },
            cause: cause.ok_or_else(|| corrupt("an exposure", row.cause))?,
            since: instant("revocations.revoked_at", row.since)?,
        })
    }
}
