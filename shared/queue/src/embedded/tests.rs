use countersign_domain::event::{DeploymentRequest, RequestedSigningJob};
use countersign_domain::{CodeVersion, EventData};
use countersign_ports::conformance::queue::{QueueUnderTest, check};
use countersign_ports::fakes::ManualClock;
use countersign_ports::queue::{DELIVERY_LIMIT, DeadLetters, Delivery, EventBus, WorkQueue};
use tempfile::TempDir;

use super::*;

/// A queue in a directory of its own, and the clock it goes by.
struct Fixture {
    directory: TempDir,
    clock: ManualClock,
    queue: EmbeddedQueue,
}

impl Fixture {
    async fn new() -> Self {
        let (directory, clock) = (TempDir::new().unwrap(), ManualClock::default());
        let queue = open(&directory, &clock).await;
        Self { directory, clock, queue }
    }

    async fn another_process(&self) -> EmbeddedQueue {
        open(&self.directory, &self.clock).await
    }

    async fn enqueue(&self, message_id: &str, body: &[u8]) {
        self.queue.enqueue(QueueName::Signer, message_id, "s3", body).await.unwrap();
    }

    async fn receive(&self) -> Vec<Delivery> {
        receive(&self.queue, QueueName::Signer).await
    }

    async fn one(&self) -> Delivery {
        let mut deliveries = self.receive().await;
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        deliveries.remove(0)
    }

    async fn depth(&self) -> u64 {
        self.queue.depth(QueueName::Signer).await.unwrap()
    }

    /// Does to the file what no release of ours does.
    async fn damage(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.queue.shared.writer).await.unwrap();
    }
}

async fn open(directory: &TempDir, clock: &ManualClock) -> EmbeddedQueue {
    EmbeddedQueue::open(&directory.path().join("queue.db"), Arc::new(clock.clone())).await.unwrap()
}

async fn receive(queue: &EmbeddedQueue, name: QueueName) -> Vec<Delivery> {
    queue.work_queue(name).receive(9, LEASE, Duration::ZERO).await.unwrap()
}

fn requested(id: &str) -> Event {
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
    let time = "2026-11-21T08:30:00Z".parse().unwrap();
    Event::new(id.parse().unwrap(), "/test", time, EventData::DeploymentRequested(request))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_contract() {
    let directories = std::sync::Mutex::new(Vec::new());
    check(async || {
        let Fixture { directory, clock, queue } = Fixture::new().await;
        directories.lock().unwrap().push(directory);
        QueueUnderTest {
            bus: Arc::new(queue.bus("conformance")),
            queue: Arc::new(queue.work_queue(QueueName::Deployer)),
            dead_letters: Arc::new(queue),
            publisher: "conformance".to_owned(),
            clock: Some(clock),
        }
    })
    .await;
}

#[tokio::test]
async fn a_requested_job_reaches_the_signer_alone() {
    let test = Fixture::new().await;
    let id = "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";
    let job = RequestedSigningJob {
        job_id: id.parse().unwrap(),
        job_arn: format!("arn:aws:signer:us-east-1:000000000000:/signing-jobs/{id}").parse().unwrap(),
    };
    let Event { id, source, time, .. } = requested("e1");
    let event = Event::new(id, source, time, EventData::SigningJobRequested(job));
    test.queue.bus("countersign").publish(&event).await.unwrap();
    assert_eq!(serde_json::from_slice::<Event>(&test.one().await.body).unwrap(), event);
    assert!(receive(&test.queue, QueueName::Deployer).await.is_empty());
}

#[tokio::test]
async fn what_was_put_in_survives_reopening() {
    let Fixture { directory, clock, queue } = Fixture::new().await;
    queue.enqueue(QueueName::Signer, "waiting", "s3", b"w").await.unwrap();
    queue.enqueue(QueueName::Signer, "held", "s3", b"h").await.unwrap();
    let held = receive(&queue, QueueName::Signer).await;
    queue.work_queue(QueueName::Signer).retry(&held[0].receipt, Duration::ZERO, "later").await.unwrap();
    queue.bus("signer").publish(&requested("e1")).await.unwrap();
    drop(queue); // without `close`, as a killed process leaves it
    let queue = open(&directory, &clock).await;
    let seen = |deliveries: Vec<Delivery>| -> Vec<(String, u32, Vec<u8>)> {
        deliveries.into_iter().map(|one| (one.message_id, one.attempt, one.body)).collect()
    };
    assert_eq!(seen(receive(&queue, QueueName::Signer).await), [("waiting".to_owned(), 2, b"w".to_vec())]);
    clock.advance(LEASE);
    assert_eq!(
        seen(receive(&queue, QueueName::Signer).await).len(),
        2,
        "and what was held, once its lease ran out"
    );
    assert_eq!(receive(&queue, QueueName::Deployer).await.len(), 1);
    assert_eq!(queue.events_after(0, 9).await.unwrap(), [(1, requested("e1"))]);
}

#[tokio::test]
async fn two_processes_share_one_file() {
    let fixture = Fixture::new().await;
    let other = fixture.another_process().await;
    let waiting = tokio::spawn({
        let queue = other.work_queue(QueueName::Signer);
        async move { queue.receive(9, LEASE, Duration::from_secs(30)).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    fixture.enqueue("m1", b"x").await;
    let begun = std::time::Instant::now();
    let delivered = waiting.await.unwrap();
    assert_eq!(delivered.len(), 1, "nobody wakes the other process: it looks by itself");
    assert!(begun.elapsed() < Duration::from_secs(2), "it looked after {:?}", begun.elapsed());
    assert_eq!(fixture.receive().await, [], "leased in the other process");
    fixture.queue.work_queue(QueueName::Signer).ack(&delivered[0].receipt).await.unwrap();
    assert_eq!(other.depth(QueueName::Signer).await, Ok(0));
}

#[tokio::test]
async fn several_processes_make_one_file_at_once() {
    let (directory, clock) = (TempDir::new().unwrap(), ManualClock::default());
    let mut opening = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (path, clock) = (directory.path().join("queue.db"), clock.clone());
        opening.spawn(async move {
            let queue = EmbeddedQueue::open(&path, Arc::new(clock)).await.unwrap();
            queue.enqueue(QueueName::Signer, &number.to_string(), "s3", b"x").await.unwrap();
            queue
        });
    }
    let queues = opening.join_all().await;
    assert_eq!(queues[0].depth(QueueName::Signer).await, Ok(4));
}

#[tokio::test]
async fn a_repetition_is_not_delivered_while_it_is_remembered() {
    let fixture = Fixture::new().await;
    let signer = fixture.queue.work_queue(QueueName::Signer);
    fixture.enqueue("m1", b"x").await;
    fixture.enqueue("m1", b"x").await;
    assert_eq!(fixture.depth().await, 1, "one waits");
    let held = fixture.one().await;
    fixture.enqueue("m1", b"x").await;
    assert_eq!(fixture.depth().await, 1, "one is in a consumer's hands");
    signer.ack(&held.receipt).await.unwrap();
    fixture.clock.advance(DEDUPLICATION_WINDOW - Duration::from_millis(1));
    fixture.enqueue("m1", b"x").await;
    assert_eq!(fixture.depth().await, 0, "acknowledged a moment ago");
    fixture.clock.advance(Duration::from_millis(1));
    fixture.enqueue("m1", b"x").await;
    assert_eq!(fixture.depth().await, 1, "forgotten by now");
}

#[tokio::test]
async fn only_the_same_message_of_the_same_publisher_is_a_repetition() {
    let fixture = Fixture::new().await;
    fixture.enqueue("m1", b"x").await;
    fixture.enqueue("m1", b"y").await;
    fixture.queue.enqueue(QueueName::Signer, "m1", "somebody else", b"x").await.unwrap();
    fixture.queue.enqueue(QueueName::Deployer, "m1", "s3", b"x").await.unwrap();
    assert_eq!(fixture.depth().await, 3, "nobody hides another one's message behind its own");
    assert_eq!(fixture.queue.depth(QueueName::Deployer).await, Ok(1));
}

#[tokio::test]
async fn what_was_given_up_is_kept_with_its_reason() {
    let fixture = Fixture::new().await;
    let signer = fixture.queue.work_queue(QueueName::Signer);
    fixture.enqueue("rejected", b"r").await;
    signer.reject(&fixture.one().await.receipt, "not a notification").await.unwrap();
    fixture.enqueue("retried", b"t").await;
    for _attempt in 0..DELIVERY_LIMIT {
        signer.retry(&fixture.one().await.receipt, Duration::ZERO, "S3 is down").await.unwrap();
    }
    fixture.enqueue("crashing", b"c").await;
    for _attempt in 0..DELIVERY_LIMIT {
        fixture.one().await;
        fixture.clock.advance(LEASE);
    }
    assert_eq!(fixture.receive().await, []);
    let dead = fixture.queue.dead_letters(9).await.unwrap();
    let seen: Vec<_> =
        dead.iter().map(|dead| (dead.message_id.as_str(), dead.attempts, &dead.body[..])).collect();
    assert_eq!(
        seen,
        [("crashing", Some(5), &b"c"[..]), ("retried", Some(5), b"t"), ("rejected", Some(1), b"r")]
    );
    assert!(dead[0].reason.contains("5 times"), "{}", dead[0].reason);
    assert_eq!((dead[1].reason.as_str(), dead[2].reason.as_str()), ("S3 is down", "not a notification"));
    assert_eq!(fixture.queue.dead_letters(1).await.unwrap().len(), 1);
    fixture.enqueue("rejected", b"r").await;
    assert_eq!(fixture.depth().await, 1, "what was given up can be put in again");
    assert!(!format!("{:?}", dead[0]).contains("[99]"), "a body in a log");
}

#[tokio::test]
async fn the_log_tells_each_event_once() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.queue.last_sequence().await, Ok(0));
    let bus = fixture.queue.bus("signer");
    for id in ["e1", "e2", "e1", "e3"] {
        bus.publish(&requested(id)).await.unwrap();
    }
    let logged = fixture.queue.events_after(0, 9).await.unwrap();
    assert_eq!(logged.iter().map(|(_, event)| event.id.as_str()).collect::<Vec<_>>(), ["e1", "e2", "e3"]);
    assert_eq!(fixture.queue.events_after(logged[0].0, 1).await.unwrap(), logged[1..2]);
    assert_eq!(fixture.queue.last_sequence().await, Ok(logged[2].0));
    assert_eq!(fixture.queue.events_after(logged[2].0, 9).await, Ok(vec![]));
}

#[tokio::test]
async fn the_log_and_the_dead_letters_are_bounded() {
    let fixture = Fixture::new().await;
    let bus = fixture.queue.bus("signer");
    bus.publish(&requested("e1")).await.unwrap();
    fixture.damage("UPDATE sqlite_sequence SET seq = 50000 WHERE name = 'events'").await;
    bus.publish(&requested("e2")).await.unwrap();
    assert_eq!(fixture.queue.events_after(0, 9).await, Ok(vec![(50_001, requested("e2"))]));
    let signer = fixture.queue.work_queue(QueueName::Signer);
    for (id, kept) in [("d1", 1), ("d2", 1)] {
        fixture.enqueue(id, b"x").await;
        signer.reject(&fixture.one().await.receipt, "no").await.unwrap();
        let dead = fixture.queue.dead_letters(9).await.unwrap();
        assert_eq!((dead.len(), dead[0].message_id.as_str()), (kept, id));
        fixture.damage("UPDATE sqlite_sequence SET seq = 10000 WHERE name = 'dead_letters'").await;
    }
}

#[tokio::test]
async fn a_full_queue_sends_publishers_away() {
    let fixture = Fixture::new().await;
    fixture
        .damage(
            "WITH RECURSIVE numbers(number) AS (VALUES (1) UNION ALL SELECT number + 1 FROM numbers WHERE number < 99999)
             INSERT INTO messages (queue, message_id, publisher, body, body_sha256, attempts, leased, available_at)
             SELECT 'countersign.signer', number, 's3', x'', '', 0, 0, 0 FROM numbers",
        )
        .await;
    fixture.enqueue("the last one", b"x").await;
    let refused = fixture.queue.enqueue(QueueName::Signer, "one more", "s3", b"x").await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert_eq!(fixture.queue.enqueue(QueueName::Deployer, "another queue", "s3", b"x").await, Ok(()));
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let fixture = Fixture::new().await;
    let largest = vec![b'x'; BODY_LIMIT_BYTES];
    fixture.enqueue("largest", &largest).await;
    let name = "n".repeat(NAME_LIMIT_BYTES + 1);
    let too_large =
        [("m", "s3", [largest, vec![b'x']].concat()), (&name, "s3", vec![]), ("m", &name, vec![])];
    for (message_id, publisher, body) in &too_large {
        let refused = fixture.queue.enqueue(QueueName::Signer, message_id, publisher, body).await;
        assert!(matches!(refused, Err(QueueError::Refused(_))), "{refused:?}");
    }
    assert_eq!(fixture.depth().await, 1);
}

#[tokio::test]
async fn a_log_that_does_not_parse_is_said_so() {
    let fixture = Fixture::new().await;
    fixture.queue.bus("signer").publish(&requested("e1")).await.unwrap();
    fixture.damage("UPDATE events SET event = '{}'").await;
    let read = fixture.queue.events_after(0, 9).await;
    assert!(matches!(&read, Err(QueueError::Unavailable(reason)) if reason.contains("event 1")), "{read:?}");
}

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_a_killed_process_had_in_hand_is_there_at_once_and_as_fresh_as_before() {
    let fixture = Fixture::new().await;
    fixture.enqueue("m", b"body").await;
    for _ in 0..2 * DELIVERY_LIMIT {
        assert_eq!(fixture.one().await.attempt, 1);
        assert!(fixture.receive().await.is_empty(), "it is in hand");
        assert_eq!(fixture.another_process().await.recover().await.unwrap(), 1);
    }
    let stale = fixture.one().await.receipt;
    fixture.queue.recover().await.unwrap();
    let fresh = fixture.one().await.receipt;
    let queue = fixture.queue.work_queue(QueueName::Signer);
    assert_eq!(queue.ack(&stale).await, Err(QueueError::ReceiptLost));
    assert_eq!(queue.ack(&fresh).await, Ok(()));
}

#[tokio::test]
async fn a_message_that_ends_its_process_is_given_up_at_last() {
    let fixture = Fixture::new().await;
    fixture.enqueue("poison", b"body").await;
    for _ in 0..100 {
        fixture.one().await;
        fixture.queue.recover().await.unwrap();
    }
    assert!(fixture.receive().await.is_empty());
    assert_eq!(fixture.queue.dead_letters(9).await.unwrap().len(), 1);
}
