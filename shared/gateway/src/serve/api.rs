//! What a service implements, and what it is called with.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use countersign_domain::UnixMillis;
use http::header::USER_AGENT;
use http::request::Parts;
use uuid::Uuid;

use crate::error::ApiError;
use crate::model::{Operation, Service};
use crate::reply::Reply;
use crate::sigv4::Caller;
use crate::validate::Input;

/// What the time is.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// A service behind the gateway.
#[async_trait::async_trait]
pub trait Api: Send + Sync + 'static {
    /// Authorizes `call` and carries it out. It is not stopped when its client goes away.
    ///
    /// # Errors
    /// What the client is answered with.
    async fn call(&self, call: Call) -> Result<Reply, ApiError>;

    /// Learns of a request that was refused although its signature is valid, before the client does: for the trail of
    /// who asked for what.
    async fn refused(&self, _refusal: Refusal<'_>) {}
}

/// A request that was authenticated and satisfies the model. Whether the caller may do it is for the service to decide.
#[derive(Clone)]
pub struct Call {
    /// The service.
    pub service: &'static Service,
    /// The operation.
    pub operation: &'static Operation,
    /// Its input.
    pub input: Input,
    /// Who asks.
    pub caller: Caller,
    /// What `x-amzn-RequestId` says.
    pub request_id: Uuid,
    /// When the request came in.
    pub received_at: UnixMillis,
    /// The region of the endpoint.
    pub region: String,
    /// The account of the endpoint; the caller's may be another.
    pub account: String,
    /// Where the request came from, if the listener said so.
    pub source_ip: Option<IpAddr>,
    /// What the client calls itself, cut to 256 characters.
    pub user_agent: Option<String>,
}

/// A request of a known caller that did not reach its service.
pub struct Refusal<'r> {
    /// The service.
    pub service: &'static Service,
    /// The operation, if there is one.
    pub operation: Option<&'static Operation>,
    /// What the client is answered with.
    pub error: &'r ApiError,
    /// Who asked.
    pub caller: &'r Caller,
    /// What `x-amzn-RequestId` says.
    pub request_id: Uuid,
    /// When the request came in.
    pub received_at: UnixMillis,
    /// Where the request came from, if the listener said so.
    pub source_ip: Option<IpAddr>,
    /// What the client calls itself, cut to 256 characters.
    pub user_agent: Option<String>,
}

/// Where a request came from: a listener puts the peer's address into the extensions of the request. No header says it,
/// because a client could.
pub(super) fn source_ip(head: &Parts) -> Option<IpAddr> {
    head.extensions.get::<SocketAddr>().map(SocketAddr::ip)
}

pub(super) fn user_agent(head: &Parts) -> Option<String> {
    let value = head.headers.get(USER_AGENT)?;
    Some(String::from_utf8_lossy(value.as_bytes()).chars().take(MAX_USER_AGENT).collect())
}

/// Characters of a user agent that records repeat.
const MAX_USER_AGENT: usize = 256;
