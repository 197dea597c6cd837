//! Deployed code under review: what runs on a signature that has expired or been revoked since is told. Nothing is undone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::event::ExposedPackage;
use countersign_domain::{Event, EventData, EventId, Sha256Digest};
use countersign_ports::exposure::{Exposure, Exposures};
use countersign_ports::queue::EventBus;
use countersign_ports::{Clock, StoreError};
use tokio_util::sync::CancellationToken;

use crate::EVENT_SOURCE;

/// Looks through what stands, again and again, and tells of each exposure once.
pub struct ExposureWatch {
    exposures: Arc<dyn Exposures>,
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
}

impl ExposureWatch {
    /// Watches `exposures` and tells `bus`.
    pub fn new(exposures: Arc<dyn Exposures>, bus: Arc<dyn EventBus>, clock: Arc<dyn Clock>) -> Self {
        Self { exposures, bus, clock }
    }

    /// Looks at once and then every `interval`, until `shutdown`. What was told is remembered by this process alone; after
    /// a restart, and by another deployer, it is told again under the same event id.
    pub async fn run(self, interval: Duration, shutdown: CancellationToken) {
        let mut told = BTreeSet::new();
        let watching = async {
            loop {
                if let Err(error) = self.look(&mut told).await {
                    tracing::warn!(%error, "could not look for exposed functions; trying again next time");
                }
                tokio::time::sleep(interval).await;
            }
        };
        shutdown.run_until_cancelled(watching).await;
    }

    /// Tells what is exposed now and not in `told`, which is what is exposed now afterwards.
    async fn look(&self, told: &mut BTreeSet<EventId>) -> Result<(), StoreError> {
        let (now, mut after, mut found) = (self.clock.now(), None, BTreeSet::new());
        loop {
            let page = self.exposures.exposed(now, after.as_ref(), PAGE).await?;
            for exposure in &page {
                let id = id_of(exposure);
                let event =
                    Event::new(id.clone(), EVENT_SOURCE, now, EventData::FunctionExposed(told_of(exposure)));
                if told.contains(&id) {
                    found.insert(id);
                } else {
                    match self.bus.publish(&event).await {
                        Ok(()) => drop(found.insert(id)),
                        Err(error) => tracing::warn!(%error, "an exposed function could not be told of yet"),
                    }
                }
            }
            match page.into_iter().last() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        *told = found;
        Ok(())
    }
}

/// What an event tells of `exposure`.
pub fn told_of(exposure: &Exposure) -> ExposedPackage {
    ExposedPackage {
        function_name: exposure.function.clone(),
        version: exposure.version,
        package: exposure.package.clone(),
        cause: exposure.cause,
        since: exposure.since,
    }
}

/// A function of the exposure: told again, it is the same event.
fn id_of(exposure: &Exposure) -> EventId {
    let Exposure { function, version, package, cause, since } = exposure;
    let told = format!("{function}\n{version}\n{package}\n{}\n{since}", cause.as_str());
    let digest = Sha256Digest::of(told.as_bytes());
    format!("exposed/{digest}").parse().expect("a word and a digest are an event id")
}

/// Exposures that are asked for at once.
const PAGE: u32 = 500;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use countersign_domain::{FunctionVersion, PackageRole, UnixMillis};
    use countersign_ports::exposure::ExposureCause;
    use countersign_ports::queue::QueueError;

    use super::*;

    #[derive(Default)]
    struct World {
        exposed: Mutex<Vec<Exposure>>,
        told: Mutex<Vec<Event>>,
    }

    #[async_trait]
    impl Exposures for World {
        async fn exposed(
            &self,
            _: UnixMillis,
            after: Option<&Exposure>,
            _: u32,
        ) -> Result<Vec<Exposure>, StoreError> {
            let all = self.exposed.lock().unwrap().clone();
            Ok(all
                .into_iter()
                .filter(|exposure| after.is_none_or(|after| exposure.place() > after.place()))
                .collect())
        }
    }

    #[async_trait]
    impl EventBus for World {
        async fn publish(&self, event: &Event) -> Result<(), QueueError> {
            self.told.lock().unwrap().push(event.clone());
            Ok(())
        }
    }

    fn exposure(function: &str) -> Exposure {
        Exposure {
            function: function.parse().unwrap(),
            version: FunctionVersion::Latest,
            package: PackageRole::Function,
            cause: ExposureCause::JobRevoked,
            since: UnixMillis::EPOCH,
        }
    }

    #[tokio::test]
    async fn each_exposure_is_told_once_and_again_where_it_comes_back() {
        let world = Arc::new(World::default());
        let clock = Arc::new(countersign_ports::fakes::ManualClock::new(UnixMillis::EPOCH));
        let watch = ExposureWatch::new(world.clone(), world.clone(), clock);
        let mut told = BTreeSet::new();
        for (exposed, told_in_all) in
            [(vec!["a"], 1), (vec!["a"], 1), (vec!["a", "b"], 2), (vec!["b"], 2), (vec!["a"], 3)]
        {
            *world.exposed.lock().unwrap() = exposed.iter().map(|name| exposure(name)).collect();
            watch.look(&mut told).await.unwrap();
            assert_eq!(world.told.lock().unwrap().len(), told_in_all, "{exposed:?}");
        }
        let told = world.told.lock().unwrap();
        assert_eq!(told[0].id, told[2].id);
        assert_ne!(told[0].id, told[1].id);
    }
}
