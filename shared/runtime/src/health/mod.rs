//! Whether a process lives and can work, told over HTTP to those who start and watch it.
//!
//! `GET /live` is answered with 200 and `{"live":true}` as long as the process answers at all. `GET /ready` is answered
//! with 200, or with 503 while a check fails or the process stops:
//! `{"ready":false,"checks":[{"name":"postgresql","ready":false,"reason":"…"},{"name":"s3","ready":true}]}`, and while it
//! stops `{"ready":false,"reason":"stopping","checks":[]}`. `GET /metrics` is answered with what the process counts.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};

pub use self::metrics::Metrics;
pub use self::probe::probe;
pub use self::server::serve;

mod metrics;
mod probe;
mod server;

/// Something that has to work for the process to be ready.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    ask: Arc<Ask>,
}

type Ask = dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync;

/// The checks of a process, and whether it is stopping. Clones are the same.
#[derive(Debug, Clone)]
pub struct Health {
    checks: Arc<[Check]>,
    latest: Arc<Mutex<Option<Latest>>>,
    stopping: Arc<AtomicBool>,
    metrics: Option<Metrics>,
}

/// What the checks said last.
#[derive(Debug)]
struct Latest {
    asked: Instant,
    report: Report,
}

/// The answer to `/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Report {
    ready: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    checks: Vec<Finding>,
}

/// What one check said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Finding {
    name: String,
    ready: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Check {
    /// The check called `name`, which calls `ask` and waits for its answer: an error is the reason, for people.
    pub fn new<F>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name, ask: Arc::new(move || Box::pin(ask())) }
    }

    async fn finding(&self) -> Finding {
        // On a task of its own, so that a panic is an answer too.
        let asked = tokio::spawn(timeout(CHECK_TIMEOUT, (self.ask)())).await;
        let reason = match asked {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(reason))) => Some(reason.chars().take(MAX_REASON_CHARS).collect()),
            Ok(Err(_elapsed)) => Some(format!("no answer within {} s", CHECK_TIMEOUT.as_secs())),
            Err(_panicked) => Some("the check failed; see the log".to_owned()),
        };
        Finding { name: self.name.to_owned(), ready: reason.is_none(), reason }
    }
}

impl Health {
    /// The health of a process that needs all of `checks` to work.
    pub fn new(checks: Vec<Check>) -> Self {
        Self { checks: checks.into(), latest: Arc::default(), stopping: Arc::default(), metrics: None }
    }

    /// The same, with what the process counts.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// From now on the process is not ready, whatever its checks say, and still lives.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// What the checks say. They are asked at most once in [`FRESH`], by however many.
    async fn report(&self) -> Report {
        if self.stopping.load(Ordering::Relaxed) {
            return Report { ready: false, reason: Some("stopping".into()), checks: Vec::new() };
        }
        let latest = Arc::clone(&self.latest).lock_owned().await;
        if let Some(Latest { asked, report }) = latest.as_ref()
            && asked.elapsed() < FRESH
        {
            return report.clone();
        }
        // On a task of its own, so that those who ask and hang up cannot begin a second round beside the first.
        let asked = tokio::spawn(ask_all(Arc::clone(&self.checks), latest)).await;
        asked.unwrap_or_else(|_panicked| Report {
            ready: false,
            reason: Some("the checks failed; see the log".into()),
            checks: Vec::new(),
        })
    }
}

async fn ask_all(checks: Arc<[Check]>, mut latest: OwnedMutexGuard<Option<Latest>>) -> Report {
    let findings = futures::future::join_all(checks.iter().map(Check::finding)).await;
    let report =
        Report { ready: findings.iter().all(|finding| finding.ready), reason: None, checks: findings };
    *latest = Some(Latest { asked: Instant::now(), report: report.clone() });
    report
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// How long a check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer is given again, so that being asked is no load on what is asked for.
const FRESH: Duration = Duration::from_secs(1);

const MAX_REASON_CHARS: usize = 300;

#[cfg(test)]
mod tests;
