//! From a message to what is to be signed: dropped versions, or a requested job. Both messages are hints: nothing of a
//! notification is believed but which version may have been created, nothing of an event but which job to look at, and
//! hearing of one twice is harmless.

use std::time::Duration;

use countersign_domain::{JobArn, ObjectVersion, Sha256Digest};
use countersign_objects::events::{self, EventRefusal, ObjectCreated};
use countersign_ports::WorkerId;
use countersign_ports::jobs::Job;
use countersign_ports::objects::ObjectError;
use countersign_ports::queue::Delivery;
use countersign_runtime::{Handled, Route, route_of};

use crate::Signer;
use crate::halt::{Halt, Refusal};
use crate::{pipeline, request};

/// What is to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    /// What asks for it.
    pub(crate) by: AskedBy<'a>,
    /// In whose name its job is held: the same for every delivery of one message to one process, so that a message that
    /// comes again finds its own lease, and two messages never share one.
    pub(crate) holder: WorkerId,
}

/// What asks for a signature.
#[derive(Debug, Clone)]
pub(crate) enum AskedBy<'a> {
    /// A version was dropped under a route's source; the route says what that means.
    Drop { route: &'a Route, source: ObjectVersion },
    /// Somebody requested this job, which says where the signed package goes; nothing is deployed.
    Request(Box<Job>),
}

impl Asked<'_> {
    /// What is signed.
    pub(crate) fn source(&self) -> &ObjectVersion {
        match &self.by {
            AskedBy::Drop { source, .. } => source,
            AskedBy::Request(job) => &job.source,
        }
    }

    /// What a drop means; of a request, nothing.
    pub(crate) fn route(&self) -> Option<&Route> {
        match self.by {
            AskedBy::Drop { route, .. } => Some(route),
            AskedBy::Request(_) => None,
        }
    }
}

/// Handles a requested job, or every record of a notification on its own. The message is done when all are; it comes again
/// when that may help one of them, and is a dead letter when it names something that can never be signed.
pub(crate) async fn handle(signer: &Signer, delivery: &Delivery) -> Handled {
    let (routes, holder) = (signer.routes(), signer.holder(&delivery.message_id));
    match request::parse(&delivery.body) {
        Some(Ok(job)) => return settled(handle_request(signer, &job, holder).await, delivery.attempt),
        Some(Err(malformed)) => return Handled::Reject { reason: malformed.to_string() },
        None => {}
    }
    let records = match events::parse(&delivery.body) {
        Ok(records) => records,
        Err(malformed) => return Handled::Reject { reason: format!("malformed_notification: {malformed}") },
    };
    let mut handled = Handled::Done;
    for record in records {
        let next = handle_record(signer, &routes, record, &holder, delivery.attempt).await;
        handled = both(handled, next);
    }
    handled
}

async fn handle_request(signer: &Signer, job: &JobArn, holder: WorkerId) -> Result<(), Halt> {
    let job = request::find(signer, job).await?;
    pipeline::run(signer, &Asked { by: AskedBy::Request(Box::new(job)), holder }).await
}

async fn handle_record(
    signer: &Signer,
    routes: &[Route],
    record: Result<ObjectCreated, EventRefusal>,
    holder: &WorkerId,
    attempt: u32,
) -> Handled {
    let created = match record {
        Ok(created) => created,
        Err(refusal) => return Handled::Reject { reason: unusable(&refusal).to_string() },
    };
    let signed = async {
        match locate(signer, routes, created).await? {
            Some((route, source)) => {
                let by = AskedBy::Drop { route, source };
                pipeline::run(signer, &Asked { by, holder: holder.clone() }).await
            }
            None => Ok(()),
        }
    };
    settled(signed.await, attempt)
}

/// What the queue is told of it.
fn settled(signed: Result<(), Halt>, attempt: u32) -> Handled {
    match signed {
        Ok(()) => Handled::Done,
        Err(Halt::Refused(refusal)) => Handled::Reject { reason: refusal.to_string() },
        Err(Halt::Later { after, reason }) => {
            Handled::Retry { after: after.unwrap_or_else(|| backoff(attempt)), reason }
        }
    }
}

/// The version that a record means, with its route: the first of its candidates that exists. Some stores tell of uploads
/// that they refused, and of such a version nothing is kept.
async fn locate<'a>(
    signer: &Signer,
    routes: &'a [Route],
    created: ObjectCreated,
) -> Result<Option<(&'a Route, ObjectVersion)>, Halt> {
    for source in created.candidates {
        let Some(route) = route_of(routes, &source.location()) else {
            tracing::debug!(%source, "no route has this source");
            continue;
        };
        match signer.ports.objects.facts(&source).await {
            Ok(Some(_)) => return Ok(Some((route, source))),
            Ok(None) | Err(ObjectError::NoSuchBucket(_)) => {
                tracing::info!(%source, "a notification names a version that is not there");
            }
            Err(error) => return Err(Halt::later(error)),
        }
    }
    Ok(None)
}

/// Without a version nothing can be pinned, so there is no job that could fail.
fn unusable(refusal: &EventRefusal) -> Refusal {
    let code = match refusal {
        EventRefusal::Unversioned { .. } => "unversioned_source",
        EventRefusal::Malformed(_)
        | EventRefusal::UnknownSource { .. }
        | EventRefusal::KeyEncoding(_)
        | EventRefusal::Name(_) => "malformed_record",
    };
    Refusal::new(code, refusal.to_string())
}

/// Trying again comes before giving up: repeating what is done already is harmless.
fn both(one: Handled, other: Handled) -> Handled {
    match (one, other) {
        (Handled::Done, other) => other,
        (one, Handled::Done) => one,
        (Handled::Retry { after, reason }, Handled::Retry { after: longer, reason: more }) => {
            Handled::Retry { after: after.max(longer), reason: joined(&reason, &more) }
        }
        (Handled::Retry { after, reason }, Handled::Reject { reason: more })
        | (Handled::Reject { reason: more }, Handled::Retry { after, reason }) => {
            Handled::Retry { after, reason: joined(&reason, &more) }
        }
        (Handled::Reject { reason }, Handled::Reject { reason: more }) => {
            Handled::Reject { reason: joined(&reason, &more) }
        }
    }
}

/// Both reasons, as far as a dead letter has room for them: a notification may have a thousand records.
fn joined(reason: &str, more: &str) -> String {
    format!("{reason}; {more}").chars().take(REASON_MAX_CHARS).collect()
}

/// 1 s after the first delivery, four times as long after each further one: the deliveries that a queue allows last over
/// an outage of a minute, and a longer one is the sweep's.
fn backoff(attempt: u32) -> Duration {
    Duration::from_secs(1).saturating_mul(4_u32.saturating_pow(attempt.saturating_sub(1))).min(BACKOFF_MAX)
}

impl Signer {
    /// In whose name this process holds what `message` asks for.
    pub(crate) fn holder(&self, message: &str) -> WorkerId {
        let process = self.settings.worker.as_str();
        let digest = Sha256Digest::of(format!("{process}\n{message}").as_bytes()).to_string();
        let process: String = process.chars().take(60).collect();
        format!("{process}/{digest}").parse().expect("a worker id cut short and a digest are a worker id")
    }
}

const BACKOFF_MAX: Duration = Duration::from_secs(300);
const REASON_MAX_CHARS: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(after: u64, reason: &str) -> Handled {
        Handled::Retry { after: Duration::from_secs(after), reason: reason.into() }
    }

    fn reject(reason: &str) -> Handled {
        Handled::Reject { reason: reason.into() }
    }

    #[test]
    fn a_message_is_tried_again_while_that_may_help_any_record() {
        assert_eq!(both(Handled::Done, Handled::Done), Handled::Done);
        assert_eq!(both(Handled::Done, reject("a")), reject("a"));
        assert_eq!(both(retry(1, "a"), Handled::Done), retry(1, "a"));
        assert_eq!(both(reject("a"), retry(2, "b")), retry(2, "b; a"));
        assert_eq!(both(retry(3, "a"), retry(2, "b")), retry(3, "a; b"));
        assert_eq!(both(reject("a"), reject("b")), reject("a; b"));
    }

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<u64> = [1, 2, 3, 4, 5, u32::MAX].map(|attempt| backoff(attempt).as_secs()).into();
        assert_eq!(waits, [1, 4, 16, 64, 256, 300]);
    }
}
