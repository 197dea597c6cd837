//! From a message to a deployment that somebody asks for. Everything in the message is checked before anything is
//! looked up; the publisher is the one whom the broker authenticated, never one that the message names.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::event::{DeploymentRequest, MAX_LAYERS};
use countersign_domain::{DeploymentId, Event, EventData, EventId, Sha256Digest};
use countersign_iam::Allowed;
use countersign_ports::WorkerId;
use countersign_ports::change::Change;
use countersign_ports::queue::{BODY_LIMIT_BYTES, DELIVERY_LIMIT, Delivery};
use countersign_runtime::{Handled, Requester, UnknownPublisher};

use crate::Deployer;
use crate::halt::Halt;
use crate::pipeline;

/// A deployment that was asked for, by a message or by a call.
#[derive(Debug, Clone)]
pub struct Asked {
    pub(crate) id: DeploymentId,
    pub(crate) event: EventId,
    /// Who asks, as the broker or the API authenticated it.
    pub(crate) requester: Requester,
    pub(crate) request: DeploymentRequest,
    pub(crate) change: Change,
    /// The proof that a call may ask for it; a message is authorized once it is known what it stands for.
    pub(crate) allowed: Option<Arc<Allowed>>,
    /// How often the message was delivered, this time included.
    pub(crate) attempt: u32,
    /// In whose name the deployment is held: the same for every delivery of one message to one process, so that a
    /// message that comes again finds its own lease, and two messages never share one.
    pub(crate) holder: WorkerId,
}

impl Asked {
    /// True if a call asks, and not a message.
    pub(crate) fn is_call(&self) -> bool {
        self.allowed.is_some()
    }
}

/// A message that asks for no deployment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedRequest {
    #[error("malformed_event: the event has {size_bytes} bytes, more than {BODY_LIMIT_BYTES}")]
    TooLarge { size_bytes: usize },
    #[error("malformed_event: {0}")]
    NotAnEvent(String),
    #[error("unexpected_event: {0} asks for no deployment; bind this queue to deployment.requested alone")]
    OtherType(&'static str),
    #[error("malformed_event: {count} layers are more than {MAX_LAYERS}")]
    TooManyLayers { count: usize },
    #[error(transparent)]
    Publisher(#[from] UnknownPublisher),
}

/// Handles a message. It is done when the deployment has ended, however that was.
pub(crate) async fn handle(deployer: &Deployer, delivery: &Delivery) -> Handled {
    let asked = match read(deployer, delivery) {
        Ok(asked) => asked,
        Err(malformed) => return Handled::Reject { reason: malformed.to_string() },
    };
    match pipeline::run(deployer, &asked).await {
        Ok(_ended) => Handled::Done,
        Err(Halt::Later { after, reason }) => {
            Handled::Retry { after: after.unwrap_or_else(|| backoff(asked.attempt)), reason }
        }
        Err(Halt::Busy(reason)) => Handled::Retry { after: backoff(asked.attempt), reason },
        Err(rejected @ (Halt::Rejected(_) | Halt::Failed(_))) => {
            Handled::Reject { reason: rejected.to_string() }
        }
    }
}

fn read(deployer: &Deployer, delivery: &Delivery) -> Result<Asked, MalformedRequest> {
    let requester = deployer.authority().requester(delivery.publisher.as_deref())?;
    let Event { id, data, .. } = parse(&delivery.body)?;
    let request = requested(data)?;
    Ok(Asked {
        id: DeploymentId::for_event(requester.principal.name(), &id),
        event: id,
        requester,
        request,
        change: Change::Publish,
        allowed: None,
        attempt: delivery.attempt,
        holder: deployer.holder(&delivery.message_id),
    })
}

fn parse(body: &[u8]) -> Result<Event, MalformedRequest> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(MalformedRequest::TooLarge { size_bytes: body.len() });
    }
    serde_json::from_slice(body).map_err(|error| {
        // The parser quotes what it did not understand, and that may be as long as the message.
        MalformedRequest::NotAnEvent(error.to_string().chars().take(QUOTE_MAX_CHARS).collect())
    })
}

fn requested(data: EventData) -> Result<DeploymentRequest, MalformedRequest> {
    let request = match data {
        EventData::DeploymentRequested(request) => request,
        other @ (EventData::SigningJobRequested(_)
        | EventData::SigningJobStarted(_)
        | EventData::SigningJobSucceeded(_)
        | EventData::SigningJobFailed(_)
        | EventData::DeploymentSucceeded(_)
        | EventData::DeploymentBlocked(_)
        | EventData::DeploymentFailed(_)
        | EventData::DeploymentWarning(_)
        | EventData::FunctionExposed(_)) => return Err(MalformedRequest::OtherType(other.kind())),
    };
    let count = request.layers.len();
    if count > MAX_LAYERS { Err(MalformedRequest::TooManyLayers { count }) } else { Ok(request) }
}

/// 1 s after the first delivery, four times as long after each further one.
fn backoff(attempt: u32) -> Duration {
    Duration::from_secs(1).saturating_mul(4_u32.saturating_pow(attempt.saturating_sub(1))).min(BACKOFF_MAX)
}

impl Deployer {
    /// The deployment that a call of `requester` asks for, which `allowed` proves that they may, under an id that no other
    /// call of theirs has. `request` names
    /// every package, those included that stand already and do not change. It is not delivered again, so that what could
    /// not be checked is inconclusive at once.
    pub fn asked(
        &self,
        call: EventId,
        requester: Requester,
        request: DeploymentRequest,
        change: Change,
        allowed: Allowed,
    ) -> Asked {
        Asked {
            id: DeploymentId::for_event(requester.principal.name(), &call),
            holder: self.holder(call.as_str()),
            event: call,
            requester,
            request,
            change,
            allowed: Some(Arc::new(allowed)),
            attempt: DELIVERY_LIMIT,
        }
    }

    /// In whose name this process holds what `message` asks for.
    fn holder(&self, message: &str) -> WorkerId {
        let process = self.settings.worker.as_str();
        let digest = Sha256Digest::of(format!("{process}\n{message}").as_bytes()).to_string();
        let process: String = process.chars().take(60).collect();
        format!("{process}/{digest}").parse().expect("a worker id cut short and a digest are a worker id")
    }
}

const BACKOFF_MAX: Duration = Duration::from_secs(300);
const QUOTE_MAX_CHARS: usize = 400;
