//! The work queue on SQS, against LocalStack: as much of the port's contract as SQS keeps, its dead letters, and the whole
//! way from an upload to the version that its notification names.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::time::{Duration, Instant};

use countersign_domain::ObjectLocation;
use countersign_objects::events::{self, ObjectCreated};
use countersign_objects::{S3Objects, S3Settings, SqsQueue, SqsSettings, StaticKeys};
use countersign_ports::objects::ObjectStore;
use countersign_ports::queue::{DELIVERY_LIMIT, Delivery, QueueError, Receipt, WorkQueue};
use countersign_tests::servers::{self, LocalStack};
use secrecy::SecretString;
use serde_json::{Value, json};

/// One LocalStack for all tests of this file: each test has a queue of its own.
struct Sqs(LocalStack);

impl Sqs {
    /// An empty queue.
    async fn queue(&self, name: &str) -> Tested<'_> {
        self.0.aws_json(&["sqs", "create-queue", "--queue-name", name]);
        let url = self.0.queue_url(name);
        Tested { sqs: self, queue: SqsQueue::new(&self.settings(&url)).await, url }
    }

    fn settings(&self, url: &str) -> SqsSettings {
        SqsSettings {
            queue_url: url.to_owned(),
            endpoint: Some(self.0.endpoint()),
            region: servers::REGION.to_owned(),
            credentials: Some(keys()),
        }
    }
}

struct Tested<'a> {
    sqs: &'a Sqs,
    queue: SqsQueue,
    url: String,
}

impl Tested<'_> {
    fn send(&self, body: &str) -> String {
        let arguments = ["sqs", "send-message", "--queue-url", &self.url, "--message-body", body];
        self.sqs.0.aws_json(&arguments)["MessageId"].as_str().unwrap().to_owned()
    }

    /// What a person would see in the queue, with the attributes of the message.
    fn seen(&self) -> Option<Value> {
        let arguments =
            ["sqs", "receive-message", "--queue-url", &self.url, "--message-attribute-names", "All"];
        self.sqs.0.aws_json(&arguments)["Messages"].as_array().map(|messages| messages[0].clone())
    }

    /// Has messages move to `dead_letters` after `limit` deliveries.
    fn redrive_to(&self, dead_letters: &str, limit: u32) {
        let arn = format!("arn:aws:sqs:{}:{}:{dead_letters}", servers::REGION, servers::ACCOUNT);
        let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": limit.to_string() });
        let attributes = json!({ "RedrivePolicy": policy.to_string() }).to_string();
        let arguments =
            ["sqs", "set-queue-attributes", "--queue-url", &self.url, "--attributes", &attributes];
        self.sqs.0.aws_json(&arguments);
    }

    async fn one(&self) -> Delivery {
        let mut deliveries = self.queue.receive(1, LEASE, A_WHILE).await.unwrap();
        deliveries.pop().expect("a message is there")
    }

    async fn none(&self, otherwise: &str) {
        assert_eq!(self.queue.receive(9, LEASE, Duration::ZERO).await, Ok(vec![]), "{otherwise}");
    }

    async fn is_lost(&self, receipt: &Receipt, why: &str) {
        let lost = Err(QueueError::ReceiptLost);
        assert_eq!(self.queue.extend(receipt, LEASE).await, lost, "extended: {why}");
        assert_eq!(self.queue.retry(receipt, Duration::ZERO, "busy").await, lost, "given back: {why}");
        assert_eq!(self.queue.reject(receipt, "no").await, lost, "rejected: {why}");
    }
}

#[tokio::test]
async fn sqs_keeps_the_contract_as_far_as_it_can() {
    let sqs = Sqs(LocalStack::start_empty());
    a_message_comes_as_it_was_sent(&sqs.queue("sent").await).await;
    a_wait_is_as_long_as_asked_for_and_ends_with_a_message(&sqs.queue("waits").await).await;
    a_lease_holds_the_message_and_runs_out(&sqs.queue("leases").await).await;
    a_settled_delivery_cannot_be_settled_otherwise(&sqs.queue("settled").await).await;
    a_message_given_back_comes_again_after_its_delay(&sqs.queue("delays").await).await;
    of_many_consumers_one_gets_a_message(&sqs.queue("consumers").await).await;
    without_dead_letters_a_message_is_given_up_after_the_limit(&sqs.queue("limit").await).await;
    a_rejected_message_is_a_dead_letter_with_its_reason(&sqs).await;
    with_dead_letters_the_queue_keeps_its_own_limit(&sqs).await;
    a_queue_that_is_not_there_is_told(&sqs).await;
    a_notification_names_the_version_that_was_dropped(&sqs.queue("drops").await).await;
    a_server_that_is_gone_is_unavailable(sqs).await;
}

async fn a_message_comes_as_it_was_sent(test: &Tested<'_>) {
    assert_eq!(test.queue.ping().await, Ok(()));
    let id = test.send("the body, ä");
    assert_eq!(test.queue.receive(0, LEASE, A_WHILE).await, Ok(vec![]), "asked for none");
    let delivery = test.one().await;
    assert_eq!((delivery.message_id, delivery.attempt, delivery.publisher), (id, 1, None));
    assert_eq!(delivery.body, "the body, ä".as_bytes());
    test.none("a message under lease was delivered").await;
    assert_eq!(test.queue.ack(&delivery.receipt).await, Ok(()));
    assert_eq!(test.queue.ack(&delivery.receipt).await, Ok(()), "it was done with before");
    tokio::time::sleep(LEASE).await;
    test.none("an acknowledged message came again").await;
}

async fn a_wait_is_as_long_as_asked_for_and_ends_with_a_message(test: &Tested<'_>) {
    for wait in [Duration::from_millis(300), Duration::from_millis(1600)] {
        let begun = Instant::now();
        assert_eq!(test.queue.receive(9, LEASE, wait).await, Ok(vec![]));
        let took = begun.elapsed();
        assert!(took >= wait && took < wait + A_WHILE / 2, "it answered after {took:?}");
    }
    let queue = test.queue.clone();
    let waiting = tokio::spawn(async move { queue.receive(9, LEASE, A_WHILE * 3).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    test.send("arrived");
    let sent = Instant::now();
    assert_eq!(waiting.await.unwrap().unwrap().len(), 1);
    assert!(sent.elapsed() < A_WHILE / 2, "it took {:?}", sent.elapsed());
}

async fn a_lease_holds_the_message_and_runs_out(test: &Tested<'_>) {
    test.send("leased");
    let first = test.one().await;
    tokio::time::sleep(LEASE / 2).await;
    assert_eq!(test.queue.extend(&first.receipt, LEASE * 2).await, Ok(()));
    tokio::time::sleep(LEASE).await;
    test.none("an extended lease does not hold").await;
    tokio::time::sleep(LEASE).await;
    let second = test.one().await;
    assert_eq!((second.attempt, &second.message_id), (2, &first.message_id));
    assert_ne!(first.receipt, second.receipt);
    // SQS itself would take this receipt, and delete another consumer's message.
    test.is_lost(&first.receipt, "the message is another consumer's").await;
    assert_eq!(test.queue.ack(&first.receipt).await, Err(QueueError::ReceiptLost), "it is not done with");
    assert_eq!(test.queue.ack(&second.receipt).await, Ok(()), "the holder's receipt is untouched");
}

async fn a_settled_delivery_cannot_be_settled_otherwise(test: &Tested<'_>) {
    test.send("done");
    let done = test.one().await;
    assert_eq!(test.queue.ack(&done.receipt).await, Ok(()));
    test.is_lost(&done.receipt, "it is done with").await;
    test.send("back");
    let back = test.one().await;
    assert_eq!(test.queue.retry(&back.receipt, Duration::ZERO, "busy").await, Ok(()));
    test.is_lost(&back.receipt, "it was given back").await;
    assert_eq!(test.queue.ack(&back.receipt).await, Err(QueueError::ReceiptLost), "it will come again");
    let again = test.one().await;
    assert_eq!(again.attempt, 2);
    // Behind this consumer's back, as an operator would purge it.
    let arguments = ["sqs", "delete-message", "--queue-url", &test.url, "--receipt-handle", &again.receipt.0];
    test.sqs.0.aws_json(&arguments);
    let extended = test.queue.extend(&again.receipt, LEASE).await;
    assert_eq!(extended, Err(QueueError::ReceiptLost), "SQS's own answer");
    for nobodys in ["no such receipt", ""] {
        let receipt = Receipt(nobodys.to_owned());
        test.is_lost(&receipt, "a receipt of nobody's").await;
        assert_eq!(test.queue.ack(&receipt).await, Err(QueueError::ReceiptLost));
    }
}

async fn a_message_given_back_comes_again_after_its_delay(test: &Tested<'_>) {
    test.send("later");
    let held = test.one().await;
    let begun = Instant::now();
    assert_eq!(test.queue.retry(&held.receipt, LEASE, "busy").await, Ok(()));
    test.none("it came before its delay was over").await;
    assert_eq!(test.one().await.attempt, 2);
    assert!(begun.elapsed() >= LEASE - Duration::from_millis(100), "after {:?}", begun.elapsed());
}

async fn of_many_consumers_one_gets_a_message(test: &Tested<'_>) {
    let mut sent: Vec<_> = (0..12).map(|number| test.send(&number.to_string())).collect();
    let mut consumers = tokio::task::JoinSet::new();
    for _consumer in 0..4 {
        let queue = test.queue.clone();
        consumers.spawn(async move {
            let mut got = Vec::new();
            loop {
                let deliveries = queue.receive(2, A_WHILE, Duration::from_millis(500)).await.unwrap();
                assert!(deliveries.len() <= 2);
                match deliveries.is_empty() {
                    true => return got,
                    false => got.extend(deliveries.into_iter().map(|delivery| delivery.message_id)),
                }
            }
        });
    }
    let mut got = consumers.join_all().await.concat();
    got.sort();
    sent.sort();
    assert_eq!(got, sent, "each message to one consumer");
}

async fn without_dead_letters_a_message_is_given_up_after_the_limit(test: &Tested<'_>) {
    test.send("poison");
    for attempt in 1..=DELIVERY_LIMIT {
        let delivery = test.one().await;
        assert_eq!(delivery.attempt, attempt);
        assert_eq!(test.queue.retry(&delivery.receipt, Duration::ZERO, "still busy").await, Ok(()));
    }
    test.none("it was delivered beyond the limit").await;
    assert_eq!(test.seen(), None, "it is deleted, and not only hidden");
    test.send("unusable");
    let unusable = test.one().await;
    assert_eq!(test.queue.reject(&unusable.receipt, "no notification").await, Ok(()));
    test.is_lost(&unusable.receipt, "it was rejected").await;
    tokio::time::sleep(LEASE).await;
    assert_eq!(test.seen(), None);
}

async fn a_rejected_message_is_a_dead_letter_with_its_reason(sqs: &Sqs) {
    let (test, dead_letters) = (sqs.queue("rejecting").await, sqs.queue("rejected").await);
    test.redrive_to("rejected", 3);
    let id = test.send("unusable");
    let held = test.one().await;
    assert_eq!(test.queue.reject(&held.receipt, "no\nnotification\u{1b}").await, Ok(()));
    test.is_lost(&held.receipt, "it was rejected").await;
    let dead = dead_letters.seen().expect("a dead letter");
    assert_eq!(dead["Body"], "unusable");
    assert_eq!(dead["MessageAttributes"]["CountersignReason"]["StringValue"], "no notification ");
    assert_eq!(dead["MessageAttributes"]["CountersignMessageId"]["StringValue"], Value::String(id));
    tokio::time::sleep(LEASE).await;
    test.none("a rejected message came again").await;
}

async fn with_dead_letters_the_queue_keeps_its_own_limit(sqs: &Sqs) {
    let (test, dead_letters) = (sqs.queue("failing").await, sqs.queue("failed").await);
    test.redrive_to("failed", DELIVERY_LIMIT + 1);
    test.send("busy");
    for attempt in 1..=DELIVERY_LIMIT + 1 {
        let delivery = test.one().await;
        assert_eq!(delivery.attempt, attempt, "this side gives nothing up");
        assert_eq!(test.queue.retry(&delivery.receipt, Duration::ZERO, "still busy").await, Ok(()));
    }
    test.none("it was delivered beyond its limit").await;
    assert_eq!(dead_letters.seen().expect("a dead letter")["Body"], "busy");
}

async fn a_queue_that_is_not_there_is_told(sqs: &Sqs) {
    let nowhere = SqsQueue::new(&sqs.settings(&sqs.0.queue_url("nowhere"))).await;
    let outcomes = [nowhere.ping().await, nowhere.receive(1, LEASE, Duration::ZERO).await.map(|_| ())];
    for outcome in outcomes {
        assert!(
            matches!(&outcome, Err(QueueError::Unavailable(why)) if why.contains("no such queue")),
            "{outcome:?}"
        );
    }
}

async fn a_notification_names_the_version_that_was_dropped(test: &Tested<'_>) {
    let settings = S3Settings {
        endpoint: Some(test.sqs.0.endpoint()),
        region: servers::REGION.to_owned(),
        credentials: Some(keys()),
        path_style: true,
    };
    let store = S3Objects::new(&settings).await;
    let bucket = "unsigned".parse().unwrap();
    store.create_bucket(&bucket, true).await.unwrap();
    let arn = format!("arn:aws:sqs:{}:{}:drops", servers::REGION, servers::ACCOUNT);
    let watch = json!({ "QueueConfigurations": [{ "QueueArn": arn, "Events": ["s3:ObjectCreated:*"] }] });
    let notify = ["s3api", "put-bucket-notification-configuration", "--bucket", "unsigned"];
    test.sqs.0.aws_json(&[&notify[..], &["--notification-configuration", &watch.to_string()]].concat());
    let test_event = test.one().await;
    assert_eq!(events::parse(&test_event.body), Ok(vec![]), "S3 tests the queue first");
    test.queue.ack(&test_event.receipt).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    for key in ["a b+c.zip", "ä/%2F&.zip"] {
        let object = ObjectLocation { bucket: bucket.clone(), key: key.parse().unwrap() };
        let version = store.put(&object, file.path(), None).await.unwrap();
        let delivery = test.one().await;
        let created = events::parse(&delivery.body).unwrap();
        assert_eq!(created, [Ok(ObjectCreated { candidates: vec![version.clone()] })]);
        assert_eq!(store.facts(&version).await.unwrap().unwrap().object, version);
        test.queue.ack(&delivery.receipt).await.unwrap();
    }
}

async fn a_server_that_is_gone_is_unavailable(mut sqs: Sqs) {
    let test = sqs.queue("gone").await;
    test.send("held");
    // The client tries for some seconds before it gives up, and the lease must not end meanwhile.
    let mut held = test.queue.receive(1, Duration::from_secs(120), A_WHILE).await.unwrap();
    let (held, queue) = (held.pop().expect("a message"), test.queue);
    sqs.0.kill();
    for outcome in
        [queue.ping().await, queue.ack(&held.receipt).await, queue.reject(&held.receipt, "no").await]
    {
        assert!(matches!(outcome, Err(QueueError::Unavailable(_))), "{outcome:?}");
    }
}

fn keys() -> StaticKeys {
    StaticKeys {
        access_key_id: servers::ACCESS_KEY_ID.to_owned(),
        secret_access_key: SecretString::from(servers::SECRET_ACCESS_KEY.to_owned()),
    }
}

/// Long enough for a slow machine to work under it, short enough to be waited for.
const LEASE: Duration = Duration::from_secs(3);

/// Longer than anything here takes that works.
const A_WHILE: Duration = Duration::from_secs(10);
