//! The deliveries in this process's hands. SQS gives a message's body once, and accepts receipts whose lease ran out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use countersign_ports::queue::{Delivery, QueueError, Receipt};

/// Every delivery until its lease runs out: as many as a consumer holds, or finished, within one lease.
#[derive(Default)]
pub(super) struct InHand {
    deliveries: Mutex<HashMap<String, Taken>>,
}

struct Taken {
    /// `None` once it is done with.
    message: Option<Held>,
    until: Instant,
}

/// A message that is held.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) body: String,
}

/// How things stand with a receipt.
pub(super) enum Standing {
    Held,
    /// This process deleted the message.
    Done,
    /// The lease ran out, the message was given back, or the receipt is not of this process.
    Lost,
}

impl InHand {
    /// The delivery is held until then.
    pub(super) fn take(&self, delivery: &Delivery, until: Instant) {
        let (mut deliveries, now) = (self.lock(), Instant::now());
        deliveries.retain(|_, taken| now < taken.until);
        let body = String::from_utf8_lossy(&delivery.body).into_owned();
        let message = Some(Held { id: delivery.message_id.clone(), body });
        deliveries.insert(delivery.receipt.0.clone(), Taken { message, until });
    }

    pub(super) fn standing(&self, receipt: &Receipt) -> Standing {
        match self.lock().get(&receipt.0) {
            Some(Taken { until, .. }) if *until <= Instant::now() => Standing::Lost,
            Some(Taken { message: Some(_), .. }) => Standing::Held,
            Some(Taken { message: None, .. }) => Standing::Done,
            None => Standing::Lost,
        }
    }

    /// The message that is held.
    ///
    /// # Errors
    /// [`QueueError::ReceiptLost`] if it is not, or not any more.
    pub(super) fn message(&self, receipt: &Receipt) -> Result<Held, QueueError> {
        let deliveries = self.lock();
        let taken = deliveries.get(&receipt.0).filter(|taken| Instant::now() < taken.until);
        taken.and_then(|taken| taken.message.clone()).ok_or(QueueError::ReceiptLost)
    }

    pub(super) fn extend(&self, receipt: &Receipt, until: Instant) {
        if let Some(taken) = self.lock().get_mut(&receipt.0) {
            taken.until = until;
        }
    }

    pub(super) fn done(&self, receipt: &Receipt) {
        if let Some(taken) = self.lock().get_mut(&receipt.0) {
            taken.message = None;
        }
    }

    pub(super) fn give_back(&self, receipt: &Receipt) {
        self.lock().remove(&receipt.0);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Taken>> {
        // Every change is one call on the map, so that a panic elsewhere leaves it whole.
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
