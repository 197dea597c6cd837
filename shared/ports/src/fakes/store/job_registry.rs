use async_trait::async_trait;
use countersign_domain::Event;

use super::{HeldJob, MemoryStore};
use crate::StoreError;
use crate::job_registry::{JobCursor, JobFilter, JobRegistry, Requested};
use crate::jobs::{Job, NewJob};

#[async_trait]
impl JobRegistry for MemoryStore {
    async fn request_job(&self, job: &NewJob, requested: &Event) -> Result<Requested, StoreError> {
        self.call("request_job", |state| {
            if let Some(standing) = state.jobs.get(&job.arn) {
                return same(&standing.job, job).map(|()| Requested::Exists(state.shown(&standing.job)));
            }
            let created = job.clone().created();
            let held = HeldJob { job: created.clone(), holder: None, requested: true };
            state.jobs.insert(job.arn.clone(), held);
            state.tell(std::slice::from_ref(requested));
            Ok(Requested::Created(created))
        })
    }

    async fn list_jobs(
        &self,
        filter: &JobFilter,
        after: Option<&JobCursor>,
        max: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.call("list_jobs", |state| {
            let jobs = state.jobs.values().map(|held| state.shown(&held.job));
            let wanted = jobs.filter(|job| filter.wants(job));
            let mut wanted: Vec<Job> =
                wanted.filter(|job| after.is_none_or(|after| JobCursor::of(job) < *after)).collect();
            wanted.sort_by_key(|job| std::cmp::Reverse(JobCursor::of(job)));
            wanted.truncate(max);
            Ok(wanted)
        })
    }
}

fn same(standing: &Job, asked: &NewJob) -> Result<(), StoreError> {
    if standing.was_requested_as(asked) {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("signing job {} was requested otherwise before", asked.arn)))
}
