//! Consuming: messages come by themselves, are leased in this process, and are settled at the broker.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use countersign_ports::queue::{BODY_LIMIT_BYTES, DELIVERY_LIMIT, Delivery, QueueError, Receipt, WorkQueue};
use futures::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::FieldTable;
use lapin::{Acker, Channel};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::hand::{HOLD_LIMIT, Hand, InHand, Message, RETRY_DELAY_LIMIT, lock};
use super::link::{Link, within};
use super::message;
use super::reasons::Reasons;
use crate::QueueName;

/// One of the durable queues. Clones share their messages.
#[derive(Clone)]
pub struct RabbitWorkQueue {
    shared: Arc<Shared>,
    /// What consumes; it ends with the last clone, and the broker gives the messages in hand to others.
    consumer: Arc<OnceLock<AbortOnDropHandle<()>>>,
}

struct Shared {
    link: Arc<Link>,
    name: QueueName,
    prefetch: u16,
    reasons: Reasons,
    hand: Arc<Mutex<Hand>>,
    line: Mutex<Line>,
    /// A message came, or the line changed.
    arrived: Notify,
    /// A message may have to go back sooner than any other.
    sooner: Notify,
}

/// What messages come by.
enum Line {
    /// It is being opened for the first time.
    New,
    Open(Channel),
    /// Why there is none.
    Down(String),
}

impl RabbitWorkQueue {
    pub(super) fn new(link: Arc<Link>, in_hand: &InHand, name: QueueName, prefetch: u16) -> Self {
        let (hand, reasons) = (Arc::default(), Reasons::new(Arc::clone(&link)));
        in_hand.add(name, Arc::downgrade(&hand));
        let (line, arrived, sooner) = (Mutex::new(Line::New), Notify::new(), Notify::new());
        let prefetch = prefetch.max(1);
        let shared = Shared { link, name, prefetch, reasons, hand, line, arrived, sooner };
        Self { shared: Arc::new(shared), consumer: Arc::default() }
    }

    fn start(&self) {
        self.consumer.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            AbortOnDropHandle::new(tokio::spawn(async move { shared.consume().await }))
        });
    }
}

#[async_trait]
impl WorkQueue for RabbitWorkQueue {
    async fn receive(
        &self,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        self.start();
        let shared = &self.shared;
        let mut deadline = Instant::now() + wait;
        loop {
            // Listening begins before looking: what arrives in between wakes this consumer.
            let arrived = shared.arrived.notified();
            if shared.gather(max).await {
                let deliveries = lock(&shared.hand).deliver(max, lease, Instant::now());
                shared.sooner.notify_one();
                return Ok(deliveries);
            }
            let (is_new, channel) = shared.line()?;
            if is_new {
                arrived.await;
                deadline = Instant::now() + wait;
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            let pause = match channel.filter(|_| shared.is_saturated()) {
                Some(channel) => shared.fetch(channel).await?.min(left),
                None => left,
            };
            let _looked_again = tokio::time::timeout(pause, arrived).await;
        }
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<(), QueueError> {
        let extended = lock(&self.shared.hand).extend(receipt, Instant::now() + lease);
        self.shared.sooner.notify_one();
        extended.then_some(()).ok_or(QueueError::ReceiptLost)
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        if lock(&self.shared.hand).is_settled(receipt) {
            return Ok(());
        }
        let acker = self.shared.release(receipt)?;
        settled(acker.ack(Default::default()).await)?;
        lock(&self.shared.hand).remember(receipt);
        Ok(())
    }

    async fn retry(&self, receipt: &Receipt, delay: Duration, reason: &str) -> Result<(), QueueError> {
        let (_, attempt) = self.shared.look(receipt)?;
        if attempt >= DELIVERY_LIMIT {
            return self.shared.bury(receipt, reason).await;
        }
        if delay.is_zero() {
            let acker = self.shared.release(receipt)?;
            return settled(acker.nack(BACK).await);
        }
        // The broker has no delays. A crash meanwhile only delivers the message sooner.
        let until = Instant::now() + delay.min(RETRY_DELAY_LIMIT);
        let rests = lock(&self.shared.hand).rest(receipt, until);
        self.shared.sooner.notify_one();
        rests.then_some(()).ok_or(QueueError::ReceiptLost)
    }

    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError> {
        self.shared.bury(receipt, reason).await
    }
}

impl Shared {
    /// Consumes for ever, over one channel after another.
    async fn consume(&self) {
        loop {
            let Err(error) = self.consume_channel().await;
            let why = match error {
                QueueError::Unavailable(why) => why,
                other @ (QueueError::ReceiptLost | QueueError::Refused(_)) => other.to_string(),
            };
            lock(&self.hand).lose();
            let before = std::mem::replace(&mut *lock(&self.line), Line::Down(why.clone()));
            // An outage is told once.
            if !matches!(before, Line::Down(_)) {
                tracing::warn!(queue = %self.name, why, "consuming was interrupted; what was in hand comes again");
            }
            self.arrived.notify_waiters();
            tokio::time::sleep(REOPEN_PAUSE).await;
        }
    }

    async fn consume_channel(&self) -> Result<Infallible, QueueError> {
        // Somebody may have deleted the queue.
        self.link.declare().await?;
        let channel = self.link.channel().await?;
        within(channel.basic_qos(self.prefetch, BasicQosOptions::default())).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = channel.basic_consume(self.name.as_str().into(), "".into(), options, arguments);
        let mut consumer = within(consumer).await?;
        tracing::debug!(queue = %self.name, "consuming");
        *lock(&self.line) = Line::Open(channel);
        self.arrived.notify_waiters();
        loop {
            let due = lock(&self.hand).next_due().unwrap_or_else(|| Instant::now() + HOLD_LIMIT);
            tokio::select! {
                delivery = consumer.next() => match delivery {
                    Some(delivery) => self.accept(within(async { delivery }).await?).await?,
                    None => return Err(QueueError::Unavailable("the broker ended the consumer".to_owned())),
                },
                () = self.sooner.notified() => {}
                () = tokio::time::sleep_until(due) => self.give_back_due().await?,
            }
        }
    }

    /// Takes a message in. One that is larger than any event is given up unread.
    async fn accept(&self, delivery: lapin::message::Delivery) -> Result<(), QueueError> {
        let lapin::message::Delivery { properties, data: body, acker, redelivered, .. } = delivery;
        let (id, publisher) = (message::id(&properties, &body), message::publisher(&properties));
        let fingerprint = message::fingerprint(self.name, publisher.as_deref(), &id, &body);
        let attempt = message::attempt(&properties, redelivered);
        if body.len() > BODY_LIMIT_BYTES {
            let reason =
                format!("too_large: {} bytes are more than the {BODY_LIMIT_BYTES} allowed", body.len());
            self.reasons.keep(&fingerprint, attempt, &reason).await?;
            return settled(acker.reject(TO_DEAD_LETTERS).await);
        }
        let hold_until = Instant::now() + HOLD_LIMIT;
        lock(&self.hand).accept(Message { id, publisher, attempt, body, fingerprint, acker, hold_until });
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Gives back the messages whose lease or delay is over; the broker gives up those that came too often.
    async fn give_back_due(&self) -> Result<(), QueueError> {
        let due = lock(&self.hand).due(Instant::now());
        for acker in due {
            settled(acker.nack(BACK).await)?;
        }
        Ok(())
    }

    /// True if messages are there to be delivered: `max` of them, or those that came within a moment.
    async fn gather(&self, max: usize) -> bool {
        let waiting = lock(&self.hand).waiting();
        if 0 < waiting && waiting < max {
            tokio::time::sleep(GATHER).await;
        }
        lock(&self.hand).waiting() > 0
    }

    /// The channel that messages come by; true if it is being opened for the first time.
    fn line(&self) -> Result<(bool, Option<Channel>), QueueError> {
        match &*lock(&self.line) {
            Line::New => Ok((true, None)),
            Line::Open(channel) => Ok((false, Some(channel.clone()))),
            Line::Down(why) => Err(QueueError::Unavailable(why.clone())),
        }
    }

    /// True if the broker hands over nothing by itself: resting messages fill the prefetch window.
    fn is_saturated(&self) -> bool {
        lock(&self.hand).len() >= usize::from(self.prefetch)
    }

    /// Asks for one message beyond the prefetch window, so that those that rest do not hold up the others; gives how long
    /// to wait before the next look.
    async fn fetch(&self, channel: Channel) -> Result<Duration, QueueError> {
        let got = within(channel.basic_get(self.name.as_str().into(), BasicGetOptions::default())).await?;
        let Some(got) = got else { return Ok(POLL) };
        self.accept(got.delivery).await?;
        Ok(Duration::ZERO)
    }

    fn look(&self, receipt: &Receipt) -> Result<(String, u32), QueueError> {
        lock(&self.hand).look(receipt).ok_or(QueueError::ReceiptLost)
    }

    /// What settles a message. It is to be used without a pause: the message is in nobody's hands.
    fn release(&self, receipt: &Receipt) -> Result<Acker, QueueError> {
        lock(&self.hand).release(receipt).ok_or(QueueError::ReceiptLost)
    }

    /// Makes a message a dead letter. Crash point: the reason is kept first, so that there is no dead letter without one;
    /// a reason without a dead letter bothers nobody.
    async fn bury(&self, receipt: &Receipt, reason: &str) -> Result<(), QueueError> {
        let (fingerprint, attempt) = self.look(receipt)?;
        self.reasons.keep(&fingerprint, attempt, reason).await?;
        let acker = self.release(receipt)?;
        settled(acker.reject(TO_DEAD_LETTERS).await)?;
        lock(&self.hand).remember(receipt);
        Ok(())
    }
}

/// What came of telling the broker: the message of a lost channel is another consumer's.
#[expect(clippy::needless_pass_by_value, reason = "the shape of an answer")]
fn settled(told: lapin::Result<bool>) -> Result<(), QueueError> {
    match told {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(QueueError::ReceiptLost),
    }
}

const BACK: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };
const TO_DEAD_LETTERS: BasicRejectOptions = BasicRejectOptions { requeue: false };

/// How long to wait for more messages after a first one: what was published together is delivered together.
const GATHER: Duration = Duration::from_millis(5);

/// How often to look for messages while those that rest fill the prefetch window.
const POLL: Duration = Duration::from_millis(500);

/// How long to wait before a channel is opened in the place of a lost one.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
