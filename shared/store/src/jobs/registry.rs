//! Jobs as Signer's API sees them: requested, and listed by age.

use async_trait::async_trait;
use countersign_domain::Event;
use countersign_ports::StoreError;
use countersign_ports::job_registry::{JobCursor, JobFilter, JobRegistry, Requested};
use countersign_ports::jobs::{Job, NewJob};

use super::create::{Origin, create, standing};
use super::{JobRow, limit};
use crate::attempt::attempt;
use crate::database::{Database, Session};
use crate::outbox::tell;
use crate::statement::{Conditions, Statement};
use crate::store::Store;

#[async_trait]
impl<D: Database> JobRegistry for Store<D> {
    async fn request_job(&self, job: &NewJob, requested: &Event) -> Result<Requested, StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            if create(&mut change, job, Origin::Request, None).await? {
                tell(&mut change, std::slice::from_ref(requested)).await?;
                change.commit().await?;
                return Ok(Requested::Created(job.clone().created()));
            }
            let standing = Job::try_from(standing(&mut change, job).await?)?;
            if standing.was_requested_as(job) {
                return Ok(Requested::Exists(standing));
            }
            let conflict = format!("signing job {} was requested otherwise before", job.arn);
            Err(StoreError::Conflict(conflict).into())
        })
        .await
    }

    async fn list_jobs(
        &self,
        filter: &JobFilter,
        after: Option<&JobCursor>,
        max: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let rows = attempt(move || self.database.rows::<JobRow>(page(filter, after, max))).await?;
        rows.into_iter().map(Job::try_from).collect()
    }
}

/// Asks for one page. Each condition has an index: those on equality give the rows in the order of the page.
pub(crate) fn page(filter: &JobFilter, after: Option<&JobCursor>, max: usize) -> Statement {
    let mut wanted = Conditions::default();
    if let Some(status) = filter.status {
        wanted.and("status = ?", [status.to_string().into()]);
    }
    if let Some(platform) = filter.platform {
        wanted.and("platform = ?", [platform.id().into()]);
    }
    if let Some(principal) = &filter.requested_by {
        wanted.and("requested_by = ?", [principal.as_str().into()]);
    }
    if let Some(account) = &filter.invoker {
        wanted.and("invoker = ?", [account.as_str().into()]);
    }
    match filter.is_revoked {
        Some(true) => wanted.and("signed_by IN (SELECT revoked FROM revocations)", []),
        Some(false) => wanted.and("revocations.revoked IS NULL", []),
        None => {}
    }
    if let Some(limit) = filter.expires_before {
        wanted.and("expires_at < ?", [limit.as_millis().into()]);
    }
    if let Some(limit) = filter.expires_after {
        wanted.and("expires_at > ?", [limit.as_millis().into()]);
    }
    if let Some(JobCursor { created_at, arn }) = after {
        wanted.and("(created_at, arn) < (?, ?)", [created_at.as_millis().into(), arn.to_string().into()]);
    }
    let page = wanted.statement(|which, next| {
        JobRow::select(&format!("{which} ORDER BY created_at DESC, arn DESC LIMIT ${next}"))
    });
    page.bind(limit(max))
}
