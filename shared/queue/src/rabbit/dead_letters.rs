//! Messages that were given up, looked at without taking them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use countersign_ports::queue::{DELIVERY_LIMIT, DeadLetter, DeadLetterId, DeadLetters, QueueError};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, BasicRejectOptions};

use super::RabbitQueue;
use super::link::within;
use super::message::{self, Death};
use super::reasons::{self, Reason};
use super::topology::{self, DEAD_LETTER_LIMIT_MESSAGES, dead_letters_of};
use crate::QueueName;

#[async_trait]
impl DeadLetters for RabbitQueue {
    async fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let channel = self.link.channel().await?;
        let reasons = reasons::read(&channel).await?;
        let mut newest = BTreeMap::new();
        for queue in QueueName::ALL {
            for _ in 0..DEAD_LETTER_LIMIT_MESSAGES {
                let Some(delivery) = next(&channel, queue).await? else { break };
                let letter = letter(queue, delivery, &reasons);
                // The broker dates deaths to the second, and puts back in no order what was looked at.
                newest.insert((Reverse(letter.died_at), letter.id.0.clone()), letter);
                if newest.len() > max {
                    newest.pop_last();
                }
            }
        }
        put_back(channel).await?;
        Ok(newest.into_values().collect())
    }

    async fn replay(&self, id: &DeadLetterId) -> Result<bool, QueueError> {
        let channel = self.link.channel().await?;
        let mut found = false;
        for queue in QueueName::ALL {
            found = found || send_home(&channel, queue, id).await?;
        }
        put_back(channel).await?;
        Ok(found)
    }

    /// The number of messages that wait, and of those in the hands of this connection's consumers; the broker does not
    /// tell of those in others' hands.
    async fn depth(&self, queue: QueueName) -> Result<u64, QueueError> {
        let channel = self.link.channel().await?;
        let waiting = topology::count(&channel, queue.as_str()).await?;
        Ok(u64::from(waiting) + self.in_hand.count(queue))
    }
}

/// Has the broker move a dead letter to the queue it came from, with everything that its publisher gave.
async fn send_home(channel: &Channel, queue: QueueName, id: &DeadLetterId) -> Result<bool, QueueError> {
    for _ in 0..DEAD_LETTER_LIMIT_MESSAGES {
        let Some(delivery) = next(channel, queue).await? else { break };
        if identify(queue, &delivery).1 == *id {
            within(delivery.acker.reject(BasicRejectOptions { requeue: false })).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

async fn next(channel: &Channel, queue: QueueName) -> Result<Option<Delivery>, QueueError> {
    let got = channel.basic_get(dead_letters_of(queue).into(), BasicGetOptions::default());
    Ok(within(got).await?.map(|got| got.delivery))
}

/// Ends a channel: what was looked at goes back to its place.
async fn put_back(channel: Channel) -> Result<(), QueueError> {
    Ok(within(channel.close(REPLY_SUCCESS, "looked at".into())).await?)
}

fn letter(queue: QueueName, delivery: Delivery, reasons: &HashMap<String, Reason>) -> DeadLetter {
    let (fingerprint, id) = identify(queue, &delivery);
    let Delivery { properties, data: body, .. } = delivery;
    let death = message::death(&properties, queue);
    let worn_out = death.as_ref().is_some_and(|death| death.reason == "delivery_limit");
    let kept = reasons.get(&fingerprint).filter(|_| !worn_out);
    let reason = kept.map_or_else(|| unexplained(death.as_ref()), |reason| reason.text.clone());
    let limit = worn_out.then_some(DELIVERY_LIMIT);
    DeadLetter {
        id,
        queue,
        message_id: message::id(&properties, &body),
        publisher: message::publisher(&properties),
        attempts: kept.map_or(limit, |reason| reason.attempts),
        reason,
        died_at: death.and_then(|death| death.at),
        body,
    }
}

/// What is known of a death that nobody left a reason for.
fn unexplained(death: Option<&Death>) -> String {
    match death.map(|death| death.reason.as_str()) {
        Some("delivery_limit") => {
            format!("delivered {DELIVERY_LIMIT} times and never settled: its consumers crashed")
        }
        Some(reason) => format!("no reason is kept; the broker says {reason}"),
        None => "no reason is kept; somebody published it here".to_owned(),
    }
}

/// The fingerprint of a dead letter, and its id: the same message may die more than once.
fn identify(queue: QueueName, delivery: &Delivery) -> (String, DeadLetterId) {
    let Delivery { properties, data: body, .. } = delivery;
    let (publisher, id) = (message::publisher(properties), message::id(properties, body));
    let fingerprint = message::fingerprint(queue, publisher.as_deref(), &id, body);
    let death = message::death(properties, queue);
    let count = death.as_ref().map_or(0, |death| death.count);
    let at = death.and_then(|death| death.at).map_or(0, |at| at.as_millis() / 1000);
    let id = DeadLetterId(format!("{fingerprint}-{at}-{count}"));
    (fingerprint, id)
}

/// `reply-success` of AMQP 0-9-1, section 1.2.
const REPLY_SUCCESS: u16 = 200;
