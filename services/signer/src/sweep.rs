//! Finds what no message told of, and what was begun and left behind.

use countersign_domain::{BucketName, ObjectVersion, ProfileName};
use countersign_ports::StoreError;
use countersign_ports::job_registry::JobCursor;
use countersign_ports::objects::{ObjectError, PageMarker};
use countersign_runtime::{Route, route_of};
use tokio_util::sync::CancellationToken;

use crate::Signer;
use crate::halt::Halt;
use crate::intake::{Asked, AskedBy};
use crate::pipeline;

impl Signer {
    /// Sweeps at once and then every `sweep_interval`, until `shutdown`.
    pub async fn sweep_loop(&self, shutdown: CancellationToken) {
        let swept = shutdown.run_until_cancelled(async {
            loop {
                self.sweep().await;
                tokio::time::sleep(self.settings.sweep_interval).await;
            }
        });
        swept.await;
    }

    /// Lists the versions under every route's source and hands in those without an ended job, and then the requested jobs
    /// that nobody holds, by the very path that a message takes. Gives the number of versions and jobs handed in.
    pub async fn sweep(&self) -> usize {
        let mut handed_in = 0;
        let routes = self.routes();
        for route in routes.iter() {
            match self.sweep_route(&routes, route).await {
                Ok(count) => handed_in += count,
                Err(error) => {
                    tracing::warn!(source = %route.source, %error, "could not sweep; trying again next time");
                }
            }
        }
        match self.sweep_requests().await {
            Ok(count) => handed_in + count,
            Err(error) => {
                tracing::warn!(%error, "could not sweep the requested jobs; trying again next time");
                handed_in
            }
        }
    }

    async fn sweep_requests(&self) -> Result<usize, StoreError> {
        let (mut handed_in, mut after) = (0, None);
        loop {
            let now = self.ports.clock.now();
            let page = self.ports.jobs.left_behind(now, after.as_ref(), REQUESTS_A_PAGE).await?;
            let Some(last) = page.last() else { return Ok(handed_in) };
            after = Some(JobCursor::of(last));
            handed_in += page.len();
            for job in page {
                self.hand_in(AskedBy::Request(Box::new(job))).await;
            }
        }
    }

    async fn sweep_route(&self, routes: &[Route], route: &Route) -> Result<usize, SweepError> {
        self.check_route(route).await?;
        let (mut handed_in, mut from) = (0, None);
        loop {
            let next = self.sweep_page(routes, route, from.as_ref(), &mut handed_in).await?;
            let Some(next) = next.filter(|next| from.as_ref() != Some(next)) else { return Ok(handed_in) };
            from = Some(next);
        }
    }

    /// What would keep every version under the route from being signed is said once, not once a version.
    async fn check_route(&self, route: &Route) -> Result<(), SweepError> {
        let bucket = &route.source.bucket;
        if !self.ports.objects.keeps_versions(bucket).await? {
            return Err(SweepError::UnversionedSource(bucket.clone()));
        }
        match self.ports.profiles.profile(&route.profile).await? {
            Some(_) => Ok(()),
            None => Err(SweepError::UnknownProfile(route.profile.clone())),
        }
    }

    async fn sweep_page(
        &self,
        routes: &[Route],
        route: &Route,
        from: Option<&PageMarker>,
        handed_in: &mut usize,
    ) -> Result<Option<PageMarker>, SweepError> {
        let page = self.ports.objects.list_versions(&route.source, from).await?;
        let objects = page.versions.into_iter().map(|facts| facts.object);
        // A version under a longer source prefix belongs to that route, which lists it itself.
        let ours = |object: &ObjectVersion| route_of(routes, &object.location()) == Some(route);
        let sources: Vec<ObjectVersion> = objects.filter(ours).collect();
        for source in self.ports.jobs.unseen(&sources).await? {
            *handed_in += 1;
            self.hand_in(AskedBy::Drop { route, source }).await;
        }
        Ok(page.next)
    }

    async fn hand_in(&self, by: AskedBy<'_>) {
        let asked = Asked { by, holder: self.holder(SWEEP) };
        let source = asked.source();
        tracing::debug!(%source, "found by the sweep");
        match pipeline::run(self, &asked).await {
            Ok(()) => {}
            Err(Halt::Later { after: Some(_), reason }) => {
                tracing::debug!(%source, reason, "in hand");
            }
            Err(halt @ (Halt::Refused(_) | Halt::Later { after: None, .. })) => {
                tracing::warn!(%source, reason = %halt, "not signed; the next sweep tries again");
            }
        }
    }
}

/// What stands for the message id of what the sweep hands in.
const SWEEP: &str = "sweep";

/// How many requested jobs are asked for at once.
const REQUESTS_A_PAGE: usize = 100;

/// Why a route could not be swept to the end.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Objects(#[from] ObjectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "unversioned_source: bucket {0} keeps no versions, so nothing in it can be signed; turn on bucket versioning"
    )]
    UnversionedSource(BucketName),
    #[error("unknown_profile: there is no signing profile {0}; create it")]
    UnknownProfile(ProfileName),
}
