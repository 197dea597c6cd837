//! The receive → handle → settle loop.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_ports::queue::{Delivery, WorkQueue};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::backoff::Backoff;
use self::delivery::attend;

pub(crate) mod backoff;

mod delivery;

/// Handles one message. It must be idempotent: a message may come again after any outcome.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Does what the message asks for. Dropping the future at any point must be as harmless as a crash.
    async fn handle(&self, delivery: &Delivery) -> Handled;
}

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// It is done with.
    Done,
    /// It may work later.
    Retry {
        /// How long to wait at least.
        after: Duration,
        /// Why, for people.
        reason: String,
    },
    /// It can never be handled.
    Reject {
        /// Why, for people.
        reason: String,
    },
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkSettings {
    /// Its name in logs.
    pub name: &'static str,
    /// The most messages in hand at once, at least 1.
    pub concurrency: usize,
    /// How long a message is held; it is extended while its handler runs.
    pub lease: Duration,
    /// How long one call waits for a message. A shutdown lasts at least as long.
    pub wait: Duration,
    /// How long handlers may take to finish after a shutdown; then their messages are given back.
    pub grace: Duration,
}

impl WorkSettings {
    /// Settings that suit both services.
    pub fn named(name: &'static str) -> Self {
        Self {
            name,
            concurrency: 4,
            lease: Duration::from_secs(30),
            wait: Duration::from_secs(1),
            grace: Duration::from_secs(20),
        }
    }
}

/// Receives messages and hands each to `handler`, at most `settings.concurrency` at once, until `shutdown`; then lets
/// handlers finish within the grace period and gives back the rest. A panic in a handler is a retry.
pub async fn work(
    queue: Arc<dyn WorkQueue>,
    handler: Arc<dyn Handler>,
    settings: WorkSettings,
    shutdown: CancellationToken,
) {
    let worker = Worker {
        queue,
        handler,
        places: Arc::new(Semaphore::new(settings.concurrency.max(1))),
        running: TaskTracker::new(),
        give_up: CancellationToken::new(),
        settings,
    };
    worker.receive_until(&shutdown).await;
    worker.wind_down().await;
}

struct Worker {
    queue: Arc<dyn WorkQueue>,
    handler: Arc<dyn Handler>,
    places: Arc<Semaphore>,
    running: TaskTracker,
    give_up: CancellationToken,
    settings: WorkSettings,
}

impl Worker {
    async fn receive_until(&self, shutdown: &CancellationToken) {
        let mut backoff = Backoff::default();
        while self.place_free(shutdown).await {
            let free = self.places.available_permits();
            // Not raced against the shutdown: a receive that is dropped half-way may hold messages nobody knows of.
            let pause = match self.queue.receive(free, self.settings.lease, self.settings.wait).await {
                Ok(deliveries) => {
                    backoff.reset();
                    deliveries.into_iter().for_each(|delivery| self.start(delivery));
                    continue;
                }
                Err(error) => {
                    tracing::warn!(worker = self.settings.name, %error, "nothing could be received; trying again");
                    backoff.next_pause()
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Waits for a free place; false once `shutdown` was asked for.
    async fn place_free(&self, shutdown: &CancellationToken) -> bool {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => false,
            permit = self.places.acquire() => permit.is_ok(),
        }
    }

    fn start(&self, delivery: Delivery) {
        let (queue, handler) = (self.queue.clone(), self.handler.clone());
        let (settings, give_up) = (self.settings.clone(), self.give_up.clone());
        // Only this loop takes places, and no more came than were free: it is there.
        let place = self.places.clone().try_acquire_owned();
        self.running.spawn(async move {
            let _place = place;
            attend(queue.as_ref(), handler, &settings, &give_up, delivery).await;
        });
    }

    async fn wind_down(self) {
        self.running.close();
        if tokio::time::timeout(self.settings.grace, self.running.wait()).await.is_err() {
            tracing::warn!(
                worker = self.settings.name,
                open = self.running.len(),
                "giving back what did not finish"
            );
            self.give_up.cancel();
            self.running.wait().await;
        }
    }
}

#[cfg(test)]
mod tests;
