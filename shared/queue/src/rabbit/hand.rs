//! The messages that a consumer has and has not settled.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use countersign_ports::queue::{Delivery, Receipt};
use lapin::Acker;
use tokio::time::Instant;

use crate::QueueName;

/// A message that the broker handed over.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) publisher: Option<String>,
    pub(super) attempt: u32,
    pub(super) body: Vec<u8>,
    pub(super) fingerprint: String,
    pub(super) acker: Acker,
    /// When the broker wants it settled, with a margin.
    pub(super) hold_until: Instant,
}

/// One consumer's messages. They are lost with the channel that they came by.
#[derive(Default)]
pub(super) struct Hand {
    ready: VecDeque<Message>,
    leased: HashMap<Receipt, Held>,
    resting: Vec<Held>,
    settled: VecDeque<Receipt>,
}

/// A message without its body.
struct Held {
    attempt: u32,
    fingerprint: String,
    acker: Acker,
    hold_until: Instant,
    /// When it goes back to the broker.
    until: Instant,
}

impl Hand {
    /// Takes a message in; it is nobody's yet.
    pub(super) fn accept(&mut self, message: Message) {
        self.ready.push_back(message);
    }

    /// How many messages nobody has asked for yet.
    pub(super) fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// How many messages the broker waits for.
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.leased.len() + self.resting.len()
    }

    /// Delivers up to `max` messages.
    pub(super) fn deliver(&mut self, max: usize, lease: Duration, now: Instant) -> Vec<Delivery> {
        let count = max.min(self.ready.len());
        let taken: Vec<Message> = self.ready.drain(..count).collect();
        taken.into_iter().map(|message| self.lease(message, now + lease)).collect()
    }

    /// Moves the end of a lease; false if the receipt is good for nothing.
    pub(super) fn extend(&mut self, receipt: &Receipt, until: Instant) -> bool {
        let held = self.leased.get_mut(receipt);
        held.map(|held| held.until = until.min(held.hold_until)).is_some()
    }

    /// Fingerprint and attempt of a leased message.
    pub(super) fn look(&self, receipt: &Receipt) -> Option<(String, u32)> {
        self.leased.get(receipt).map(|held| (held.fingerprint.clone(), held.attempt))
    }

    /// What settles a message, which is leased no more.
    pub(super) fn release(&mut self, receipt: &Receipt) -> Option<Acker> {
        self.leased.remove(receipt).map(|held| held.acker)
    }

    /// Keeps a leased message until it is to be delivered again; false if the receipt is good for nothing.
    pub(super) fn rest(&mut self, receipt: &Receipt, until: Instant) -> bool {
        let Some(held) = self.leased.remove(receipt) else { return false };
        self.resting.push(Held { until: until.min(held.hold_until), ..held });
        true
    }

    /// Remembers that a message is done with; the oldest are forgotten.
    pub(super) fn remember(&mut self, receipt: &Receipt) {
        self.settled.push_back(receipt.clone());
        if self.settled.len() > SETTLED_LIMIT {
            self.settled.pop_front();
        }
    }

    /// True if a message is known to be done with.
    pub(super) fn is_settled(&self, receipt: &Receipt) -> bool {
        self.settled.contains(receipt)
    }

    /// When the next message is to go back.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let held = self.leased.values().chain(&self.resting).map(|held| held.until);
        held.chain(self.ready.iter().map(|message| message.hold_until)).min()
    }

    /// The messages that are to go back.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Acker> {
        let leased = self.leased.extract_if(|_, held| held.until <= now).map(|(_, held)| held.acker);
        let mut due: Vec<Acker> = leased.collect();
        due.extend(self.resting.extract_if(.., |held| held.until <= now).map(|held| held.acker));
        let (old, ready) = self.ready.drain(..).partition(|message| message.hold_until <= now);
        self.ready = ready;
        due.extend(VecDeque::into_iter(old).map(|message: Message| message.acker));
        due
    }

    /// Forgets the messages of a lost channel: the broker gives them to others.
    pub(super) fn lose(&mut self) {
        let settled = std::mem::take(&mut self.settled);
        *self = Self { settled, ..Self::default() };
    }

    fn lease(&mut self, message: Message, until: Instant) -> Delivery {
        let Message { id: message_id, publisher, attempt, body, fingerprint, acker, hold_until } = message;
        let receipt = Receipt(DELIVERIES.fetch_add(1, Ordering::Relaxed).to_string());
        let held = Held { attempt, fingerprint, acker, hold_until, until: until.min(hold_until) };
        self.leased.insert(receipt.clone(), held);
        Delivery { message_id, publisher, attempt, body, receipt }
    }
}

/// Every hand of a connection, to be counted: the broker tells how many messages wait, not how many were handed over.
#[derive(Default)]
pub(super) struct InHand {
    hands: Mutex<Vec<(QueueName, Weak<Mutex<Hand>>)>>,
}

impl InHand {
    pub(super) fn add(&self, name: QueueName, hand: Weak<Mutex<Hand>>) {
        let mut hands = lock(&self.hands);
        hands.retain(|(_, hand)| hand.strong_count() > 0);
        hands.push((name, hand));
    }

    pub(super) fn count(&self, name: QueueName) -> u64 {
        let hands = lock(&self.hands);
        let ours = hands.iter().filter(|(of, _)| *of == name).filter_map(|(_, hand)| hand.upgrade());
        ours.map(|hand| lock(&hand).len() as u64).sum()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers the deliveries of this process, so that no receipt means two things.
static DELIVERIES: AtomicU64 = AtomicU64::new(1);

/// How long a message is held at most, however often its lease is extended. The broker ends the channel of one that is
/// held longer than its `consumer_timeout`, which has to be longer than this: 30 minutes unless configured.
pub const HOLD_LIMIT: Duration = Duration::from_secs(25 * 60);

/// The longest delay before a message is delivered again: it is kept in hand meanwhile.
pub const RETRY_DELAY_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How many settled deliveries are remembered, so that settling one again is no error.
const SETTLED_LIMIT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, hold_until: Instant) -> Message {
        let acker = lapin::message::Delivery::mock(1, "".into(), "".into(), false, vec![]).acker;
        let (publisher, body, fingerprint) = (None, vec![], id.to_owned());
        Message { id: id.to_owned(), publisher, attempt: 1, body, fingerprint, acker, hold_until }
    }

    #[test]
    fn no_lease_delay_or_extension_outlasts_the_hold_limit() {
        let (mut hand, now) = (Hand::default(), Instant::now());
        let limit = now + HOLD_LIMIT;
        for id in ["extended", "resting", "never asked for"] {
            hand.accept(message(id, limit));
        }
        let taken = hand.deliver(2, HOLD_LIMIT * 2, now);
        assert!(hand.extend(&taken[0].receipt, now + HOLD_LIMIT * 3));
        assert!(hand.rest(&taken[1].receipt, now + HOLD_LIMIT * 3));
        assert_eq!(hand.next_due(), Some(limit));
        assert_eq!((hand.due(limit - Duration::from_millis(1)).len(), hand.len()), (0, 3));
        assert_eq!((hand.due(limit).len(), hand.len()), (3, 0));
        assert!(!hand.extend(&taken[0].receipt, limit), "it went back");
    }

    #[test]
    fn what_was_settled_is_remembered_for_a_while_even_without_its_channel() {
        let mut hand = Hand::default();
        let receipt = |number: usize| Receipt(format!("r{number}"));
        (0..=SETTLED_LIMIT).for_each(|number| hand.remember(&receipt(number)));
        hand.lose();
        assert!(!hand.is_settled(&receipt(0)), "the oldest made room");
        assert!(hand.is_settled(&receipt(1)) && hand.is_settled(&receipt(SETTLED_LIMIT)));
    }
}
