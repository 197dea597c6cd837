use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_ports::fakes::{Fault, FaultPlan, ManualClock, MemoryQueue};
use countersign_ports::queue::{DELIVERY_LIMIT, QueueError, Receipt};
use tokio::time::{sleep, timeout};

use super::*;

/// Does what the body says, and counts.
#[derive(Default)]
struct Script {
    handled: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[async_trait]
impl Handler for Script {
    async fn handle(&self, delivery: &Delivery) -> Handled {
        let body = String::from_utf8_lossy(&delivery.body).into_owned();
        self.handled.lock().unwrap().push(body.clone());
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let handled = match body.as_str() {
            "panic" => {
                self.at_once.fetch_sub(1, Ordering::SeqCst);
                panic!("as told");
            }
            "forever" => std::future::pending().await,
            "reject" => Handled::Reject { reason: "as told".into() },
            "retry" => Handled::Retry { after: Duration::ZERO, reason: "as told".into() },
            _ => {
                sleep(Duration::from_millis(50)).await;
                Handled::Done
            }
        };
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        handled
    }
}

struct Bench {
    queue: MemoryQueue,
    faults: FaultPlan,
    script: Arc<Script>,
    shutdown: CancellationToken,
    worker: tokio::task::JoinHandle<()>,
}

fn settings() -> WorkSettings {
    WorkSettings { concurrency: 2, grace: Duration::from_millis(300), ..WorkSettings::named("test") }
}

fn start(settings: WorkSettings, bodies: &[&str]) -> Bench {
    let faults = FaultPlan::default();
    let queue = MemoryQueue::new(ManualClock::default(), "nobody", faults.clone());
    for (index, body) in bodies.iter().enumerate() {
        queue.enqueue(&format!("m{index}"), "nobody", body.as_bytes());
    }
    let (script, shutdown) = (Arc::<Script>::default(), CancellationToken::new());
    let worker = tokio::spawn(work(Arc::new(queue.clone()), script.clone(), settings, shutdown.clone()));
    Bench { queue, faults, script, shutdown, worker }
}

impl Bench {
    async fn until(&self, met: impl Fn(&Self) -> bool) {
        let waited = timeout(Duration::from_secs(600), async {
            while !met(self) {
                sleep(Duration::from_millis(10)).await;
            }
        });
        waited.await.expect("the condition is met in time");
    }

    async fn stop(self) -> (MemoryQueue, Arc<Script>) {
        self.shutdown.cancel();
        timeout(Duration::from_secs(60), self.worker).await.expect("it stops").expect("it does not panic");
        (self.queue, self.script)
    }

    fn times(&self, body: &str) -> usize {
        self.script.handled.lock().unwrap().iter().filter(|handled| *handled == body).count()
    }
}

#[tokio::test(start_paused = true)]
async fn everything_is_handled_and_never_more_at_once_than_allowed() {
    let bench = start(settings(), &["a", "b", "c", "d", "e"]);
    bench.until(|bench| bench.queue.depth() == 0).await;
    let (_, script) = bench.stop().await;
    assert_eq!(script.handled.lock().unwrap().len(), 5);
    assert_eq!(script.most_at_once.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_retry_and_the_worker_lives_on() {
    let bench = start(settings(), &["panic", "a"]);
    bench.until(|bench| bench.queue.depth() == 1 && bench.faults.operations().contains(&"retry")).await;
    assert_eq!(bench.times("a"), 1);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_a_dead_letter_at_once_and_retries_are_one_in_the_end() {
    let bench = start(settings(), &["reject", "retry"]);
    bench.until(|bench| bench.queue.depth() == 0).await;
    assert_eq!(bench.times("reject"), 1);
    assert_eq!(bench.times("retry"), DELIVERY_LIMIT as usize);
    let (queue, _) = bench.stop().await;
    assert_eq!(queue.dead_letters().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_extended_while_its_handler_runs() {
    let bench = start(settings(), &["forever"]);
    sleep(Duration::from_secs(100)).await;
    let extended = bench.faults.operations().iter().filter(|operation| **operation == "extend").count();
    assert!((9..=11).contains(&extended), "{extended} extensions of a 30 s lease in 100 s");
    assert_eq!(bench.times("forever"), 1);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_gives_back_what_does_not_finish() {
    let bench = start(settings(), &["forever"]);
    bench.until(|bench| bench.times("forever") == 1).await;
    let faults = bench.faults.clone();
    let (queue, _) = bench.stop().await;
    assert!(faults.operations().contains(&"retry"));
    let again = queue.receive(1, Duration::from_secs(1), Duration::ZERO).await.unwrap();
    assert_eq!(again[0].attempt, 2, "another worker gets it without waiting for the lease");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_finish_what_does() {
    let bench = start(settings(), &["a"]);
    bench.until(|bench| bench.times("a") == 1).await;
    let (queue, _) = bench.stop().await;
    assert_eq!(queue.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_queue_is_waited_for() {
    let bench = start(settings(), &[]);
    for _ in 0..3 {
        bench.faults.fail_next("receive", Fault::WithoutEffect);
    }
    bench.faults.fail_next("ack", Fault::WithoutEffect);
    bench.queue.enqueue("late", "nobody", b"a");
    bench.until(|bench| bench.queue.depth() == 0).await;
    assert!(bench.faults.is_spent());
    assert_eq!(bench.times("a"), 1, "an acknowledgement is repeated, not the work");
    bench.stop().await;
}

/// A queue whose leases are always lost.
struct Thief(MemoryQueue);

#[async_trait]
impl WorkQueue for Thief {
    async fn receive(
        &self,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        self.0.receive(max, lease, wait).await
    }

    async fn extend(&self, _: &Receipt, _: Duration) -> Result<(), QueueError> {
        Err(QueueError::ReceiptLost)
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.0.ack(receipt).await
    }

    async fn retry(&self, receipt: &Receipt, delay: Duration, reason: &str) -> Result<(), QueueError> {
        self.0.retry(receipt, delay, reason).await
    }

    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError> {
        self.0.reject(receipt, reason).await
    }
}

#[tokio::test(start_paused = true)]
async fn work_whose_lease_was_lost_is_dropped_and_not_settled() {
    let faults = FaultPlan::default();
    let queue = MemoryQueue::new(ManualClock::default(), "nobody", faults.clone());
    queue.enqueue("m", "nobody", b"forever");
    let (script, shutdown) = (Arc::<Script>::default(), CancellationToken::new());
    let worker = tokio::spawn(work(Arc::new(Thief(queue)), script, settings(), shutdown.clone()));
    sleep(Duration::from_secs(20)).await;
    shutdown.cancel();
    timeout(Duration::from_secs(5), worker).await.expect("it stops").unwrap();
    assert!(!faults.operations().iter().any(|operation| ["ack", "retry", "reject"].contains(operation)));
}
