//! Following the event log, and a line for each event.

use std::time::Duration;

use countersign_domain::event::{DeploymentReport, ExposedPackage, SigningJob};
use countersign_domain::{Event, EventData};
use countersign_queue::EmbeddedQueue;

use crate::output::shown;

/// Reads the event log from one place on.
pub(crate) struct Follower {
    queue: EmbeddedQueue,
    sequence: i64,
}

impl Follower {
    /// Follows what is published from now on.
    pub(crate) async fn from_now(queue: EmbeddedQueue) -> anyhow::Result<Self> {
        let sequence = queue.last_sequence().await?;
        Ok(Self { queue, sequence })
    }

    /// The next events, at least one.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Vec<Event>> {
        loop {
            let batch = self.queue.events_after(self.sequence, BATCH).await?;
            if let Some((last, _)) = batch.last() {
                self.sequence = *last;
                return Ok(batch.into_iter().map(|(_, event)| event).collect());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads on until `found` gives something of an event.
    pub(crate) async fn until<T>(&mut self, mut found: impl FnMut(&Event) -> Option<T>) -> anyhow::Result<T> {
        loop {
            let start = self.sequence;
            for (sequence, event) in self.queue.events_after(start, BATCH).await? {
                self.sequence = sequence;
                if let Some(value) = found(&event) {
                    return Ok(value);
                }
            }
            if self.sequence == start {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One line for a person.
pub(crate) fn line(event: &Event) -> String {
    let (word, rest) = match &event.data {
        EventData::SigningJobRequested(job) => ("requested", format!("job {}", job.job_id)),
        EventData::SigningJobStarted(job) => ("signing", started(job)),
        EventData::SigningJobSucceeded(job) => ("signed", succeeded(job)),
        EventData::SigningJobFailed(job) => ("NOT SIGNED", failed(job)),
        EventData::DeploymentRequested(request) => {
            let code = countersign_domain::ObjectVersion::from(request.code.clone()).location();
            ("deploying", format!("{} from {code}", request.function_name))
        }
        EventData::DeploymentSucceeded(report) => ("deployed", deployed(report)),
        EventData::DeploymentBlocked(report) => ("BLOCKED", undeployed(report)),
        EventData::DeploymentFailed(report) => ("FAILED", undeployed(report)),
        EventData::DeploymentWarning(warning) => {
            ("WARNING", format!("{}: {}", warning.function_name, warning.finding))
        }
        EventData::FunctionExposed(exposed) => ("EXPOSED", runs(exposed)),
    };
    let time = event.time.to_string();
    let time = time.get(11..23).unwrap_or_default();
    format!("{time} {word:<10} {}", shown(rest))
}

fn started(job: &SigningJob) -> String {
    let profile = job.profile_version_arn.profile().name();
    format!("{} with profile {profile} (job {})", job.source.location(), job.job_id)
}

fn succeeded(job: &SigningJob) -> String {
    let signed = job.signed_object.as_ref().map(|object| format!(" -> {}", object.location()));
    format!("{}{}", job.source.location(), signed.unwrap_or_default())
}

fn failed(job: &SigningJob) -> String {
    let reason = job.status_reason.as_deref().unwrap_or("no reason was given");
    format!("{}: {reason}", job.source.location())
}

fn deployed(report: &DeploymentReport) -> String {
    let version = report.version.map(|version| format!(" version {version}"));
    format!("{}{}", report.function_name, version.unwrap_or_default())
}

fn undeployed(report: &DeploymentReport) -> String {
    format!("{}: {}", report.function_name, report.reason)
}

fn runs(exposed: &ExposedPackage) -> String {
    let ExposedPackage { function_name, version, package, cause, since } = exposed;
    format!(
        "{function_name} version {version} runs a {package} whose signature would not pass: {} since {since}",
        cause.as_str()
    )
}

const BATCH: usize = 100;

/// How long to wait for the next event. The log tells nobody, so it is asked.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_its_reason() {
        let event: Event = serde_json::from_value(serde_json::json!({
            "specversion": "1.0",
            "id": "e",
            "source": "/countersign/signer",
            "time": "2026-11-21T08:30:00.125Z",
            "type": "countersign.signing-job.failed",
            "data": {
                "jobId": "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97",
                "jobArn": "arn:aws:signer:us-east-1:000000000000:/signing-jobs/c85aae70-b0a8-4fa4-abd9-3e39ade1ad97",
                "profileVersionArn": "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default/AbCdEfGhIj",
                "source": {"bucket": "unsigned", "key": "a.zip", "version": "v1"},
                "statusReason": "not_a_zip: no\u{1b}[2J\nend record",
            },
        }))
        .unwrap();
        let line = line(&event);
        assert_eq!(line, "08:30:00.125 NOT SIGNED s3://unsigned/a.zip: not_a_zip: no\\u{1b}[2J\\nend record");
    }
}
