use std::sync::Mutex;

use async_trait::async_trait;
use countersign_domain::event::{DeploymentRequest, EventData};
use countersign_domain::{CodeVersion, Event, UnixMillis};
use countersign_ports::StoreError;
use tokio::sync::Notify;

use super::*;

const SOURCE: &str = "/test";

fn event(id: &str) -> Event {
    let code = CodeVersion {
        bucket: "signed".parse().unwrap(),
        key: "a.zip".parse().unwrap(),
        version: "v1".parse().unwrap(),
    };
    let request = DeploymentRequest {
        function_name: "hello".parse().unwrap(),
        code,
        layers: Vec::new(),
        alias: None,
        target: None,
        create: None,
    };
    Event::new(id.parse().unwrap(), SOURCE, UnixMillis::EPOCH, EventData::DeploymentRequested(request))
}

#[derive(Default)]
struct World {
    waiting: Mutex<Vec<Event>>,
    published: Mutex<Vec<String>>,
    publish_errors: Mutex<Vec<QueueError>>,
    refused_id: Option<&'static str>,
    mark_errors: Mutex<u32>,
    committed: Notify,
}

#[async_trait]
impl Outbox for World {
    async fn unpublished(&self, source: &str, max: usize) -> Result<Vec<Event>, StoreError> {
        assert_eq!(source, SOURCE);
        Ok(self.waiting.lock().unwrap().iter().take(max).cloned().collect())
    }

    async fn mark_published(&self, events: &[EventId]) -> Result<(), StoreError> {
        let mut errors = self.mark_errors.lock().unwrap();
        if *errors > 0 {
            *errors -= 1;
            return Err(StoreError::Unavailable("as told".into()));
        }
        self.waiting.lock().unwrap().retain(|event| !events.contains(&event.id));
        Ok(())
    }

    async fn wait(&self) {
        self.committed.notified().await;
    }
}

#[async_trait]
impl EventBus for World {
    async fn publish(&self, event: &Event) -> Result<(), QueueError> {
        if let Some(error) = self.publish_errors.lock().unwrap().pop() {
            return Err(error);
        }
        if self.refused_id == Some(event.id.as_str()) {
            return Err(QueueError::Refused("as told".into()));
        }
        self.published.lock().unwrap().push(event.id.to_string());
        Ok(())
    }
}

async fn run_for(world: &Arc<World>, time: Duration) -> Vec<String> {
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay(world.clone(), world.clone(), SOURCE, shutdown.clone()));
    tokio::time::sleep(time).await;
    shutdown.cancel();
    running.await.unwrap();
    world.published.lock().unwrap().clone()
}

fn world(ids: &[&str]) -> World {
    World { waiting: Mutex::new(ids.iter().map(|id| event(id)).collect()), ..World::default() }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_published_in_order_and_marked() {
    let world = Arc::new(world(&["a", "b"]));
    assert_eq!(run_for(&world, Duration::from_secs(1)).await, ["a", "b"]);
    assert!(world.waiting.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_away_keeps_everything_in_order() {
    let world = world(&["a", "b"]);
    *world.publish_errors.lock().unwrap() = vec![QueueError::Unavailable("as told".into()); 3];
    let world = Arc::new(world);
    assert_eq!(run_for(&world, Duration::from_secs(5)).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_stays_and_does_not_hold_up_the_others() {
    let world = Arc::new(World { refused_id: Some("a"), ..world(&["a", "b"]) });
    let published = run_for(&world, Duration::from_secs(5)).await;
    assert_eq!(published, ["b"]);
    assert_eq!(world.waiting.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_marked_is_published_again() {
    let world = Arc::new(World { mark_errors: Mutex::new(1), ..world(&["a"]) });
    assert_eq!(run_for(&world, Duration::from_secs(5)).await, ["a", "a"]);
    assert!(world.waiting.lock().unwrap().is_empty());
}
