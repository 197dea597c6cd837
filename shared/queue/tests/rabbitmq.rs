//! The queues in a real RabbitMQ.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{CodeVersion, Event, EventData};
use countersign_ports::conformance::queue::{QueueUnderTest, check};
use countersign_ports::queue::{
    BODY_LIMIT_BYTES, DELIVERY_LIMIT, DeadLetter, DeadLetters, Delivery, EventBus, QueueError, QueueName,
    WorkQueue,
};
use countersign_queue::{
    NotificationExchange, NotificationKind, RabbitQueue, RabbitSettings, RabbitWorkQueue, Topology,
};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use support::{Cluster, Node, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let (_cluster, node) = one_node("");
    let raw = raw(&node, "guest", "guest").await;
    let previous = std::sync::Mutex::new(None::<RabbitQueue>);
    check(async || {
        let used = previous.lock().unwrap().take();
        if let Some(queue) = used {
            queue.close().await;
        }
        delete_queues(&raw).await;
        let queue = connect(&node, "guest", "guest").await.unwrap();
        *previous.lock().unwrap() = Some(queue.clone());
        QueueUnderTest {
            bus: Arc::new(queue.bus()),
            queue: Arc::new(queue.work_queue(QueueName::Deployer, 64)),
            dead_letters: Arc::new(queue),
            publisher: "guest".to_owned(),
            clock: None,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_vouches_for_publishers() {
    let (_cluster, node) = one_node("");
    node.add_user(
        "countersign-signer",
        ["^countersign\\..*$", "^(countersign\\..*|amq\\.default)$", "^countersign\\..*$"],
    );
    node.add_user("ci", ["^$", "^countersign\\.events$", "^$"]);
    node.add_user(
        "countersign-deployer",
        ["^$", "^countersign\\.(events|dead-letters)$", "^countersign\\.deployer$"],
    );
    node.add_user("keeper", ["^$", "^$", "^countersign\\..*$"]);

    missing_permissions_and_wrong_passwords_are_told(&node).await;
    let signer = connect(&node, "countersign-signer", PASSWORD).await.expect("it may declare everything");
    let deployer = connect(&node, "countersign-deployer", PASSWORD).await.expect("everything is declared");
    let keeper = connect(&node, "keeper", PASSWORD).await.expect("everything is declared");
    let work = deployer.work_queue(QueueName::Deployer, 4);

    signer.bus().publish(&requested("ours")).await.unwrap();
    assert_eq!(one(&work).await.publisher.as_deref(), Some("countersign-signer"));
    a_publisher_cannot_be_forged(&node, &work).await;
    what_the_broker_does_not_vouch_for_has_no_publisher(&node, &work).await;
    the_broker_counts_deliveries(&node, &work).await;
    a_replay_impersonates_nobody(&node, &work, &keeper).await;
    what_is_too_large_is_given_up_unread(&node, &work, &keeper).await;
    what_crashes_its_consumers_is_given_up_with_a_reason(&signer, &work, &keeper).await;
    // It would take its share of what the next one waits for.
    drop(work);
    one_that_rests_does_not_hold_up_the_others(&signer, &deployer).await;
    an_event_that_reaches_nobody_is_no_success(&node, &signer).await;
}

async fn missing_permissions_and_wrong_passwords_are_told(node: &Node) {
    let told = async |user: &str, password: &str| {
        let refused = connect(node, user, password).await.map(drop);
        let Err(QueueError::Unavailable(why)) = refused else { panic!("{refused:?}") };
        why
    };
    let why = told("ci", "wrong").await;
    assert!(why.contains("does not let \"ci\" in") && !why.contains("wrong"), "{why}");
    let why = told("ci", PASSWORD).await;
    assert!(why.contains("countersign.events is not declared"), "{why}");
    let addresses = vec![format!("{}/elsewhere", node.address())];
    let elsewhere = RabbitQueue::connect(
        RabbitSettings { addresses, ..settings(node, "ci", PASSWORD) },
        Topology::default(),
    );
    let Err(QueueError::Unavailable(why)) = elsewhere.await.map(drop) else {
        panic!("there is no such virtual host")
    };
    assert!(why.contains("virtual host"), "{why}");
}

async fn a_publisher_cannot_be_forged(node: &Node, work: &RabbitWorkQueue) {
    let ci = raw(node, "ci", PASSWORD).await;
    let forged = BasicProperties::default().with_user_id("countersign-signer".into());
    let refused = publish(&channel(&ci).await, b"{}", forged).await;
    assert!(
        refused.is_err_and(
            |error| error.to_string().contains("406") || error.to_string().contains("PRECONDITION")
        )
    );
    none(work).await;
}

async fn what_the_broker_does_not_vouch_for_has_no_publisher(node: &Node, work: &RabbitWorkQueue) {
    let ci = raw(node, "ci", PASSWORD).await;
    let mut headers = FieldTable::default();
    headers.insert("user_id".into(), AMQPValue::LongString("countersign-signer".into()));
    let anonymous = BasicProperties::default().with_headers(headers).with_app_id("countersign-signer".into());
    publish(&channel(&ci).await, br#"{"user_id":"countersign-signer"}"#, anonymous)
        .await
        .expect("the broker answers");
    let delivery = one(work).await;
    assert_eq!(
        (delivery.publisher, delivery.message_id.len()),
        (None, 64),
        "an id of its own, from the body"
    );
}

async fn the_broker_counts_deliveries(node: &Node, work: &RabbitWorkQueue) {
    let ci = raw(node, "ci", PASSWORD).await;
    let mut headers = FieldTable::default();
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
    let forged = BasicProperties::default().with_headers(headers);
    publish(&channel(&ci).await, b"counted", forged).await.expect("the broker answers");
    for attempt in 1..=2 {
        let delivery = leased(work).await;
        assert_eq!(delivery.attempt, attempt, "the header is the broker's");
        let again = work.retry(&delivery.receipt, Duration::ZERO, "once more");
        again.await.expect("it goes back");
    }
    assert_eq!(one(work).await.attempt, 3);
}

async fn a_replay_impersonates_nobody(node: &Node, work: &RabbitWorkQueue, keeper: &RabbitQueue) {
    let ci = raw(node, "ci", PASSWORD).await;
    let properties = BasicProperties::default().with_user_id("ci".into()).with_message_id("from-ci".into());
    publish(&channel(&ci).await, b"{}", properties).await.expect("the broker answers");
    for life in 1..=3 {
        let delivery = leased(work).await;
        assert_eq!((delivery.publisher.as_deref(), delivery.attempt), (Some("ci"), 1), "in life {life}");
        work.reject(&delivery.receipt, &format!("no, for the {life}. time"))
            .await
            .expect("the broker answers");
        let dead = dead(keeper, 1).await;
        assert_eq!((dead[0].publisher.as_deref(), dead[0].attempts), (Some("ci"), Some(1)));
        assert_eq!(dead[0].reason, format!("no, for the {life}. time"), "the last reason");
        assert_eq!(keeper.replay(&dead[0].id).await, Ok(true));
    }
    assert_eq!(one(work).await.publisher.as_deref(), Some("ci"));
    assert_eq!(dead(keeper, 0).await, []);
}

async fn what_is_too_large_is_given_up_unread(node: &Node, work: &RabbitWorkQueue, keeper: &RabbitQueue) {
    let ci = raw(node, "ci", PASSWORD).await;
    let body = vec![b'x'; BODY_LIMIT_BYTES + 1];
    publish(&channel(&ci).await, &body, BasicProperties::default()).await.expect("the broker answers");
    none(work).await;
    let dead = dead(keeper, 1).await;
    assert!(dead[0].reason.starts_with("too_large"), "{}", dead[0].reason);
    assert_eq!(keeper.replay(&dead[0].id).await, Ok(true), "it may be tried again");
    none(work).await;
    purge(node, "countersign.deployer.dead-letters").await;
}

async fn what_crashes_its_consumers_is_given_up_with_a_reason(
    signer: &RabbitQueue,
    work: &RabbitWorkQueue,
    keeper: &RabbitQueue,
) {
    signer.bus().publish(&requested("crashing")).await.expect("the broker answers");
    for attempt in 1..=DELIVERY_LIMIT {
        let mut deliveries =
            work.receive(1, Duration::from_millis(50), A_WHILE).await.expect("the broker answers");
        assert_eq!(deliveries.pop().expect("the broker answers").attempt, attempt);
    }
    let dead = dead(keeper, 1).await;
    assert!(dead[0].reason.contains("5 times and never settled"), "{}", dead[0].reason);
    assert_eq!((dead[0].message_id.as_str(), dead[0].attempts), ("crashing", Some(DELIVERY_LIMIT)));
    assert_eq!(keeper.replay(&dead[0].id).await, Ok(true));
    assert_eq!(one(work).await.attempt, 1);
}

async fn one_that_rests_does_not_hold_up_the_others(signer: &RabbitQueue, deployer: &RabbitQueue) {
    let work = deployer.work_queue(QueueName::Deployer, 1);
    for number in 0..4 {
        signer.bus().publish(&requested(&format!("rests-{number}"))).await.expect("the broker answers");
        let delivery = leased(&work).await;
        work.retry(&delivery.receipt, A_WHILE * 6, "later").await.expect("the broker answers");
    }
    assert_eq!(deployer.depth(QueueName::Deployer).await, Ok(4), "they are in hand");
    drop(work);
    let work = deployer.work_queue(QueueName::Deployer, 4);
    for _ in 0..4 {
        assert_eq!(one(&work).await.attempt, 2, "a consumer that ends gives back what it has");
    }
}

async fn an_event_that_reaches_nobody_is_no_success(node: &Node, signer: &RabbitQueue) {
    let channel = channel(&raw(node, "guest", "guest").await).await;
    let options = FieldTable::default();
    let (queue, events) = ("countersign.deployer", "countersign.events");
    channel
        .queue_unbind(queue.into(), events.into(), "deployment.requested".into(), options)
        .await
        .expect("the broker answers");
    let published = signer.bus().publish(&requested("lost")).await;
    let Err(QueueError::Unavailable(why)) = published else { panic!("{published:?}") };
    assert!(why.contains("deployment.requested"), "{why}");
    let _again = connect(node, "guest", "guest").await.expect("whoever connects binds it again");
    assert_eq!(signer.bus().publish(&requested("found")).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_of_stores_reach_the_signer() {
    let (_cluster, node) = one_node("");
    let topology = |kind| Topology {
        notifications: vec![NotificationExchange {
            exchange: "s3-events".into(),
            kind,
            routing_key: "unsigned".into(),
        }],
    };
    let queue = RabbitQueue::connect(settings(&node, "guest", "guest"), topology(NotificationKind::Direct))
        .await
        .unwrap();
    let channel = channel(&raw(&node, "guest", "guest").await).await;
    let published = channel.basic_publish(
        "s3-events".into(),
        "unsigned".into(),
        CONFIRMED,
        b"{}",
        BasicProperties::default(),
    );
    published.await.unwrap().await.unwrap();
    assert_eq!(one(&queue.work_queue(QueueName::Signer, 4)).await.body, b"{}");
    let other =
        RabbitQueue::connect(settings(&node, "guest", "guest"), topology(NotificationKind::Fanout)).await;
    let Err(QueueError::Unavailable(why)) = other.map(drop) else { panic!("the exchange is a direct one") };
    assert!(why.contains("s3-events is declared otherwise"), "{why}");

    let mut follower = queue.follow().await.unwrap();
    queue.bus().publish(&requested("followed")).await.unwrap();
    let followed = tokio::time::timeout(A_WHILE, follower.next()).await.unwrap().unwrap();
    assert_eq!(followed, requested("followed"));
    assert_eq!(queue.ping().await, Ok(()));
    queue.close().await;
    assert!(queue.ping().await.is_err(), "closed for good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_the_broker_ends_comes_back() {
    let (_cluster, node) = one_node("consumer_timeout = 1000");
    let queue = connect(&node, "guest", "guest").await.unwrap();
    let work = queue.work_queue(QueueName::Deployer, 4);
    queue.bus().publish(&requested("held too long")).await.unwrap();
    let held = leased(&work).await;
    let begun = Instant::now();
    while work.extend(&held.receipt, A_WHILE).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(90), "the broker did not end the channel");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(work.ack(&held.receipt).await, Err(QueueError::ReceiptLost));
    let again = patiently(&work).await;
    assert_eq!((again.message_id.as_str(), again.attempt), ("held-too-long", 2));
    assert_eq!(work.ack(&again.receipt).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_survive_the_end_of_the_broker() {
    let (_cluster, mut node) = one_node("");
    let queue = connect(&node, "guest", "guest").await.unwrap();
    let work = queue.work_queue(QueueName::Deployer, 4);
    for (number, gracefully) in [(1, true), (2, false)] {
        let (waiting, held) = (format!("waiting-{number}"), format!("held-{number}"));
        queue.bus().publish(&requested(&held)).await.unwrap();
        let receipt = leased(&work).await.receipt;
        queue.bus().publish(&requested(&waiting)).await.unwrap();
        if gracefully {
            node.stop();
        } else {
            node.kill();
        }
        let away = queue.bus().publish(&requested("while it was away")).await;
        assert!(matches!(away, Err(QueueError::Unavailable(_))), "{away:?}");
        assert!(queue.ping().await.is_err());
        let begun = Instant::now();
        node.start();
        node.ready();
        println!("started again in {:?}", begun.elapsed());
        let repeated = format!("repeated-{number}");
        persistently(&queue, &repeated).await;
        println!("published again after {:?}", begun.elapsed());
        let mut got = Vec::new();
        while got.len() < 3 {
            let delivery = patiently(&work).await;
            work.ack(&delivery.receipt).await.unwrap();
            got.push(delivery.message_id);
        }
        println!("delivered again after {:?}", begun.elapsed());
        got.sort();
        assert_eq!(got, [held, repeated, waiting]);
        assert_eq!(work.ack(&receipt).await, Err(QueueError::ReceiptLost), "it came by a lost connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_a_leader_loses_no_message() {
    let cluster = Cluster::new(&["c1", "c2", "c3"]);
    let mut nodes: Vec<Node> = ["c1", "c2", "c3"].iter().map(|name| cluster.start(name, "")).collect();
    nodes.iter().for_each(Node::ready);
    nodes[0].ctl(&["await_online_nodes", "3"]);
    let addresses = nodes.iter().map(Node::address).collect();
    let settings = RabbitSettings { addresses, ..settings(&nodes[0], "guest", "guest") };
    let queue = RabbitQueue::connect(settings, Topology::default()).await.unwrap();
    let work = queue.work_queue(QueueName::Deployer, 8);
    let publisher = tokio::spawn({
        let queue = queue.clone();
        async move {
            for number in 0..300 {
                persistently(&queue, &format!("e{number}")).await;
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    nodes[0].kill();
    let begun = Instant::now();
    let mut got = std::collections::BTreeSet::new();
    while got.len() < 300 {
        let delivery = patiently(&work).await;
        if work.ack(&delivery.receipt).await.is_ok() {
            got.insert(delivery.message_id);
        }
    }
    publisher.await.unwrap();
    println!("300 messages, {:?} after the loss", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_certificate_is_verified() {
    let cluster = Cluster::new(&["tls"]);
    let (ours, other) =
        (support::certificates(cluster.path(), "ours"), support::certificates(cluster.path(), "other"));
    let configuration = format!(
        "listeners.ssl.default = 127.0.0.1:TLS_PORT\nssl_options.cacertfile = {ca}\nssl_options.certfile = {cert}\n\
         ssl_options.keyfile = {key}\nssl_options.verify = verify_none",
        ca = ours.ca.display(),
        cert = ours.certificate.display(),
        key = ours.key.display()
    );
    let node = cluster.start("tls", &configuration);
    node.ready();
    let connect = async |host: &str, ca_file| {
        let addresses = vec![format!("amqps://{host}:{}", node.tls_port)];
        let settings = RabbitSettings { addresses, ca_file, ..settings(&node, "guest", "guest") };
        RabbitQueue::connect(settings, Topology::default()).await
    };
    let queue = connect("localhost", Some(ours.ca.clone())).await.expect("the broker is who it says");
    assert_eq!(queue.bus().publish(&requested("encrypted")).await, Ok(()));
    for (host, ca_file) in [("localhost", Some(other.ca)), ("localhost", None), ("127.0.0.1", Some(ours.ca))]
    {
        let refused = connect(host, ca_file.clone()).await.map(drop);
        let Err(QueueError::Unavailable(why)) = refused else {
            panic!("{host} with {ca_file:?}: {refused:?}")
        };
        assert!(why.contains("certificate"), "{why}");
    }
}

fn one_node(configuration: &str) -> (Cluster, Node) {
    let cluster = Cluster::new(&["one"]);
    let node = cluster.start("one", configuration);
    node.ready();
    (cluster, node)
}

fn settings(node: &Node, user: &str, password: &str) -> RabbitSettings {
    let (addresses, user) = (vec![node.address()], user.to_owned());
    RabbitSettings { addresses, user, password: password.into(), ca_file: None }
}

async fn connect(node: &Node, user: &str, password: &str) -> Result<RabbitQueue, QueueError> {
    RabbitQueue::connect(settings(node, user, password), Topology::default()).await
}

/// A connection of somebody else's program.
async fn raw(node: &Node, user: &str, password: &str) -> Connection {
    let uri = format!("amqp://{user}:{}@localhost:{}/%2f", password.replace(' ', "%20"), node.port);
    Connection::connect(&uri, ConnectionProperties::default()).await.expect("it connects")
}

async fn channel(connection: &Connection) -> Channel {
    let channel = connection.create_channel().await.expect("the broker answers");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("the broker answers");
    channel
}

async fn publish(channel: &Channel, body: &[u8], properties: BasicProperties) -> lapin::Result<()> {
    let (events, key) = ("countersign.events".into(), "deployment.requested".into());
    channel.basic_publish(events, key, CONFIRMED, body, properties).await?.await.map(drop)
}

async fn delete_queues(connection: &Connection) {
    let channel = connection.create_channel().await.expect("the broker answers");
    for name in ["signer", "signer.dead-letters", "deployer", "deployer.dead-letters", "dead-letters.reasons"]
    {
        let name = format!("countersign.{name}");
        channel
            .queue_delete(name.as_str().into(), QueueDeleteOptions::default())
            .await
            .expect("the broker answers");
    }
}

async fn purge(node: &Node, name: &str) {
    let channel = raw(node, "guest", "guest").await.create_channel().await.expect("the broker answers");
    channel.queue_purge(name.into(), Default::default()).await.expect("the broker answers");
}

fn requested(id: &str) -> Event {
    let code = CodeVersion {
        bucket: "signed".parse().expect("the broker answers"),
        key: "a.zip".parse().expect("the broker answers"),
        version: "v1".parse().expect("the broker answers"),
    };
    let request = DeploymentRequest {
        function_name: "hello".parse().expect("the broker answers"),
        code,
        layers: Vec::new(),
        alias: None,
        target: None,
        create: None,
    };
    let time = "2026-11-21T08:30:00Z".parse().expect("the broker answers");
    Event::new(
        id.replace(' ', "-").parse().expect("the broker answers"),
        "/test",
        time,
        EventData::DeploymentRequested(request),
    )
}

/// Publishes as the relay does: again and again until it is confirmed.
async fn persistently(queue: &RabbitQueue, id: &str) {
    let begun = Instant::now();
    while let Err(error) = queue.bus().publish(&requested(id)).await {
        assert!(begun.elapsed() < RECOVERY, "{id}: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The next message, however long the broker is away.
async fn patiently(work: &RabbitWorkQueue) -> Delivery {
    let begun = Instant::now();
    loop {
        match work.receive(1, LEASE, Duration::from_secs(1)).await {
            Ok(mut deliveries) if !deliveries.is_empty() => return deliveries.remove(0),
            other => assert!(begun.elapsed() < RECOVERY, "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn leased(work: &RabbitWorkQueue) -> Delivery {
    let mut deliveries = work.receive(1, LEASE, A_WHILE).await.expect("it receives");
    deliveries.pop().expect("a message comes")
}

/// The next message, acknowledged.
async fn one(work: &RabbitWorkQueue) -> Delivery {
    let delivery = leased(work).await;
    work.ack(&delivery.receipt).await.expect("it is acknowledged");
    delivery
}

async fn none(work: &RabbitWorkQueue) {
    assert_eq!(work.receive(9, LEASE, Duration::from_millis(300)).await, Ok(vec![]));
}

/// The dead letters, once there are `count`.
async fn dead(queue: &RabbitQueue, count: usize) -> Vec<DeadLetter> {
    let begun = Instant::now();
    loop {
        let dead = queue.dead_letters(9).await.expect("dead letters are listed");
        if dead.len() == count {
            return dead;
        }
        assert!(begun.elapsed() < A_WHILE, "{count} expected: {dead:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const CONFIRMED: BasicPublishOptions = BasicPublishOptions { mandatory: true, immediate: false };
const LEASE: Duration = Duration::from_secs(60);
const A_WHILE: Duration = Duration::from_secs(10);
const RECOVERY: Duration = Duration::from_secs(90);
