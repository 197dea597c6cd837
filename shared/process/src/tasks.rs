//! What a process does beside answering: tasks that end together.

use std::fmt::Debug;

use anyhow::anyhow;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Tasks that are told to stop by one token.
#[derive(Debug)]
pub struct Tasks<T = ()> {
    running: JoinSet<T>,
    stop: CancellationToken,
}

impl<T: Debug + Send + 'static> Tasks<T> {
    /// None so far.
    pub fn new() -> Self {
        Self { running: JoinSet::new(), stop: CancellationToken::new() }
    }

    /// Starts the task that `make` makes of the token by which it will be told to stop.
    pub fn spawn<F>(&mut self, make: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.running.spawn(make(self.stop.clone()));
    }

    /// Returns only when a task ended that should not have; never if there is none.
    pub async fn watch(&mut self) -> anyhow::Error {
        match self.running.join_next().await {
            Some(ended) => anyhow!("a part of the process ended by itself: {}", describe(ended)),
            None => std::future::pending().await,
        }
    }

    /// Tells every task to stop and waits until all have.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

impl<T: Debug + Send + 'static> Default for Tasks<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn describe<T: Debug>(ended: Result<T, JoinError>) -> String {
    match ended {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_end_when_they_are_told_and_one_that_ends_before_is_noticed() {
        let mut tasks = Tasks::new();
        tasks.spawn(|stop| async move { stop.cancelled().await });
        tasks.stop().await;
        let mut tasks = Tasks::new();
        tasks.spawn(|stop| async move { stop.cancelled().await });
        tasks.spawn(|_| async { panic!("as told") });
        let error = tasks.watch().await.to_string();
        assert!(error.contains("as told") || error.contains("panicked"), "{error}");
        tasks.stop().await;
    }
}
