//! Work that has to go one after the other where it concerns the same thing.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// One turn a key at a time, inside this process. Across processes leases decide; turns spare them the waiting.
#[derive(Debug)]
pub struct Turns<K> {
    queues: Mutex<HashMap<K, Weak<AsyncMutex<()>>>>,
}

/// A turn, which ends when it is dropped.
#[derive(Debug)]
#[must_use = "a turn ends when it is dropped"]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl<K: Eq + Hash> Turns<K> {
    /// No turns taken.
    pub fn new() -> Self {
        Self { queues: Mutex::default() }
    }

    /// Waits until everyone who asked before has had their turn of `key`.
    pub async fn take(&self, key: K) -> Turn {
        let queue = self.queue(key);
        Turn(queue.lock_owned().await)
    }

    fn queue(&self, key: K) -> Arc<AsyncMutex<()>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        // So the map never holds more keys than there are turns taken or waited for, and this one.
        queues.retain(|_, queue| queue.strong_count() > 0);
        let standing = queues.get(&key).and_then(Weak::upgrade);
        standing.unwrap_or_else(|| {
            let queue = Arc::default();
            queues.insert(key, Arc::downgrade(&queue));
            queue
        })
    }
}

impl<K: Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_free::is_pending;

    #[tokio::test]
    async fn the_same_key_waits_and_another_does_not() {
        let turns = Turns::new();
        let first = turns.take("a").await;
        let _other = turns.take("b").await;
        let mut second = Box::pin(turns.take("a"));
        assert!(is_pending(&mut second).await);
        drop(first);
        let _second = second.await;
        assert_eq!(turns.queues.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn keys_without_turns_are_forgotten() {
        let turns = Turns::new();
        for key in 0..100 {
            drop(turns.take(key).await);
        }
        assert!(turns.queues.lock().unwrap().len() <= 1);
    }

    mod futures_free {
        use std::pin::Pin;
        use std::task::Poll;

        /// Polls once.
        pub(super) async fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
            std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
        }
    }
}
