//! The record of a call, in CloudTrail's shape.

use countersign_domain::trail::{Parameters, UserIdentity};
use countersign_domain::{EventName, EventSource, Scope, TrailEventId, TrailRecord, UnixMillis};
use countersign_gateway::model::{Operation, Segment, Service, signer};
use countersign_gateway::{ApiError, Call, Caller, Refusal, Reply};

use crate::Notes;

pub(crate) fn of_call(
    call: &Call,
    answer: &Result<Reply, ApiError>,
    notes: Notes,
    scope: &Scope,
) -> TrailRecord {
    let what = (source(call.service), name(call.service, Some(call.operation)));
    let id = TrailEventId::for_request(&call.request_id);
    let record = TrailRecord::new(id, identity(&call.caller), what, call.received_at, scope)
        .sent_from(call.source_ip, call.user_agent.as_deref())
        .in_request(&call.request_id.to_string())
        .asking(Parameters::of(call.input.members()));
    let record = changing(record, call.operation);
    let record = notes.resources.iter().fold(record, |record, (kind, arn)| record.about(kind, arn));
    let record = match notes.checked {
        Some(data) => record.checked(data),
        None => record,
    };
    match answer {
        Ok(_) if is_read_only(call.operation) => record,
        Ok(reply) => record.answering(Parameters::of(reply.members())),
        Err(error) => failing(record, error),
    }
}

pub(crate) fn of_refusal(refusal: &Refusal<'_>, scope: &Scope) -> TrailRecord {
    let what = (source(refusal.service), name(refusal.service, refusal.operation));
    let id = TrailEventId::for_request(&refusal.request_id);
    let at: UnixMillis = refusal.received_at;
    let record = TrailRecord::new(id, identity(refusal.caller), what, at, scope)
        .sent_from(refusal.source_ip, refusal.user_agent.as_deref())
        .in_request(&refusal.request_id.to_string());
    let record = match refusal.operation {
        Some(operation) => changing(record, operation),
        None => record,
    };
    failing(record, refusal.error)
}

fn changing(record: TrailRecord, operation: &Operation) -> TrailRecord {
    if is_read_only(operation) { record } else { record.writing() }
}

fn failing(record: TrailRecord, error: &ApiError) -> TrailRecord {
    record.failing(code_of(error), error.message())
}

/// CloudTrail says `AccessDenied` where the wire says `AccessDeniedException`.
fn code_of(error: &ApiError) -> &str {
    match error.class().name {
        "AccessDeniedException" => "AccessDenied",
        name => name,
    }
}

fn identity(caller: &Caller) -> UserIdentity {
    let principal = caller.principal();
    UserIdentity::user(&principal.name, &principal.account, &principal.arn)
        .with_access_key(caller.access_key_id())
}

fn source(service: &Service) -> EventSource {
    if service.name == signer::SERVICE.name { EventSource::Signer } else { EventSource::Lambda }
}

/// Signer's operations as they are called, Lambda's with the version that their path begins with.
fn name(service: &Service, operation: Option<&Operation>) -> EventName {
    let operation_name = operation.map_or(UNKNOWN, |operation| operation.name);
    let version = operation.and_then(|operation| match operation.path.first() {
        Some(Segment::Literal(version)) if source(service) == EventSource::Lambda => Some(*version),
        Some(_) | None => None,
    });
    let named = match version {
        Some(version) => EventName::lambda(operation_name, version),
        None => operation_name.parse(),
    };
    named.expect("the names and versions of a model are letters, digits and hyphens")
}

fn is_read_only(operation: &Operation) -> bool {
    ["Get", "List", "Describe"].iter().any(|verb| operation.name.starts_with(verb))
}

/// What a request asks for whose path or method no operation has.
const UNKNOWN: &str = "UnknownOperation";
