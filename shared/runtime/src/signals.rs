//! What a process is told from outside.

use std::io;

use tokio::signal::unix::{self, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGTERM: finish what is under way and end; a second one: end.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// The signals that are caught.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// From now on they are caught.
    ///
    /// # Errors
    /// What the operating system answers.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one, or answers at once for one that came in between. Stops come first.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn send(signal: &str) {
        let process = std::process::id().to_string();
        let sent = tokio::process::Command::new("kill").args(["-s", signal, &process]).status().await;
        assert!(sent.unwrap().success());
    }

    #[tokio::test]
    async fn each_signal_is_told_once_and_stops_come_first() {
        let mut signals = Signals::new().unwrap();
        send("HUP").await;
        assert_eq!(signals.next().await, Signal::Reload);
        for stop in ["TERM", "INT"] {
            send("HUP").await;
            send(stop).await;
            // Each arrives when the operating system gives it out; from then on both wait.
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!((signals.next().await, signals.next().await), (Signal::Stop, Signal::Reload));
        }
        let nothing_more = tokio::time::timeout(Duration::from_millis(50), signals.next());
        assert!(nothing_more.await.is_err());
    }
}
