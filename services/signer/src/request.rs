//! From the event that a job was requested to the job. The event is a hint: it names a job, and the store has the rest.

use countersign_domain::{Event, EventData, JobArn, JobId};
use countersign_ports::jobs::Job;
use countersign_ports::queue::BODY_LIMIT_BYTES;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::Signer;
use crate::halt::{Halt, Refusal};

/// An event that requests no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedRequest {
    /// It is not an event of this version of Countersign.
    #[error("malformed_request: {0}")]
    NotAnEvent(String),
    /// It tells of something else.
    #[error("unexpected_event: {0} requests no signing job; bind this queue to signing-job.requested alone")]
    OtherType(&'static str),
    /// Its two names of the job disagree.
    #[error("malformed_request: job {id} is not the one of {arn}")]
    TwoJobs { id: JobId, arn: JobArn },
}

/// The job that an event requests; `None` if the message is no CloudEvent, and so may be a notification.
pub(crate) fn parse(body: &[u8]) -> Option<Result<JobArn, MalformedRequest>> {
    if body.len() > BODY_LIMIT_BYTES {
        return None;
    }
    let Ok(Envelope { specversion: Some(_) }) = serde_json::from_slice(body) else { return None };
    Some(requested(body))
}

fn requested(body: &[u8]) -> Result<JobArn, MalformedRequest> {
    let event: Event = serde_json::from_slice(body).map_err(|error| {
        // The parser quotes what it did not understand, and that may be as long as the message.
        MalformedRequest::NotAnEvent(error.to_string().chars().take(QUOTE_MAX_CHARS).collect())
    })?;
    let job = match event.data {
        EventData::SigningJobRequested(job) => job,
        other @ (EventData::SigningJobStarted(_)
        | EventData::SigningJobSucceeded(_)
        | EventData::SigningJobFailed(_)
        | EventData::DeploymentRequested(_)
        | EventData::DeploymentSucceeded(_)
        | EventData::DeploymentBlocked(_)
        | EventData::DeploymentFailed(_)
        | EventData::DeploymentWarning(_)
        | EventData::FunctionExposed(_)) => return Err(MalformedRequest::OtherType(other.kind())),
    };
    if job.job_arn.job() != job.job_id {
        return Err(MalformedRequest::TwoJobs { id: job.job_id, arn: job.job_arn });
    }
    Ok(job.job_arn)
}

/// The job as it stands. It was committed with its event, so one that is not there never will be.
pub(crate) async fn find(signer: &Signer, arn: &JobArn) -> Result<Job, Halt> {
    let job = signer.ports.jobs.job(arn).await?;
    let job = job.ok_or_else(|| Refusal::new("unknown_job", format!("there is no signing job {arn}")))?;
    // A drop's job ends with what its route says, so nobody may have it signed without that.
    if job.arn.job() == JobId::for_drop(&job.source, &job.profile) {
        let detail = format!("signing job {arn} was not requested; a drop of {} asked for it", job.source);
        return Err(Refusal::new("not_requested", detail).into());
    }
    Ok(job)
}

/// What tells an event from a notification.
#[derive(Deserialize)]
struct Envelope {
    specversion: Option<IgnoredAny>,
}

const QUOTE_MAX_CHARS: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";

    fn event(kind: &str, id: &str) -> String {
        let arn = format!("arn:aws:signer:us-east-1:000000000000:/signing-jobs/{ID}");
        format!(
            r#"{{"specversion":"1.0","id":"e","source":"/countersign/signer","time":"2026-11-21T08:30:00.125Z",
                 "type":"{kind}","data":{{"jobId":"{id}","jobArn":"{arn}"}}}}"#
        )
    }

    #[test]
    fn an_event_names_one_job() {
        let parsed = parse(event("countersign.signing-job.requested", ID).as_bytes());
        assert_eq!(parsed.unwrap().unwrap().job().to_string(), ID);
        let other = event("countersign.signing-job.requested", &ID.replace('c', "d"));
        assert!(matches!(parse(other.as_bytes()), Some(Err(MalformedRequest::TwoJobs { .. }))));
        for kind in ["countersign.signing-job.started", "countersign.unknown"] {
            let malformed = parse(event(kind, ID).as_bytes());
            assert!(matches!(malformed, Some(Err(MalformedRequest::NotAnEvent(_)))), "{malformed:?}");
        }
    }

    #[test]
    fn a_notification_is_no_event() {
        for body in
            ["", "[]", r#"{"Records":[]}"#, r#"{"detail":{},"version":"0"}"#, r#"{"specversion":null}"#]
        {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }
}
